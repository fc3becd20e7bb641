"""XML read safely: whole small trees, and long files record by record in bounded memory.

No DTD or other file is ever fetched and no entity is expanded, so a file can neither reach out nor
grow. Comments and processing instructions are no content and are left out.
"""

from collections.abc import Collection, Iterator
from io import BytesIO
from typing import BinaryIO, cast

from lxml import etree

from sources.formats.parse_memory import xml_memory
from sources.source import UnreadableFile

CHUNK = 256 * 1024
MAX_RECORD = 8 << 20
"""Bytes between the ends of two records; a file with more is refused. The longest honest record, with
thousands of authors, has a few MiB."""
MAX_TREE = 250 * 10**6
"""Bytes of memory that a tree or a record may take, see `sources.formats.parse_memory`."""


def tree(xml: bytes, name: str) -> etree._Element:
    """Return the root of a small document.

    Raises `UnreadableFile` if it is not well-formed, or takes more memory than `MAX_TREE`.
    """
    if xml_memory(xml) > MAX_TREE:
        raise UnreadableFile(f"{name}: more elements in {len(xml):,} bytes than memory holds")
    try:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        )
        return etree.parse(BytesIO(xml), parser).getroot()
    except etree.XMLSyntaxError as error:
        raise _malformed(name, error) from error


def records(
    stream: BinaryIO, name: str, roots: Collection[str], tags: Collection[str]
) -> Iterator[etree._Element]:
    """Yield each outermost element of ``tags`` in a file whose root is one of ``roots``.

    A record is valid until the next is asked for. Raises `UnreadableFile` for another root, for
    XML that is cut or not well-formed, and for a record of more than `MAX_RECORD` bytes.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=tuple(tags),
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    pending = memory = 0
    for chunk in _chunks(stream):
        for _, element in _fed(parser, chunk, name):
            if not any(above.tag in tags for above in element.iterancestors()):
                _check_root(element.getroottree().getroot(), name, roots)
                yield element
                _forget(element)
                pending = memory = 0
        pending += len(chunk)
        memory += xml_memory(chunk)
        if pending > MAX_RECORD or memory > MAX_TREE:
            raise UnreadableFile(
                f"{name}: a record of more than {MAX_RECORD:,} bytes, or of more elements than"
                " memory holds; leave it out"
            )
    _check_root(_closed(parser, name), name, roots)


def text_of(element: etree._Element) -> str:
    """Return all text in an element, whitespace of any kind collapsed to single spaces."""
    return " ".join("".join(map(str, element.itertext())).split())


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK), b"")


def _fed(
    parser: etree.XMLPullParser, chunk: bytes, name: str
) -> Iterator[tuple[str, etree._Element]]:
    try:
        parser.feed(chunk)
        for event, element in parser.read_events():
            # Only starts and ends of elements are asked for.
            yield event, cast("etree._Element", element)
    except etree.XMLSyntaxError as error:
        raise _malformed(name, error) from error


def _closed(parser: etree.XMLPullParser, name: str) -> etree._Element:
    try:
        return parser.close()
    except etree.XMLSyntaxError as error:
        raise UnreadableFile(f"{name}: XML cut: {_what(error)}; download it again") from error


def _malformed(name: str, error: etree.XMLSyntaxError) -> UnreadableFile:
    return UnreadableFile(
        f"{name}: XML cut or not well-formed: {_what(error)}; if its checksum is upstream's, it was made so:"
        " take out what stands there, or leave the file out, else download it again"
    )


def _what(error: etree.XMLSyntaxError) -> str:
    return " ".join(str(error).split())


def _check_root(root: etree._Element, name: str, roots: Collection[str]) -> None:
    if root.tag not in roots:
        raise UnreadableFile(f"{name}: its root is {root.tag!r}, not one of {sorted(roots)}")


def _forget(element: etree._Element) -> None:
    """Free a record and all that stands before it."""
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]
        del parent[0]
