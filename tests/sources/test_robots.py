"""Pages are fetched as a site's robots.txt allows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.source import Pace
from sources.upstream import page, robots
from sources.upstream.attempts import Patience
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners
from sources.upstream.public_address import ALLOW_PRIVATE

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import Reply, Upstream, serving, whole

QUICK = Patience(attempts=2, sleep=lambda _: None)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a site that may lie on this machine."""
    monkeypatch.setenv(ALLOW_PRIVATE, "yes")
    monkeypatch.setattr(page, "_unreached", {})
    with serving() as server:
        yield server


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """Give a guest that asks this machine at a pace."""
    return Guest(Manners(tmp_path, {"127.0.0.1": Pace(1000.0)}))


def allowed(url: str, guest: Guest) -> bool:
    """Tell whether a page may be had, asked for as pages are."""
    return robots.allowed(url, guest, QUICK, page._robots_txt)


def test_what_is_disallowed_is_not_fetched(upstream: Upstream, guest: Guest) -> None:
    """Rules for us by name count before those for all; the file is asked for once."""
    rules = b"User-agent: *\nDisallow: /\n\nUser-agent: pile\nDisallow: /private/\n"
    upstream.otherwise = lambda _: whole(rules)
    assert allowed(f"{upstream.url}/page", guest)
    assert not allowed(f"{upstream.url}/private/page", guest)
    assert [request.path for request in upstream.requests] == ["/robots.txt"]


def test_a_site_without_rules_allows_all(upstream: Upstream, guest: Guest) -> None:
    """A lasting refusal is no rule (RFC 9309, section 2.3.1.3)."""
    assert allowed(f"{upstream.url}/page", guest)


def test_a_site_that_cannot_say_allows_nothing(upstream: Upstream, guest: Guest) -> None:
    """A server in trouble is not scraped meanwhile (section 2.3.1.4)."""
    upstream.otherwise = lambda _: Reply("503 Busy")
    assert not allowed(f"{upstream.url}/page", guest)
    assert not allowed(f"{upstream.url}/other", guest)
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("line", ["Crawl-delay: 2", "Request-rate: 5/10"])
def test_a_crawl_delay_slows_the_host(
    upstream: Upstream, guest: Guest, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket of the host leaves that gap for everyone from then on."""
    upstream.otherwise = lambda _: whole(f"User-agent: *\n{line}\n".encode())
    assert allowed(f"{upstream.url}/page", guest)
    waits: list[float] = []
    monkeypatch.setattr("sources.upstream.bucket.time.sleep", waits.append)
    with guest.manners.turn("127.0.0.1"):
        assert 1.5 < waits[0] <= 2.0


def test_a_site_that_wants_a_page_an_hour_is_not_scraped(upstream: Upstream, guest: Guest) -> None:
    """A delay beyond a minute is taken for a no."""
    upstream.otherwise = lambda _: whole(b"User-agent: *\nCrawl-delay: 3600\n")
    assert not allowed(f"{upstream.url}/page", guest)


def test_a_robots_txt_without_end_is_read_to_its_limit(upstream: Upstream, guest: Guest) -> None:
    """What begins it still counts."""
    upstream.otherwise = lambda _: whole(b"User-agent: *\nDisallow: /a\n" + b"# x\n" * 300_000)
    assert not allowed(f"{upstream.url}/a", guest)
    assert allowed(f"{upstream.url}/b", guest)
