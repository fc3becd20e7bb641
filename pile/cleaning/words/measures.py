"""What is measured of a text's words and lines; the same by kernels and by `pile.cleaning.words.reference`.

A word is what stands between white space. Kernels take a second to be there, so that little text is
measured by the reference until `warm` was called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pile.cleaning.words import reference
from pile.cleaning.words.classes import classes
from pile.cleaning.words.reference import (
    DUPLICATE_GRAMS,
    LONGEST_TOP_GRAM,
    Pieces,
    Repetition,
    Shape,
)

__all__ = [
    "DUPLICATE_GRAMS",
    "LONGEST_TOP_GRAM",
    "Repetition",
    "Shape",
    "repetition",
    "shape",
    "warm",
]

Hashes: TypeAlias = npt.NDArray[np.uint64]
Counts: TypeAlias = npt.NDArray[np.int64]

_warmed: list[bool] = []
"""Holds something once the kernels are loaded in this process."""


@dataclass(frozen=True, slots=True)
class _Words:
    """A text's words: hashes, the characters up to each, how many; and what was counted of them."""

    hashes: Hashes
    ends: Counts
    number: int
    counts: Counts


def warm() -> None:
    """Load the kernels, compiled if they never were on this machine; they are used from now on."""
    _by_kernels("a b", ("a",))
    _repetition_by_kernels("a b a b")
    if not _warmed:
        _warmed.append(True)


def shape(text: str, stop_words: Sequence[str]) -> Shape:
    """Return the shape of a text's words and lines; ``stop_words`` are those to be counted."""
    return (_by_kernels if _warmed else reference.shape)(text, stop_words)


def repetition(text: str) -> Repetition:
    """Return how much of a text repeats."""
    return (_repetition_by_kernels if _warmed else reference.repetition)(text)


def _by_kernels(text: str, stop_words: Sequence[str]) -> Shape:
    from pile.cleaning.words import kernels  # noqa: PLC0415 - Numba takes half a second to import

    encoded = _bytes(text)
    words = _words(encoded)
    lines = np.zeros(5, np.int64)
    kernels.read_lines(encoded, classes(), lines)
    present = kernels.count_present(_hashes(tuple(stop_words)), words.hashes, words.number)
    values: list[int] = [words.number, *words.counts[1:].tolist(), present, *lines.tolist()]
    return Shape(*values)


def _repetition_by_kernels(text: str) -> Repetition:
    from pile.cleaning.words import kernels  # noqa: PLC0415 - Numba takes half a second to import

    encoded = _bytes(text)
    words = _words(encoded)
    paragraphs, lines = np.zeros(3, np.int64), np.zeros(3, np.int64)
    kernels.repeated_pieces(encoded, 2, paragraphs)
    kernels.repeated_pieces(encoded, 1, lines)
    top = np.zeros(LONGEST_TOP_GRAM - 1, np.int64)
    kernels.top_grams(words.hashes, words.ends, words.number, LONGEST_TOP_GRAM, top)
    sizes = np.array(DUPLICATE_GRAMS, np.int64)
    duplicate = np.zeros(len(sizes), np.int64)
    kernels.duplicate_grams(words.hashes, words.ends, words.number, sizes, duplicate)
    return Repetition(
        int(words.counts[0]),
        Pieces(*paragraphs.tolist()),
        Pieces(*lines.tolist()),
        tuple(top.tolist()),
        tuple(duplicate.tolist()),
    )


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _words(encoded: npt.NDArray[np.uint8]) -> _Words:
    from pile.cleaning.words import kernels  # noqa: PLC0415 - Numba takes half a second to import

    most = (len(encoded) + 1) // 2
    hashes, ends = np.empty(most, np.uint64), np.empty(most + 1, np.int64)
    counts = np.zeros(4, np.int64)
    number = kernels.read_words(encoded, classes(), hashes, ends, counts)
    return _Words(hashes, ends, number, counts)


@cache
def _hashes(words: tuple[str, ...]) -> Hashes:
    """Return the hashes of words, which hold no white space."""
    found = _words(_bytes(" ".join(words)))
    return found.hashes[: found.number].copy()
