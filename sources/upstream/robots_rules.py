"""What a robots.txt says to us: its rules as RFC 9309 has them, and the delays that many sites add.

The groups that name us count, together, and those for ``*`` only where none does (section 2.2.1). The
rule that matches most of a path decides, and of two as long that which allows (section 2.2.2); ``*``
stands for any characters and ``$`` at the end for the end of the path (section 2.2.3).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from urllib.parse import quote, unquote_to_bytes, urlsplit

ROBOTS_TXT = "/robots.txt"
"""The path that is always allowed."""

AGENT = re.compile(r"[a-z_-]+")
UNRESERVED = "-._~"
DELIMITERS = "/?:@!$&'()*+,;=[]%"
RULES = ("allow", "disallow")
RATE = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")

Line = tuple[str, str]
"""A field in lower case, and its value."""


@dataclass(frozen=True)
class Rules:
    """The lines of the groups that count for us, but for the names of whom they are for."""

    lines: tuple[Line, ...]

    def allow(self, url: str) -> bool:
        """Tell whether a page may be asked for."""
        parts = urlsplit(url)
        path = _normal(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
        if path == ROBOTS_TXT:
            return True
        fitting = [(len(rule), allow) for rule, allow in self._patterns if _matches(rule, path)]
        return max(fitting, default=(0, True))[1]

    @property
    def delay(self) -> float:
        """Return the seconds that are to lie between two pages; no standard, but often meant."""
        return max((_delay(field, value) for field, value in self.lines), default=0.0)

    @cached_property
    def _patterns(self) -> list[tuple[str, bool]]:
        return [
            (_normal(value), field == "allow")
            for field, value in self.lines
            if field in RULES and value
        ]


def parsed(text: str, agent: str) -> Rules:
    """Return what a robots.txt says to the client whose User-Agent begins with ``agent``."""
    found = AGENT.match(agent.lower())
    us = found[0] if found else ""
    groups = list(_groups(text))
    ours = [lines for agents, lines in groups if us in agents]
    chosen = ours or [lines for agents, lines in groups if "*" in agents]
    return Rules(tuple(line for lines in chosen for line in lines))


def _groups(text: str) -> Iterator[tuple[set[str], list[Line]]]:
    """Yield the names of each group, and its lines."""
    agents: set[str] = set()
    lines: list[Line] = []
    for field, value in _fields(text):
        if field != "user-agent":
            lines.append((field, value))
            continue
        if lines:
            yield agents, lines
            agents, lines = set(), []
        found = AGENT.match(value.lower())
        agents.add(found[0] if found else value)
    yield agents, lines


def _fields(text: str) -> Iterator[Line]:
    """Yield the lines that mean something; a line for all groups, as Sitemap, is of none."""
    for line in text.removeprefix("\ufeff").splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        name = field.strip().lower()
        if name in {"user-agent", *RULES, "crawl-delay", "request-rate"}:
            yield name, value.strip()


def _normal(path: str) -> str:
    """Return a path or a rule with each byte written in one way (section 2.2.2)."""
    pieces = re.split("(%[0-9A-Fa-f]{2})", path)
    return "".join(
        _octet(piece) if number % 2 else quote(piece, DELIMITERS)
        for number, piece in enumerate(pieces)
    )


def _octet(escape: str) -> str:
    character = unquote_to_bytes(escape).decode("latin-1")
    plain = character.isascii() and (character.isalnum() or character in UNRESERVED)
    return character if plain else escape.upper()


def _matches(rule: str, path: str) -> bool:
    """Tell whether a rule matches a path from its beginning; in time linear in both for each ``*``."""
    anchored = rule.endswith("$")
    first, *others = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    last = others.pop() if anchored and others else None
    for piece in others:
        place = path.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    if not anchored:
        return True
    return (
        place == len(path)
        if last is None
        else path.endswith(last) and len(path) - len(last) >= place
    )


def _delay(field: str, value: str) -> float:
    if field == "request-rate" and (rate := RATE.match(value)) and int(rate[1]):
        return int(rate[2]) / int(rate[1])
    if field != "crawl-delay":
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return max(0.0, seconds) if isfinite(seconds) else 0.0
