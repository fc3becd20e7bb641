"""The text of PDFs by PDFium, in lines, page after page.

PDFium runs within the process; a file is read from memory and nothing is written.
"""

from collections.abc import Iterator

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

BROKEN_WORD = "\ufffe"
"""What PDFium puts where a line ends in a hyphen within a word, in place of both."""


MAX_PAGES = 20_000
"""Pages of a PDF; those of the longest honest ones are half of that."""

MAX_TEXT = 64 << 20
"""Characters of a PDF's text."""


class PdfError(ValueError):
    """A PDF that cannot be read; ``reason`` is ``encrypted``, ``unreadable_pdf`` or ``too_large``."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


def pdf_text(content: bytes) -> str:
    """Return the text of a PDF, a newline behind each line and page; raises `PdfError`."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == FPDF_ERR_PASSWORD
        raise PdfError("encrypted" if locked else "unreadable_pdf", str(error)) from error
    try:
        return "".join(_pages(document))
    except pypdfium2.PdfiumError as error:
        raise PdfError("unreadable_pdf", str(error)) from error
    finally:
        document.close()


def _pages(document: pypdfium2.PdfDocument) -> Iterator[str]:
    room = MAX_TEXT
    if len(document) > MAX_PAGES:
        raise PdfError("too_large", f"{len(document):,} pages")
    for number in range(len(document)):
        text = _page_text(document, number)
        room -= len(text)
        if room < 0:
            raise PdfError("too_large", f"over {MAX_TEXT:,} characters by page {number + 1:,}")
        yield text


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        text = str(words.get_text_range())
        words.close()
    finally:
        page.close()
    return text.replace("\r\n", "\n").replace(BROKEN_WORD, "-\n") + "\n"
