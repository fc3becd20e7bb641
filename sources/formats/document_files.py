"""The text of HTML, PDF and EPUB files that users keep, each file one document.

* HTML: all its paragraphs, headings and items, a blank line between them, without any mark-up, scripts
  and forms; or, for ``main``, of these what jusText takes for no boilerplate by English stop words.
* PDF: its text layer, in lines, by PDFium. Scans without one have no text.
* EPUB: all paragraphs of the files of its spine, in their order.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from sources.formats import epub, pdf_text
from sources.formats.html_events import MAX_DEPTH, TooDeepError
from sources.formats.page_charset import decoded
from sources.formats.parse_memory import MOST
from sources.formats.pdf_text import PdfError, Pdfs
from sources.formats.web_text import paragraphs, whole_main_text

MAX_FILE = 256 << 20
"""Bytes of one PDF or EPUB."""

MAX_TEXT = 16 << 20
"""Characters of a PDF's text: some 5,000 pages, and of wide characters what memory holds twice."""

MAX_HTML = 32 << 20
"""Bytes of one HTML file."""

PARAGRAPH_BREAK = "\n\n"

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not_an_epub": epub.REASONS["not_an_epub"],
        "not_utf8": "a file of an EPUB in no charset that it states",
        "too_deep": f"HTML with more than {MAX_DEPTH:,} elements in one another",
        **pdf_text.REASONS,
        "encrypted": "a PDF or EPUB that asks for a password or key",
        "too_large": "an HTML, PDF or EPUB file, or its text, of more than the limits",
    }
)
"""Why a file may give no text."""


class NoTextError(Exception):
    """A file that gives no text; ``reason`` is one of `REASONS`."""

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(what or reason)
        self.reason = reason


HTML: Mapping[str, Callable[[str], list[str]]] = MappingProxyType(
    {"all": paragraphs, "main": lambda page: whole_main_text(page).paragraphs}
)
"""Which paragraphs are taken of an HTML file, by choice."""


@dataclass(frozen=True, slots=True)
class Taking:
    """How text is taken: what of HTML (one of `HTML`), and what reads PDFs."""

    html: str
    pdfs: Pdfs


def text_of(name: str, stream: BinaryIO, taking: Taking) -> str:
    """Return the text of a file, by the end of its name.

    Raises `NoTextError`, and `sources.source.UnreadableFile` for an EPUB that is cut or damaged.
    """
    suffix = Path(name.lower()).suffix
    if suffix == ".pdf":
        return _pdf(stream, taking.pdfs)
    limit = MAX_FILE if suffix == ".epub" else MAX_HTML
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise NoTextError("too_large", f"over {limit:,} bytes")
    if suffix == ".epub":
        return _epub(name, content)
    return _joined([decoded(content, "")], HTML[taking.html])


def _joined(pages: Iterable[str], taken: Callable[[str], list[str]]) -> str:
    try:
        found = (taken(page.removeprefix("\ufeff")) for page in _within(MOST, pages))
        return PARAGRAPH_BREAK.join(paragraph for page in found for paragraph in page)
    except TooDeepError as error:
        raise NoTextError("too_deep", f"over {MAX_DEPTH:,}") from error


def _within(memory: int, pages: Iterable[str]) -> Iterator[str]:
    """Pass pages on while what becomes of them fits: each tag may be a paragraph of its own."""
    for page in pages:
        memory -= 130 * page.count("<") + 5 * sys.getsizeof(page)
        if memory < 0:
            raise NoTextError(
                "too_large", "more paragraphs, or wide characters, than fit in memory"
            )
        yield page


def _pdf(stream: BinaryIO, pdfs: Pdfs) -> str:
    try:
        return pdfs.text(stream, MAX_FILE, MAX_TEXT).strip()
    except PdfError as error:
        raise NoTextError(error.reason, str(error)) from error


def _epub(name: str, content: bytes) -> str:
    # A zip is read from its end, so from a file.
    with tempfile.NamedTemporaryFile(prefix="book-") as file:
        file.write(content)
        file.flush()
        try:
            return _joined(epub.pages(epub.open_book(Path(file.name), name)), paragraphs)
        except epub.BookError as error:
            raise NoTextError(error.reason, str(error)) from error
