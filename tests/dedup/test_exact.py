"""Digests and equal rows."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dedup.exact import (
    DIGESTS,
    digests,
    first_equal,
    first_of_digest,
    normalised,
    normalised_digest,
    row_keys,
    text_digest,
)


def first_equal_slowly(rows):
    """Return for every row the first that equals it, by looking at all."""
    listed = [tuple(row) for row in rows.tolist()]
    return [listed.index(row) for row in listed]


def test_text_digest_is_sha256_of_utf8():
    """The digest of a text is a known value, and 16 bytes."""
    assert text_digest("").hex() == "e3b0c44298fc1c149afbf4c8996fb924"
    assert text_digest("naïve").hex() == "f86fd89de87a848a45bfe77708d91a5d"


def test_text_digest_tells_every_change():
    """The plain digest tells case, composition and a blank apart."""
    texts = ["Café au lait", "café au lait", "Cafe\u0301 au lait", "Café  au lait", "Café au lait "]
    assert len({text_digest(text) for text in texts}) == len(texts)
    assert len({normalised_digest(text) for text in texts}) == 1


def test_digest_of_a_lone_surrogate_is_refused():
    """A text that has no UTF-8 has no digest."""
    with pytest.raises(UnicodeEncodeError):
        text_digest("\ud800")


@given(st.text())
def test_normalised_is_stable(text):
    """Normalising twice is normalising once; composed and decomposed forms become one."""
    once = normalised(text)
    assert normalised(once) == once
    assert normalised(unicodedata.normalize("NFD", text)) == once
    assert "  " not in once
    assert once == once.strip()


def test_digests_are_rows_of_bytes():
    """Every text gives one row, in order; no texts give no rows."""
    rows = digests(["b", "a", "b"])
    assert rows.shape == (3, 16)
    assert [row.tobytes() for row in rows] == [text_digest(text) for text in "bab"]
    assert digests([]).shape == (0, 16)
    assert digests(["A "], "normalised")[0].tobytes() == DIGESTS["normalised"]("a")


def test_first_of_digest_names_the_first():
    """Equal texts are led back to the first of them."""
    assert first_of_digest(digests("abcbaa")).tolist() == [0, 1, 2, 1, 0, 0]
    assert first_of_digest(digests([])).tolist() == []


@given(
    arrays(np.uint32, st.tuples(st.integers(0, 40), st.integers(1, 4)), elements=st.integers(0, 2))
)
def test_first_equal_agrees_with_looking_at_all(rows):
    """The sorted way and the slow way name the same rows."""
    assert first_equal(rows).tolist() == first_equal_slowly(rows)


@given(st.lists(st.binary(min_size=1, max_size=1).map(lambda byte: byte * 16), max_size=30))
def test_first_of_digest_agrees_with_looking_at_all(found):
    """The same holds of digests, taken as two numbers of 64 bits."""
    rows = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 16)
    assert first_of_digest(rows).tolist() == first_equal_slowly(rows)


def rows_of_one_key():
    """Find two unequal rows of three numbers whose 64-bit keys are equal.

    The key of two numbers is searched for a pair that agrees in its upper half; the third number
    then makes up for the lower half.
    """
    pairs = np.random.default_rng(0).integers(0, 1 << 32, (400_000, 2)).astype(np.uint32)
    keys = row_keys(pairs)
    order = np.argsort(keys >> np.uint64(32), kind="stable")
    upper = (keys >> np.uint64(32))[order]
    at = np.flatnonzero(upper[1:] == upper[:-1])[0]
    one, other = order[at], order[at + 1]
    lower = (keys[one] ^ keys[other]).astype(np.uint32)
    return np.array([[*pairs[one], 0], [*pairs[other], lower]], np.uint32)


def test_unequal_rows_of_one_key_stay_apart():
    """A collision of keys never makes unequal rows equal."""
    one, other = rows_of_one_key()
    rows = np.array([other, one, other, one, one])
    assert len(set(row_keys(rows).tolist())) == 1
    assert first_equal(rows).tolist() == [0, 1, 0, 1, 1]


@settings(max_examples=20)
@given(st.permutations(range(12)))
def test_first_equal_does_not_depend_on_other_rows(order):
    """Rows in any order lead to the first of their equals in that order."""
    rows = np.array([[number // 3, 7] for number in order], np.uint32)
    assert first_equal(rows).tolist() == first_equal_slowly(rows)
