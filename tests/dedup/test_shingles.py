"""Words, shingles and their hashes."""

from hashlib import sha1

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import shingles as module
from dedup.shingles import SPLITTERS, shingle_hashes, shingles, words

PROSE = st.text(alphabet="ab .,'\"\n\t\u2003\u3000é語", max_size=80)


def hashes_of(text, n, splitter="whitespace"):
    """Return the hashes of all pieces of a text together."""
    return [number for piece in shingle_hashes(text, n, splitter) for number in piece.tolist()]


def test_words_lie_between_unicode_whitespace():
    """Every kind of Unicode whitespace parts words, in runs and at the ends too."""
    assert words(" one\u00a0two\u2003\u3000three\x1c\n four ") == ["one", "two", "three", "four"]
    assert words("") == []


def test_shingles_are_neighbouring_words():
    """A shingle is n neighbouring words with one space between, whatever stood there."""
    assert shingles("the  quick\nbrown fox", 3) == [b"the quick brown", b"quick brown fox"]
    assert shingles("a a a", 1) == [b"a", b"a", b"a"]


@pytest.mark.parametrize("splitter", sorted(SPLITTERS))
def test_text_of_fewer_words_has_no_shingles(splitter):
    """A text of n - 1 words has no shingles and no hashes, one of n words has one."""
    assert shingles("one two three four", 5, splitter) == []
    assert hashes_of("one two three four", 5, splitter) == []
    assert len(hashes_of("one two three four five", 5, splitter)) == 1


def test_hash_is_the_start_of_sha1():
    """A hash is the first four bytes of SHA-1, least significant first."""
    digest = sha1(b"one two").digest()
    assert hashes_of("one two", 2) == [int.from_bytes(digest[:4], "little")]


@given(PROSE, st.integers(1, 6), st.sampled_from(sorted(SPLITTERS)))
def test_hashes_are_those_of_the_shingles(text, n, splitter):
    """Hashing a text at once gives the hashes of its shingles, one by one, in order."""
    expected = [
        int.from_bytes(sha1(shingle).digest()[:4], "little")
        for shingle in shingles(text, n, splitter)
    ]
    assert hashes_of(text, n, splitter) == expected


@given(PROSE, st.integers(1, 6), st.integers(1, 20))
def test_pieces_do_not_show(text, n, size):
    """However long the pieces, words and hashes between whitespace are those of the whole."""
    whole_words, whole_hashes = words(text), hashes_of(text, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE", size)
        assert words(text) == whole_words
        assert hashes_of(text, n) == whole_hashes


def test_long_text_is_hashed_in_pieces():
    """A text of three million characters yields several arrays, none of the whole."""
    text = "word " * 600_000
    pieces = [len(piece) for piece in shingle_hashes(text, 5)]
    assert sum(pieces) == 600_000 - 4
    assert max(pieces) < 250_000


def test_hashes_are_little_endian_numbers():
    """Hashes are arrays of 32-bit numbers."""
    (piece,) = shingle_hashes("a b", 1)
    assert piece.dtype == np.dtype("<u4")
