"""Rows of a Stack Exchange ``Posts.xml``: one self-closing element a line, all facts in attributes.

The file begins with a byte order mark, an XML declaration, perhaps a DOCTYPE, and ``<posts>``; it
ends with ``</posts>``. Line breaks inside a text are written ``&#xA;``, so a line holds a whole row,
and a broken row spoils no other. Rows are parsed by themselves: nothing that a DOCTYPE declares
reaches them, so an entity that is not XML's own makes a row a broken one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from sources.archives import Overlong, lines
from sources.source import UnreadableFile, excerpt

LONGEST_ROW = 1 << 20
"""Bytes of the longest row that is read; the sites allow posts of 30,000 characters."""

LONGEST_HEAD = 10
"""Lines among which ``<posts>`` must be."""

_BEGINNING = b"<posts>"
_END = b"</posts>"


@dataclass(frozen=True, slots=True)
class Row:
    """The attributes of a row, and its line."""

    line: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A line that is no row: the beginning of it, and what is wrong."""

    line: int
    excerpt: str
    is_overlong: bool = False


def rows(stream: BinaryIO, name: str) -> Iterator[Row | BrokenRow]:
    """Yield the rows of a Posts.xml, in order.

    Raises `UnreadableFile` if it does not begin as one, or does not end as one.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    numbered = enumerate(lines(stream, LONGEST_ROW), start=1)
    number = _skip_head(numbered, name)
    ended = False
    for number, line in numbered:
        if isinstance(line, Overlong):
            yield BrokenRow(number, f"{line.length:,} bytes", is_overlong=True)
            continue
        text = line.strip()
        if text == _END and not ended:
            ended = True
        elif text:
            yield _row(parser, number, text)
    if not ended:
        raise UnreadableFile(
            f"{name}: line {number}: the file ends without </posts>: it is cut; download it again"
        )


def _skip_head(numbered: Iterator[tuple[int, bytes | Overlong]], name: str) -> int:
    """Read up to ``<posts>`` and return the number of its line."""
    for number, line in numbered:
        if isinstance(line, Overlong) or number > LONGEST_HEAD or not _is_head(number, line):
            break
        if line.rstrip().endswith(_BEGINNING):
            return number
    raise UnreadableFile(
        f"{name}: it does not begin with an XML declaration for UTF-8 and <posts>:"
        " no Posts.xml, or in another form; leave it out"
    )


def _is_head(number: int, line: bytes) -> bool:
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    line = line.strip()
    if line.startswith(b"<?xml"):
        return b"encoding" not in line or b"utf-8" in line.lower()
    return not line or line.startswith((b"<!DOCTYPE", _BEGINNING))


def _row(parser: etree.XMLParser, number: int, text: bytes) -> Row | BrokenRow:
    try:
        element = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        element = None
    if element is None or element.tag != "row" or len(element):
        return BrokenRow(number, excerpt(text[:1000].decode("utf-8", "replace")))
    # A dump's names and values are all text to lxml, in whatever way it types them.
    return Row(number, dict(element.attrib))  # type: ignore[arg-type]
