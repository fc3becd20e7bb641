"""Bringing documents to NFC, stretch by stretch: as HF `tokenizers` does it to the whole."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import NFC

from tokenizer.characters import BEGINS_ANEW, UNSURE, forms
from tokenizer.composed import composed, stretches
from tokenizer.fast import joined

HF = NFC()

TRICKY = [
    "e", "q", "\u00e9", "\u0301", "\u0323", "\u0307", "\u1e0b", "\u0338", "<", ">", "\u212b", "\u0340",
    "\u0344", "\u1100", "\u1161", "\u11a8", "\uac00", "\uac01", "\u0958", "\u0915", "\u093c", "\u094d",
    "\u09c7", "\u09be", "\U000110a5", "\U000110ba", "\U0001d15e", "\u2126", "\U0001f9ff", "\U0001fae9",
    "\U00016d67", "\U00016d68", "\u0f73", "\u0f71", "\u0f72", " ", "\n", "ж", "潮", "\U0002f81a",
]  # fmt: skip


def in_nfc(texts: list[str]) -> list[str]:
    """Return documents as kernels would read them."""
    text, offsets = composed(*joined([text.encode() for text in texts]))
    found = text.tobytes()
    return [found[a:b].decode() for a, b in pairwise(offsets)]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), max_size=200).map("".join), max_size=4))  # fmt: skip
def test_any_text(texts: list[str]) -> None:
    """Marks in any order, characters that compose, decompose, or stand in between."""
    assert in_nfc(texts) == [HF.normalize_str(text) for text in texts]


def test_pairs_of_all_characters_that_are_not_plain() -> None:
    """Each of them after a letter, a mark below, a mark above, and before both."""
    every = [chr(c) for c in np.flatnonzero(forms()) if not 0xD800 <= c < 0xE000]
    for frame in ("e%s", "a\u0301%s", "a\u0323%s", "%s\u0323\u0301", "\u1100%s\u11a8"):
        text = " ".join(frame % one for one in every[:60_000])
        assert in_nfc([text]) == [HF.normalize_str(text)]


def test_every_character_alone_and_between_letters() -> None:
    """All 1,112,064 of them."""
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    texts = ["".join(f"a{c}e" for c in every[n : n + 4096]) for n in range(0, len(every), 4096)]
    assert in_nfc(texts) == [HF.normalize_str(text) for text in texts]


@pytest.mark.parametrize("text", ["plain", "é潮가ﬁ½\u200bж", "हिन्दी में", "ไม่ได้"])
def test_what_is_in_nfc_is_not_looked_at(text: str) -> None:
    """Marks in canonical order that compose with nothing leave a text as it is."""
    assert looked_at([text]) == 0
    buffer, offsets = joined([text.encode()])
    assert composed(buffer, offsets)[0] is buffer


def looked_at(texts: list[str]) -> int:
    """Count stretches that may not be in NFC."""
    found: int = stretches(
        *joined([text.encode() for text in texts]), forms(), np.empty((0, 2), np.int64)
    )
    return found


def test_a_stretch_is_all_that_is_composed() -> None:
    """A letter and its accent, however long the document, and each one once."""
    text = "word " * 30 + "e\u0301" + " word" * 30
    places = np.empty((4, 2), np.int64)
    assert stretches(*joined([text.encode()] * 2), forms(), places) == 2
    size = len(text.encode())
    assert places[:2].tolist() == [[150, 153], [150 + size, 153 + size]]
    assert in_nfc([text, text]) == [text.replace("e\u0301", "é")] * 2


def test_a_document_of_marks_alone_is_one_stretch() -> None:
    """However many there are; it takes no more than it is long."""
    text = "\u0301\u0323" * 20_000
    assert looked_at([text]) == 1
    assert in_nfc([text, "e\u0301"]) == [HF.normalize_str(text), "é"]


def test_stretches_end_with_their_document() -> None:
    """A mark at the beginning of a document does not join the end of the one before."""
    assert in_nfc(["e", "\u0301e", "\u0301"]) == ["e", "\u0301e", "\u0301"]


def test_forms_of_some_characters() -> None:
    """Marks have their class; what decomposes, or composes with what is before, is unsure."""
    assert all(forms()[ord(c)] == UNSURE for c in "\u0301\u0340\u212b\u1161\u11a8\u0958\u09be")
    assert all(forms()[ord(c)] == BEGINS_ANEW for c in "é潮가ﬁ½\u200bж")
    assert forms()[0x94D] == 9
