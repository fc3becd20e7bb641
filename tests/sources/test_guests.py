"""What each source says of its upstream: how much there is, whom to ask, how often, with which key."""

from urllib.parse import urlsplit

import pytest

from sources.registry import SOURCES
from sources.source import Pace, Source, nothing_to_download

DOWNLOADING = sorted(
    name for name, source in SOURCES.items() if source.plan is not nothing_to_download
)
OF_UNKNOWN_SIZE = {"github"}
"""Sources of which nobody states, or lets guess, how much the recipe of 2020 would download."""


@pytest.fixture(params=DOWNLOADING)
def source(request: pytest.FixtureRequest) -> Source:
    """Every source that downloads."""
    return SOURCES[request.param]


def test_a_source_states_how_much_it_downloads(source: Source) -> None:
    """So that `pile sources` can warn of 21 TB; or it is known that nobody knows."""
    assert bool(source.raw_bytes) is (source.name not in OF_UNKNOWN_SIZE)


def test_a_source_states_how_its_hosts_are_asked(source: Source) -> None:
    """At least one host has a pace, and no pace is faster than a browser's."""
    assert source.paces
    for host, pace in source.paces.items():
        assert host == urlsplit(f"https://{host}/").hostname
        assert 0 < pace.per_second <= 100
        assert 1 <= pace.connections <= 16


def test_sources_agree_on_a_hosts_pace() -> None:
    """Two sources at one host share its pace, so they cannot state two."""
    stated: dict[str, Pace] = {}
    for source in SOURCES.values():
        for host, pace in source.paces.items():
            assert stated.setdefault(host, pace) == pace, host


def test_keys_are_for_those_who_ask_for_them() -> None:
    """A source with access by key names one, where to get it, and hosts whose pace is known."""
    for source in SOURCES.values():
        assert bool(source.keys) is (source.access == "key"), source.name
        for key in source.keys:
            assert key.name == key.name.upper()
            assert "https://" in key.where
            assert key.hosts
            assert set(key.hosts) <= set(source.paces)


def test_what_costs_says_how_much() -> None:
    """A source that is paid for has a price, and no other has one."""
    for source in SOURCES.values():
        assert bool(source.usd_per_gb) is (source.access == "pays"), source.name


def test_a_local_source_downloads_nothing_and_says_what_to_do() -> None:
    """Without a plan there are no bytes, hosts or keys, but instructions."""
    for source in SOURCES.values():
        if source.plan is nothing_to_download:
            assert source.access == "local"
            assert (source.raw_bytes, source.paces, source.keys) == (0, {}, ())
            assert "files = [" in source.manual
