"""The text of PDFs by PDFium, in lines, page after page.

PDFium runs in a `sources.formats.cage`, one process for many files: a hostile PDF takes no more memory
than that, and kills nothing else. Neither the file nor a page but the one at hand is held in memory.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO

from sources.formats import cage

MAX_PAGES = 20_000
"""Pages of a PDF; those of the longest honest ones are half of that."""

SECONDS = 120.0
"""Seconds of processor time for a PDF; a page takes milliseconds."""

CHUNK = 1 << 20

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "encrypted": "a PDF that asks for a password",
        "unreadable_pdf": "a PDF that is none, or a broken one",
        "pdf_memory": f"PDFium took more than {cage.MEMORY >> 20} MiB of memory, or died",
        "pdf_time": f"PDFium took more than {SECONDS:g} s of processor time",
    }
)
"""Why a PDF may give no text, besides ``too_large``."""


class PdfError(ValueError):
    """A PDF that cannot be read; ``reason`` is one of `REASONS` or ``too_large``."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what or reason)
        self.reason = reason


class Pdfs(cage.Cage):
    """Takes the text out of PDFs; for use in ``with``, which ends its program."""

    def __init__(self, memory: int = cage.MEMORY, seconds: float = SECONDS) -> None:
        super().__init__("pdf_program", cage.Limits(seconds, memory))

    def text(self, stream: BinaryIO, limit: int, most: int) -> str:
        """Return the text of a PDF of at most ``limit`` bytes, a newline behind each line and page.

        A text of more than ``most`` characters is not taken: compressed pages make one of little.
        Raises `PdfError`, and OSError if no program starts.
        """
        pdf, text = self.folder / "given.pdf", self.folder / "text"
        with pdf.open("wb") as file:
            while limit >= 0 and (piece := stream.read(min(CHUNK, limit + 1))):
                limit -= len(piece)
                file.write(piece)
        if limit < 0:
            raise PdfError("too_large", "more bytes than are taken")
        try:
            answer = self.ask(
                {"pdf": str(pdf), "text": str(text), "most": most, "pages": MAX_PAGES}
            )
        except cage.CageError as error:
            raise PdfError(f"pdf_{error.limit}", str(error)) from error
        if "problem" in answer:
            raise PdfError(answer["problem"], answer["message"])
        with text.open(encoding="utf-8", newline="") as file_of_text:
            return file_of_text.read()
