"""Listed web pages become a WARC in their order: a record for each line, whatever became of it."""

import functools
import gzip
import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from sources.archives import open_stream
from sources.fetch import Patience, UpstreamError, fetch
from sources.formats import warc
from sources.source import Pace, RawFile
from sources.upstream import gather_pages, page
from sources.upstream.attempts import Interrupted
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners
from sources.upstream.public_address import ALLOW_PRIVATE, PrivateHost, is_public

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
from web_upstream import Asked, Reply, WebUpstream, killed, serving_web

PATIENCE = Patience(read_timeout=3.0, connect_timeout=3.0, sleep=lambda _: None)
HTML = {"Content-Type": "text/html; charset=utf-8"}
ZIPPED = gzip.compress(b"<p>zipped</p>", mtime=0)


@pytest.fixture(scope="module")
def server() -> Iterator[WebUpstream]:
    """One site for all tests of this file."""
    with serving_web() as upstream:
        yield upstream


@pytest.fixture
def site(server: WebUpstream, monkeypatch: pytest.MonkeyPatch) -> WebUpstream:
    """Give the site with a clean record; pages may lie on this machine."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv(ALLOW_PRIVATE, "yes")
    monkeypatch.setattr(page, "_unreached", {})
    server.answer = answer
    server.asked.clear()
    return server


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where the pages go."""
    return tmp_path / "pages.partial"


ANSWERS = {
    "/robots.txt": Reply(b"User-agent: *\nDisallow: /private/\n"),
    "/gone": Reply(status="410 Gone"),
    "/error": Reply(status="500 No"),
    "/forbidden": Reply(status="403 Forbidden"),
    "/empty": Reply(),
    "/to": Reply(status="302 Found", headers={"Location": "/page?to"}),
    "/to-private": Reply(status="301 Moved", headers={"Location": "/private/x"}),
    "/to-file": Reply(status="302 Found", headers={"Location": "file:///etc/passwd"}),
    "/loop": Reply(status="302 Found", headers={"Location": "/loop?"}),
    "/nowhere": Reply(status="302 Found"),
    "/cut": Reply(b"x" * 1000, headers=HTML, cut=500),
    "/zipped": Reply(ZIPPED, headers={**HTML, "Content-Encoding": "gzip"}),
    "/chunked": Reply(b"5\r\nhello\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked", **HTML}),
    "/large": Reply(b"x" * 5000, headers=HTML),
}


def answer(asked: Asked) -> Reply:
    """Answer for a path as `ANSWERS` says, for any other with a page of its own."""
    return ANSWERS.get(asked.path, Reply(body(asked.path), headers=HTML))


def body(path: str) -> bytes:
    """Return a page."""
    return f"<p>{path}</p>".encode()


def raw(folder: Path, *lines: str) -> RawFile:
    """Plan the pages of a list."""
    path = folder / "list.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return RawFile(path.as_uri(), "pages.warc.gz", form="pages")


def records(partial: Path, kind: str) -> dict[int, warc.Record]:
    """Return the records of one type, by the line of the list, as our own reader has them."""
    with open_stream(partial) as stream:
        read = list(warc.records(stream, "pages", kind, 1 << 30))
    lines = [int(record.headers["x-list-line"]) for record in read]
    assert lines == sorted(set(lines))
    return {int(one.headers["x-list-line"]): one for one in read if one.kind == kind}


def bodies(partial: Path) -> dict[int, bytes]:
    """Return the pages that were had."""
    found = {}
    for line, record in records(partial, "response").items():
        message = warc.parse_response(record.block or b"")
        assert message is not None
        found[line] = warc.decoded_body(message, 1 << 30)
    return found


def reasons(partial: Path) -> dict[int, str]:
    """Return why pages were not had."""
    return {
        line: warc.parse_headers(record.block or b"")["reason"]
        for line, record in records(partial, "metadata").items()
    }


def test_each_line_becomes_a_record(site: WebUpstream, tmp_path: Path, partial: Path) -> None:
    """An address, or JSON that holds one; blank lines are none."""
    listed = [
        f"{site.url}/a",
        json.dumps({"url": f"{site.url}/b", "score": 4}),
        "",
        f"{site.url}/c",
    ]
    fetch(raw(tmp_path, *listed), partial, patience=PATIENCE)
    assert bodies(partial) == {1: body("/a"), 2: body("/b"), 4: body("/c")}
    assert reasons(partial) == {}
    assert {asked.headers["host"] for asked in site.asked} == {f"127.0.0.1:{site.port}"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "gone"),
        ("/error", "refused"),
        ("/forbidden", "refused"),
        ("/to-file", "bad_address"),
        ("/loop", "redirects"),
        ("/nowhere", "redirects"),
        ("/cut", "unreachable"),
        ("/large", "too_large"),
    ],
)
def test_a_page_that_cannot_be_had_says_why(
    site: WebUpstream,
    tmp_path: Path,
    partial: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    reason: str,
) -> None:
    """Its line is a metadata record, and the others are had."""
    monkeypatch.setattr(page, "LONGEST", 2000)
    listed = [f"{site.url}/a", f"{site.url}{path}", f"{site.url}/b"]
    fetch(raw(tmp_path, *listed), partial, patience=PATIENCE)
    assert bodies(partial) == {1: body("/a"), 3: body("/b")}
    assert reasons(partial) == {2: reason}
    assert reason in page.REASONS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("gopher://host/", "bad_address"),
        ("javascript:alert(1)", "bad_address"),
        ("not an address", "bad_address"),
        ("http://[::1", "bad_address"),
        ("http://host:99999999/", "bad_address"),
        ("http:///path", "bad_address"),
        ('{"title": "no url"}', "bad_address"),
        ('{"url": 1}', "bad_address"),
        ('{"url": "http://x/\\r\\nHost: y"}', "unknown_host"),
        ('{"url": "http://\\ud800.example/"}', "bad_address"),
        ('{"url": "http://127.0.0.1:1/\\udfff"}', "unreachable"),
        ("{broken", "bad_address"),
        ("http://" + "x" * 70_000, "bad_address"),
        ("http://a.name.that.is.invalid/", "unknown_host"),
        ("http://" + "é" * 80 + ".example/", "bad_address"),
        ("http://127.0.0.1:1/", "unreachable"),
    ],
)
@pytest.mark.usefixtures("site")
def test_no_line_is_lost(tmp_path: Path, partial: Path, line: str, reason: str) -> None:
    """What is no address of a page is a record too."""
    fetch(raw(tmp_path, line), partial, patience=PATIENCE)
    assert reasons(partial) == {1: reason}


def test_bytes_that_are_no_text_are_a_record_too(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """A list may hold anything."""
    plan = raw(tmp_path)
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00\n" + f"{site.url}/a".encode())
    fetch(plan, partial, patience=PATIENCE)
    assert reasons(partial) == {1: "bad_address"}
    assert bodies(partial) == {2: body("/a")}


def test_a_redirect_is_followed_and_named(site: WebUpstream, tmp_path: Path, partial: Path) -> None:
    """The record is of the address in the list, and says where the page came from."""
    fetch(raw(tmp_path, f"{site.url}/to"), partial, patience=PATIENCE)
    [record] = records(partial, "response").values()
    assert record.headers["warc-target-uri"] == f"{site.url}/to"
    assert record.headers["x-final-uri"] == f"{site.url}/page?to"
    assert bodies(partial) == {1: body("/page?to")}


def test_robots_are_asked_wherever_a_page_is(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """A page that a site forbids is not asked for, behind a redirect neither."""
    listed = [f"{site.url}{path}" for path in ("/private/a", "/to-private", "/a")]
    fetch(raw(tmp_path, *listed), partial, patience=PATIENCE)
    assert reasons(partial) == {1: "robots", 2: "robots"}
    assert not any(asked.path.startswith("/private") for asked in site.asked)


def test_a_robots_txt_leads_nowhere_private(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is had from is judged as a page's address is."""
    away = Reply(status="302 Found", headers={"Location": "http://169.254.169.254/secret"})
    site.answer = lambda asked: away if asked.path == "/robots.txt" else answer(asked)
    looked_up: list[str] = []

    def address(host: str, port: int) -> str:
        looked_up.append(host)
        if host != "127.0.0.1":
            raise PrivateHost
        return host

    monkeypatch.setattr(page, "public_address", address)
    fetch(raw(tmp_path, f"{site.url}/a"), partial, guest=fresh(tmp_path), patience=PATIENCE)
    assert bodies(partial) == {1: body("/a")}
    assert "169.254.169.254" in looked_up


@pytest.mark.parametrize(
    ("reply", "had"),
    [
        (Reply(status="404 Not Found"), True),
        (Reply(status="401 Unauthorized"), True),
        (Reply(status="503 Later"), False),
        (
            Reply(
                gzip.compress(b"User-agent: *\nDisallow: /a"), headers={"Content-Encoding": "gzip"}
            ),
            False,
        ),
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), False),
    ],
)
def test_a_site_without_robots_txt_allows_all(
    site: WebUpstream, tmp_path: Path, partial: Path, reply: Reply, had: bool
) -> None:
    """One that cannot give it now allows nothing."""
    site.answer = lambda asked: reply if asked.path == "/robots.txt" else answer(asked)
    fetch(raw(tmp_path, f"{site.url}/a"), partial, guest=fresh(tmp_path), patience=PATIENCE)
    assert (bodies(partial) == {1: body("/a")}) is had
    assert (reasons(partial) == {1: "robots"}) is not had


def fresh(folder: Path) -> Guest:
    """Return a guest that knows no robots.txt yet."""
    return Guest(Manners(folder=folder / "manners"))


def test_bodies_are_kept_as_they_were_sent(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """Compression stays, chunks go; both readers find headers, body and digests to agree."""
    listed = [f"{site.url}{path}" for path in ("/zipped", "/chunked", "/empty", "/gone")]
    fetch(raw(tmp_path, *listed), partial, patience=PATIENCE)
    assert bodies(partial) == {1: b"<p>zipped</p>", 2: b"hello", 3: b""}
    with partial.open("rb") as file:
        read = list(ArchiveIterator(file, parse_http=False, verify_digests=False))
        assert len(read) == 4
    with partial.open("rb") as file:
        checked = []
        for record in ArchiveIterator(file, parse_http=True):
            if record.record_type == WarcRecordType.response:
                content = record.reader.read()
                assert warc.digest_holds(record.headers["WARC-Payload-Digest"], content)
                checked.append((record.http_headers.status_code, content))
    assert checked == [(200, ZIPPED), (200, b"hello"), (200, b"")]
    with partial.open("rb") as file:
        blocks = [one.verify_block_digest() for one in ArchiveIterator(file, parse_http=False)]
    assert blocks == [True] * 4


def test_a_record_is_a_gzip_member_with_an_id_of_its_own(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """The id depends on list and line alone; each record begins a member."""
    plan = raw(tmp_path, f"{site.url}/a", f"{site.url}/a", f"{site.url}/gone")
    fetch(plan, partial, patience=PATIENCE)
    again = partial.with_name("again")
    fetch(plan, again, patience=PATIENCE)
    for name in ("warc-record-id", "warc-target-uri"):
        named = [
            [
                one.headers[name]
                for kind in ("response", "metadata")
                for one in records(path, kind).values()
            ]
            for path in (partial, again)
        ]
        assert named[0] == named[1]
    ids = [one.headers["warc-record-id"] for one in records(partial, "response").values()]
    assert len(set(ids)) == 2
    assert partial.read_bytes().count(b"\x1f\x8b\x08") >= 3


def test_a_page_that_does_not_come_is_given_up(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers that never end are hung up on; a body cut by that is no page."""
    monkeypatch.setattr(page, "SECONDS", 0.5)
    monkeypatch.setattr(page, "GRACE", 0.1)
    endless = Reply(b"x" * 100, headers=HTML, delay=1.0)
    site.answer = lambda asked: endless if asked.path == "/slow" else answer(asked)
    fetch(raw(tmp_path, f"{site.url}/a", f"{site.url}/slow"), partial, patience=PATIENCE)
    assert reasons(partial) == {2: "timeout"}
    assert bodies(partial) == {1: body("/a")}


def test_a_site_out_of_reach_is_left_alone_for_a_while(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list may hold thousands of its pages; nor is it kept that it forbids them."""
    dead = Reply(b"x", cut=0)
    site.answer = lambda _: dead
    guest = fresh(tmp_path)
    plan = raw(tmp_path, *(f"{site.url}/{number}" for number in range(50)))
    fetch(plan, partial, guest=guest, patience=PATIENCE)
    assert set(reasons(partial).values()) == {"unreachable"}
    assert len(site.asked) == page.ATTEMPTS
    monkeypatch.setattr(page, "_unreached", {})
    site.answer = answer
    partial.unlink()
    fetch(plan, partial, guest=guest, patience=PATIENCE)
    assert len(bodies(partial)) == 50


def test_private_addresses_are_never_asked(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However this machine or its network is written, no connection is made."""
    monkeypatch.delenv(ALLOW_PRIVATE)
    hosts = ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]")
    others = ("10.0.0.1", "169.254.169.254", "0.0.0.0", "[fd00::1]")
    site.connections = 0
    listed = [f"http://{host}:{site.port}/" for host in (*hosts, *others)]
    fetch(raw(tmp_path, *listed), partial, patience=PATIENCE)
    assert set(reasons(partial)) == set(range(1, 11))
    assert set(reasons(partial).values()) <= {"bad_address", "unknown_host"}
    assert site.connections == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_an_address_within_another_counts(address: str, public: bool) -> None:
    """IPv6 has several ways to write an IPv4 address."""
    assert is_public(address) is public


def test_a_broken_network_of_our_own_loses_no_page(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """Many hosts in a row out of reach are asked again next time, behind what came before."""
    dead = [f"http://127.0.0.{n}:1/" for n in range(2, 122)]
    plan = raw(tmp_path, f"{site.url}/a", *dead, f"{site.url}/b")
    with pytest.raises(UpstreamError, match="online") as caught:
        fetch(plan, partial, patience=PATIENCE)
    assert caught.value.retry_later
    assert bodies(partial) == {1: body("/a")}
    assert reasons(partial) == {}


def test_a_slow_host_does_not_keep_the_pages_of_others_waiting(
    tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred neighbours of one host come before pages of others; their records stay in order."""
    elsewhere = threading.Event()
    order: list[str] = []

    def answered(url: str, guest: Guest, patience: Patience) -> page.Page:
        del guest, patience
        if "slow" in url:
            assert elsewhere.wait(20), "all threads wait for one host"
        order.append(url)
        if url.endswith("/last"):
            elsewhere.set()
        raise page.Missing("gone", url)

    monkeypatch.setattr(gather_pages, "page", answered)
    slow = [f"https://slow.example.org/{n}" for n in range(100)]
    others = [f"https://{n}.example.org/" for n in range(40)]
    fetch(raw(tmp_path, *slow, *others, "https://fast.example.org/last"), partial)
    assert order.index("https://fast.example.org/last") < order.index(slow[0])
    assert list(reasons(partial)) == list(range(1, 142))


def test_pages_that_wait_for_one_before_them_are_bounded(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they fill memory, lines are asked for one by one; all of them still come."""
    monkeypatch.setattr(gather_pages, "HELD_BYTES", 1)
    paths = [f"/{n}" for n in range(30)]
    fetch(raw(tmp_path, *(f"{site.url}{path}" for path in paths)), partial, patience=PATIENCE)
    assert list(bodies(partial).values()) == [body(path) for path in paths]


def test_a_list_that_changed_starts_over(site: WebUpstream, tmp_path: Path, partial: Path) -> None:
    """Records of another list are not kept."""
    dead = [f"http://127.0.0.{n}:1/" for n in range(2, 22)]
    with pytest.raises(UpstreamError):
        fetch(raw(tmp_path, f"{site.url}/a", *dead), partial, patience=PATIENCE)
    found = fetch(raw(tmp_path, f"{site.url}/b", f"{site.url}/c"), partial, patience=PATIENCE)
    assert found.resumed_from == 0
    assert bodies(partial) == {1: body("/b"), 2: body("/c")}


def test_a_list_is_the_one_that_was_planned(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """No pages of another list are had under its name, be it changed before or meanwhile."""
    plan = raw(tmp_path, f"{site.url}/a")
    digest = hashlib.sha256((tmp_path / "list.txt").read_bytes()).hexdigest()
    planned = replace(plan, url=f"{plan.url}#sha256={digest}")
    fetch(planned, partial, patience=PATIENCE)
    assert bodies(partial) == {1: body("/a")}
    site.asked.clear()
    with pytest.raises(UpstreamError, match="not the one that was planned"):
        fetch(replace(plan, url=f"{plan.url}#sha256={'0' * 64}"), tmp_path / "b", patience=PATIENCE)
    assert site.asked == []

    def meanwhile(asked: Asked) -> Reply:
        raw(tmp_path, f"{site.url}/b")
        return answer(asked)

    site.answer = meanwhile
    with pytest.raises(UpstreamError, match="changed while its pages came"):
        fetch(planned, tmp_path / "c", guest=fresh(tmp_path), patience=PATIENCE)
    assert not (tmp_path / "c").stat().st_size


def test_a_host_that_wants_to_be_left_alone_is(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """For as long as it says; what would have to be waited for too long is not had."""
    later = Reply(status="429 Later", headers={"Retry-After": "3600"})
    site.answer = lambda asked: later if asked.path == "/a" else answer(asked)
    guest = Guest(Manners(tmp_path / "manners", {"127.0.0.1": Pace(1000.0)}))
    plan = raw(tmp_path, f"{site.url}/a")
    fetch(plan, partial, guest=guest, patience=PATIENCE)
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/a"]
    assert reasons(partial) == {1: "refused"}
    with (
        pytest.raises(Interrupted, match="left alone"),
        guest.manners.turn(urlsplit(site.url).netloc),
    ):
        pass


def test_a_site_whose_pace_nobody_states_is_asked_once_a_second(
    site: WebUpstream, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages are no downloads that it offers, so that more is not taken for granted."""
    monkeypatch.setattr("sources.upstream.manners.is_loopback", lambda host: False)
    begun = time.monotonic()
    fetch(
        raw(tmp_path, f"{site.url}/a", f"{site.url}/b"),
        partial,
        guest=fresh(tmp_path),
        patience=PATIENCE,
    )
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/a", "/b"]
    assert time.monotonic() - begun >= 2.0


def test_a_list_must_be_a_file_of_this_machine(tmp_path: Path, partial: Path) -> None:
    """Another URL, a missing list and a broken one are refused."""
    with pytest.raises(UpstreamError, match="file: URL"):
        fetch(RawFile("http://host/list", "a", form="pages"), partial)
    with pytest.raises(UpstreamError, match="No such file"):
        fetch(RawFile((tmp_path / "none").as_uri(), "a", form="pages"), partial)
    (tmp_path / "list.gz").write_bytes(gzip.compress(b"http://host/\n" * 100)[:-10])
    with pytest.raises(UpstreamError, match=r"list\.gz"):
        fetch(RawFile((tmp_path / "list.gz").as_uri(), "a", form="pages"), partial)


def test_a_killed_download_goes_on_at_a_record(
    site: WebUpstream, tmp_path: Path, partial: Path
) -> None:
    """Each kill costs no more pages than a batch and what was worked on."""
    total, kills = 600, 0
    site.answer = lambda asked: Reply(body(asked.path), headers=HTML, delay=0.02)
    plan = raw(tmp_path, *(f"{site.url}/{number}" for number in range(1, total + 1)))
    draw = random.Random(5)
    guest = fresh(tmp_path)
    work = functools.partial(fetch, plan, partial, guest=guest, patience=PATIENCE)
    while killed(site, draw.randrange(50, 200), work):
        kills += 1
    assert bodies(partial) == {number: body(f"/{number}") for number in range(1, total + 1)}
    pages = [asked for asked in site.asked if asked.path != "/robots.txt"]
    assert kills >= 3
    assert len(pages) <= total + kills * (gather_pages.BATCH + gather_pages.AHEAD)
