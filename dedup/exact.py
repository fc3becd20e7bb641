"""Exact duplicates: 16-byte digests of texts, and which rows of an array are equal.

Two digests are offered, by name. ``text`` is of the text as it is. ``normalised`` is of the text
in lower case, composed (Unicode NFC), with every run of whitespace made one space and none at the
ends; it depends on the Unicode tables of the Python that runs (`unicodedata.unidata_version`).
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 16

UnsignedRows: TypeAlias = NDArray[Any]
"""Rows of unsigned integers of at most 64 bits, one row a document."""

_FOLD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: multiplication loses nothing
_HALF = np.uint64(32)


def text_digest(text: str) -> bytes:
    """Return the first 16 bytes of the SHA-256 of a text's UTF-8 bytes.

    Processors of today compute SHA-256 in hardware, faster than any other that cannot be forged.

    Raises UnicodeEncodeError for a lone surrogate, which has no UTF-8.
    """
    return sha256(text.encode("utf-8")).digest()[:DIGEST_BYTES]


def normalised(text: str) -> str:
    """Return a text in lower case, in NFC, its runs of whitespace collapsed to one space."""
    return " ".join(unicodedata.normalize("NFC", text.lower()).split())


def normalised_digest(text: str) -> bytes:
    """Return the digest of the normalised text: case, composition and whitespace do not count."""
    return text_digest(normalised(text))


DIGESTS: Mapping[str, Callable[[str], bytes]] = MappingProxyType(
    {"text": text_digest, "normalised": normalised_digest}
)
"""The digests by the names that settings use."""


def digests(texts: Iterable[str], kind: str = "text") -> NDArray[np.uint8]:
    """Return the digests of texts, one row of 16 bytes each."""
    return digest_rows(map(DIGESTS[kind], texts))


def digest_rows(found: Iterable[bytes]) -> NDArray[np.uint8]:
    """Return digests as the rows of an array."""
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST_BYTES)


def first_equal(rows: UnsignedRows) -> NDArray[np.int64]:
    """Return for every row the position of the first row that equals it; its own where none does.

    Rows are brought together by sorting 64-bit keys made of them, and then compared in full: two
    unequal rows under one key cost a slower sort, never a wrong answer.
    """
    keys = row_keys(rows)
    order = np.argsort(keys, kind="stable")  # stable: the first of a run is the first of all
    changes = _changes(rows, order)
    if np.any(changes & (np.diff(keys[order]) == 0)):
        order = np.lexsort(rows.T)
        changes = _changes(rows, order)
    starts = np.flatnonzero(np.concatenate(([True], changes))[: len(rows)])
    lengths = np.diff(starts, append=len(rows))
    first = np.empty(len(rows), np.int64)
    first[order] = np.repeat(order[starts], lengths)
    return first


def row_keys(rows: UnsignedRows) -> NDArray[np.uint64]:
    """Return one 64-bit key a row; equal rows have equal keys."""
    keys = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        keys = (keys ^ column) * _FOLD
        keys ^= keys >> _HALF
    return keys


def _changes(rows: UnsignedRows, order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say for every row but the first, in that order, whether it differs from the one before."""
    differs = np.zeros(max(len(rows) - 1, 0), np.bool_)
    for column in rows.T:
        ordered = column[order]
        differs |= ordered[1:] != ordered[:-1]
    return differs


def first_of_digest(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for every digest the position of the first one that equals it."""
    return first_equal(np.ascontiguousarray(rows).view(np.uint64))
