"""Which addresses OpenWebText2 left out."""

import pytest

from sources.formats.link_filter import (
    BLOCKED_DOMAINS,
    BLOCKED_ENDINGS,
    corrected,
    published,
    registered_domain,
)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a.b", "not_http"),
        ("http://a.bc", None),
        ("http://a", "not_http"),
        ("https://news.example/a b", "not_http"),
        ("ftp://news.example/a", "not_http"),
        ("//news.example/a", "not_http"),
        ("http://localhost/a", "not_http"),
        ("http://10.0.0.1:8080/a", None),
        ("HTTPS://News.Example?page=1", None),
        ("http://news.example/a\n", None),
        ("http://news.example/a\tb", "not_http"),
        ("http://user@news.example/a", "not_http"),
        ("https://old.reddit.com/r/a", "blocked_domain"),
        ("https://itunes.apple.com/us/app", "blocked_domain"),
        ("https://www.apple.com/us", None),
        ("https://m.itunes.apple.com/us", None),
        ("https://notreddit.com/", None),
        ("https://en.wikipedia.org/wiki/Clock", "blocked_domain"),
        ("https://news.example/CLOCK.PNG?w=1", "blocked_extension"),
        ("https://news.example/a.html?file=a.pdf", None),
        ("https://news.example/pdf", None),
    ],
)
def test_addresses_are_left_out_for_a_reason(url: str, reason: str | None) -> None:
    """By form, by host or registered domain, by ending; both fidelities agree on these."""
    assert published(url) == corrected(url) == reason


@pytest.mark.parametrize(
    ("url", "as_published", "as_meant"),
    [
        ("https://IMGUR.com/a", None, "blocked_domain"),
        ("https://news.example/a.pdf#page=2", None, "blocked_extension"),
        ("https://cash.app", "blocked_extension", None),
        ("https://news.example/#a.zip", "blocked_extension", None),
    ],
)
def test_the_originals_oddities_are_published(
    url: str, as_published: str | None, as_meant: str | None
) -> None:
    """Hosts as they are spelt, endings of whatever stands last."""
    assert (published(url), corrected(url)) == (as_published, as_meant)


def test_the_lists_are_the_originals() -> None:
    """Forty domains and forty endings."""
    assert (len(BLOCKED_DOMAINS), len(BLOCKED_ENDINGS)) == (40, 40)


@pytest.mark.parametrize(
    "url", ["http://" + "a." * 50_000, "http://" + "a" * 100_000, "http://a.com/" + "a" * 200_000]
)
def test_long_addresses_take_no_long_time(url: str) -> None:
    """No pattern tries them anew at every place."""
    assert published(url + " ") == "not_http"


def test_public_suffixes_are_known() -> None:
    """Without a network."""
    assert registered_domain("https://www.news.example.co.uk/a") == "example.co.uk"
    assert registered_domain("http://192.0.2.1/a") == "192.0.2.1"
