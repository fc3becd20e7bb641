"""A download is whole and verified, whatever upstream does, or an error that says what to do."""

import gzip
import hashlib
import json
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.fetch import Patience, UpstreamError, fetch, forget, get
from sources.source import RawFile
from sources.upstream import http
from sources.upstream import partial as partial_module
from sources.upstream.attempts import redacted, secrets_in
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import (
    DATE,
    Reply,
    Request,
    Upstream,
    closed_port,
    cut,
    file_server,
    serving,
    whole,
)

CONTENT = b"".join(b"line %d of a raw file\n" % n for n in range(5000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
REST = f"bytes 70000-{len(CONTENT) - 1}/{len(CONTENT)}"
ABSURD = "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"
ASKED = {"Range": "bytes=70000-", "If-Range": '"one"'}
EARLIER, LATER = "Mon, 20 Oct 2025 07:28:00 GMT", "Mon, 20 Oct 2025 09:28:00 GMT"


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    """One upstream for all tests of this file."""
    with serving() as upstream:
        yield upstream


@pytest.fixture
def upstream(server: Upstream, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """Give the upstream with a clean record, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    server.replies.clear()
    server.requests.clear()
    server.otherwise = file_server(CONTENT)
    return server


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were waited for, without waiting."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Patience that takes no time."""
    return Patience(read_timeout=5.0, sleep=waits.append)


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "raw.partial"


def note_of(partial: Path) -> Path:
    """Return the place of the note beside a download."""
    return partial.with_name(partial.name + ".validator.json")


def raw(upstream: Upstream, size: int | None = None, checksum: str | None = None) -> RawFile:
    """Plan the upstream's file."""
    return RawFile(f"{upstream.url}/raw.txt", "raw.txt", size, checksum)


def start_download(upstream: Upstream, partial: Path, kept: int, **headers: str) -> None:
    """Leave behind a download that was cut after ``kept`` bytes."""
    upstream.replies = [cut(whole(CONTENT, **headers), kept)]
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), partial, patience=Patience(attempts=1))
    upstream.requests.clear()


# Whole downloads


def test_a_file_is_downloaded_and_known_by_digest(upstream: Upstream, partial: Path) -> None:
    """The result tells size, SHA-256 and validators; so small a file needs no note."""
    upstream.replies = [whole(CONTENT, ETag='"one"', Last_Modified=DATE)]
    found = fetch(raw(upstream), partial)
    assert partial.read_bytes() == CONTENT
    assert (found.size, found.sha256) == (len(CONTENT), SHA256)
    assert (found.etag, found.last_modified, found.resumed_from) == ('"one"', DATE, 0)
    assert not note_of(partial).exists()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_published_size_and_checksum_are_verified(
    upstream: Upstream, partial: Path, algorithm: str
) -> None:
    """MD5, SHA-1 and SHA-256 in any case are understood."""
    checksum = f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest().upper()}"
    found = fetch(raw(upstream, size=len(CONTENT), checksum=checksum), partial)
    assert found.sha256 == SHA256


def test_a_wrong_checksum_names_both_and_deletes_what_came(
    upstream: Upstream, partial: Path
) -> None:
    """What is not the published file does not stay on disk."""
    expected = "0" * 64
    with pytest.raises(UpstreamError) as caught:
        fetch(raw(upstream, checksum=f"sha256:{expected}"), partial)
    for part in (SHA256, expected, f"{upstream.url}/raw.txt", "run again"):
        assert part in str(caught.value)
    assert not partial.exists()
    assert not note_of(partial).exists()


def test_a_size_other_than_planned_is_refused_before_the_body(
    upstream: Upstream, partial: Path
) -> None:
    """The stated length is enough to know that upstream changed."""
    with pytest.raises(UpstreamError, match=r"has 118,890 bytes, not 5 as planned.*plan anew"):
        fetch(raw(upstream, size=5), partial)
    assert not partial.exists()


def test_a_checksum_of_another_kind_is_a_mistake_in_the_plan(
    upstream: Upstream, partial: Path
) -> None:
    """Nothing is downloaded that could not be verified as asked."""
    for checksum in ("crc32:00000000", "sha256:12", f"md5:{'x' * 32}", SHA256):
        with pytest.raises(ValueError, match="no checksum of md5, sha1 or sha256"):
            fetch(raw(upstream, checksum=checksum), partial)
    assert not upstream.requests


def test_requests_name_themselves_and_ask_for_the_bytes_as_stored(
    upstream: Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PILE_USER_AGENT is sent; without it, the request admits that there is no contact."""
    monkeypatch.delenv("PILE_USER_AGENT", raising=False)
    monkeypatch.delenv("PILE_CONTACT", raising=False)
    fetch(raw(upstream), partial)
    monkeypatch.setenv("PILE_USER_AGENT", "lab/1.0 (+mailto:us@example.org)")
    get(upstream.url)
    first, second = (request.headers for request in upstream.requests)
    assert first["Accept-Encoding"] == "identity"
    assert first["User-Agent"].startswith("pile/")
    assert first["User-Agent"].endswith("(+contact not set)")
    assert second["User-Agent"] == "lab/1.0 (+mailto:us@example.org)"


def test_the_contact_of_the_run_is_sent(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the guest's manners, or else of PILE_CONTACT; each request has it."""
    monkeypatch.delenv("PILE_USER_AGENT", raising=False)
    monkeypatch.setenv("PILE_CONTACT", "https://example.org/crawl")
    get(upstream.url)
    get(upstream.url, guest=Guest(Manners(contact="mailto:us@example.org")))
    ends = [request.headers["User-Agent"].partition(" ")[2] for request in upstream.requests]
    assert ends == ["(+https://example.org/crawl)", "(+mailto:us@example.org)"]


def test_chunked_answers_tell_their_end(
    upstream: Upstream, partial: Path, patience: Patience
) -> None:
    """A chunked body needs no length; one that is cut is asked for again."""
    chunked = {"Transfer-Encoding": "chunked"}
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    upstream.replies = [Reply(headers=chunked, body=(body[:n],)) for n in (7, 14, 21)]
    upstream.replies.append(Reply(headers=chunked, body=(body,)))
    fetch(raw(upstream), partial, patience=patience)
    assert partial.read_bytes() == b"hello world"
    assert len(upstream.requests) == 4


def test_a_chunked_answer_may_state_a_length_too(upstream: Upstream, partial: Path) -> None:
    """The chunks count (RFC 9112, section 6.3)."""
    headers = {"Transfer-Encoding": "chunked", "Content-Length": "999"}
    upstream.replies = [Reply(headers=headers, body=(b"5\r\nhello\r\n0\r\n\r\n",))]
    assert fetch(raw(upstream), partial).size == 5


def test_an_answer_without_an_end_needs_a_size_or_checksum(
    upstream: Upstream, partial: Path
) -> None:
    """A body that ends with its connection is believed only if it can be verified."""
    endless = Reply(body=(CONTENT,))
    upstream.otherwise = lambda _: endless
    with pytest.raises(UpstreamError, match="does not say where it ends"):
        fetch(raw(upstream), partial)
    with pytest.raises(UpstreamError, match="does not say where it ends"):
        get(upstream.url)
    assert fetch(raw(upstream, checksum=f"sha256:{SHA256}"), partial).size == len(CONTENT)
    assert fetch(raw(upstream, size=len(CONTENT)), partial).sha256 == SHA256


def test_an_endless_body_stops_at_the_planned_size(upstream: Upstream, partial: Path) -> None:
    """A disk is not filled with what cannot be right."""
    upstream.replies = [Reply(body=(CONTENT, CONTENT))]
    with pytest.raises(UpstreamError, match="more than the 1,000 bytes planned"):
        fetch(raw(upstream, size=1000), partial)


@pytest.mark.parametrize(
    "reply", [whole(b""), Reply(headers={"Transfer-Encoding": "chunked"}, body=(b"0\r\n\r\n",))]
)
def test_an_empty_file_is_refused_unless_it_is_planned(
    upstream: Upstream, partial: Path, reply: Reply
) -> None:
    """An answer of no bytes is what many a broken server gives for a file; a plan may say otherwise."""
    upstream.replies = [reply, reply, reply]
    with pytest.raises(UpstreamError, match="it is empty"):
        fetch(raw(upstream), partial)
    assert not partial.exists()
    nothing = f"sha256:{hashlib.sha256(b'').hexdigest()}"
    assert fetch(raw(upstream, size=0), partial).size == 0
    assert fetch(raw(upstream, checksum=nothing), partial).size == 0


def test_compression_on_the_way_is_refused(upstream: Upstream, partial: Path) -> None:
    """A server that compresses though asked not to does not send the file's bytes."""
    upstream.replies = [whole(gzip.compress(CONTENT), Content_Encoding="gzip")]
    with pytest.raises(UpstreamError, match="gzip-encoded on its way"):
        fetch(raw(upstream), partial)


def test_a_gzip_file_labelled_as_encoded_is_kept_as_it_is(
    upstream: Upstream, partial: Path
) -> None:
    """Object stores label .gz files so; what lies on disk is the gzip file."""
    stored = gzip.compress(CONTENT)
    upstream.replies = [whole(stored, Content_Encoding="gzip")]
    fetch(RawFile(f"{upstream.url}/raw.txt.gz", "raw.txt.gz"), partial)
    assert partial.read_bytes() == stored


# Going on


def test_a_cut_download_goes_on_in_the_same_call(
    upstream: Upstream, partial: Path, patience: Patience, waits: list[float]
) -> None:
    """After a cut, only the rest is asked for, under the validator; progress adds up."""
    upstream.replies = [cut(whole(CONTENT, ETag='"one"'), 70_000)]
    heard: list[int] = []
    fetch(raw(upstream), partial, on_bytes=heard.append, patience=patience)
    assert partial.read_bytes() == CONTENT
    assert upstream.requests[1].headers["Range"] == "bytes=70000-"
    assert upstream.requests[1].headers["If-Range"] == '"one"'
    assert sum(heard) == len(CONTENT)
    assert len(waits) == 1


def test_a_cut_download_goes_on_in_a_later_call(upstream: Upstream, partial: Path) -> None:
    """A note beside the download holds what is needed; the digest is of all bytes."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    assert partial.stat().st_size == 70_000
    heard: list[int] = []
    found = fetch(raw(upstream), partial, on_bytes=heard.append)
    assert (found.resumed_from, found.sha256) == (70_000, SHA256)
    assert heard[0] == sum(heard[:1]) == 70_000
    assert sum(heard) == len(CONTENT)
    assert [request.headers["Range"] for request in upstream.requests] == ["bytes=70000-"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, len(CONTENT) - 1), max_size=4), etag=st.booleans())
def test_any_cuts_give_the_same_file(
    upstream: Upstream, tmp_path: Path, cuts: list[int], etag: bool
) -> None:
    """Wherever the connection breaks, the file is the same in the end."""
    serve = file_server(CONTENT, '"one"' if etag else 'W/"one"')
    left = list(cuts)
    upstream.otherwise = lambda request: cut(serve(request), left.pop()) if left else serve(request)
    partial = tmp_path / "raw.partial"
    found = fetch(raw(upstream), partial, patience=Patience(sleep=lambda _: None))
    assert (partial.read_bytes(), found.sha256) == (CONTENT, SHA256)


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"one"'}, '"one"'),
        ({"ETag": 'W/"one"'}, None),
        ({"ETag": 'W/"one"', "Last_Modified": "Mon, 20 Oct 2025 07:28:00 GMT", "Date": DATE}, None),
        (
            {"Last_Modified": "Tue, 21 Oct 2025 07:26:59 GMT", "Date": DATE},
            "Tue, 21 Oct 2025 07:26:59 GMT",
        ),
        ({"Last_Modified": "Tue, 21 Oct 2025 07:27:30 GMT", "Date": DATE}, None),
        ({"Last_Modified": "Mon, 20 Oct 2025 07:28:00 GMT"}, None),
        ({"Last_Modified": "yesterday", "Date": DATE}, None),
        ({}, None),
    ],
)
def test_only_a_strong_validator_lets_a_download_go_on(
    upstream: Upstream, partial: Path, headers: dict[str, str], validator: str | None
) -> None:
    """Weak tags and fresh dates do not tell two versions apart: without better, it starts over."""
    start_download(upstream, partial, 70_000, **headers)
    assert fetch(raw(upstream), partial).sha256 == SHA256
    assert [request.headers.get("If-Range") for request in upstream.requests] == [validator]


def test_a_file_that_changed_is_downloaded_anew(upstream: Upstream, partial: Path) -> None:
    """Under another ETag the whole new file comes, and no byte of the old one stays."""
    start_download(upstream, partial, 70_000, ETag='"old"')
    changed = CONTENT.replace(b"raw", b"new")
    upstream.otherwise = file_server(changed, '"new"')
    heard: list[int] = []
    found = fetch(raw(upstream), partial, on_bytes=heard.append)
    assert partial.read_bytes() == changed
    assert (found.resumed_from, found.etag, sum(heard)) == (0, '"new"', len(changed))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 69999-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 70000-{len(CONTENT) - 2}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 70000-{len(CONTENT)}/{len(CONTENT) + 1}"},
        {"Content-Range": f"bytes 70000-{len(CONTENT) - 1}/*"},
        {
            "Content-Range": f"bytes 70000-{len(CONTENT) - 1}/{len(CONTENT)}",
            "Content-Length": "99999",
        },
        {"Content-Range": f"lines 70000-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": REST},
        {"Content-Range": REST, "ETag": '"two"'},
        {"Content-Range": REST, "ETag": '"one"', "Transfer-Encoding": "gzip"},
        {"Content-Range": REST, "ETag": '"one"', "Last-Modified": LATER},
        {
            "Content-Range": f"bytes 70000-{len(CONTENT) - 1}/{len(CONTENT)}",
            "ETag": '"one"',
            "Content-Encoding": "br",
        },
    ],
)
def test_a_part_other_than_asked_for_is_refused(
    upstream: Upstream, partial: Path, patience: Patience, headers: dict[str, str]
) -> None:
    """A 206 with another range, size or version is thrown away with what it would be joined to."""
    start_download(upstream, partial, 70_000, ETag='"one"', Last_Modified=EARLIER)
    rest = CONTENT[70_000:]
    length = {"Content-Length": str(len(rest))}
    upstream.replies = [Reply("206 Partial Content", length | headers, (rest,))]
    found = fetch(raw(upstream), partial, patience=patience)
    assert (partial.read_bytes(), found.resumed_from) == (CONTENT, 0)
    assert ["Range" in request.headers for request in upstream.requests] == [True, False]


@pytest.mark.parametrize("stated", [{"Last-Modified": LATER}, {"ETag": '"new"'}, {}])
def test_a_part_known_by_its_date_must_bear_that_date(
    upstream: Upstream, partial: Path, patience: Patience, stated: dict[str, str]
) -> None:
    """A server that answers If-Range with whatever it has now is not believed."""
    start_download(upstream, partial, 70_000, Last_Modified=EARLIER, Date=DATE)
    rest = CONTENT[70_000:].upper()
    fields = {"Content-Length": str(len(rest)), "Content-Range": REST}
    upstream.replies = [Reply("206 Partial Content", fields | stated, (rest,))]
    assert fetch(raw(upstream), partial, patience=patience).sha256 == SHA256
    assert ["Range" in request.headers for request in upstream.requests] == [True, False]


def test_a_part_of_the_same_date_goes_on(upstream: Upstream, partial: Path) -> None:
    """Where a server has no ETags, a date that lies far enough back will do."""
    start_download(upstream, partial, 70_000, Last_Modified=EARLIER, Date=DATE)
    fields = {"Content-Length": str(len(CONTENT) - 70_000), "Content-Range": REST}
    dated = fields | {"Last-Modified": EARLIER}
    upstream.replies = [Reply("206 Partial Content", dated, (CONTENT[70_000:],))]
    found = fetch(raw(upstream), partial)
    assert (found.sha256, found.resumed_from) == (SHA256, 70_000)


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "x"])
def test_a_body_encoded_for_its_way_is_refused(
    upstream: Upstream, partial: Path, coding: str
) -> None:
    """But for chunks, which are taken off again."""
    body = gzip.compress(CONTENT)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if "chunked" in coding else body
    upstream.replies = [Reply(headers={"Transfer-Encoding": coding}, body=(body,))]
    with pytest.raises(UpstreamError, match="in more than chunks"):
        fetch(raw(upstream), partial)


@pytest.mark.parametrize(
    ("known", "refusal"), [(None, {}), (70_000, {"ETag": '"two"'})], ids=["unknown", "other"]
)
def test_an_end_that_was_not_known_before_is_not_believed(
    upstream: Upstream,
    partial: Path,
    patience: Patience,
    known: int | None,
    refusal: dict[str, str],
) -> None:
    """A 416 that names the very size on disk may be a guess, or about another version."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    note = json.loads(note_of(partial).read_text())
    version = note["version"] | {"size": known}
    note_of(partial).write_text(json.dumps(note | {"version": version}) + "\n")
    fields = {"Content-Range": "bytes */70000", **refusal}
    upstream.replies = [Reply("416 Range Not Satisfiable", fields)]
    assert fetch(raw(upstream), partial, patience=patience).sha256 == SHA256


def test_a_download_that_was_complete_is_only_confirmed(upstream: Upstream, partial: Path) -> None:
    """A 416 with the very size on disk says that nothing is missing."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    note = json.loads(note_of(partial).read_text())
    note_of(partial).write_text(json.dumps(note | {"flushed": len(CONTENT)}) + "\n")
    partial.write_bytes(CONTENT)
    found = fetch(raw(upstream), partial)
    assert (found.sha256, found.resumed_from) == (SHA256, len(CONTENT))
    assert len(upstream.requests) == 1


def test_a_download_longer_than_the_file_starts_over(
    upstream: Upstream, partial: Path, patience: Patience
) -> None:
    """A 416 with another size says that what is there is wrong."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    upstream.otherwise = file_server(CONTENT[:50_000])
    fetch(raw(upstream), partial, patience=patience)
    assert partial.read_bytes() == CONTENT[:50_000]


def test_bytes_that_were_not_flushed_are_not_trusted(upstream: Upstream, partial: Path) -> None:
    """A power cut can leave zeros behind what the note vouches for."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    with partial.open("ab") as file:
        file.write(bytes(1000))
    assert fetch(raw(upstream), partial).sha256 == SHA256
    assert upstream.requests[0].headers["Range"] == "bytes=70000-"


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note[: len(note) // 2],
        lambda note: note.replace("/raw.txt", "/other.txt"),
        lambda note: note.replace("70000", "70001"),
        lambda note: note.replace("70000", '"many"'),
        lambda _: "[]",
        lambda _: "",
    ],
)
def test_a_note_that_does_not_fit_is_ignored(
    upstream: Upstream, partial: Path, change: Callable[[str], str]
) -> None:
    """A cut note, one of another file, or one that promises too much: the download starts over."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    note_of(partial).write_text(change(note_of(partial).read_text()))
    assert fetch(raw(upstream), partial).sha256 == SHA256
    assert "Range" not in upstream.requests[0].headers


def test_a_torn_note_costs_what_came_since_the_one_before(
    upstream: Upstream, partial: Path, patience: Patience
) -> None:
    """A full disk or a kill leaves half a line, which neither hides those before nor spoils the next."""
    start_download(upstream, partial, 70_000, ETag='"one"')
    with note_of(partial).open("ab") as file:
        file.write(b'{"url": "half a li')
    upstream.replies = [cut(file_server(CONTENT)(Request("", ASKED)), 20_000)]
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), partial, patience=replace(patience, attempts=1))
    found = fetch(raw(upstream), partial)
    assert (found.sha256, found.resumed_from) == (SHA256, 90_000)


@pytest.mark.parametrize("headers", [{}, {"ETag": '"one"'}])
def test_a_file_that_was_not_renamed_yet_is_not_fetched_again(
    upstream: Upstream, partial: Path, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between a download and its name costs a large one nothing; another plan is not fooled."""
    monkeypatch.setattr(partial_module, "WORTH_A_NOTE", len(CONTENT))
    upstream.replies = [whole(CONTENT, **headers)]
    fetch(raw(upstream), partial)
    found = fetch(raw(upstream), partial)
    assert (found.sha256, found.resumed_from) == (SHA256, len(CONTENT))
    assert len(upstream.requests) == 1
    upstream.otherwise = file_server(CONTENT[:50], '"two"')
    assert fetch(raw(upstream, size=50), partial).size == 50
    forget(partial)
    assert not note_of(partial).exists()


def test_a_note_of_a_file_long_gone_says_nothing_of_the_next(
    upstream: Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was renamed before a kill left its note is not believed to be there still."""
    monkeypatch.setattr(partial_module, "WORTH_A_NOTE", len(CONTENT))
    fetch(raw(upstream), partial)
    partial.unlink()
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "*")
    upstream.otherwise = file_server(CONTENT[::-1], '"two"')
    fetch(raw(upstream), partial)
    assert partial.read_bytes() == CONTENT[::-1]
    assert not note_of(partial).exists()


def test_a_proxy_of_the_environment_is_asked_as_its_own_user(
    upstream: Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown the whole address, without the user of the address itself, whose header goes along."""
    monkeypatch.delenv("NO_PROXY")
    address = upstream.url.removeprefix("http://")
    monkeypatch.setenv("http_proxy", f"http://proxy:pass@{address}")
    url = "http://me:word@files.example.org/raw.txt"
    assert fetch(RawFile(url, "raw.txt"), partial).sha256 == SHA256
    [request] = upstream.requests
    assert request.path == "http://files.example.org/raw.txt"
    assert request.headers["Proxy-Authorization"] == "Basic cHJveHk6cGFzcw=="
    assert request.headers["Authorization"] == "Basic bWU6d29yZA=="


def test_a_date_beyond_all_calendars_is_none(upstream: Upstream, partial: Path) -> None:
    """It neither ends the run nor tells two versions apart."""
    start_download(upstream, partial, 70_000, Last_Modified=ABSURD, Date=DATE)
    assert fetch(raw(upstream), partial).sha256 == SHA256
    assert "Range" not in upstream.requests[0].headers


def test_a_redirect_to_a_host_without_end_fails_like_any_other(
    upstream: Upstream, partial: Path
) -> None:
    """No file need bear such a name."""
    for label in ("a" * 300, ".".join(["a" * 60] * 5)):
        target = f"http://{label}.example/"
        upstream.replies = [Reply("302 Found", {"Location": target})] * 2
        with pytest.raises(UpstreamError):
            fetch(raw(upstream), partial, patience=Patience(attempts=1))


def test_a_long_download_is_flushed_on_its_way(
    upstream: Upstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill costs no more than what came since the last flush."""
    monkeypatch.setattr(partial_module, "SYNC_BYTES", 10_000)
    noted: list[int] = []

    def look(grown: int) -> None:
        del grown
        if note_of(partial).exists():
            noted.append(json.loads(note_of(partial).read_text().splitlines()[-1])["flushed"])

    pieces = tuple(CONTENT[n : n + 9000] for n in range(0, len(CONTENT), 9000))
    reply = whole(CONTENT, ETag='"one"')
    upstream.replies = [replace(reply, body=pieces, pause=0.005)]
    fetch(raw(upstream), partial, on_bytes=look)
    assert noted == sorted(noted)
    assert len(set(noted)) > 3


# Failures that pass


@pytest.mark.parametrize(
    "status", ["408 Request Timeout", "429 Too Many Requests", "503 Busy", "500 Oops"]
)
def test_a_passing_refusal_is_asked_again(
    upstream: Upstream, partial: Path, patience: Patience, waits: list[float], status: str
) -> None:
    """Waits double up to two minutes, each within its upper half."""
    upstream.replies = [Reply(status)] * 9
    fetch(raw(upstream), partial, patience=patience)
    longest = [min(2**n, 120) for n in range(9)]
    assert [most / 2 <= wait <= most for most, wait in zip(longest, waits, strict=True)] == [
        True
    ] * 9


def test_no_two_users_wait_alike(
    upstream: Upstream, patience: Patience, waits: list[float]
) -> None:
    """Those whom a host sent away at one time do not come back at one time."""
    for _ in range(2):
        upstream.replies = [Reply("503 Busy")] * 3
        get(f"{upstream.url}/list", patience=patience)
    assert len(set(waits)) == 6


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7.0), ("Tue, 21 Oct 2025 07:28:09 GMT", 9.0)],
)
def test_retry_after_is_obeyed(
    upstream: Upstream,
    partial: Path,
    patience: Patience,
    waits: list[float],
    retry_after: str,
    seconds: float,
) -> None:
    """Seconds, or a date by upstream's own clock."""
    upstream.replies = [Reply("503 Busy", {"Retry-After": retry_after, "Date": DATE})]
    fetch(raw(upstream), partial, patience=patience)
    assert waits == [seconds]


@pytest.mark.parametrize(
    ("status", "stated", "seconds"),
    [
        ("403 Forbidden", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1761031691"}, 11.0),
        ("429 Too Many", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, 12.0),
        ("429 Too Many", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 5000}, None),
        ("429 Too Many", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1761031000"}, None),
        (
            "429 Too Many",
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1761031691000"},
            None,
        ),
        ("429 Too Many", {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1761031691"}, None),
    ],
)
def test_a_limit_that_is_used_up_is_waited_for(
    upstream: Upstream,
    patience: Patience,
    waits: list[float],
    status: str,
    stated: dict[str, str],
    seconds: float | None,
) -> None:
    """As GitHub says it: when the next request is left, be its refusal called 403 or 429."""
    upstream.replies = [Reply(status, {**stated, "Date": DATE})]
    get(f"{upstream.url}/list", patience=patience)
    assert waits == ([seconds] if seconds else waits)
    assert seconds or 0.5 <= waits[0] <= 1.0


def test_a_length_that_is_no_number_is_none(
    upstream: Upstream, partial: Path, patience: Patience
) -> None:
    """Digits without end are an answer whose end cannot be told."""
    upstream.otherwise = lambda _: Reply(headers={"Content-Length": "9" * 5000}, body=(b"x",))
    with pytest.raises(UpstreamError, match="does not say where it ends"):
        fetch(raw(upstream), partial, patience=patience)


@pytest.mark.parametrize(
    "retry_after", ["Mon, 20 Oct 2025 07:28:00 GMT", "soon", "-5", "²", ABSURD]
)
def test_a_retry_after_that_says_nothing_is_ignored(
    upstream: Upstream, partial: Path, patience: Patience, waits: list[float], retry_after: str
) -> None:
    """A date that has passed or no date at all leaves the wait as it is."""
    upstream.replies = [
        Reply("503 Busy", {"Retry-After": retry_after.encode().decode("latin-1"), "Date": DATE})
    ]
    fetch(raw(upstream), partial, patience=patience)
    assert 0.5 <= waits[0] <= 1.0


def test_patience_ends(
    upstream: Upstream, partial: Path, patience: Patience, waits: list[float]
) -> None:
    """After some twenty minutes of waiting the error says that it may work later."""
    upstream.otherwise = lambda _: Reply("503 Busy")
    with pytest.raises(
        UpstreamError, match=r"answers 503 Service Unavailable \(asked \d+ times.*; run again later"
    ) as caught:
        fetch(raw(upstream), partial, patience=patience)
    assert caught.value.retry_later
    assert 1080 <= sum(waits) <= 1200
    assert len(waits) < 26


def test_attempts_may_be_counted(upstream: Upstream, partial: Path, waits: list[float]) -> None:
    """Who only looks asks a few times, whatever the budget."""
    upstream.otherwise = lambda _: Reply("503 Busy")
    with pytest.raises(UpstreamError, match=r"\(asked 3 times\)"):
        fetch(raw(upstream), partial, patience=Patience(attempts=3, sleep=waits.append))
    assert len(waits) == 2


def test_an_upstream_that_asks_for_hours_is_left(
    upstream: Upstream, partial: Path, patience: Patience, waits: list[float]
) -> None:
    """What is beyond the budget is not waited for."""
    upstream.replies = [Reply("429 Too Many Requests", {"Retry-After": "7200"})]
    with pytest.raises(UpstreamError, match="next try would be in 7200 s") as caught:
        fetch(raw(upstream), partial, patience=patience)
    assert caught.value.retry_later
    assert waits == []


def test_progress_renews_patience(upstream: Upstream, partial: Path, waits: list[float]) -> None:
    """A long file over a bad line comes through, as long as each attempt adds to it."""
    content = CONTENT * 60
    serve = file_server(content)
    upstream.otherwise = lambda request: cut(serve(request), 1_500_000)
    found = fetch(raw(upstream), partial, patience=Patience(attempts=2, sleep=waits.append))
    assert found.size == len(content)
    assert len(waits) == len(content) // 1_500_000


def test_bodies_that_are_always_short_end_patience(
    upstream: Upstream, partial: Path, patience: Patience
) -> None:
    """A Content-Length that lies is not believed, however often."""
    upstream.otherwise = lambda _: cut(whole(CONTENT), len(CONTENT) - 1)
    with pytest.raises(UpstreamError, match="begun anew 5 times") as caught:
        fetch(raw(upstream), partial, patience=patience)
    assert caught.value.retry_later


def test_a_silent_upstream_is_given_up(
    upstream: Upstream, partial: Path, waits: list[float]
) -> None:
    """A stall ends with the read timeout, and the download goes on in the next attempt."""
    stalled = replace(
        whole(CONTENT, ETag='"one"'), body=(CONTENT[:5000], CONTENT[5000:]), pause=0.4
    )
    upstream.replies = [stalled]
    found = fetch(raw(upstream), partial, patience=Patience(read_timeout=0.2, sleep=waits.append))
    assert (found.sha256, len(waits)) == (SHA256, 1)


def test_a_dripping_upstream_is_given_up(
    upstream: Upstream, partial: Path, waits: list[float]
) -> None:
    """A byte now and then keeps no connection."""
    drip = tuple(CONTENT[n : n + 1] for n in range(100))
    upstream.replies = [Reply(headers={"Content-Length": str(len(CONTENT))}, body=drip, pause=0.02)]
    with pytest.raises(UpstreamError, match=r"stalled: \d+ bytes in 0 s"):
        fetch(raw(upstream), partial, patience=Patience(attempts=1, read_timeout=0.3))


def test_headers_that_drip_are_given_up(upstream: Upstream, partial: Path) -> None:
    """No byte is late, but the headers are; those cut by hanging up are not taken for all."""
    drip = tuple(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: %b\r\n\r\n" % (b"x" * 200))
    pieces = tuple(bytes([byte]) for byte in drip)
    upstream.replies = [Reply(raw=b"", body=pieces, pause=0.05)]
    began = time.monotonic()
    with pytest.raises(UpstreamError, match="no answer"):
        fetch(raw(upstream), partial, patience=Patience(attempts=1, read_timeout=0.3))
    assert time.monotonic() - began < 3


def test_a_closed_port_may_open_later(partial: Path, patience: Patience) -> None:
    """No answer at all is a failure that may pass, named by its cause."""
    url = f"http://127.0.0.1:{closed_port()}/raw"
    with pytest.raises(UpstreamError, match=r"no answer \(Connection refused\)") as caught:
        fetch(RawFile(url, "raw"), partial, patience=patience)
    assert caught.value.retry_later


# Failures that stay


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 304])
def test_a_lasting_refusal_is_not_asked_again(
    upstream: Upstream, partial: Path, waits: list[float], patience: Patience, status: int
) -> None:
    """A file that is gone or refused is told at once, with what to do."""
    upstream.replies = [Reply(f"{status} No")]
    with pytest.raises(UpstreamError, match=f"answers {status} [A-Z]") as caught:
        fetch(raw(upstream), partial, patience=patience)
    assert not caught.value.retry_later
    assert caught.value.missing == (status in {404, 410, 451})
    assert len(upstream.requests) == 1


def test_redirects_are_followed(upstream: Upstream, partial: Path) -> None:
    """Relative targets count from where they stand."""
    upstream.replies = [Reply("302 Found", {"Location": "/mirror/raw.txt"})]
    assert fetch(raw(upstream), partial).sha256 == SHA256
    assert upstream.requests[1].path == "/mirror/raw.txt"


def test_redirects_without_end_are_an_error(upstream: Upstream, partial: Path) -> None:
    """A circle is left after ten rounds."""
    upstream.otherwise = lambda _: Reply("302 Found", {"Location": "/raw.txt"})
    with pytest.raises(UpstreamError, match="more than 10 redirects"):
        fetch(raw(upstream), partial)
    assert len(upstream.requests) == 11


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/raw", "gopher:x", "http://[bad"]
)
def test_redirects_leave_http_for_nothing(upstream: Upstream, partial: Path, target: str) -> None:
    """An upstream cannot point into this machine."""
    upstream.replies = [Reply("302 Found", {"Location": target})]
    with pytest.raises(UpstreamError, match="which is not as safe"):
        fetch(raw(upstream), partial)


def test_redirects_do_not_leave_https() -> None:
    """What began encrypted stays so."""
    assert http.redirected("http://a.org/x", "https://b.org/y") == "https://b.org/y"
    with pytest.raises(UpstreamError, match="not as safe"):
        http.redirected("https://a.org/x", "http://a.org/x")


@pytest.mark.parametrize("url", ["raw.txt", "http://[bad/raw", "http:///raw"])
def test_other_urls_are_refused(partial: Path, url: str) -> None:
    """A URL without what it needs is refused before anything is asked."""
    with pytest.raises(UpstreamError, match="check the URL"):
        fetch(RawFile(url, "raw"), partial)
    with pytest.raises(UpstreamError, match="check the URL"):
        get(url)


def test_errors_show_no_secrets_and_travel_between_processes(
    upstream: Upstream, partial: Path
) -> None:
    """Passwords and signatures are left out of messages and notes; errors survive pickling."""
    address = upstream.url.removeprefix("http://")
    url = f"http://me:hidden@{address}/raw?list-type=2&X-Amz-Signature=hidden&token=hidden&api_key="
    upstream.replies = [cut(whole(CONTENT, ETag='"one"'), 500)]
    with pytest.raises(UpstreamError) as caught:
        fetch(RawFile(url, "raw"), partial, patience=Patience(attempts=1))
    again = pickle.loads(pickle.dumps(caught.value))
    shown = f"{upstream.url}/raw?list-type=2&X-Amz-Signature=...&token=...&api_key=..."
    for error in (caught.value, again):
        assert str(error).startswith(f"{shown}: the answer broke off")
        assert (error.url, error.retry_later) == (shown, True)
    assert "hidden" not in "".join(traceback.format_exception(caught.value))
    assert "hidden" not in note_of(partial).read_text()


# Local files


def test_a_local_file_is_copied_and_verified(tmp_path: Path, partial: Path) -> None:
    """file: URLs go the same way as others."""
    source = tmp_path / "a file.txt"
    source.write_bytes(CONTENT)
    found = fetch(RawFile(source.as_uri(), "raw", len(CONTENT), f"sha256:{SHA256}"), partial)
    assert (partial.read_bytes(), found.sha256) == (CONTENT, SHA256)
    assert get(source.as_uri()) == CONTENT


def test_a_local_file_that_is_not_as_planned_is_refused(tmp_path: Path, partial: Path) -> None:
    """Size and checksum count for local files too."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    for planned in (RawFile(source.as_uri(), "raw", 5), RawFile(source.as_uri(), "raw", 10**9)):
        with pytest.raises(UpstreamError, match=r"as planned|bytes planned"):
            fetch(planned, partial)
        assert not partial.exists()


@pytest.mark.parametrize("path", ["", "missing"])
def test_what_is_no_local_file_is_refused(tmp_path: Path, partial: Path, path: str) -> None:
    """A folder, or nothing, has no bytes."""
    with pytest.raises(UpstreamError, match="file:///"):
        fetch(RawFile((tmp_path / path).as_uri(), "raw"), partial)
    with pytest.raises(UpstreamError, match="not a regular file of this machine"):
        fetch(RawFile("file://elsewhere/raw", "raw"), partial)


# Listings and digests


def test_a_listing_is_returned_whole(upstream: Upstream, patience: Patience) -> None:
    """A cut listing is asked for again, never returned."""
    upstream.replies = [cut(whole(CONTENT), 1000), Reply("503 Busy")]
    assert get(f"{upstream.url}/list?prefix=a", patience=patience) == CONTENT
    assert len(upstream.requests) == 3


def test_a_listing_has_a_limit(upstream: Upstream) -> None:
    """A listing is held in memory, so that it must be small."""
    assert get(upstream.url, limit=len(CONTENT)) == CONTENT
    with pytest.raises(UpstreamError, match="a listing of more than 118,889 bytes"):
        get(upstream.url, limit=len(CONTENT) - 1)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token", True),
        ("X-Amz-Signature", True),
        ("api_key", True),
        ("pwd", True),
        ("accessKeyId", True),
        ("authorization", True),
        ("code", True),
        ("author", False),
        ("keyword", False),
        ("page", False),
        ("postcode", False),
    ],
)
def test_query_parameters_that_look_like_secrets_are_hidden(name: str, secret: bool) -> None:
    """By their names; what people search for stays legible."""
    url = f"https://example.org/list?{name}=abc&n=1"
    assert (secrets_in(url) == [name]) == secret
    assert ("abc" not in redacted(url)) == secret


def test_a_servers_own_words_steer_no_terminal() -> None:
    """The phrase of a status is ours, not what the answer says."""
    for status, shown in ((404, "answers 404 Not Found"), (499, "answers 499;")):
        response = urllib3.HTTPResponse(status=status, reason="\x1b[2J")
        assert shown in str(http.refusal(response, "https://example.org/x"))
