"""Captions of videos: WebVTT, SubRip, and what youtube-transcript-api gives as JSON.

A cue of WebVTT or SubRip begins at a line with ``-->`` and ends at an empty line or the next cue;
all outside is left alone (numbers, notes, styles). Entities are resolved, then tags removed.
Times are seconds, as YouTube gives them: a start and a duration.
"""

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sources.formats.parse_memory import text_memory
from sources.source import Json

LAST_SECOND = 10**7
"""Beyond it, a third of a year, no cue begins or ends."""

_LINE, _CUE = 90, 400
"""Bytes of memory of a line, and of a cue, besides those of their characters."""

_CLOCK = r"(?:(\d{1,4}):)?(\d\d):(\d\d)[.,](\d{3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s|$)", re.ASCII)
_WORD_TIME = re.compile(r"<\d\d:\d\d:\d\d\.\d{3}>", re.ASCII)


class MalformedError(ValueError):
    """What is no captions, or has a cue out of all time."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A text of at least one character, when it appears, and for how long."""

    text: str
    start: float
    duration: float

    def minute(self) -> int:
        """Return the minute in which the cue ends, counted from 0."""
        return math.floor((self.start + self.duration) / 60.0)


@dataclass(frozen=True, slots=True)
class Track:
    """A video's captions in one language; ``generated`` are those that a machine heard."""

    language: str
    generated: bool
    cues: tuple[Cue, ...]


def captions_memory(content: bytes) -> int:
    """Return an upper bound of the bytes that WebVTT or SubRip takes while and after it is read."""
    lines = content.count(b"\n") + content.count(b"\r")
    return 3 * text_memory(content) + _LINE * lines + _CUE * content.count(b"-->")


def from_text(text: str, language: str) -> Track:
    """Read WebVTT or SubRip; times within a text mark it as generated. Raises `MalformedError`."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues = tuple(_cues(lines))
    if not cues:
        raise MalformedError("no cues")
    return Track(language, _WORD_TIME.search(text) is not None, cues)


def _cues(lines: Sequence[str]) -> Iterator[Cue]:
    times: re.Match[str] | None = None
    said: list[str] = []
    for line in (*lines, ""):
        begun = _TIMES.match(line)
        if times is not None and (begun or not line):
            yield from _cue(times, said)
            times = None
        if begun:
            times, said = begun, []
        elif times is not None:
            said.append(line)


def _cue(times: re.Match[str], said: Sequence[str]) -> Iterator[Cue]:
    """Yield the cue, if it says anything."""
    text = _untagged(html.unescape("\n".join(said)))
    start, end = (_milliseconds(times, first) for first in (1, 5))
    if end < start:
        raise MalformedError(f"a cue ends before it begins: {times[0].strip()}")
    if text:
        yield _checked(text, start / 1000, (end - start) / 1000)


def _untagged(text: str) -> str:
    """Return text without anything from a ``<`` to the next ``>``."""
    kept: list[str] = []
    rest = 0
    while (start := text.find("<", rest)) >= 0 and (end := text.find(">", start)) >= 0:
        kept.append(text[rest:start])
        rest = end + 1
    return "".join((*kept, text[rest:]))


def _milliseconds(times: re.Match[str], first: int) -> int:
    hours, minutes, seconds, rest = (int(times[first + part] or 0) for part in range(4))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def from_json(content: Json, language: str) -> tuple[Track, ...]:
    """Read a list of tracks, or of one track's cues; raises `MalformedError`.

    A track has ``language_code``, ``is_generated`` and ``transcript``, a list of cues; a cue has
    ``text``, ``start`` and ``duration``. Cues without text are left out.
    """
    if not isinstance(content, list) or not content:
        raise MalformedError("no list, or an empty one")
    if not all(isinstance(entry, dict) for entry in content):
        raise MalformedError("no list of objects")
    if not any("transcript" in entry for entry in content):
        return (Track(language, generated=False, cues=_json_cues(content)),)
    return tuple(_json_track(entry) for entry in content)


def _json_track(entry: dict[str, Json]) -> Track:
    code, cues = entry.get("language_code"), entry.get("transcript")
    if not isinstance(code, str) or not isinstance(cues, list):
        raise MalformedError("a track without language_code or transcript")
    return Track(code, entry.get("is_generated") is True, _json_cues(cues))


def _json_cues(entries: Sequence[Json]) -> tuple[Cue, ...]:
    cues = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise MalformedError("a cue that is no object")
        text = entry.get("text")
        if not isinstance(text, str):
            raise MalformedError("a cue without text")
        if text:
            cues.append(_checked(text, _seconds(entry, "start"), _seconds(entry, "duration")))
    return tuple(cues)


def _seconds(entry: dict[str, Json], key: str) -> float:
    value = entry.get(key)
    if not (isinstance(value, int | float) and 0 <= value <= LAST_SECOND):
        raise MalformedError(f"a cue whose {key} is {value!r}"[:200])
    return float(value)


def _checked(text: str, start: float, duration: float) -> Cue:
    if start + duration > LAST_SECOND:
        raise MalformedError(f"a cue at second {start}")
    return Cue(text, start, duration)
