"""Kernels that look at sorted rows one after the other, and sets of numbers as bits.

A set of numbers below N is an array of N / 8 bytes, rounded up; number i is bit ``i % 8`` of byte
``i // 8``.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_compiled = njit(cache=True, nogil=True)

Bits = NDArray[np.uint8]


def no_bits(count: int) -> Bits:
    """Return an empty set of numbers below ``count``."""
    return np.zeros((count + 7) // 8, np.uint8)


def add_bits(bits: Bits, numbers: NDArray[Any]) -> None:
    """Put numbers, any of them more than once, into a set."""
    places = numbers.astype(np.int64)
    np.bitwise_or.at(bits, places >> 3, np.left_shift(np.uint8(1), (places & 7).astype(np.uint8)))


def has_bits(bits: Bits, numbers: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of every number whether it is in a set."""
    places = numbers.astype(np.int64)
    shifted: NDArray[np.uint8] = bits[places >> 3] >> (places & 7).astype(np.uint8)
    return (shifted & np.uint8(1)).view(np.bool_)


@_compiled
def insert_if_new(rows: Any, taken: Any, removed: Any, decided: int) -> None:
    """Keep documents in order, each unless a bucket of its own holds a kept one already.

    Rows are (document, bucket), in order, all rows of a document together. ``taken`` are buckets
    that hold a kept document, ``removed`` the documents that are not kept; both are added to.
    Documents below ``decided`` are kept whatever they share.
    """
    start = 0
    while start < len(rows):
        document = rows[start, 0]
        stop, found = start, False
        while stop < len(rows) and rows[stop, 0] == document:
            bucket = rows[stop, 1]
            found |= (taken[bucket >> np.uint64(3)] >> (bucket & np.uint64(7))) & 1 == 1
            stop += 1
        if found and document >= decided:
            removed[document >> np.uint64(3)] |= np.uint8(1 << np.int64(document & np.uint64(7)))
        else:
            for row in range(start, stop):
                bucket = rows[row, 1]
                taken[bucket >> np.uint64(3)] |= np.uint8(1 << np.int64(bucket & np.uint64(7)))
        start = stop


@_compiled
def roots(edges: Any, parents: Any) -> None:
    """Join the sets of both ends of edges; ``parents`` then leads from all to the least of their set.

    Numbers begin as their own parents. The result does not depend on the order of edges.
    """
    for edge in range(len(edges)):
        one, other = edges[edge, 0], edges[edge, 1]
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        while parents[other] != other:
            parents[other] = parents[parents[other]]
            other = parents[other]
        if one < other:
            parents[other] = one
        else:
            parents[one] = other
    for number in range(len(parents)):
        parents[number] = parents[parents[number]]
