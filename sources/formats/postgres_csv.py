r"""CSV as PostgreSQL's ``COPY … TO … (FORMAT csv, HEADER, ESCAPE '\', FORCE_QUOTE *)`` writes it.

Every field that is not NULL is quoted, and so may hold line ends; a quote or backslash within is
written behind a backslash. Readers for the usual dialect, which doubles quotes, fall apart on it.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from sources.archives import Overlong, lines
from sources.source import UnreadableFile

ROW_LIMIT = 1 << 28
"""Bytes of a row; a quote that is never closed makes one of all that follows."""

LINE_LIMIT = 1 << 26
"""Bytes of a line; a row has many."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number, counted from 1 behind the header, and its fields by column.

    ``problem`` is None, or why there are no fields: ``invalid_utf8`` or ``malformed_row``, which
    has fewer or more fields than the header; ``shown`` then is its beginning.
    """

    number: int
    fields: Mapping[str, str]
    problem: str | None = None
    shown: str = ""


def rows(stream: BinaryIO, name: str) -> Iterator[Row]:
    """Yield the rows of a decompressed stream.

    Raises `UnreadableFile` where no row can be made out any more: something behind a closing quote,
    a quote never closed, a row or line over the limits, a header that is missing or not UTF-8.
    """
    text = _Lines(stream, name)
    # The limit is the csv module's own, for all its readers; nothing else of ours sets it.
    csv.field_size_limit(ROW_LIMIT)
    reader = csv.reader(text, escapechar="\\", doublequote=False, strict=True)
    try:
        header = next(reader, [])
        if not header or not _is_text(header) or len(set(header)) < len(header):
            raise UnreadableFile(
                f"{name}: line 1: no header of column names, but {header[:5]!r:.80}"
            )
        text.row_bytes = 0
        for number, fields in enumerate(reader, 1):
            text.row_bytes = 0
            yield _row(number, header, fields)
    except csv.Error as error:
        raise UnreadableFile(
            f"{name}: line {reader.line_num:,}: no row ends here ({error}); the file is cut or not"
            " as PostgreSQL writes it with ESCAPE '\\'"
        ) from error


def _row(number: int, header: list[str], fields: list[str]) -> Row:
    if len(fields) != len(header):
        return Row(number, {}, "malformed_row", _shown(fields))
    if not _is_text(fields):
        return Row(number, {}, "invalid_utf8", _shown(fields))
    return Row(number, dict(zip(header, fields, strict=True)))


def _shown(fields: list[str]) -> str:
    start = ",".join(fields[:20])[:1000]
    return start.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_text(fields: list[str]) -> bool:
    try:
        for field in fields:
            field.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Lines:
    """Lines for the csv module, which counts no bytes itself and wants str."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._lines = lines(stream, LINE_LIMIT)
        self._name = name
        self.row_bytes = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if isinstance(line, Overlong):
            raise UnreadableFile(
                f"{self._name}: byte {line.start:,}: a line of {line.length:,} bytes"
            )
        self.row_bytes += len(line)
        if self.row_bytes > ROW_LIMIT:
            raise UnreadableFile(
                f"{self._name}: a row of more than {ROW_LIMIT:,} bytes: a quote is not closed"
            )
        return line.decode("utf-8", "surrogateescape")
