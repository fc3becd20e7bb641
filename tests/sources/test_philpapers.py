"""PhilPapers: from PDFs and their texts to cleaned papers."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import philpapers
from sources.formats import pdf_filter
from sources.philpapers import SOURCE
from sources.source import Document, RawFile, Rejected, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw/philpapers"
SENTENCE = "A waiting room is a room in which nothing is meant to happen."


def outcomes(path: Path, fidelity: str = "published") -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", path.name), {"fidelity": fidelity}))


def test_every_file_has_an_outcome() -> None:
    """A paper, a scan, and an archive of texts with all that can be wrong."""
    found = [outcome for path in sorted(EXAMPLES.iterdir()) for outcome in outcomes(path)]
    assert [(o.origin, getattr(o, "reason", "")) for o in found] == [
        ("ATTONW.pdf", ""),
        ("EMPSCN.pdf", "too_short"),
        ("texts.zip:texts/ATTTWO.txt", ""),
        ("texts.zip:texts/NUMONL.txt", "no_paragraphs"),
        ("texts.zip:texts/LATINE.txt", "not_utf8"),
        ("texts.zip:texts/list.csv", "not_a_paper"),
        ("texts.zip:texts/LOCKED.pdf", "encrypted"),
        ("texts.zip:texts/BROKEN.pdf", "unreadable_pdf"),
        ("texts.zip:../UP.txt", "unreadable_member"),
    ]


def test_a_pdf_is_one_line_without_its_page_number() -> None:
    """As lines of a page are not parted by blank ones."""
    (paper,) = outcomes(EXAMPLES / "ATTONW.pdf")
    assert isinstance(paper, Document)
    assert paper.id == "philpapers/ATTONW"
    assert paper.text.startswith("On Waiting Rooms. A waiting room is a room in which nothing")
    assert paper.text.endswith("a waiting room has only neighbours.")
    assert "\n" not in paper.text


def test_a_text_is_cleaned_paragraph_by_paragraph() -> None:
    """Words are joined, notices and sums dropped, ligatures and quotes made plain."""
    paper = outcomes(EXAMPLES / "texts.zip")[0]
    assert isinstance(paper, Document)
    first, second = paper.text.split("\n\n")
    assert "everything that does happen" in first
    assert second == ('The coffee machine, "always" out of order, is the room\'s only instrument.')


@pytest.mark.parametrize(
    ("text", "published", "corrected"),
    [
        ("exam-\nple text", "example text", "example text"),
        ("well-\nKnown text", "wellKnown text", "well- Known text"),
        ("the 1-\n2 split", "the 12 split", "the 1- 2 split"),
        (
            "caf\u00e9 cafe\u00b4 pan~a",
            "caf\u00e9 cafe  pa\u00f1a",
            "caf\u00e9 caf\u00e9 pa\u00f1a",
        ),
        ("Stra\u00dfe \u00dfa", "Strasse \u00dfa", "Stra\u00dfe \u00dfa"),
        ("a \ufb01ne \u0153uvre", "a fine oeuvre", "a fine oeuvre"),
        ("12 a heading 13", "a heading", "a heading"),
        ("r 1999 Society of Words", "", ""),
        ("copyright 2001 by me", "", ""),
        (
            "copyright by me, not 2001 me",
            "copyright by me, not 2001 me",
            "copyright by me, not 2001 me",
        ),
        (
            "words (cid:12) and many more words than there are codes of missing fonts in the paragraph",
            "words  and many more words than there are codes of missing fonts in the paragraph",
            "words  and many more words than there are codes of missing fonts in the paragraph",
        ),
        ("a (cid:12)", "", ""),
        ("1 + 2 = 3", "", ""),
        ("a", "", ""),
        ("", "", ""),
    ],
)
def test_paragraphs(text: str, published: str, corrected: str) -> None:
    """With their quirks as published."""
    assert pdf_filter.published(text) == published
    assert pdf_filter.corrected(text) == corrected


@given(st.text(alphabet="ab1 -\n\u00df\u00e9(cid:)", max_size=200))
@settings(max_examples=100, deadline=None)
def test_cleaning_keeps_paragraphs_as_lines(text: str) -> None:
    """No text gives an empty paragraph or a line end within one."""
    for clean in (pdf_filter.published, pdf_filter.corrected):
        assert all(
            part and "\n" not in part
            for part in filter(None, [clean(text)])
            for part in part.split("\n\n")
        )


def test_line_ends_of_any_system_are_read(tmp_path: Path) -> None:
    """A thousand characters are too few, one more is enough."""
    path = tmp_path / "KEY.txt"
    path.write_bytes(("\r\n".join([SENTENCE] * 30)).encode())
    (paper,) = outcomes(path)
    assert isinstance(paper, Document)
    assert paper.text == " ".join([SENTENCE] * 30)
    path.write_text("a" * 1000 + "\n", encoding="utf-8")
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["too_short"]
    path.write_text("a" * 1001, encoding="utf-8")
    assert [getattr(o, "reason", "") for o in outcomes(path)] == [""]


def test_a_broken_pdf_by_itself_is_refused(tmp_path: Path) -> None:
    """The file is all there is."""
    path = tmp_path / "KEY.pdf"
    path.write_bytes((EXAMPLES / "ATTONW.pdf").read_bytes()[:100])
    with pytest.raises(UnreadableFile, match=r"KEY\.pdf: .*get it again"):
        outcomes(path)


def test_a_file_too_large_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(philpapers, "MAX_TEXT", 5)
    path = tmp_path / "KEY.txt"
    path.write_text("a" * 6, encoding="utf-8")
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["too_large"]


def test_long_numbers_take_no_time() -> None:
    """Page numbers are found from the ends."""
    assert pdf_filter.published("a" + "1" * 200_000 + "b" * 200_000).startswith("a1")


@pytest.mark.real
def test_texts_equal_the_original_filters(golden: Path) -> None:
    """All 19 are equal, given the same text of the PDF."""
    equal = 0
    with (golden / "philpapers.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            text = (golden / entry["file"].removeprefix("golden:")).read_text(encoding="utf-8")
            assert pdf_filter.published(text) == entry["text"]
            equal += 1
    assert equal == 19


@pytest.mark.real
def test_real_pdfs_have_the_words_that_pdfbox_found(samples: Path, golden: Path) -> None:
    """PDFium's text is another, but most of its words are the same."""
    for path in sorted((samples / "philpapers/pdf").glob("*.pdf")):
        (paper,) = outcomes(path)
        assert isinstance(paper, Document)
        stored = golden / f"philpapers_text/{path.stem}.pdfbox.txt"
        expected = set(pdf_filter.published(stored.read_text(encoding="utf-8")).split())
        assert len(expected & set(paper.text.split())) / len(expected) > 0.8
