"""Rows of a Stack Exchange ``Posts.xml``: one self-closing element a line, all facts in attributes.

The file starts with an XML declaration, perhaps a DOCTYPE, and ``<posts>``; it ends with
``</posts>``. Line breaks inside a text are written ``&#xA;``, so a line holds a whole row, and a
broken row spoils no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from sources.archives import Overlong, lines
from sources.source import UnreadableFile, excerpt

LONGEST_ROW = 16 << 20
"""Bytes of the longest row that is read; the sites allow posts of 30,000 characters."""

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
    """Yield the rows of a Posts.xml, in order; raises `UnreadableFile` if it does not end as one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    number, ended = 0, False
    for number, line in enumerate(lines(stream, LONGEST_ROW), start=1):
        if isinstance(line, Overlong):
            yield BrokenRow(number, f"{line.length:,} bytes", is_overlong=True)
            continue
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        ended = ended or text.endswith(_END)
        if not text.startswith((b"<?xml", b"<!DOCTYPE", b"<posts", _END)) and text:
            yield _row(parser, number, text)
    if not ended:
        raise UnreadableFile(
            f"{name}: line {number}: the file ends without </posts>: it is cut, or no Posts.xml; "
            "download it again"
        )


def _row(parser: etree.XMLParser, number: int, text: bytes) -> Row | BrokenRow:
    try:
        element = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return BrokenRow(number, excerpt(text.decode("utf-8", "replace")))
    if element.tag != "row" or len(element):
        return BrokenRow(number, excerpt(text.decode("utf-8", "replace")))
    return Row(number, {str(key): str(value) for key, value in element.attrib.items()})
