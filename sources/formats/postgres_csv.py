r"""CSV as PostgreSQL's ``COPY … TO … (FORMAT csv, HEADER, ESCAPE '\', FORCE_QUOTE *)`` writes it.

Every field that is not NULL is quoted, and so may hold line ends; a quote or backslash within is
written behind a backslash. Readers for the usual dialect, which doubles quotes, fall apart on it,
and Python's csv module, told of the escape, takes text behind a closing quote in silence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from sources.archives import Overlong, lines
from sources.source import UnreadableFile

ROW_LIMIT = 16 << 20
"""Bytes of a row that is read; decoded and as HTML it takes up to thirty times as much."""

LINE_LIMIT = 1 << 26
"""Bytes of a line; a row has many."""

OPEN_LIMIT = 1 << 28
"""Bytes of a row that is passed over; a quote that is never closed makes one of all that follows."""

_FIELD = re.compile(r'(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([^",]*+))(,|\Z)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number, counted from 1 behind the header, and its fields by column.

    ``problem`` is None, or why there are no fields: ``overlong``, ``invalid_utf8``, or
    ``malformed_row`` where they are not quoted as they should be or are not as many as the header's;
    ``shown`` then is the row's beginning.
    """

    number: int
    fields: Mapping[str, str]
    problem: str | None = None
    shown: str = ""


def rows(stream: BinaryIO, name: str) -> Iterator[Row]:
    """Yield the rows of a decompressed stream.

    Raises `UnreadableFile` where rows can no longer be told apart: a quote never closed, a line or
    row over the limits; and for a header that is missing or no list of names.
    """
    found = _rows(stream, name)
    header = _header(next(found, (b"", 0))[0], name)
    for number, (row, size) in enumerate(found, 1):
        if size > ROW_LIMIT:
            yield Row(number, {}, "overlong", f"{size:,} bytes")
        else:
            yield _row(number, header, row)


def _rows(stream: BinaryIO, name: str) -> Iterator[tuple[bytes, int]]:
    """Join lines to rows: one ends with the first line that leaves no quote open.

    Yields each with its length; of one of more than `ROW_LIMIT` bytes, only the beginning.
    """
    row = bytearray()
    size = 0
    is_open = False
    for number, line in enumerate(lines(stream, LINE_LIMIT), 1):
        if isinstance(line, Overlong):
            raise UnreadableFile(f"{name}: line {number:,} has {line.length:,} bytes: no such CSV")
        size += len(line)
        if size <= ROW_LIMIT:
            row += line
        if size > OPEN_LIMIT:
            raise UnreadableFile(
                f"{name}: line {number:,}: a row of more than {OPEN_LIMIT:,} bytes: somewhere a quote"
                " is not closed, or not escaped by a backslash"
            )
        is_open ^= _quotes(line) % 2 == 1
        if not is_open:
            yield bytes(row), size
            row.clear()
            size = 0
    if size:
        raise UnreadableFile(f"{name}: the file ends within a row of {size:,} bytes: it is cut")


def _quotes(line: bytes) -> int:
    if b"\\" in line:
        line = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    return line.count(b'"')


def _header(row: bytes, name: str) -> list[str]:
    fields = _fields(row.decode("utf-8", "replace"))
    if (
        not fields
        or not all(fields)
        or len(set(fields)) < len(fields)
        or "\ufffd" in "".join(fields)
    ):
        raise UnreadableFile(f"{name}: line 1: no header of column names, but {row[:80]!r}")
    return fields


def _row(number: int, header: list[str], row: bytes) -> Row:
    try:
        text = row.decode("utf-8")
    except UnicodeDecodeError:
        return Row(number, {}, "invalid_utf8", row[:1000].decode("utf-8", "backslashreplace"))
    fields = _fields(text)
    if fields is None or len(fields) != len(header):
        return Row(number, {}, "malformed_row", text[:1000])
    return Row(number, dict(zip(header, fields, strict=True)))


def _fields(row: str) -> list[str] | None:
    """Split a row; None where something stands before or behind a quoted field."""
    row = row.removesuffix("\n").removesuffix("\r")
    fields = []
    position = 0
    while True:
        match = _FIELD.match(row, position)
        if match is None:
            return None
        quoted, bare, end = match.groups()
        fields.append(bare if quoted is None else _ESCAPED.sub(r"\1", quoted))
        if not end:
            return fields
        position = match.end()
