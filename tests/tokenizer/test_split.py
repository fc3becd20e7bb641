"""Words found 64 bytes at a time are those that HF tokenizers finds, and the reference."""

import sys
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers.pre_tokenizers import ByteLevel

from tokenizer import reference
from tokenizer.alphabet import spelled
from tokenizer.characters import DIGIT, LETTER, OTHER, SPACE, classes
from tokenizer.fast import joined
from tokenizer.joins import anywhere, joins_of
from tokenizer.split import split

PIECES = [
    *("a", "bc", "tide", "潮", "ß", "1", "98", "½", "²", "!", "--", "🙂", "\u0301", "\x00", "\x1c"),
    *("'", "''", "'s", "'ll", "'re", "'v", "'S", "s", "l", "ve"),
    *(" ", "  ", "   ", "\n", "\t", "\r\n", "\n\n\x0c", "\xa0", "\u3000", "\x85", "\u2003"),
    *(" " * 23, " " * 24, " " * 25, " " * 49, "x" * 61, "é" * 31, "\u3000" * 21),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def found(text: str, longest: int = 0, joins: NDArray[np.uint8] | None = None) -> list[str]:
    """Return the words that `split` finds, where runs of up to ``longest`` spaces are tokens."""
    buffer, offsets = joined([text.encode()])
    starts = np.zeros(len(buffer) + 1, dtype=np.int64)
    kinds = classes(), anywhere() if joins is None else joins
    count = split(buffer, 0, int(offsets[1]), kinds, longest, starts)
    return _between(text, starts[: count + 1])


def _between(text: str, places: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    encoded = text.encode()
    return [encoded[start:end].decode() for start, end in pairwise(places.tolist())]


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_words_are_those_of_the_reference(text: str) -> None:
    """Contractions, white space of every kind and width, and blocks cut anywhere."""
    assert found(text) == list(reference.words(text))


@settings(max_examples=600)
@given(TEXTS, st.sampled_from([2, 3, 24, 200]))
def test_runs_of_spaces_stand_alone(text: str, longest: int) -> None:
    """Text ends before each run and begins anew after it; a space that tokens leave over begins it."""
    runs = {" " * length: length for length in range(2, longest + 1)}
    expected: list[str] = []
    before = None
    for part, run in reference.cut_out(runs, text):
        if run and before:
            expected[-1] += part
        else:
            expected += [part] if run else reference.words(part)
        before = run
    assert found(text, longest) == expected


@settings(max_examples=400)
@given(st.text("かなカナ漢字的一é! ", max_size=90), st.integers(0, 63))
def test_words_are_cut_where_no_token_lies(text: str, before: int) -> None:
    """Cuts lie inside words, never where a token has in it what is on both sides."""
    tokens = ["かな", "漢字", " か", "a漢", "ナ"]
    text = "a" * before + text
    cut = found(text, joins=joins_of(map(spelled, map(str.encode, tokens))))
    whole = list(reference.words(text))
    assert "".join(cut) == text
    places, kept = (set(accumulate(map(len, words))) for words in (cut, whole))
    assert kept <= places
    across = [
        token for token in tokens for place in places - kept if _lies_across(text, token, place)
    ]
    assert not across


def _lies_across(text: str, token: str, place: int) -> bool:
    starts = range(max(place - len(token) + 1, 0), place)
    return any(text.startswith(token, start) for start in starts)


def test_what_no_token_holds_is_cut() -> None:
    """Of a sentence without spaces, the characters that tokens join stay together."""
    joins = joins_of([spelled("漢字".encode())])
    assert found("的漢字的一 一字", joins=joins) == ["的", "漢字", "的", "一", " ", "一", "字"]


@pytest.mark.parametrize("before", range(58, 70))
def test_contractions_across_blocks(before: int) -> None:
    """Wherever the apostrophe lies in a block of 64 bytes."""
    for rest in ("'s", "'ll", "'lla", "'re'", "'ve's", "'", "''s", " 's", "\t's", "'sé"):
        text = "x" * before + rest + "y"
        assert found(text, 24) == list(reference.words(text))
        assert found(text[:-1], 24) == list(reference.words(text[:-1]))


def test_every_character_is_what_it_is_to_hf_tokenizers() -> None:
    """All 1,112,064 characters, after a letter, before a digit, and after a space before a mark."""
    splitter = ByteLevel(add_prefix_space=False)
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    for first in range(0, len(every), 1 << 15):
        text = "".join(f"a{c}1 {c}?" for c in every[first : first + (1 << 15)])
        theirs = [word for word, _ in splitter.pre_tokenize_str(text)]
        assert [spelled(word.encode()) for word in found(text)] == theirs


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
