"""Tests of cutting long documents."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tokenizer.encode import Encoder
from tokenizer.pieces import can_be_cut, pieces

SNIPPETS = [
    " ",
    "  ",
    "\n",
    "\t",
    "a",
    "Z",
    "7",
    "'s",
    "'",
    "́",
    " ́",
    "ß",
    "漢",
    "、",
    "\xa0",
    "<|endoftext|>",
]
"""What meets at cuts: spaces, letters, digits, contractions, combining marks, special tokens."""


def test_pieces_are_cut_at_the_first_place_after_their_size() -> None:
    """A piece holds what it should, and the rest of its last word."""
    assert list(pieces("one two three four", 5)) == ["one two", " three", " four"]
    assert list(pieces("abc123def", 2)) == ["abc", "123", "def"]


def test_what_has_no_place_to_cut_stays_whole() -> None:
    """A word is never cut, and neither is white space."""
    assert list(pieces("a" * 100, 10)) == ["a" * 100]
    assert list(pieces("a" + " " * 100, 10)) == ["a" + " " * 100]
    assert list(pieces("", 10)) == [""]


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(st.sampled_from(SNIPPETS), max_size=40), size=st.integers(1, 6))
@example(parts=["a", "7", "a", "'", "7", " ", " ́"], size=1)
def test_pieces_have_the_tokens_of_the_whole(
    small_tokenizer: str, parts: list[str], size: int
) -> None:
    """Cut anywhere it may be cut, a text keeps its tokens; nothing of it is lost."""
    text = "".join(parts)
    cut = list(pieces(text, size))
    assert "".join(cut) == text
    for literal_specials in ("text", "tokens"):
        encoder = Encoder(small_tokenizer, literal_specials)
        assert encoder.encode(cut).ids.tolist() == encoder.encode([text]).ids.tolist()


def test_tokenizers_of_the_recipe_take_pieces(small_tokenizer: str) -> None:
    """GPT-2's rule, NFC, tokens that stand alone."""
    assert can_be_cut(json.loads(small_tokenizer))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("normalizer", {"type": "NFKC"}),
        ("pre_tokenizer", None),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}),
        ("pre_tokenizer", {"type": "Whitespace"}),
    ],
)
def test_other_tokenizers_get_documents_whole(
    small_tokenizer: str, key: str, value: object
) -> None:
    """Where a cut might change a token, none is made."""
    assert not can_be_cut({**json.loads(small_tokenizer), key: value})


@pytest.mark.parametrize(
    "change", [{"rstrip": True}, {"lstrip": True}, {"single_word": True}, {"content": "of course"}]
)
def test_added_tokens_that_look_around_forbid_cuts(
    small_tokenizer: str, change: dict[str, object]
) -> None:
    """So does an added token that itself holds a place to cut."""
    config = json.loads(small_tokenizer)
    config["added_tokens"][0] |= change
    assert not can_be_cut(config)
