"""A robots.txt is read as RFC 9309 has it."""

import pytest

from sources.upstream.robots_rules import parsed

EXAMPLE = """\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
"""The example of section 5.1."""

LONGEST = """\
User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""
"""The example of section 5.2."""


def allows(text: str, agent: str, path: str) -> bool:
    """Tell whether a robots.txt lets a client have a path."""
    return parsed(text, agent).allow(f"https://www.example.com{path}")


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("pile/1.0 (+me)", "/a.gif", False),
        ("pile", "/a.gif?x", True),
        ("pile", "/example/page.html", False),
        ("pile", "/publications/a", True),
        ("pile", "/", True),
        ("foobot", "/", False),
        ("FooBot/2.1", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/a.gif", True),
        ("quxbot", "/example/", True),
    ],
)
def test_the_example_of_the_standard(agent: str, path: str, allowed: bool) -> None:
    """Section 5.1: a client obeys its own groups, and those for all only if it has none."""
    assert allows(EXAMPLE, agent, path) is allowed


def test_the_longest_match_decides() -> None:
    """Section 5.2."""
    assert not allows(LONGEST, "foobot", "/example/page/disallowed.gif")
    assert allows(LONGEST, "foobot", "/example/page/other.gif")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Allow: /\nDisallow: /private/", "/private/x", False),
        ("Disallow: /a\nAllow: /a", "/a", True),
        ("Disallow: /*?", "/a?b=1", False),
        ("Disallow: /*.pdf$", "/a.pdf", False),
        ("Disallow: /*.pdf$", "/a.pdf.html", True),
        ("Disallow: /a*b*c", "/axxbyyc/d", False),
        ("Disallow: /a*a$", "/a", True),
        ("Disallow: /foo/bar/ツ", "/foo/bar/%E3%83%84", False),
        ("Disallow: /foo/bar/%e3%83%84", "/foo/bar/%E3%83%84", False),
        ("Disallow: /foo/%62ar", "/foo/bar", False),
        ("Disallow: /a%2Fb", "/a/b", True),
        ("Disallow:", "/a", True),
        ("Disallow: /", "/robots.txt", True),
        ("Disallow: /a # a remark", "/a", False),
        ("Disallow: /a\n\nUser-agent: *\nDisallow: /b", "/a", False),
        ("Disallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", False),
        ("Sitemap: /s\nDisallow: /a", "/a", False),
        ("Disallow: /" + "*a" * 5000 + "$", "/" + "a" * 4000, True),
    ],
)
def test_a_rule(rules: str, path: str, allowed: bool) -> None:
    """Sections 2.2.2 and 2.2.3: wildcards, ends, escapes, equal lengths, and merged groups."""
    assert allows(f"\ufeffUser-agent: *\n{rules}\n", "pile", path) is allowed


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("Request-rate: 5/10", 2.0),
        ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: -1", 0.0),
    ],
)
def test_a_delay(line: str, seconds: float) -> None:
    """What is no number of seconds is no delay."""
    assert parsed(f"User-agent: pile\n{line}\n", "pile").delay == seconds
