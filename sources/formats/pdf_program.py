"""What runs in the cage of `pdf_text`: PDFium, file by file and page by page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

BROKEN_WORD = "\ufffe"
"""What PDFium puts where a line ends in a hyphen within a word, in place of both."""


def load() -> None:
    """Import the library."""
    import pypdfium2  # noqa: F401, PLC0415 - within the limits


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """Write the text of the file ``pdf`` to ``text``; answer nothing, or why it has none."""
    import pypdfium2  # noqa: PLC0415 - within the limits
    from pypdfium2.raw import FPDF_ERR_PASSWORD  # noqa: PLC0415

    try:
        with pypdfium2.PdfDocument(asked["pdf"]) as document:
            return _written(document, Path(asked["text"]), asked["most"], asked["pages"])
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == FPDF_ERR_PASSWORD
        return _problem("encrypted" if locked else "unreadable_pdf", str(error))


def _written(document: Any, path: Path, most: int, pages: int) -> dict[str, str]:
    if len(document) > pages:
        return _problem("too_large", f"{len(document):,} pages")
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, text in enumerate(_pages(document), 1):
            most -= len(text)
            if most < 0:
                return _problem("too_large", f"page {number} and those before it are too long")
            file.write(text)
    return {}


def _pages(document: Any) -> Iterator[str]:
    for number in range(len(document)):
        page = document[number]
        try:
            words = page.get_textpage()
            text = str(words.get_text_range())
            words.close()
        finally:
            page.close()
        yield text.replace("\r\n", "\n").replace(BROKEN_WORD, "-\n") + "\n"


def _problem(reason: str, message: str) -> dict[str, str]:
    return {"problem": reason, "message": message}
