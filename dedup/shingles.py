"""Shingles: the word n-grams of a text, and their hashes.

A shingle is n neighbouring words joined by one space, in UTF-8. Words are found in one of two ways,
by name: ``whitespace``, the runs between Unicode whitespace (``str.split``), and ``treebank``,
close to what the Pile used (see `dedup.treebank`). A text of fewer than n words has no shingles.

Texts are taken in pieces of about a million characters, cut at whitespace, so that words and
hashes of a huge text are never held at once. The pieces show only in that a treebank sentence
ends with its piece.
"""

import re
from collections.abc import Callable, Iterator, Mapping
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

_BLANK = re.compile(r"\s")
_SPACE = ord(" ")
_HASH_BYTES = 4


def words(text: str, splitter: str = "whitespace") -> list[str]:
    """Return the words of a text."""
    return list(chain.from_iterable(map(SPLITTERS[splitter], _pieces(text))))


def shingles(text: str, n: int, splitter: str = "whitespace") -> list[bytes]:
    """Return the shingles of a text in order, repeats included."""
    found = words(text, splitter)
    return [" ".join(found[at : at + n]).encode("utf-8") for at in range(len(found) - n + 1)]


def shingle_hashes(text: str, n: int, splitter: str = "whitespace") -> Iterator[NDArray[np.uint32]]:
    """Yield the hashes of a text's shingles in order, repeats included, one array a piece.

    A hash is the first four bytes of the shingle's SHA-1, least significant first. Nothing is
    yielded for a text without shingles.
    """
    held: list[str] = []
    for piece in _pieces(text):
        found = held + SPLITTERS[splitter](piece)
        if len(found) >= n:
            yield _hashes(found, n)
        held = found[max(len(found) - n + 1, 0) :]


def _pieces(text: str) -> Iterator[str]:
    """Cut a text at the first whitespace after each `PIECE` characters."""
    start = 0
    while blank := _BLANK.search(text, start + PIECE):
        yield text[start : blank.start()]
        start = blank.start()
    yield text[start:]


def _hashes(found: list[str], n: int) -> NDArray[np.uint32]:
    """Hash the shingles of at least n words; no word holds a space."""
    joined = " ".join(found).encode("utf-8")
    spaces = np.flatnonzero(np.frombuffer(joined, np.uint8) == _SPACE)
    starts = [0, *(spaces[: len(found) - n] + 1).tolist()]
    ends = [*spaces[n - 1 :].tolist(), len(joined)]
    spans = zip(starts, ends, strict=True)
    prefixes = [sha1(joined[start:end]).digest()[:_HASH_BYTES] for start, end in spans]
    return np.frombuffer(b"".join(prefixes), "<u4")
