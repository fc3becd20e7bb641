"""`pile sources check`: one request to each upstream, and what it says has moved."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from pile.config import Config
from pile.downloads import upstreams
from sources.registry import SOURCES
from sources.source import Get, Options, RawFile
from sources.upstream import s3
from sources.upstream.attempts import redacted

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from fault_server import Reply, Request, Upstream, closed_port, serving, whole

Pile = Callable[..., tuple[int, str, str]]
NAMES = ["dm_mathematics", "enron_emails", "europarl"]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Run an upstream that has whatever is asked for, of 7 bytes."""
    with serving() as found:
        found.otherwise = lambda _: whole(b"7 bytes")
        yield found


def state(upstream: Upstream, *files: RawFile, listing: str = "") -> upstreams.Answered:
    """Check a source whose plan reads a listing of numbers, if any, and yields files."""

    def plan(options: Options, get: Get) -> Iterable[RawFile]:
        del options
        if listing:
            sum(int(line) for line in get(f"{upstream.url}/{listing}").split())
            get(f"{upstream.url}/second")
        yield from files

    source = dataclasses.replace(SOURCES["europarl"], plan=plan)
    config = Config(path=Path("/nowhere/pipeline.toml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upstreams, "SOURCES", {"europarl": source})
        patch.setattr("pile.config.SOURCES", {"europarl": source})
        patch.setattr("pile.layout.manners", lambda work: None)
        return upstreams.check(config, [upstreams.default_table("europarl")])[0]


def test_a_file_that_is_there_is_well(upstream: Upstream) -> None:
    """A plan of fixed addresses: the head of the first file, in one request."""
    found = state(upstream, RawFile(f"{upstream.url}/a", "a", 7), RawFile(f"{upstream.url}/b", "b"))
    assert (found.state, found.host) == ("ok", upstream.url.removeprefix("http://"))
    assert [request.path for request in upstream.requests] == ["/a"]


def test_a_look_sends_no_password_of_other_tools(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ~/.netrc holds is none of ours."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password other\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    upstream.otherwise = lambda _: whole(b"12345")
    assert state(upstream, RawFile(f"{upstream.url}/a", "a")).state == "ok"
    assert not any("Authorization" in request.headers for request in upstream.requests)


def test_another_size_is_told(upstream: Upstream) -> None:
    """The file that is there is not the one that is known."""
    found = state(upstream, RawFile(f"{upstream.url}/a", "a", 8))
    assert (found.state, found.what) == ("moved", "it has 7 bytes now, not 8")


def test_a_file_gone_is_told(upstream: Upstream) -> None:
    """404: which file, and what to do."""
    upstream.otherwise = lambda _: Reply("404 Not Found", {"Content-Length": "0"})
    found = state(upstream, RawFile(f"{upstream.url}/a", "a"))
    assert found.state == "moved"
    assert f"{upstream.url}/a: answers 404" in found.what


def test_a_move_for_good_is_told_and_one_for_now_is_not(upstream: Upstream) -> None:
    """301 and 308 say where the file lies now; 302 may change tomorrow."""
    for status, expected in (("301 Moved Permanently", "moved"), ("302 Found", "ok")):

        def answer(request: Request, status: str = status) -> Reply:
            there = {"Location": "/new?key=abc", "Content-Length": "0"}
            return whole(b"x") if request.path.startswith("/new") else Reply(status, there)

        upstream.otherwise = answer
        found = state(upstream, RawFile(f"{upstream.url}/a", "a"))
        assert found.state == expected
        assert (redacted(f"{upstream.url}/new?key=abc") in found.what) == (expected == "moved")


def test_a_server_without_heads_is_asked_otherwise(upstream: Upstream) -> None:
    """A 405 to HEAD says nothing of the file: its answer to GET does, and is left unread."""
    upstream.replies = [Reply("405 Method Not Allowed", {"Content-Length": "0"})]
    assert state(upstream, RawFile(f"{upstream.url}/a", "a", 7)).state == "ok"
    assert len(upstream.requests) == 2


def test_a_listing_is_read_as_the_plan_reads_it(upstream: Upstream) -> None:
    """One listing is asked for: the plan either understands it, or it has another form now."""
    upstream.replies = [whole(b"1 2 3")]
    assert state(upstream, listing="first").state == "ok"
    upstream.replies = [whole(b"<html>moved</html>")]
    found = state(upstream, listing="first")
    assert found.state == "moved"
    assert "another form" in found.what
    assert [request.path for request in upstream.requests] == ["/first", "/first"]


def test_an_upstream_that_is_down_is_not_taken_for_moved(upstream: Upstream) -> None:
    """500 may pass."""
    upstream.otherwise = lambda _: Reply("500 Internal Server Error", {"Content-Length": "0"})
    assert state(upstream, RawFile(f"{upstream.url}/a", "a")).state == "down"


def test_an_endpoint_of_s3_out_of_reach_is_not_taken_for_moved(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection says nothing of the object."""
    s3.client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{closed_port()}")
    found = state(upstream, RawFile("s3://open/a", "a", 7))
    assert (found.state, found.host) == ("down", "open")


def test_the_command_says_what_moved_and_ends_with_8(
    tmp_path: Path, upstream: Upstream, pile: Pile
) -> None:
    """Mirrors are followed, sources of one's own files are told so, and NAME still explains."""
    config = tmp_path / "pipeline.toml"
    host = '"https://www.statmt.org/" = "{}"'
    config.write_text(f"[run.mirrors]\n{host.format(upstream.url)}\n", encoding="utf-8")
    code, out, _ = pile("sources", "check", "europarl", "books3", "-c", str(config), "--json")
    assert (code, [row["state"] for row in json.loads(out)]) == (0, ["ok", "local"])
    upstream.otherwise = lambda _: Reply("404 Not Found", {"Content-Length": "0"})
    code, out, _ = pile("sources", "check", "europarl", "-c", str(config))
    assert code == 8
    assert "moved" in out
    assert pile("sources", "check", "europarll", "-c", str(config))[0] == 2
    assert "published" in pile("sources", "europarl")[1]
