"""Weekly files of the US Patent Office, cut into patents while they stream.

A file is many patents in a row: records of the Automated Patent System (APS, the "green book",
1976-2001), each from its line ``PATN`` on, or whole XML documents, each from its declaration on.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sources.archives import Overlong, lines

MAX_RECORD = 64 << 20
"""Bytes of one patent; the longest, with tables of thousands of rows, have half of that."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_DECLARATION = re.compile(rb"(?=<\?xml\s)")


@dataclass(frozen=True, slots=True)
class Record:
    """One patent as it stands: its number in the file, from 1, its format, its bytes.

    ``content`` is None if there are more than `MAX_RECORD` of them.
    """

    number: int
    is_xml: bool
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Part:
    """A heading or a paragraph of a patent's description."""

    text: str
    is_heading: bool


def records(stream: BinaryIO) -> Iterator[Record]:
    """Yield every patent of a file; none if it holds neither APS nor XML.

    What stands before the first record of an APS file, one line of its origin, is no record.
    """
    found = lines(stream, MAX_RECORD)
    beginning = next((line for line in found if isinstance(line, Overlong) or line.strip()), b"")
    if isinstance(beginning, Overlong):
        yield Record(1, is_xml=True, content=None)
        beginning = b"<"
    every = itertools.chain([beginning], found)
    if beginning.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"<"):
        yield from _joined(itertools.chain.from_iterable(map(_at_declarations, every)), b"<?xml")
    else:
        yield from _joined(every, b"PATN")


def _at_declarations(line: bytes | Overlong) -> Sequence[bytes | Overlong]:
    """Cut a line before each XML declaration in it."""
    if isinstance(line, Overlong) or line.find(b"<?xml", 1) < 0:
        return (line,)
    return _DECLARATION.split(line)


def _joined(pieces: Iterable[bytes | Overlong], start: bytes) -> Iterator[Record]:
    is_xml = start != b"PATN"
    number = 0
    content: list[bytes] = []
    size = 0
    # The lines before the first PATN are dropped; XML may lack its declaration.
    wanted = is_xml
    for piece in pieces:
        if isinstance(piece, bytes) and _begins(piece, start, is_xml):
            if wanted and (size > MAX_RECORD or any(map(bytes.strip, content))):
                number += 1
                yield Record(number, is_xml, None if size > MAX_RECORD else b"".join(content))
            content, size, wanted = [], 0, True
        size += piece.length if isinstance(piece, Overlong) else len(piece)
        if isinstance(piece, bytes) and wanted and size <= MAX_RECORD:
            content.append(piece)
