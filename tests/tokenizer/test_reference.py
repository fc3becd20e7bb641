"""The slow encoder agrees with HF tokenizers in every step."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

from tokenizer.alphabet import spelled
from tokenizer.encode import Encoder, LiteralSpecials
from tokenizer.reference import cut_out, encode, load, merged, words

CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
SPACES = (" ", "  ", "   ", " " * 24, " " * 25, " " * 49)
OTHER_SPACES = ("\n", "\t", "\r\n", "\xa0", "\u3000", "\x1c", "\x85")
WORDS = ("'s", "'ll", "'", "'S", "don't", "1984", "tide", " tide", "été", "潮", "、", "½", "²")
COMPOSED = ("e\u0301", "\u0301", "\u1100\u1161", "\U0001f469\u200d\U0001f467")
SPECIALS = ("<|endoftext|>", "<|padding|>", "<|end", "|>")
SNIPPETS = st.sampled_from(SPACES + OTHER_SPACES + WORDS + COMPOSED + SPECIALS)
TEXTS = st.lists(st.one_of(SNIPPETS, st.text(CHARACTERS, max_size=6)), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, literal_specials=st.sampled_from(["text", "tokens"]))
def test_ids_are_those_of_hf_tokenizers(
    small_tokenizer: str, text: str, literal_specials: LiteralSpecials
) -> None:
    """With literal special tokens as text or as tokens, every id is the same."""
    expected = Encoder(small_tokenizer, literal_specials).encode([text]).ids.tolist()
    assert encode(load(small_tokenizer), text, literal_specials) == expected


def test_words_are_those_of_hf_tokenizers_for_every_character() -> None:
    """Each character known to this Python, after a letter, before a digit and before a mark."""
    known = [
        chr(code_point)
        for code_point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code_point)) not in ("Cn", "Cs", "Co")
    ]
    splitter = ByteLevel(add_prefix_space=False)
    for first in range(0, len(known), 4096):
        text = "".join(f"a{c}?{c}1 {c}" for c in known[first : first + 4096])
        theirs = [word for word, _ in splitter.pre_tokenize_str(text)]
        assert [spelled(word.encode("utf-8")) for word in words(text)] == theirs


def test_a_run_of_white_space_gives_its_last_to_the_next_word() -> None:
    """A space joins the word after it; other white space stands alone; at the end all stays."""
    assert list(words("a   b")) == ["a", "  ", " b"]
    assert list(words("a \n b")) == ["a", " \n", " b"]
    assert list(words("a \nb")) == ["a", " ", "\n", "b"]
    assert list(words("a  ")) == ["a", "  "]


def test_contractions_are_words_in_lower_case_only() -> None:
    """It's is two words, IT'S is three."""
    assert list(words("it's IT'S")) == ["it", "'s", " IT", "'", "S"]


def test_the_pair_learned_first_is_joined_first() -> None:
    """Rank decides, and of equal ranks the leftmost."""
    ranks = {("b", "c"): 0, ("a", "b"): 1, ("a", "a"): 2}
    assert merged(ranks, "abc") == ["a", "bc"]
    assert merged(ranks, "aaa") == ["aa", "a"]


def test_tokens_are_cut_out_leftmost_and_longest() -> None:
    """Five spaces, with tokens for two and three, are three and two."""
    tokens = {"  ": 1, "   ": 2}
    assert list(cut_out(tokens, "a     b")) == [("a", None), ("   ", 2), ("  ", 1), ("b", None)]
    assert list(cut_out({}, "a  b")) == [("a  b", None)]
    assert list(cut_out(tokens, "")) == []


def test_a_byte_without_a_token_is_an_error(small_tokenizer: str) -> None:
    """The reference never leaves anything out."""
    reference = load(small_tokenizer)
    del reference.vocabulary["q"]  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        encode(reference, "q")


def test_hf_tokenizers_is_what_is_compared_with(small_tokenizer: str) -> None:
    """The file both read is the same one."""
    assert Tokenizer.from_str(small_tokenizer).get_vocab_size() == len(
        {*load(small_tokenizer).vocabulary, *load(small_tokenizer).runs}
    )
