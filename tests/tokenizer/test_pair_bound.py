"""Tests of the bound that keeps the trainer's counts within 32 bits."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizer.pair_bound import LARGEST_COUNT, PairBound, SampleTooLarge
from tokenizer.reference import words


def largest_count_while_training(texts: list[str]) -> int:
    """Learn merges the slow way until none is left; return the largest pair count there ever was."""
    split = [[bytes([byte]) for byte in word.encode()] for text in texts for word in words(text)]
    largest = 0
    while True:
        counts = Counter(pair for word in split for pair in pairwise(word))
        if not counts:
            return largest
        largest = max(largest, *counts.values())
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        split = [merge(word, best) for word in split]


def merge(word: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Join a pair wherever it occurs, from the left."""
    merged: list[bytes] = []
    for token in word:
        # A token just joined is not joined again: the pair's first part is shorter than the whole.
        if merged and (merged[-1], token) == pair:
            merged[-1] += token
        else:
            merged.append(token)
    return merged


@given(st.lists(st.text("ab 1'é", max_size=30), max_size=4))
def test_no_pair_ever_occurs_more_often_than_the_bound(texts: list[str]) -> None:
    """Through all merges, down to whole words, the bound counted before them holds."""
    bound = PairBound()
    bound.add([text.encode("utf-8") for text in texts])
    assert largest_count_while_training(texts) <= bound.most()


def test_the_bound_counts_overlapping_pairs() -> None:
    """In aaaa, aa occurs three times."""
    bound = PairBound()
    bound.add([b"aaaa"])
    bound.add([b"xy"])
    assert (bound.most(), bound.text_bytes) == (3, 6)


def test_too_much_text_is_refused_with_the_setting_to_change() -> None:
    """The error names the pair, the count, and sample_bytes."""
    bound = PairBound(largest=5)
    bound.add([b"a  a  a"])
    with pytest.raises(SampleTooLarge, match=r"'ĠĠ' \(0x20 0x20\) occurs 6 times.* sample_bytes"):
        bound.add([b"     "])


def test_the_limit_is_that_of_a_signed_32_bit_number() -> None:
    """The trainer's counts go up to 2**31 - 1."""
    assert PairBound().largest == LARGEST_COUNT == 2_147_483_647


def test_no_text_gives_no_bound() -> None:
    """Nothing, and documents of nothing, count nothing."""
    bound = PairBound()
    bound.add([])
    bound.add([b"", b""])
    assert bound.text_bytes == 0
