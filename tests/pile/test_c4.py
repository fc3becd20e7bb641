"""C4's rules on lines, documents and words, and beside datatrove's where that is installed."""

import pytest

from pile.cleaning.c4 import C4BadWords, C4Quality, c4_bad_words, c4_quality, count_sentences
from sources.source import Document, Rejected

GOOD = "This is a line of five words. Here is one more! And is this the last one?"


def cleaned(text: str, **table: object) -> str:
    """Return the text that stays."""
    found = c4_quality(Document("a", text, "a.txt:0", ""), C4Quality(**table))  # type: ignore[arg-type]
    assert isinstance(found, Document), found
    return found.text


def refusal(text: str, **table: object) -> tuple[str, str]:
    """Return reason and detail of a rejection."""
    found = c4_quality(Document("a", text, "a.txt:0", ""), C4Quality(**table))  # type: ignore[arg-type]
    assert isinstance(found, Rejected)
    return found.reason, found.detail


@pytest.mark.parametrize(
    "line",
    [
        "Home | About | Contact us",
        "This line trails off into an ellipsis ...",
        "Too short a line.",
        "Please enable JavaScript to see this page.",
        "By this site you accept our privacy policy at once.",
        f"{'x' * 1001} and four more words.",
    ],
)
def test_lines_that_are_no_sentences_are_cut(line: str) -> None:
    """Such a line goes, the others stay in their order, blanks at their ends cut."""
    assert cleaned(f"{GOOD}\n{line}\n  {GOOD}  ") == f"{GOOD}\n{GOOD}"


def test_what_is_cut_is_at_choice() -> None:
    """Each cut can be switched off, each bound moved."""
    line = "Enable JavaScript to read our privacy policy, please"
    assert cleaned(
        f"{GOOD}\n{line}", javascript=False, policies=False, terminal_punctuation=False
    ).endswith(line)
    assert cleaned("Short.", min_words_per_line=1, min_sentences=1) == "Short."
    assert cleaned(f"{GOOD} {{x}}.", curly_bracket=False).endswith("{x}.")
    assert "[12]" in cleaned(f"{GOOD}[12] And so on it goes.", citations=False)


def test_citations_are_taken_out() -> None:
    """Marks of Wikipedia's notes go, other brackets stay."""
    text = f"{GOOD} As said[12] by some[citation needed] and [sic] others[]."
    assert cleaned(text).endswith("As said by some and [sic] others.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{GOOD}\nLorem ipsum dolor sit amet, consectetur.", "lorem_ipsum"),
        (f"{GOOD}\nThen comes if (a) {{ b(); }} and so on.", "curly_bracket"),
    ],
)
def test_documents_that_hold_what_no_text_does_are_rejected(text: str, expected: str) -> None:
    """The line that says so is told."""
    reason, detail = refusal(text)
    assert reason == expected
    assert repr(text.splitlines()[1]) in detail


def test_a_document_needs_three_sentences() -> None:
    """Sentences are counted in the lines that stay."""
    assert refusal("One sentence is not enough here. Nor are two of them.\nA menu") == (
        "few_sentences",
        "2 < min_sentences = 3",
    )


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("One. Two! Three?", 3),
        ('He said "no." She left.', 2),
        ("Version 1.2.3 is out", 1),
        ("No end at all", 1),
        ("What?! Really...", 2),
        ("", 0),
    ],
)
def test_sentences_end_before_white_space(line: str, count: int) -> None:
    """Points inside words end none; what is left over is one."""
    assert count_sentences(line) == count


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("A Darned thing", "darned"),
        ("undarned", ""),
        ("by gosh-darn it.", "gosh-darn"),
        ("dog gone", "dog gone"),
        ("dog goner", ""),
        ("", ""),
    ],
)
def test_bad_words_stand_alone(text: str, hit: str) -> None:
    """Words and phrases of the list are found whatever their case, but not within words."""
    table = C4BadWords(words=("darned", "gosh-darn", "Dog gone"))
    found = c4_bad_words(Document("a", text, "a.txt:0", ""), table)
    assert (found.detail if isinstance(found, Rejected) else "") == (repr(hit) if hit else "")


TEXTS = [
    f"{GOOD}\n{GOOD}",
    f"{GOOD}\nHome\nA short one.\nPlease enable javascript in your browser now.",
    "No sentence here\nnor here",
    f"{GOOD}\nLorem ipsum dolor sit amet there.",
    f"{GOOD}\nSome {{code}} stands in this line.",
    f"We use cookies on this site today.\n{GOOD}[3]",
    "Two sentences are here. That is all there is.",
    "",
    'She said, "it is not what it seems to be."\nHe left the room at once. Nobody saw him go.',
    "A line that trails off here...\nAnother one that does not trail. It ends. So it does.",
]


def test_verdicts_are_datatroves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With C4's own numbers, and sentences counted alike, datatrove keeps the same text.

    Datatrove also takes an apostrophe for the end of a sentence, and counts words before citations go.
    """
    filters = pytest.importorskip("datatrove.pipeline.filters.c4_filters")
    data = pytest.importorskip("datatrove.data")
    monkeypatch.setattr(
        filters, "split_into_sentences", lambda line, _: ["s"] * count_sentences(line)
    )
    theirs = filters.C4QualityFilter(min_num_sentences=3, min_words_per_line=5)
    names = {"too_few_sentences": "few_sentences"}
    for text in TEXTS:
        peer = data.Document(text, "a")
        kept = theirs.filter(peer)
        found = c4_quality(Document("a", text, "a.txt:0", ""), C4Quality())
        if kept is True:
            assert isinstance(found, Document)
            assert found.text == peer.text
        else:
            assert isinstance(found, Rejected)
            assert found.reason == names.get(kept[1], kept[1])
