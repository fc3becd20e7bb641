"""NIH ExPORTER: abstracts of the research that the National Institutes of Health pay for.

Raw format: zips of one CSV each, ``RePORTER_PRJABS_C_FY2014.zip``, and of the older CRISP
``CRISP_PRJABS_C_FY1985.zip``, with the columns APPLICATION_ID and ABSTRACT_TEXT; or such CSVs by
themselves, also compressed. Nearly UTF-8. A year may come in weekly parts ``_001`` to ``_052``.

Published extraction: bytes that are no UTF-8 are dropped and white space collapses, also line ends.
Of all files together, rows without an abstract go ("NA" and its like, see `NO_VALUES`, count for
none), then rows whose APPLICATION_ID was there before, then rows whose text was. After that, each of
`HEADINGS` is taken off the beginning of a text once, in their order and in any case of letters; an
empty remainder goes.

Traps: so a heading that stands there twice leaves ``: twice``, and two texts that differ in the
heading alone both stay. Much of NIH's boilerplate ("PROJECT SUMMARY/ABSTRACT") is not on the list.

``fidelity = "corrected"`` takes headings off until none is left, also the colon behind them, drops
what is equal then, and reads bytes that are no UTF-8 as Windows-1252.

Known differences: the published files came in any order, so that which one of two equal rows was kept
was chance; here it is the first, by file name. A row with more cells than columns ended that
run, as a text of white space alone did; both are rejected. Documents came sorted by
APPLICATION_ID; here they come as in the files. The paper counts 939,668, the release 939,661.

All files are read together, for the repetitions. `plan` downloads fiscal years ``first`` to ``last``
of RePORTER, 2020 being the Pile's last; CRISP's older files are to be brought by hand, from the same
page. Place in a file: the zip's member, then the row, the first below the header being 1. The id is
``nih_exporter/APPLICATION_ID``.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sources.archives import Overlong, lines
from sources.formats.on_disk import DiskSet
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.option_checks import every, not_after, within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Grouping,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
)

DOWNLOAD = "https://reporter.nih.gov/exporter/abstracts/download/"
YEARS = (1985, 2100)
LICENCE = "public domain: work of the United States Government and its grantees"
LONGEST = 4 << 20
"""Bytes of a line and characters of a row; the longest honest abstracts have some 30,000."""

ID, TEXT = "APPLICATION_ID", "ABSTRACT_TEXT"

HEADINGS = (
    "? ",
    "[unreadable] ",
    "description (adapted from applicant's abstract):",
    "description (adapted from applicant's abstract)",
    "description (provided by applicant):",
    "description (provided by applicant)",
    "description (provided by the applicant):",
    "description (provided by the applicant)",
    "description: (provided by applicant)",
    "description (adapted from the applicant's abstract):",
    "description: (adapted from the investigator's abstract)",
    "description: (adapted from the applicant's abstract)",
    "description: (adapted from the investigator's abstract)",
    "description: (adapted from investigator's abstract)",
    "description: (adapted from applicant's abstract)",
    "description (adapted from investigator's abstract):",
    "description (adapted from the investigator's abstract):",
    "description (adapted from the applicant's abstract)",
    "project summary / abstract",
    "project summary (see instructions):",
)
"""What the published extraction takes off the beginning of a text, in this order; one comes twice."""

NO_VALUES = frozenset(
    [
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "n/a",
        "nan",
        "null",
    ]
) | {""}
"""Cells that pandas 1.1 reads as none."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_NUMBER = re.compile(r"[0-9]{1,18}")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield a zip a fiscal year; no checksums are published. Raises ValueError for other years."""
    del get
    first, last = int(str(options["first"])), int(str(options["last"]))
    if not YEARS[0] <= first <= last <= YEARS[1]:
        raise ValueError(f"{first} to {last} are no fiscal years: abstracts begin with {YEARS[0]}")
    for year in range(first, last + 1):
        yield RawFile(f"{DOWNLOAD}{year}", f"RePORTER_PRJABS_C_FY{year}.zip")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table's bytes become texts: decoded, headed off, compared with or without headings."""

    decode: Callable[[bytes], str]
    without_headings: Callable[[str], str]
    compare_whole: bool


def _published_decode(line: bytes) -> str:
    return line.decode("utf-8", "ignore")


def _published_headings(text: str) -> str:
    for heading in HEADINGS:
        if text[: len(heading)].lower().startswith(heading):
            text = text[len(heading) :].strip()
    return text


def _corrected_decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _corrected_headings(text: str) -> str:
    shorter = _published_headings(text)
    while shorter != text:
        text = shorter.lstrip(": ")
        shorter = _published_headings(text)
    return text


FIDELITIES = {
    "published": Reading(_published_decode, _published_headings, compare_whole=True),
    "corrected": Reading(_corrected_decode, _corrected_headings, compare_whole=False),
}


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every row of one file; see the module."""
    yield from read_together([(path, raw)], options)


def one_group(raw: RawFile, options: Options) -> str:
    """Return the same for all files: any two of them may repeat each other."""
    del raw, options
    return ""


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every row of all files; see the module.

    Each file is read to its end before any of it counts. Raises `UnreadableFile` if none can be.
    """
    reading = by_fidelity(options, FIDELITIES)
    errors: list[UnreadableFile] = []
    with DiskSet() as seen:
        for path, raw in raw_files:
            try:
                for _ in _rows(path, raw, reading):
                    pass
            except UnreadableFile as error:
                errors.append(error)
                if len(errors) == len(raw_files):
                    raise
                yield Rejected(raw.name, "unreadable_file", excerpt(str(error)))
            else:
                yield from (_outcome(row, reading, seen) for row in _rows(path, raw, reading))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: where it lies, its two cells that matter, and what is wrong with it."""

    origin: str
    identifier: str = ""
    text: str = ""
    problem: str = ""


def _rows(path: Path, raw: RawFile, reading: Reading) -> Iterator[Row]:
    """Yield every row of a file's tables; a row without cells stands for a whole member."""
    for file, stream in files(path, raw):
        if file.problem:
            yield Row(file.origin, text=file.problem, problem="unreadable_member")
        elif file.packed and not file.name.lower().endswith(".csv"):
            yield Row(file.origin, text=file.name, problem="not_a_table")
        else:
            yield from _table(file, stream, reading)


def _table(file: PackedFile, stream: BinaryIO, reading: Reading) -> Iterator[Row]:
    cells = _cells(stream, file.origin, reading.decode)
    header = next(cells, [])
    if ID not in header or TEXT not in header:
        raise UnreadableFile(
            f"{file.origin}: line 1: no columns {ID} and {TEXT}, but {excerpt(', '.join(header))!r};"
            " take an abstracts file (PRJABS)"
        )
    number = 0
    for row in cells:
        if row:
            number += 1
            yield _row(f"{file.origin}:{number}", header, row)


def _row(origin: str, header: Sequence[str], row: Sequence[str]) -> Row:
    if len(row) > len(header):
        return Row(origin, text=",".join(row), problem="malformed_row")
    cells = dict(zip(header, row, strict=False))
    return Row(origin, cells.get(ID, "").strip(), cells.get(TEXT, ""))


def _cells(stream: BinaryIO, origin: str, decode: Callable[[bytes], str]) -> Iterator[list[str]]:
    """Yield the rows of a CSV; raises `UnreadableFile` for a cell that is cut or beyond sense."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    room = _Room(LONGEST)
    reader = csv.reader(_with_end(_within(room, _text_lines(stream, origin, decode), origin)))
    row: list[str] | None = None
    try:
        for following in reader:
            if row is not None:
                yield row
            row = following
            room.left = LONGEST
    except csv.Error as error:
        raise UnreadableFile(f"{origin}: line {reader.line_num}: no CSV ({error})") from error
    if row != [""]:
        raise UnreadableFile(
            f"{origin}: line {reader.line_num}: the table ends within a cell; download it again"
        )


@dataclass(slots=True)
class _Room:
    """Characters that are left for the row at hand."""

    left: int


def _within(room: _Room, text: Iterator[str], origin: str) -> Iterator[str]:
    """Pass lines on while their row has room: the csv module bounds a cell, not how many there are."""
    for line in text:
        room.left -= len(line)
        if room.left < 0:
            raise UnreadableFile(
                f"{origin}: a row of more than {LONGEST:,} characters: a quote is not closed"
            )
        yield line


def _with_end(text: Iterator[str]) -> Iterator[str]:
    """Add a quote: it opens a last row, or it closes a cell that the file left open."""
    yield from text
    yield '"'


def _text_lines(stream: BinaryIO, origin: str, decode: Callable[[bytes], str]) -> Iterator[str]:
    """Yield lines that end at any kind of line end: white space collapses anyway."""
    mark = "\ufeff"
    for number, line in enumerate(lines(stream, LONGEST), 1):
        if isinstance(line, Overlong):
            raise UnreadableFile(f"{origin}: line {number}: {line.length:,} bytes long, so no CSV")
        text = decode(line).removeprefix(mark).replace("\r\n", "\n").replace("\r", "\n")
        mark = ""
        yield from _LINE.findall(text)


def _outcome(row: Row, reading: Reading, seen: DiskSet) -> Document | Rejected:
    whole = " ".join(row.text.split())
    reason, text = _judged(row, whole, reading, seen)
    if reason:
        return Rejected(row.origin, reason, excerpt(f"{row.identifier} {whole}".strip()))
    number = int(row.identifier)
    return Document(
        id=f"nih_exporter/{number}",
        text=text,
        origin=row.origin,
        licence=LICENCE,
        meta={ID: number},
    )


def _judged(row: Row, whole: str, reading: Reading, seen: DiskSet) -> tuple[str, str]:
    """Return why a row gives no document, or else nothing and its text."""
    if row.problem:
        return row.problem, ""
    if not _NUMBER.fullmatch(row.identifier):
        return "no_application_id", ""
    if row.text in NO_VALUES or whole in NO_VALUES:
        return "no_abstract", ""
    if not seen.add(b"%d" % int(row.identifier)):
        return "repeated_id", ""
    text = reading.without_headings(whole)
    compared = whole if reading.compare_whole else text
    if not seen.add(hashlib.sha256(compared.encode("utf-8", "surrogatepass")).digest()):
        return "repeated_text", ""
    return ("only_heading" if text in NO_VALUES else ""), text


SOURCE = Source(
    name="nih_exporter",
    pile_set_name=PILE_SET_NAMES["nih_exporter"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_file": "a raw file that is cut, damaged or has other columns",
        "unreadable_member": UNREADABLE,
        "not_a_table": "a member of a zip whose name does not end in .csv",
        "malformed_row": "more cells than columns",
        "no_application_id": "an APPLICATION_ID that is no number",
        "no_abstract": "no text, or a word that stands for none, such as NA",
        "repeated_id": "an APPLICATION_ID that was there before",
        "repeated_text": "a text that was there before",
        "only_heading": "nothing but a heading",
    },
    defaults={"fidelity": "published", "first": 1985, "last": 2020},
    checks={"first": every(within(*YEARS), not_after("last")), "last": within(*YEARS)},
    homepage="https://reporter.nih.gov/exporter",
    # A guess from 2 GB of published text, zipped.
    raw_bytes=1_000_000_000,
    # What the same office asks of those who use its API.
    paces={"reporter.nih.gov": Pace(1.0, 1)},
    grouping=Grouping(key=one_group, read=read_together),
)
