"""An object of S3 is whole and verified, whatever S3 does, or an error that says what to set."""

import os
import random
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sources.fetch import Patience, UpstreamError, fetch, get
from sources.source import Pace, RawFile
from sources.upstream import s3
from sources.upstream.attempts import redacted
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
sys.path.append(str(Path(__file__).parent))
from fault_server import closed_port
from s3_upstream import MESSAGE, S3Upstream, serving_s3

CONTENT = b"".join(b"line %d of a raw file\n" % n for n in range(20_000))
OTHER = CONTENT[::-1]
KEY = "src/a file%20#1?.tar"
RAW = RawFile(f"s3://open/{KEY}", "a.tar")
SECRET = "wholly-secret-access-key"
PATIENCE = Patience(read_timeout=5.0, sleep=lambda _: None)
MANNERS = Manners(default=Pace(100_000, 8))
GUEST = Guest(MANNERS)
PAYING = Guest(MANNERS, spend=True)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Upstream]:
    """One S3 for all tests of this file."""
    with serving_s3() as upstream:
        yield upstream


@pytest.fixture
def upstream(
    server: S3Upstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[S3Upstream]:
    """Give the S3 with one object and a clean record, to a user without credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    s3.client.cache_clear()
    server.faults.clear()
    s3.SIGNED.clear()
    server.requester_pays = server.private = False
    server.put(KEY, CONTENT)
    server.requests.clear()
    yield server
    s3.client.cache_clear()


@pytest.fixture
def credentials(upstream: S3Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user have credentials."""
    del upstream
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERSOWNKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "a.partial"


def test_an_open_object_is_had_anonymously(upstream: S3Upstream, partial: Path) -> None:
    """One request, unsigned, by our own name; a key is taken as it stands."""
    found = fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert found.size == len(CONTENT)
    [request] = upstream.requests
    assert "HTTP_AUTHORIZATION" not in request
    assert request["agent"].startswith("pile/")


def test_a_cut_object_goes_on_under_if_match(upstream: S3Upstream, partial: Path) -> None:
    """The rest is asked for by Range, of the same ETag only."""
    upstream.faults = [("cut", 100_000), ("refuse", "503 Slow Down", "SlowDown")]
    fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert [request.get("HTTP_RANGE") for request in upstream.requests] == [
        None,
        "bytes=100000-",
        "bytes=100000-",
    ]
    assert upstream.requests[2]["HTTP_IF_MATCH"].startswith('"')


def test_an_object_in_parts_is_checked_as_a_whole(upstream: S3Upstream, partial: Path) -> None:
    """Bytes that went bad on the way come anew, also where they came before a cut or an earlier call."""
    upstream.faults = [("cut", 100_000)]
    with pytest.raises(UpstreamError):
        fetch(RAW, partial, guest=GUEST, patience=Patience(attempts=1))
    with partial.open("r+b") as file:
        file.write(b"X")
    found = fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert found.resumed_from == 0
    assert [request.get("HTTP_RANGE") for request in upstream.requests] == [
        None,
        "bytes=100000-",
        None,
    ]


def test_an_object_that_changed_between_two_parts_starts_over(
    upstream: S3Upstream, partial: Path
) -> None:
    """Parts of two versions are never joined."""
    upstream.faults = [("cut", 100_000), ("call", lambda: upstream.put(KEY, OTHER))]
    fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == OTHER


def test_an_object_that_is_all_there_needs_no_more(upstream: S3Upstream, partial: Path) -> None:
    """A 416 under If-Match at the known size is the end of the file."""
    upstream.faults = [("cut", len(CONTENT)), ("cut", len(CONTENT))]
    fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    with s3.ask(RAW.url, PATIENCE, guest=GUEST) as answer:
        known = answer.version
    with s3.ask(RAW.url, PATIENCE, len(CONTENT), known, GUEST) as answer:
        assert (answer.start, list(answer.pieces)) == (len(CONTENT), [])


def test_each_request_has_a_turn_and_a_denial_is_remembered(
    upstream: S3Upstream, tmp_path: Path, credentials: None
) -> None:
    """A bucket that wants signed requests is asked anonymously once, and never above its pace."""
    upstream.private = True
    moments: list[float] = []
    began = time.monotonic()
    upstream.faults = [("call", lambda: moments.append(time.monotonic()))] * 4
    slow = Guest(Manners(tmp_path / "manners", {"open.s3.amazonaws.com": Pace(5.0)}))
    for number in range(3):
        fetch(RAW, tmp_path / f"{number}.partial", guest=slow, patience=PATIENCE)
    signed = ["HTTP_AUTHORIZATION" in request for request in upstream.requests]
    assert signed == [False, True, True, True]
    assert moments[-1] - began >= 3 * 0.2


def test_a_private_object_wants_credentials(upstream: S3Upstream, partial: Path) -> None:
    """Without any, the refusal names what to set."""
    upstream.private = True
    with pytest.raises(UpstreamError, match="AWS_ACCESS_KEY_ID"):
        fetch(RAW, partial, guest=GUEST, patience=PATIENCE)


@pytest.mark.usefixtures("credentials")
def test_a_private_object_is_had_signed(upstream: S3Upstream, partial: Path) -> None:
    """Signed only after the anonymous request was denied."""
    upstream.private = True
    fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert ["HTTP_AUTHORIZATION" in request for request in upstream.requests] == [False, True]


@pytest.mark.usefixtures("credentials")
def test_nobody_pays_who_did_not_say_so(upstream: S3Upstream, partial: Path) -> None:
    """The refusal names the setting, and no request offers to pay."""
    upstream.requester_pays = True
    with pytest.raises(UpstreamError, match="spend_usd") as caught:
        fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert not any("HTTP_X_AMZ_REQUEST_PAYER" in request for request in upstream.requests)
    for secret in (SECRET, "AKIA", MESSAGE):
        assert secret not in str(caught.value)


@pytest.mark.usefixtures("credentials")
def test_who_may_spend_pays_where_it_is_wanted(upstream: S3Upstream, partial: Path) -> None:
    """Only the request that was denied goes out again with an offer to pay."""
    upstream.requester_pays = True
    fetch(RAW, partial, guest=PAYING, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    upstream.requester_pays = False
    upstream.requests.clear()
    partial.unlink()
    s3.SIGNED.clear()
    fetch(RAW, partial, guest=PAYING, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert not any("HTTP_X_AMZ_REQUEST_PAYER" in request for request in upstream.requests)


def test_who_may_spend_needs_credentials(upstream: S3Upstream, partial: Path) -> None:
    """Leave to spend alone is not enough, and the refusal says so."""
    upstream.requester_pays = True
    with pytest.raises(UpstreamError, match="AWS_SECRET_ACCESS_KEY") as caught:
        fetch(RAW, partial, guest=PAYING, patience=PATIENCE)
    assert "spend_usd" not in str(caught.value)


@pytest.mark.parametrize("status", ["400 Bad", "403 Forbidden"])
def test_bad_credentials_are_named_by_the_code_alone(
    upstream: S3Upstream, partial: Path, status: str
) -> None:
    """The server's words may hold the key's name, so they are not shown."""
    upstream.faults = [("refuse", status, "InvalidAccessKeyId")]
    with pytest.raises(UpstreamError, match="InvalidAccessKeyId") as caught:
        fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert "AKIA" not in str(caught.value)


def test_an_object_that_is_gone_is_no_object(upstream: S3Upstream) -> None:
    """A missing key says to look for it; so does an address without a key."""
    with pytest.raises(UpstreamError, match="NoSuchKey") as caught:
        get("s3://open/none", guest=GUEST, patience=PATIENCE)
    assert caught.value.missing
    for url in ("s3://open", "s3://open/", "s3:///key", "s3://user:word@open/key"):
        with pytest.raises(UpstreamError, match="s3://bucket/key"):
            get(url, guest=GUEST, patience=PATIENCE)
    assert len(upstream.requests) == 1


def test_patience_is_ours_alone(upstream: S3Upstream, partial: Path) -> None:
    """Boto asks once for each of our attempts, and the end of patience is told."""
    upstream.faults = [("refuse", "503 Slow Down", "SlowDown")] * 10
    with pytest.raises(UpstreamError, match="SlowDown") as caught:
        fetch(RAW, partial, guest=GUEST, patience=Patience(attempts=4, sleep=lambda _: None))
    assert caught.value.retry_later
    assert len(upstream.requests) == 4


def test_an_endpoint_out_of_reach_may_be_back_later(
    upstream: S3Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again as patience says, and then left for later: refused, or silent to who connects."""
    del upstream
    waits: list[float] = []
    patience = Patience(attempts=3, connect_timeout=0.2, read_timeout=0.2, sleep=waits.append)
    with _deaf_port() as deaf:
        for port in (closed_port(), deaf):
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
            s3.client.cache_clear()
            with pytest.raises(UpstreamError, match=r"no answer .*asked 3 times") as caught:
                fetch(RAW, partial, guest=GUEST, patience=patience)
            assert caught.value.retry_later
    assert len(waits) == 4


@contextmanager
def _deaf_port() -> Iterator[int]:
    """Return a port at which connections are not taken any more: its queue is full."""
    with socket.socket() as listening, ExitStack() as queued:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(2):
            waiting = queued.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_an_address_of_an_object_is_shown_whole() -> None:
    """What follows the bucket is its name, ``#`` and ``?`` too; two of them are never one."""
    url = "s3://open/a#b?token=c"
    assert redacted(url) == url
    assert redacted("s3://user:word@open/a#b") == "s3://open/a#b"


def test_what_has_not_the_md5_of_its_etag_is_not_kept(
    upstream: S3Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that were changed on the way are asked for again."""
    honest = upstream.honest
    assert honest is not None

    def garbled(environ: object, start_response: object) -> list[bytes]:
        upstream.honest = honest
        body = b"".join(honest(environ, start_response))
        return [b"X" + body[1:]]

    monkeypatch.setattr(upstream, "honest", garbled)
    fetch(RAW, partial, guest=GUEST, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert len(upstream.requests) == 2


@pytest.mark.usefixtures("credentials")
def test_a_hundred_sessions_give_the_file_or_a_clear_failure(
    upstream: S3Upstream, tmp_path: Path
) -> None:
    """Whatever mix of refusals, cuts, changes and denials comes: never a wrong file."""
    ended = {True: 0, False: 0}
    for seed in range(100):
        draw = random.Random(seed)
        upstream.put(KEY, CONTENT)
        upstream.requester_pays = draw.random() < 0.3
        upstream.private = draw.random() < 0.2
        guest = PAYING if draw.random() < 0.7 else GUEST
        faults = [
            None,
            ("refuse", "500 Internal Server Error", "InternalError"),
            ("refuse", "503 Slow Down", "SlowDown"),
            ("cut", draw.randrange(len(CONTENT))),
            ("call", lambda: upstream.put(KEY, OTHER)),
            ("refuse", "403 Forbidden", "AccessDenied"),
        ]
        upstream.faults = draw.choices(faults, (2, 2, 2, 4, 1, 0.3), k=draw.randrange(1, 9))
        partial = tmp_path / f"{seed}.partial"
        try:
            found = fetch(RAW, partial, guest=guest, patience=PATIENCE)
        except UpstreamError as error:
            assert SECRET not in str(error)
            ended[False] += 1
        else:
            assert partial.read_bytes() in {CONTENT, OTHER}
            assert found.size == len(CONTENT)
            ended[True] += 1
    assert min(ended.values()) >= 10
