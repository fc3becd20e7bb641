"""Ubuntu IRC: a week of a channel's public logs a document.

Raw format: https://irclogs.ubuntu.com/ has an index page a day (``2004/07/05/``) and below it a log a
channel, ``%23ubuntu.txt``. A line is ``[HH:MM] <nick> message``, ``[HH:MM]  * nick action``, or
``=== `` and what the server says (joins, topics). Encodings are mixed, mostly UTF-8. A raw file here
is named ``YYYY/MM/DD/#channel.txt`` (``%23`` does as well), in any folder, also compressed.

Published extraction: a log with nothing but lines of the server is skipped. Of those lines, joins,
partings, topics and new nicks go (see `TRAFFIC`), from others ``=== `` becomes ``* ``; every other
line loses its first eight characters, the time. Behind a heading ``#channel YYYY-MM-DD`` a day's text
joins its document, in order of days.

Traps: documents are made by channel and ISO week, but *without the year*, so that week 27 of 2004,
2005, … are one document (10,605 in all, of 545 KiB); the paper says otherwise. A line without a time
loses eight characters of what it says. A log without a last line end has the next heading stuck to it.

``fidelity = "corrected"`` makes a document of each channel and ISO week of one year, takes off only
what is a time, ends each day with a line end, and reads lines that are no UTF-8 as Windows-1252.

Known differences: which charset the server declared in 2020 is not known; without one, the published
reader took ISO-8859-1. ``encoding`` says which the published reading uses. A second log of one day
is rejected.

`plan` asks for the index of each day from ``first`` to ``last``, by default the Pile's, some 5,900;
``channels`` takes only some, ``("ubuntu",)`` say, empty all. All logs of one document are read
together. A document's place is the name of its first log and, behind a colon, how many it is made of.
An id is ``ubuntu_irc/CHANNEL/w27``, corrected ``ubuntu_irc/CHANNEL/2004-w27``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote

from sources.archives import open_stream
from sources.fetch import UpstreamError
from sources.formats.packed import uncompressed_name
from sources.formats.parse_memory import MOST, text_memory
from sources.option_checks import a_day, each, every, not_after, of_form, one_of
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Grouping,
    Json,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    excerpt,
)

SITE = "https://irclogs.ubuntu.com/"
LICENCE = "public domain: publicly logged channels; nicknames are personal data"
LONGEST = 8 << 20
"""Bytes of one day's log; the longest honest ones have 3 MiB."""

LONGEST_GAP = 31
"""Days in a row that the site may not have; more, and it is taken to have moved."""

SERVER = "==="
TRAFFIC = ("has joined #", "has left #", "Topic for #", "Topic (#", "is now known as")
"""What marks the server's lines that are left out."""

ENCODINGS = ("utf-8", "iso-8859-1")

_NAME = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(?:#|%23)([^/]+)\.txt", re.ASCII)
_LINK = re.compile(r'href="(%23[^"/?#&]+\.txt)"')
_TIME = re.compile(r"^\[\d\d:\d\d\] ?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Log:
    """A channel's log of a day, as its file's name tells."""

    day: date
    channel: str

    def heading(self) -> str:
        """Return the line that stands before the day in its document."""
        return f"#{self.channel} {self.day.isoformat()}\n"


def log_of(name: str) -> Log | None:
    """Return what log a raw file is, or None if its name does not tell."""
    match = _NAME.search(uncompressed_name(name))
    if match is None or match.end() != len(uncompressed_name(name)):
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return Log(day, match[4])


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the logs that the index pages list, by day and name; they have no checksums.

    A day that the site does not have is one without logs, unless `LONGEST_GAP` of them follow each
    other. Raises ValueError for a day that is none, for bounds out of order, and if no log is listed.
    """
    day, last = (date.fromisoformat(str(options[bound])) for bound in ("first", "last"))
    if day > last:
        raise ValueError(f"first is {day}, after last, {last}")
    days = (last - day).days + 1
    channels, found, missing = _channels(options), False, 0
    while day <= last:
        folder = day.strftime("%Y/%m/%d/")
        try:
            page, missing = get(SITE + folder).decode("utf-8", "replace"), 0
        except UpstreamError as error:
            missing += 1
            if not error.missing or missing == min(LONGEST_GAP, days):
                raise
            page = ""
        for link in sorted(set(_LINK.findall(page))):
            channel = link.removeprefix("%23").removesuffix(".txt")
            if not channels or unquote(channel) in channels:
                found = True
                yield RawFile(f"{SITE}{folder}{link}", f"{folder}#{channel}.txt")
        day += timedelta(days=1)
    if not found:
        raise ValueError(
            f"{SITE} lists no log from {options['first']} to {last} of {', '.join(channels) or 'any channel'}"
        )


def _channels(options: Options) -> frozenset[str]:
    channels = options["channels"]
    if not isinstance(channels, tuple):
        raise TypeError(f"channels is {channels!r}, not a list of names")
    return frozenset(str(channel).removeprefix("#") for channel in channels)


@dataclass(frozen=True, slots=True)
class Reading:
    """How logs become a document: which belong together, and what of a log's bytes stays.

    ``week`` names the document within its channel; ``text`` is None for a log without talk.
    """

    week: Callable[[date], str]
    meta: Callable[[date], dict[str, Json]]
    text: Callable[[bytes], str | None]


def _published_week(day: date) -> str:
    return f"w{day.isocalendar().week:02d}"


def _published_meta(day: date) -> dict[str, Json]:
    # The release calls the week so.
    return {"month": day.isocalendar().week}


def _published_utf8(content: bytes) -> str | None:
    return _published(content.decode("utf-8", "replace"))


def _published_latin1(content: bytes) -> str | None:
    return _published(content.decode("iso-8859-1"))


def _published(log: str) -> str | None:
    lines = log.split("\n")
    if not "\n".join(line for line in lines if not line.startswith(SERVER)):
        return None
    return "\n".join(
        f"* {line[4:]}" if line.startswith(SERVER) else line[8:]
        for line in lines
        if not _is_traffic(line)
    )


def _corrected_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-w{week:02d}"


def _corrected_meta(day: date) -> dict[str, Json]:
    return {"week": _corrected_week(day)}


def _corrected(content: bytes) -> str | None:
    lines = [line for line in map(_decoded, content.splitlines()) if line.strip()]
    if all(line.startswith(SERVER) for line in lines):
        return None
    return "".join(f"{_said(line)}\n" for line in lines if not _is_traffic(line))


def _said(line: str) -> str:
    if line.startswith(SERVER):
        return f"* {line.removeprefix(SERVER).strip()}"
    return _TIME.sub("", line)


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _is_traffic(line: str) -> bool:
    return line.startswith(SERVER) and any(mark in line for mark in TRAFFIC)


READINGS = {
    ("published", "utf-8"): Reading(_published_week, _published_meta, _published_utf8),
    ("published", "iso-8859-1"): Reading(_published_week, _published_meta, _published_latin1),
} | {
    ("corrected", encoding): Reading(_corrected_week, _corrected_meta, _corrected)
    for encoding in ENCODINGS
}


def _reading(options: Options) -> Reading:
    fidelity, encoding = str(options["fidelity"]), str(options["encoding"])
    if (fidelity, encoding) not in READINGS:
        raise ValueError(
            f"fidelity and encoding are {fidelity!r} and {encoding!r}, not published or corrected,"
            f" and {' or '.join(ENCODINGS)}"
        )
    return READINGS[fidelity, encoding]


def document_of(raw: RawFile, options: Options) -> str:
    """Return the id of the document that a log belongs to; a file that is no log has its own."""
    log = log_of(raw.name)
    return f"{raw.name}:" if log is None else _id(log, _reading(options))


def _id(log: Log, reading: Reading) -> str:
    return f"ubuntu_irc/{log.channel}/{reading.week(log.day)}"


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield the document or the rejection that one log gives by itself; see the module."""
    yield from read_together([(path, raw)], options)


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield the document that logs of one channel and week make, behind the logs that are rejected.

    Raises `UnreadableFile` if none of the logs can be read.
    """
    reading = _reading(options)
    document = Weeks()
    first: tuple[str, Log] | None = None
    errors: list[UnreadableFile] = []
    for raw, outcome in _outcomes(raw_files, reading):
        if isinstance(outcome, Rejected):
            yield outcome
        elif isinstance(outcome, UnreadableFile):
            errors.append(outcome)
            if len(errors) == len(raw_files):
                raise outcome
            yield Rejected(raw.name, "unreadable_file", excerpt(str(outcome)))
        else:
            log, text = outcome
            if document.take(log.heading() + text):
                first = first or (raw.name, log)
            else:
                yield Rejected(raw.name, "document_full", excerpt(log.heading()))
    if first is not None:
        yield _document(*first, document, reading)


class Weeks:
    """A document as it grows day by day, in memory known beforehand: it is held once as UTF-8.

    ``days`` is how many it is made of.
    """

    def __init__(self) -> None:
        self.days = 0
        self._content = bytearray()
        self._widest = 1

    def take(self, day: str) -> bool:
        """Add a day, unless the document would then take more than `MOST` as it is made."""
        content = day.encode("utf-8")
        widest = max(self._widest, text_memory(content) // max(1, len(content)))
        if (len(self._content) + len(content)) * (1 + widest) > MOST:
            return False
        self._content += content
        self._widest = widest
        self.days += 1
        return True

    def text(self) -> str:
        """Return all that was taken."""
        return self._content.decode("utf-8")


def _outcomes(
    raw_files: Sequence[tuple[Path, RawFile]], reading: Reading
) -> Iterator[tuple[RawFile, Rejected | UnreadableFile | tuple[Log, str]]]:
    """Yield what each raw file gives, in order of days; what is no log comes first."""
    logs: list[tuple[Log, str, Path, RawFile]] = []
    for path, raw in raw_files:
        log = log_of(raw.name)
        if log is None:
            yield raw, Rejected(raw.name, "not_a_log", excerpt(raw.name))
        else:
            logs.append((log, raw.name, path, raw))
    previous = None
    for log, _, path, raw in sorted(logs):
        if log == previous:
            yield raw, Rejected(raw.name, "repeated_day", excerpt(log.heading()))
            continue
        previous = log
        yield raw, _outcome(path, raw, log, reading)


def _outcome(
    path: Path, raw: RawFile, log: Log, reading: Reading
) -> Rejected | UnreadableFile | tuple[Log, str]:
    try:
        with open_stream(path) as stream:
            content = stream.read(LONGEST + 1)
    except UnreadableFile as error:
        return error
    if len(content) > LONGEST:
        return Rejected(raw.name, "too_large", excerpt(log.heading()))
    text = reading.text(content)
    if text is None:
        return Rejected(raw.name, "no_talk", excerpt(content.decode("utf-8", "replace")))
    return log, text


def _document(name: str, first: Log, weeks: Weeks, reading: Reading) -> Document:
    return Document(
        id=_id(first, reading),
        text=weeks.text(),
        origin=f"{name}:{weeks.days}",
        licence=LICENCE,
        meta={"channel": first.channel, **reading.meta(first.day)},
    )


SOURCE = Source(
    name="ubuntu_irc",
    pile_set_name=PILE_SET_NAMES["ubuntu_irc"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "not_a_log": "a name that does not end in YYYY/MM/DD/#channel.txt",
        "unreadable_file": "a log that is cut or damaged",
        "too_large": f"a log of more than {LONGEST >> 20} MiB",
        "document_full": f"a log beyond what a document holds: {MOST // 2_000_000} million bytes, or less by how"
        " wide its characters are",
        "no_talk": "a log with nothing but lines of the server",
        "repeated_day": "a second log of one channel and day",
    },
    defaults={
        "fidelity": "published",
        "encoding": "utf-8",
        "first": "2004-07-05",
        "last": "2020-09-01",
        "channels": (),
    },
    checks={
        "encoding": one_of(*ENCODINGS),
        "first": every(a_day, not_after("last")),
        "last": a_day,
        "channels": each(of_form(r"#?[^\s#/]+", "#ubuntu")),
    },
    homepage=SITE,
    raw_bytes=6_000_000_000,  # in hundreds of thousands of files
    # No limit is stated: a guess, for a small server.
    paces={"irclogs.ubuntu.com": Pace(2.0, 2)},
    grouping=Grouping(key=document_of, read=read_together),
)
