"""Words, lines and repetition are measured alike by kernels and by their reference."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pile.cleaning.words import measures, reference
from pile.cleaning.words.classes import ALPHABETIC, BREAK, SPACE, SYMBOL, classes

STOP_WORDS = ("the", "of", "été", "-")

# Few words and all kinds of line ends, so that much repeats.
words = st.sampled_from(
    ["a", "b", "the", "of", "été", "日本", "-", "#", "•", "…", "...", "x1", "\U0001d518"]
)
ends = st.sampled_from([" ", "\n", "\n\n", "\n\n\n", "\r\n", "\t", "\u2028", "\x1c", "\u3000"])
repeating = st.lists(st.one_of(words, ends, st.just(" "))).map("".join)
wild = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Load the kernels."""
    measures.warm()


@settings(max_examples=300, deadline=None)
@given(st.one_of(repeating, wild, st.tuples(repeating, wild).map("\n".join)))
@example("")
@example("\n\n\n")
@example("a.. .\n .. .\n....\n… \n")
@example("\r\n\r\r\n")
def test_kernels_and_reference_agree(text: str) -> None:
    """Every count of every text is the same."""
    assert measures.shape(text, STOP_WORDS) == reference.shape(text, STOP_WORDS)
    assert measures.repetition(text) == reference.repetition(text)


def test_a_text_is_measured_as_a_person_would() -> None:
    """Counts of a text that can be looked through."""
    text = "- The cat sat ...\n\n• of the #1 cat…\nsat -- the end.\n"
    assert measures.shape(text, ("the", "of", "and")) == reference.Shape(
        words=14,
        plain=10,  # not: - ... • --
        plain_characters=30,  # The cat sat of the #1 cat… sat the end.
        alphabetic=9,
        stop_words=2,
        hashes=1,
        ellipses=2,
        lines=4,
        bullet_lines=2,
        ellipsis_lines=2,
    )


def test_repetition_is_counted_as_published() -> None:
    """Pieces that came before; the commonest n-gram; n-grams that came before, overlaps once."""
    found = measures.repetition("ab\nab\n\ncd\n\nab\nab\n\n")
    assert found.characters == 18
    assert found.paragraphs == (3, 1, 5)
    assert found.lines == (5, 3, 6)
    six = measures.repetition("a b c d e f a b c d e f a b c d e f x")
    assert six.top == (3 * len("a b"), 3 * len("a b c"), 3 * len("a b c d"))
    # a b c d e, then f a b c d is new; of the third time e f a b c is new, and so on.
    assert six.duplicate == reference.repetition("a b c d e f a b c d e f a b c d e f x").duplicate
    assert six.duplicate[0] == 10
    assert measures.repetition("no two words alike here").top == (0, 0, 0)


def test_classes_are_those_of_strings() -> None:
    """White space splits, line ends end lines, letters are alphabetic, dashes are symbols."""
    kinds = classes()
    for point in (0x20, 0x41, 0x2D, 0x85, 0x2028, 0x3000, 0x65E5, 0x1D518, 0x0301, 0x33):
        character = chr(point)
        assert bool(kinds[point] & SPACE) == (not character.split())
        assert bool(kinds[point] & ALPHABETIC) == character.isalpha()
        assert bool(kinds[point] & BREAK) == (len(f"a{character}b".splitlines()) == 2)
    assert kinds[0x2D] & SYMBOL
    assert not kinds[0x33] & SYMBOL
