"""Shingles: the word n-grams of a text, and their hashes.

A shingle is n neighbouring words joined by one space, in UTF-8. Words are found in one of two ways,
by name: ``whitespace``, the runs between Unicode whitespace (``str.split``), and ``treebank``,
close to what the Pile used (see `dedup.treebank`). A text of fewer than n words has no shingles.

Texts are taken in pieces of about a million characters, cut at whitespace, so that words and
hashes of a huge text are never held at once. The pieces show only in that a treebank sentence
ends with its piece.

A shingle's hash has 32 bits, and is made in one of two ways, by name. ``sha1``: the first four
bytes of the shingle's SHA-1, least significant first. ``fast``, all modulo 2^64: a word of L bytes
begins as ``L * LENGTH_FACTOR``; every 8 bytes of it, the last filled up with zeros, are taken in as
a number c, least significant byte first, by ``h = (h ^ c) * WORD_FACTOR; h ^= h >> 29``; then ``h *=
LENGTH_FACTOR; h ^= h >> 32``. Words w_1 to w_n make ``r``, the sum of ``w_i * NEXT_FACTOR^(n - i)``;
then ``r = (r ^ r >> 32) * LAST_FACTOR``, and the hash is the upper half of ``(r ^ r >> 29) *
WORD_FACTOR``. No one who picks the texts should profit from a collision of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha1
from itertools import chain
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dedup import treebank

PIECE = 1 << 20
"""Characters after which a piece ends at the next whitespace."""

SPLITTERS: Mapping[str, Callable[[str], list[str]]] = MappingProxyType(
    {"whitespace": str.split, "treebank": treebank.words}
)
"""The ways to find words, by the names that settings use."""

WORD_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""What the bytes of a word are multiplied with."""
LENGTH_FACTOR = np.uint64(0xC2B2AE3D27D4EB4F)
"""What a word's length is multiplied with."""
NEXT_FACTOR = np.uint64(0xD6E8FEB86659FD93)
"""What a word's hash is multiplied with for every word behind it."""
LAST_FACTOR = np.uint64(0xFF51AFD7ED558CCD)
"""What a shingle's sum is multiplied with in the end."""

_BLANK = re.compile(r"\s")
_SPACE = ord(" ")
_HASH_BYTES = 4
_HALF, _THIRD = np.uint64(32), np.uint64(29)
_LOW = (1 << 64) - 1


def words(text: str, splitter: str = "whitespace") -> list[str]:
    """Return the words of a text."""
    return list(chain.from_iterable(map(SPLITTERS[splitter], _pieces(text))))


def shingles(text: str, n: int, splitter: str = "whitespace") -> list[bytes]:
    """Return the shingles of a text in order, repeats included."""
    found = words(text, splitter)
    return [" ".join(found[at : at + n]).encode("utf-8") for at in range(len(found) - n + 1)]


def shingle_hashes(
    text: str, n: int, splitter: str = "whitespace", hashing: str = "sha1"
) -> Iterator[NDArray[np.uint32]]:
    """Yield the hashes of a text's shingles in order, repeats included, one array a piece.

    Nothing is yielded for a text without shingles.
    """
    for found in word_runs(text, n, splitter):
        yield HASHES[hashing](found, n)


def word_runs(text: str, n: int, splitter: str) -> Iterator[list[str]]:
    """Yield the words of a text in runs of at least n, each begun with the last n - 1 of the one before."""
    held: list[str] = []
    for piece in _pieces(text):
        found = held + SPLITTERS[splitter](piece)
        if len(found) >= n:
            yield found
        held = found[max(len(found) - n + 1, 0) :]


def _pieces(text: str) -> Iterator[str]:
    """Cut a text at the first whitespace after each `PIECE` characters."""
    start = 0
    while blank := _BLANK.search(text, start + PIECE):
        yield text[start : blank.start()]
        start = blank.start()
    yield text[start:]


def _sha1_hashes(found: list[str], n: int) -> NDArray[np.uint32]:
    """Hash the shingles of at least n words; no word holds a space."""
    joined = " ".join(found).encode("utf-8")
    spaces = np.flatnonzero(np.frombuffer(joined, np.uint8) == _SPACE)
    starts = [0, *(spaces[: len(found) - n] + 1).tolist()]
    ends = [*spaces[n - 1 :].tolist(), len(joined)]
    spans = zip(starts, ends, strict=True)
    prefixes = [sha1(joined[start:end]).digest()[:_HASH_BYTES] for start, end in spans]
    return np.frombuffer(b"".join(prefixes), "<u4")


def _fast_hashes(found: list[str], n: int) -> NDArray[np.uint32]:
    """Hash the shingles of at least n words."""
    hashed = np.array([_fast_hash(word) for word in found], np.uint64)
    rolled = np.zeros(len(found) - n + 1, np.uint64)
    for start in range(n):
        rolled = rolled * NEXT_FACTOR + hashed[start : start + len(rolled)]
    mixed = (rolled ^ (rolled >> _HALF)) * LAST_FACTOR
    return (((mixed ^ (mixed >> _THIRD)) * WORD_FACTOR) >> _HALF).astype(np.uint32)


@lru_cache(maxsize=1 << 16)
def _fast_hash(word: str) -> int:
    """Hash one word to 64 bits."""
    encoded = word.encode("utf-8")
    hashed = len(encoded) * int(LENGTH_FACTOR) & _LOW
    for at in range(0, len(encoded), 8):
        number = int.from_bytes(encoded[at : at + 8], "little")
        hashed = (hashed ^ number) * int(WORD_FACTOR) & _LOW
        hashed ^= hashed >> 29
    hashed = hashed * int(LENGTH_FACTOR) & _LOW
    return hashed ^ (hashed >> 32)


HASHES: Mapping[str, Callable[[list[str], int], NDArray[np.uint32]]] = MappingProxyType(
    {"sha1": _sha1_hashes, "fast": _fast_hashes}
)
"""The ways to hash the shingles of words, by name."""
