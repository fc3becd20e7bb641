"""Weekly files of the US Patent Office, cut into patents while they stream.

A file is many patents in a row: records of the Automated Patent System (APS, the "green book",
1976-2001), each from its line ``PATN`` on, or whole XML documents, each from its declaration on.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sources.archives import Overlong, lines

MAX_RECORD = 24 << 20
"""Bytes of one patent as XML, with tables of thousands of rows; longer ones do not fit memory."""

MAX_APS = 6 << 20
"""Bytes of one APS record; of the shortest lines it takes forty times as much."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_DECLARATION = re.compile(rb"(?=<\?xml\s)")


@dataclass(frozen=True, slots=True)
class Record:
    """One patent as it stands: its number in the file, from 1, its format, its bytes.

    ``content`` is None if there are more than `MAX_RECORD` or `MAX_APS` of them.
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
    head = list(itertools.islice(found, 1))
    is_xml = any(isinstance(line, Overlong) or _begins_xml(line) for line in head)
    pieces = itertools.chain(head, found)
    if is_xml:
        pieces = itertools.chain.from_iterable(map(_at_declarations, pieces))
    limits = (_begins_document, MAX_RECORD) if is_xml else (_begins_aps, MAX_APS)
    segments = _segments(pieces, *limits)
    before = next(segments)
    if is_xml and (before is None or before.strip()):
        segments = itertools.chain([before], segments)
    for number, content in enumerate(segments, 1):
        yield Record(number, is_xml, content)


def _segments(
    pieces: Iterable[bytes | Overlong], begins: Callable[[bytes], bool], most: int
) -> Iterator[bytes | None]:
    """Yield what stands before the first beginning, then what stands from each one on."""
    content = bytearray()
    size = 0
    for piece in pieces:
        if isinstance(piece, bytes) and begins(piece):
            yield bytes(content) if size <= most else None
            content.clear()
            size = 0
        size += len(piece) if isinstance(piece, bytes) else piece.length
        if isinstance(piece, bytes) and size <= most:
            content += piece
    yield bytes(content) if size <= most else None


def _at_declarations(line: bytes | Overlong) -> Sequence[bytes | Overlong]:
    """Cut a line before each XML declaration in it."""
    if isinstance(line, Overlong) or line.find(b"<?xml", 1) < 0:
        return (line,)
    return _DECLARATION.split(line)


def _begins_xml(line: bytes) -> bool:
    return line.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"<")


def _begins_document(line: bytes) -> bool:
    return _DECLARATION.match(line) is not None


def _begins_aps(line: bytes) -> bool:
    return line.rstrip() == b"PATN"
