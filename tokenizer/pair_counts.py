"""How often each pair of tokens occurs: a hash table of 16 bytes a slot.

Numba's functions change arrays in place and return new tuples of arrays where one has to grow.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import inlined, jit
from tokenizer.merge import Numbers
from tokenizer.vector import at, put, signed, unsigned

Signed: TypeAlias = NDArray[np.int64]
Index: TypeAlias = int | np.int64
"""A number that Numba holds in 64 bits."""

NO_PAIR = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""The key of an empty slot. A pair's key is its left id above its right one, 32 bits each."""

_HALF = np.uint64(32)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)
_LARGEST = 64


class PairCounts(NamedTuple):
    """Two numbers a slot, a pair's key and its count; bits to shift a hash by; slots in use."""

    slots: Numbers
    shift: np.uint64
    used: Signed


@inlined
def key_of(left: Index, right: Index) -> Any:
    """Return the key of a pair."""
    return unsigned(left) << _HALF | unsigned(right)


@inlined
def home(pairs: PairCounts, key: Any) -> int:
    """Return where in ``slots`` the search for a pair begins."""
    place: int = 2 * signed((key * _SPREAD) >> pairs.shift)
    return place


@inlined
def find(pairs: PairCounts, key: Any, place: int) -> int:
    """Return where in ``slots`` a pair is, or would be, searching from its home on."""
    last = len(pairs.slots) - 1
    while True:
        found = at(pairs.slots, place)
        if found == key:
            return place
        if found == NO_PAIR:
            return place
        place = (place + 2) & last


@inlined
def change(pairs: PairCounts, key: Any, place: int, count: int) -> int:
    """Change how often a pair occurs, searching from its home on; return its place."""
    place = find(pairs, key, place)
    if at(pairs.slots, place) == NO_PAIR:
        put(pairs.slots, place, key)
        put(pairs.slots, place + 1, unsigned(count))
        pairs.used[0] += 1
    else:
        put(pairs.slots, place + 1, at(pairs.slots, place + 1) + unsigned(count))
    return place


@inlined
def count_at(pairs: PairCounts, place: int) -> int:
    """Return the count of the pair at a place of ``slots``; of an empty one 0."""
    if at(pairs.slots, place) == NO_PAIR:
        return 0
    count: int = signed(at(pairs.slots, place + 1))
    return count


def new_pairs(bits: int) -> PairCounts:
    """Return an empty table of ``2**bits`` slots."""
    return PairCounts(np.full(2 << bits, NO_PAIR), np.uint64(64 - bits), np.zeros(1, np.int64))


@jit
def with_room(pairs: PairCounts, more: int) -> PairCounts:
    """Return a table that stays at least three eighths empty if so many pairs are added."""
    if 16 * (pairs.used[0] + more) <= 5 * len(pairs.slots):
        return pairs
    bits = _LARGEST - signed(pairs.shift)
    while 16 * (pairs.used[0] + more) > 5 * (2 << bits):
        bits += 1
    larger = PairCounts(
        np.full(2 << bits, NO_PAIR), np.uint64(_LARGEST - bits), np.zeros(1, np.int64)
    )
    for place in range(0, len(pairs.slots), 2):
        key = at(pairs.slots, place)
        if key != NO_PAIR:
            new = find(larger, key, home(larger, key))
            put(larger.slots, new, key)
            put(larger.slots, new + 1, at(pairs.slots, place + 1))
    larger.used[0] = pairs.used[0]
    return larger


@jit
def grown(array: Any, size: int) -> Any:
    """Return an array of at least ``size``, with what this one holds."""
    if size <= len(array):
        return array
    larger = np.empty(max(size, len(array) + len(array) // 2), array.dtype)
    larger[: len(array)] = array
    return larger
