"""Words found 64 bytes at a time are those that HF tokenizers finds, and the slow splitter."""

import re
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from tokenizer import reference
from tokenizer.alphabet import spelled
from tokenizer.characters import DIGIT, LETTER, OTHER, SPACE, classes
from tokenizer.fast import joined
from tokenizer.joins import anywhere
from tokenizer.split import split
from tokenizer.split_scalar import split_scalar

PIECES = [
    *("a", "bc", "tide", "潮", "ß", "1", "98", "½", "²", "!", "--", "🙂", "\u0301", "\x00", "\x1c"),
    *("'", "''", "'s", "'ll", "'re", "'v", "'S", "s", "l", "ve"),
    *(" ", "  ", "   ", "\n", "\t", "\r\n", "\n\n\x0c", "\xa0", "\u3000", "\x85", "\u2003"),
    *(" " * 23, " " * 24, " " * 25, " " * 49, "x" * 61, "é" * 31, "\u3000" * 21),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def found(text: str, *, runs: bool) -> list[str]:
    """Return the words that `split` finds."""
    buffer, offsets = joined([text.encode()])
    starts = np.zeros(len(buffer) + 1, dtype=np.int64)
    count = split(buffer, 0, int(offsets[1]), (classes(), anywhere()), runs, starts)
    return _between(text, starts[: count + 1])


def found_slowly(text: str, longest: int) -> list[str]:
    """Return the words that `split_scalar` finds."""
    buffer, offsets = joined([text.encode()])
    starts = np.zeros(len(buffer) + 1, dtype=np.int64)
    count = split_scalar(buffer, 0, int(offsets[1]), classes(), longest, starts)
    return _between(text, starts[: count + 1])


def _between(text: str, places: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    encoded = text.encode()
    return [encoded[start:end].decode() for start, end in pairwise(places.tolist())]


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_words_are_those_of_the_reference(text: str) -> None:
    """Contractions, white space of every kind and width, and blocks cut anywhere."""
    assert found(text, runs=False) == list(reference.words(text))
    assert found_slowly(text, 0) == list(reference.words(text))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_runs_of_spaces_stand_alone(text: str) -> None:
    """With tokens for runs, text ends before each run and begins anew after it."""
    parts = re.split("( {2,})", text)
    expected = [
        word
        for part in parts
        for word in ([part] if part.startswith("  ") else reference.words(part))
    ]
    assert found(text, runs=True) == expected


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from([2, 3, 24]))
def test_a_run_longer_than_the_longest_token_is_cut(text: str, longest: int) -> None:
    """Longest first from the left; a single space left over belongs to what follows."""
    runs = {" " * length: length for length in range(2, longest + 1)}
    expected = [
        word
        for part, run in reference.cut_out(runs, text)
        for word in ([part] if run else reference.words(part))
    ]
    assert found_slowly(text, longest) == expected


@pytest.mark.parametrize("before", range(58, 70))
def test_contractions_across_blocks(before: int) -> None:
    """Wherever the apostrophe lies in a block of 64 bytes."""
    for rest in ("'s", "'ll", "'lla", "'re'", "'ve's", "'", "''s", " 's", "\t's", "'sé"):
        text = "x" * before + rest + "y"
        assert found(text, runs=True) == list(reference.words(text))
        assert found(text[:-1], runs=True) == list(reference.words(text[:-1]))


def test_every_character_is_what_it_is_to_hf_tokenizers() -> None:
    """All 1,112,064 characters, after a letter, before a digit, and after a space before a mark."""
    splitter = ByteLevel(add_prefix_space=False)
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    for first in range(0, len(every), 1 << 15):
        text = "".join(f"a{c}1 {c}?" for c in every[first : first + (1 << 15)])
        theirs = [word for word, _ in splitter.pre_tokenize_str(text)]
        assert [spelled(word.encode()) for word in found(text, runs=False)] == theirs


def test_classes_of_some_characters() -> None:
    """Letters, numbers and white space of Unicode; four control characters are none."""
    kinds = {
        LETTER: "aßé潮ª",
        DIGIT: "1²½٣",
        SPACE: " \n\x85\xa0\u3000",
        OTHER: "!\x1c\u0301\u200b🙂",
    }
    for kind, characters in kinds.items():
        assert {int(classes()[ord(character)]) for character in characters} == {kind}
