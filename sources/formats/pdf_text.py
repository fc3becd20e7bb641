"""The text of PDFs by PDFium, in lines, page after page.

PDFium runs within the process; a file is read from memory and nothing is written.
"""

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

BROKEN_WORD = "\ufffe"
"""What PDFium puts where a line ends in a hyphen within a word, in place of both."""


class PdfError(ValueError):
    """A PDF that cannot be read; ``reason`` is ``encrypted`` or ``unreadable_pdf``."""

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
        return "".join(_page_text(document, number) for number in range(len(document)))
    except pypdfium2.PdfiumError as error:
        raise PdfError("unreadable_pdf", str(error)) from error
    finally:
        document.close()


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        text = str(words.get_text_range())
        words.close()
    finally:
        page.close()
    return text.replace("\r\n", "\n").replace(BROKEN_WORD, "-\n") + "\n"
