"""Pages of a MediaWiki XML export, one by one, in flat memory.

The form (https://www.mediawiki.org/xml/export-0.11/, and the others from 0.3 on, which differ in
nothing that is read here but ``ns``): ``mediawiki`` holds a ``siteinfo`` and then ``page`` elements
of title, ns, id, perhaps redirect, and revisions of id, timestamp, contributor and text. Dumps of
current pages have one revision a page; of several, the first counts. Before export-0.6 a page's
namespace is told by the prefix of its title alone, which ``siteinfo`` lists.

Expat reads it: UTF-8 or, if the file says so, UTF-16 or an 8-bit code. Exports have no DTD, so one
is refused, and with it every entity but those of XML itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias
from xml.parsers.expat import ExpatError, ParserCreate, errors

from sources.source import UnreadableFile

CHUNK = 256 * 1024
MAX_NESTING = 32
"""Elements that may be open at once; exports have six."""

MAX_TAG = 4 << 20
"""Bytes of a single tag or comment, which the parser has to see whole."""

MAX_FIELD = 2 << 20
"""Characters of any field that are kept: MediaWiki takes no page of more than 2 MiB."""


Place: TypeAlias = tuple[int, ...]
"""Where a page begins: its first byte in the decompressed file; or the first byte of a compressed
stream in the file, and the page's first byte in what that stream holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the export has it; what the export does not say is empty.

    A field of more than `MAX_FIELD` characters is cut, and the page ``overlong``.
    """

    place: Place
    id: str
    title: str
    namespace: str
    revision: str
    timestamp: str
    wikitext: str
    overlong: bool


FIELDS = {
    ("page", "title"): "title",
    ("page", "ns"): "namespace",
    ("page", "id"): "id",
    ("revision", "id"): "revision",
    ("revision", "timestamp"): "timestamp",
    ("revision", "text"): "wikitext",
    ("namespaces", "namespace"): "prefix",
}
"""What is read of an export, by parent and element."""


def pages(stream: BinaryIO, name: str) -> Iterator[Page]:
    """Yield the pages of an export in file order.

    Raises `UnreadableFile` for what is no export, is cut or not well-formed, or has a DTD.
    """
    export = Export(name)
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        yield from export.feed(chunk)
    export.end()


class Export:
    """An export that is fed piece by piece.

    ``place_of`` turns an offset in what was fed into a place; ``unparsed`` is the offset from which
    the parser has yet to make sense of what it got.
    """

    def __init__(self, name: str, place_of: Callable[[int], Place] = lambda byte: (byte,)) -> None:
        self._pages: list[Page] = []
        self.name = name
        self.place_of = place_of
        self.fed = 0
        self.path: list[str] = []
        self.field = ""
        self.pieces: list[str] = []
        self.kept = 0
        self.namespaces: dict[str, str] = {}
        self.key = ""
        self._new_page(())
        self.parser = ParserCreate()
        self.parser.buffer_text = True
        self.parser.buffer_size = 1 << 16
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype

    def refuse_hiding_places(self) -> None:
        """Refuse what could hold ``<page>`` that is none; MediaWiki itself writes nothing of it."""
        self.parser.CommentHandler = self._refuse_hiding_place
        self.parser.ProcessingInstructionHandler = self._refuse_hiding_place
        self.parser.StartCdataSectionHandler = self._refuse_hiding_place

    @property
    def unparsed(self) -> int:
        """Offset of the first byte that waits for more."""
        return max(0, self.parser.CurrentByteIndex)

    def feed(self, chunk: bytes) -> list[Page]:
        """Read on, and return the pages that are whole now."""
        self._parse(chunk, final=False)
        self.fed += len(chunk)
        if self.fed - self.parser.CurrentByteIndex > MAX_TAG:
            raise self._unreadable(f"a tag or comment of more than {MAX_TAG:,} bytes")
        found, self._pages = self._pages, []
        return found

    def end(self) -> None:
        """Check that the export ends here."""
        self._parse(b"", final=True)

    def _parse(self, chunk: bytes, *, final: bool) -> None:
        try:
            self.parser.Parse(chunk, final)
        except ExpatError as error:
            raise self._unreadable(errors.messages[error.code]) from error

    def _unreadable(self, what: str) -> UnreadableFile:
        return UnreadableFile(f"{self.name}: {self._where()}: {what}; download it again")

    def _where(self) -> str:
        return "byte " + ":".join(f"{number:,}" for number in self.place_of(self.unparsed))

    def _new_page(self, place: Place) -> None:
        self.place = place
        self.values: dict[str, str] = {}
        self.overlong = False

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if not self.path and element != "mediawiki":
            raise self._unreadable(f"a MediaWiki export begins with mediawiki, not {element[:50]}")
        if len(self.path) == MAX_NESTING:
            raise self._unreadable(f"more than {MAX_NESTING} elements are open")
        self._settle()
        if element == "page":
            self._new_page(self.place_of(self.parser.CurrentByteIndex))
        elif field := FIELDS.get((self.path[-1] if self.path else "", element)):
            self.field = field
            self.key = attributes.get("key", "")
            self.parser.CharacterDataHandler = self._take
        self.path.append(element)

    def _take(self, text: str) -> None:
        self.kept += len(text)
        if self.kept <= MAX_FIELD:
            self.pieces.append(text)
        else:
            self.overlong = True

    def _settle(self) -> None:
        """End a field: at the end of its element or, as nothing is in a field, at another."""
        if not self.field:
            return
        value = "".join(self.pieces)
        if self.field == "prefix":
            self.namespaces[value] = self.key
        else:
            self.values.setdefault(self.field, value)
        self.field = ""
        self.pieces.clear()
        self.kept = 0
        self.parser.CharacterDataHandler = None

    def _end(self, element: str) -> None:
        self._settle()
        self.path.pop()
        if element == "page":
            self._pages.append(self._page())

    def _page(self) -> Page:
        values = self.values
        title = values.get("title", "")
        return Page(
            place=self.place,
            id=values.get("id", ""),
            title=title,
            namespace=values.get("namespace") or self._namespace_of(title),
            revision=values.get("revision", ""),
            timestamp=values.get("timestamp", ""),
            wikitext=values.get("wikitext", ""),
            overlong=self.overlong,
        )

    def _namespace_of(self, title: str) -> str:
        prefix, colon, _ = title.partition(":")
        return self.namespaces.get(prefix, "0") if colon else "0"

    def _refuse_doctype(self, *_: object) -> None:
        raise self._unreadable("it has a DTD, which an export never has")

    def _refuse_hiding_place(self, *_: object) -> None:
        raise UnreadableFile(
            f"{self.name}: {self._where()}: a comment, CDATA section or processing"
            " instruction, which MediaWiki does not write: so large a file"
            " cannot be read in pieces with it; decompress the file, and it is read in one go"
        )
