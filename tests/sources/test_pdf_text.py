"""PDFs come out of a cage that none breaks."""

import io
from pathlib import Path

import pytest

from sources.formats.pdf_text import PdfError, Pdfs

PAPER = Path(__file__).parents[2] / "examples/raw/philpapers/ATTONW.pdf"
PAGE = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 5 0 R"
    b"/Resources<</Font<</F 4 0 R>>>>>>endobj\n"
    b"4 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"5 0 obj<</Length %d>>stream\n%b\nendstream endobj\ntrailer<</Root 1 0 R>>"
)


def crowded(words: int) -> bytes:
    """Build a PDF with a page on which so many words stand."""
    drawn = b"BT /F 9 Tf " + b"1 1 Td (the) Tj " * words + b"ET"
    return PAGE % (len(drawn), drawn)


def taken(pdfs: Pdfs, content: bytes, most: int = 1 << 24) -> str:
    """Return a PDF's text, or the reason that it has none."""
    try:
        return pdfs.text(io.BytesIO(content), 1 << 27, most)
    except PdfError as error:
        return error.reason


def test_one_program_reads_file_after_file() -> None:
    """A refused one between them changes nothing."""
    with Pdfs() as pdfs:
        first = taken(pdfs, PAPER.read_bytes())
        assert first.startswith("On Waiting Rooms")
        assert taken(pdfs, b"no PDF") == "unreadable_pdf"
        assert taken(pdfs, PAPER.read_bytes(), 100) == "too_large"
        assert taken(pdfs, PAPER.read_bytes()) == first


@pytest.mark.parametrize(
    ("memory", "seconds", "reason"), [(448 << 20, 0.2, "pdf_time"), (150 << 20, 60, "pdf_memory")]
)
def test_a_hostile_pdf_ends_at_a_limit(memory: int, seconds: float, reason: str) -> None:
    """Of time or of memory; the next file is read as ever."""
    with Pdfs(memory, seconds) as pdfs:
        assert taken(pdfs, crowded(400_000)) == reason
        assert taken(pdfs, PAPER.read_bytes()).startswith("On Waiting Rooms")


def test_more_bytes_than_are_taken_are_not_tried() -> None:
    """Nor held in memory."""
    with Pdfs() as pdfs, pytest.raises(PdfError) as error:
        pdfs.text(io.BytesIO(bytes(1001)), 1000, 1000)
    assert error.value.reason == "too_large"


def test_a_program_that_does_not_start_is_the_machines_fault() -> None:
    """So the task fails, and no file is lost for it."""
    with Pdfs(memory=1 << 20) as none, pytest.raises(OSError, match="pdf_program"):
        none.text(io.BytesIO(b"x"), 1000, 1000)
