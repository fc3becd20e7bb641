"""An API's items become lines in the order of their numbers, or the failure is clear."""

import functools
import json
import random
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from sources.fetch import Patience, UpstreamError, fetch
from sources.source import Key, RawFile
from sources.upstream import gather_items
from sources.upstream.guest import ALONE, Guest

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
from web_upstream import Asked, Reply, WebUpstream, killed, serving_web

PATIENCE = Patience(attempts=6, read_timeout=3.0, sleep=lambda _: None)


@pytest.fixture(scope="module")
def server() -> Iterator[WebUpstream]:
    """One upstream for all tests of this file."""
    with serving_web() as upstream:
        yield upstream


@pytest.fixture
def upstream(server: WebUpstream, monkeypatch: pytest.MonkeyPatch) -> WebUpstream:
    """Give the upstream with a clean record, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    server.answer = honest
    server.asked.clear()
    server.connections = 0
    return server


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "items.partial"


def honest(asked: Asked) -> Reply:
    """Answer as the API does: every seventh item is null."""
    return Reply(item(int(asked.path.rpartition("/")[2].removesuffix(".json"))))


def item(number: int) -> bytes:
    """Return an item."""
    return b"null" if number % 7 == 0 else json.dumps({"id": number, "text": "é\u2028"}).encode()


def lines(first: int, last: int) -> bytes:
    """Return what the file should be."""
    return b"".join(item(number) + b"\n" for number in range(first, last + 1))


def raw(upstream: WebUpstream, first: int, last: int) -> RawFile:
    """Plan the items."""
    url = f"{upstream.url}/v0/item/{{{first}..{last}}}.json"
    return RawFile(url, f"items-{first}.jsonl", form="items")


def in_turn(*replies: Reply | None) -> Callable[[Asked], Reply]:
    """Answer the first requests so, honestly where None, and all others honestly."""
    waiting = list(replies)
    lock = threading.Lock()

    def answer(asked: Asked) -> Reply:
        with lock:
            reply = waiting.pop(0) if waiting else None
        return honest(asked) if reply is None else reply

    return answer


def test_items_become_lines_in_their_order(upstream: WebUpstream, partial: Path) -> None:
    """Null is a line too; connections are kept, and no item is asked for twice."""
    found = fetch(raw(upstream, 5, 3000), partial, patience=PATIENCE)
    assert partial.read_bytes() == lines(5, 3000)
    assert found.size == len(lines(5, 3000))
    assert len(upstream.asked) == 2996
    assert upstream.connections <= 8


def test_line_ends_within_an_item_become_spaces(upstream: WebUpstream, partial: Path) -> None:
    """An item that upstream prints prettily is one line all the same."""
    upstream.answer = lambda _: Reply(b'\n{\r\n "id": 1,\n "text": "a\\nb"\n}\n')
    fetch(raw(upstream, 1, 1), partial, patience=PATIENCE)
    assert partial.read_bytes() == b'{   "id": 1,  "text": "a\\nb" }\n'


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>Sign in</html>"),
        Reply(b'{"id": 1'),
        Reply(b'"an error"'),
        Reply(b""),
        Reply(b'{"id": NaN}'),
        Reply(b'{"id": 99}'),
        Reply(b'{"id": 1, "text": "x"}', cut=8),
        Reply(b"null", status="503 Slow Down"),
        Reply(b"null", status="429 Too Many", headers={"Retry-After": "1"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body!r}",
)
def test_what_is_no_item_is_asked_for_again(
    upstream: WebUpstream, partial: Path, reply: Reply
) -> None:
    """It is never written; when it stays so, the download ends with what came before."""
    upstream.answer = in_turn(reply, reply)
    fetch(raw(upstream, 1, 40), partial, patience=PATIENCE)
    assert partial.read_bytes() == lines(1, 40)
    partial.unlink()
    upstream.answer = lambda asked: reply if asked.path.endswith("/33.json") else honest(asked)
    with pytest.raises(UpstreamError, match=r"/33\.json") as caught:
        fetch(raw(upstream, 1, 40), partial, patience=PATIENCE)
    assert caught.value.retry_later
    assert lines(1, 40).startswith(partial.read_bytes())


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "302 Found"])
def test_a_refusal_ends_the_download_at_once(
    upstream: WebUpstream, partial: Path, status: str
) -> None:
    """What will not pass is not asked for again."""
    upstream.answer = lambda _: Reply(b"null", status=status, headers={"Location": "/else"})
    with pytest.raises(UpstreamError, match=status[:3]):
        fetch(raw(upstream, 1, 1), partial, patience=PATIENCE)
    assert len(upstream.asked) == 1


def test_an_item_without_an_end_is_refused(
    upstream: WebUpstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more of an answer is read than the longest item takes."""
    monkeypatch.setattr(gather_items, "LONGEST", 1000)
    upstream.answer = lambda _: Reply(b'"' + b"x" * 2000 + b'"')
    with pytest.raises(UpstreamError, match="1,000 bytes"):
        fetch(raw(upstream, 1, 1), partial, patience=PATIENCE)


class _Unfinished(socketserver.BaseRequestHandler):
    """Answers 503 with more than is read, and 200 to whoever asks anew; notes the requests of each."""

    requests: ClassVar[list[int]] = []

    def handle(self) -> None:
        first, kept = not self.requests, 0
        while self.request.recv(65536):
            kept += 1
            item = b'{"id": 1}' if first or kept > 1 else b'{"id": 1, "by": "me"}'
            head = b"HTTP/1.1 503 No\r\nContent-Length: 9000" if kept == 1 and first else b""
            head = head or b"HTTP/1.1 200 OK\r\nContent-Length: %d" % len(item)
            body = b" " * 2000 if head.startswith(b"HTTP/1.1 503") else item
            self.request.sendall(head + b"\r\n\r\n" + body)
            if kept == 1:
                self.requests.append(0)
            self.requests[-1] = kept


def test_what_is_left_of_an_answer_reaches_no_other_item(
    partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of an answer that was not read to its end is closed, whatever its status."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(gather_items, "LONGEST", 1000)
    _Unfinished.requests.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Unfinished) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{{1..1}}.json"
        fetch(RawFile(url, "a", form="items"), partial, patience=PATIENCE)
        server.shutdown()
    assert partial.read_bytes() == b'{"id": 1, "by": "me"}\n'
    assert _Unfinished.requests == [1, 1]


def test_items_come_by_http_or_from_a_folder(partial: Path) -> None:
    """A mirror of another kind is refused: a path on it is none of this machine."""
    guest = Guest(mirrors=(("https://api.invalid/", "s3://bucket/"),))
    plan = RawFile("https://api.invalid/etc/{1..2}.json", "a", form="items")
    with pytest.raises(UpstreamError, match="not to be had by s3"):
        fetch(plan, partial, guest=guest, patience=PATIENCE)


def test_a_key_that_no_header_can_hold_is_not_quoted(
    upstream: WebUpstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break in a key ends in an error that does not repeat it."""
    monkeypatch.setenv("ITEMS_KEY", "the-users\nsecret")
    key = Key("ITEMS_KEY", ("127.0.0.1",), "X-Key", "nowhere")
    with pytest.raises(UpstreamError, match="cannot be used") as caught:
        fetch(raw(upstream, 1, 3), partial, guest=Guest(keys=(key,)), patience=PATIENCE)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["item/1.json", "{2..1}", "{1..2}/{3..4}", "{a..b}", "{1..}"])
def test_an_address_has_one_range(upstream: WebUpstream, partial: Path, name: str) -> None:
    """Anything else is refused before any request."""
    with pytest.raises(UpstreamError, match="one range"):
        fetch(RawFile(f"{upstream.url}/{name}", "a", form="items"), partial, patience=PATIENCE)
    assert upstream.asked == []


def test_keys_are_sent_to_their_host(
    upstream: WebUpstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key goes with each request, into no message."""
    monkeypatch.setenv("ITEMS_KEY", "the-users-secret")
    key = Key("ITEMS_KEY", ("127.0.0.1",), "X-Key", "nowhere")
    fetch(raw(upstream, 1, 3), partial, guest=Guest(keys=(key,)), patience=PATIENCE)
    assert {asked.headers["x-key"] for asked in upstream.asked} == {"the-users-secret"}
    partial.unlink()
    upstream.answer = lambda _: Reply(status="403 Forbidden")
    with pytest.raises(UpstreamError) as caught:
        fetch(raw(upstream, 1, 3), partial, guest=Guest(keys=(key,)), patience=PATIENCE)
    assert "the-users-secret" not in str(caught.value)


def test_items_may_lie_in_a_local_mirror(tmp_path: Path, partial: Path) -> None:
    """A mirror that is a folder has a file for each."""
    folder = tmp_path / "mirror/item"
    folder.mkdir(parents=True)
    for number in range(1, 10):
        (folder / f"{number}.json").write_bytes(item(number))
    guest = Guest(mirrors=(("https://api.invalid/v0", str(tmp_path / "mirror")),))
    plan = RawFile("https://api.invalid/v0/item/{1..9}.json", "a", form="items")
    fetch(plan, partial, guest=guest, patience=PATIENCE)
    assert partial.read_bytes() == lines(1, 9)
    with pytest.raises(UpstreamError, match="No such file"):
        fetch(RawFile(plan.url.replace("9", "10"), "a", form="items"), partial, guest=guest)


def test_seeded_faults_give_the_file_or_a_clear_failure(
    upstream: WebUpstream, tmp_path: Path
) -> None:
    """Whatever mix of faults comes: never a wrong file."""
    ended = {True: 0, False: 0}
    for seed in range(40):
        draw = random.Random(seed)
        faults = (None, Reply(b"{", cut=0), Reply(b"no"), Reply(status="500 No"), Reply(b"nul"))
        share = draw.choice([0.1, 0.3, 0.6])
        chosen = [draw.choice(faults) if draw.random() < share else None for _ in range(400)]
        upstream.answer = in_turn(*chosen)
        partial = tmp_path / f"{seed}.partial"
        try:
            fetch(raw(upstream, 1, 100), partial, patience=PATIENCE)
        except UpstreamError:
            assert lines(1, 100).startswith(partial.read_bytes())
            ended[False] += 1
        else:
            assert partial.read_bytes() == lines(1, 100)
            ended[True] += 1
    assert min(ended.values()) >= 3


def test_a_killed_download_goes_on_at_a_line(
    upstream: WebUpstream, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kill costs no more requests than a batch and what was on its way."""
    monkeypatch.setattr(gather_items, "BATCH", 64)
    plan, total, kills = raw(upstream, 1, 3000), 3000, 0
    upstream.answer = lambda asked: Reply(honest(asked).body, delay=0.001)
    draw = random.Random(4)
    work = functools.partial(fetch, plan, partial, guest=ALONE, patience=PATIENCE)
    while killed(upstream, draw.randrange(1, 900), work):
        kills += 1
    assert partial.read_bytes() == lines(1, total)
    on_their_way = gather_items.RUN * (2 * 8 + 1)
    assert kills >= 3
    assert len(upstream.asked) <= total + kills * (64 + gather_items.RUN + on_their_way)


def test_a_note_of_other_bytes_is_not_believed(upstream: WebUpstream, partial: Path) -> None:
    """The place noted is that of as many bytes, or all is asked for again."""
    upstream.answer = lambda asked: Reply(status="404") if "/50." in asked.path else honest(asked)
    with pytest.raises(UpstreamError):
        fetch(raw(upstream, 1, 60), partial, patience=PATIENCE)
    note = partial.with_name(partial.name + ".validator.json")
    noted = json.loads(note.read_text("utf-8").splitlines()[-1])
    size, place = noted["version"]["validator"].split(" ")
    noted["version"]["validator"] = f"{int(size) + 1} {place}"
    note.write_text(json.dumps(noted) + "\n", "utf-8")
    upstream.answer = honest
    assert fetch(raw(upstream, 1, 60), partial, patience=PATIENCE).resumed_from == 0
    assert partial.read_bytes() == lines(1, 60)
