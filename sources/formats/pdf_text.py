"""The text of PDFs by PDFium, in lines, page after page.

PDFium runs within the process; a file is read from memory and nothing is written.
"""

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

BROKEN_WORD = "\ufffe"
"""What PDFium puts where a line ends in a hyphen within a word, in place of both."""


MAX_PAGES = 20_000
"""Pages of a PDF; those of the longest honest ones are half of that."""


class PdfError(ValueError):
    """A PDF that cannot be read; ``reason`` is ``encrypted``, ``unreadable_pdf`` or ``too_large``."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


def pdf_text(content: bytes, most: int) -> str:
    """Return the text of a PDF, a newline behind each line and page; raises `PdfError`.

    A text of more than ``most`` characters is not taken: compressed pages make one of little.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == FPDF_ERR_PASSWORD
        raise PdfError("encrypted" if locked else "unreadable_pdf", str(error)) from error
    try:
        return _joined(document, most)
    except pypdfium2.PdfiumError as error:
        raise PdfError("unreadable_pdf", str(error)) from error
    finally:
        document.close()


def _joined(document: pypdfium2.PdfDocument, most: int) -> str:
    if len(document) > MAX_PAGES:
        raise PdfError("too_large", f"{len(document):,} pages")
    pages: list[str] = []
    for number in range(len(document)):
        pages.append(_page_text(document, number))
        most -= len(pages[-1])
        if most < 0:
            raise PdfError("too_large", f"page {number + 1} and those before it are too long")
    return "".join(pages)


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        text = str(words.get_text_range())
        words.close()
    finally:
        page.close()
    return text.replace("\r\n", "\n").replace(BROKEN_WORD, "-\n") + "\n"
