"""How often each pair of tokens occurs, and in which words: what learning merges looks up.

Numba's functions change arrays in place and return new tuples of arrays where one has to grow.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import inlined, jit
from tokenizer.merge import Numbers
from tokenizer.vector import signed

Signed: TypeAlias = NDArray[np.int64]
Index: TypeAlias = int | np.int64
"""A number that Numba holds in 64 bits."""

NO_PAIR = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""The key of an empty slot. A pair's key is its left id above its right one, 32 bits each."""

_HALF = np.uint64(32)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Pairs(NamedTuple):
    """A hash table: keys, counts, and each pair's number among those found, or -1; slots in use."""

    keys: Numbers
    counts: Signed
    numbers: Signed
    used: Signed


class Found(NamedTuple):
    """Pairs that gained occurrences in one step, and the words where they did.

    By number of the pair: its key, how many words, and the last of these. By place in the order of
    finding: the pair's number and the word. ``used`` says how much of either is in use.
    """

    keys: Numbers
    sizes: Signed
    last: Signed
    pairs: NDArray[np.int32]
    words: NDArray[np.int32]
    used: Signed


@inlined
def pair_slot(keys: Numbers, key: Any) -> int:
    """Return where a pair is in the table, or would be."""
    last = len(keys) - 1
    mixed = (key ^ key >> _HALF) * _SPREAD
    slot: int = signed(mixed >> _HALF) & last
    while keys[slot] != NO_PAIR and keys[slot] != key:
        slot = (slot + 1) & last
    return slot


@jit
def new_pairs(size: int) -> Pairs:
    """Return an empty table of a power of two slots."""
    empty = np.full(size, NO_PAIR)
    return Pairs(empty, np.zeros(size, np.int64), np.full(size, -1), np.zeros(1, np.int64))


@jit
def new_found(size: int) -> Found:
    """Return room for so many pairs and words."""
    return Found(
        np.empty(size, np.uint64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.zeros(2, np.int64),
    )


@jit
def grown(array: Any, size: int) -> Any:
    """Return an array of at least ``size``, with what this one holds."""
    if size <= len(array):
        return array
    larger = np.empty(max(size, len(array) + len(array) // 2), array.dtype)
    larger[: len(array)] = array
    return larger


@jit
def with_room(pairs: Pairs, more: int) -> Pairs:
    """Return a table that stays half empty if so many pairs are added."""
    while 2 * (pairs.used[0] + more) > len(pairs.keys):
        larger = new_pairs(2 * len(pairs.keys))
        for slot in range(len(pairs.keys)):
            if pairs.keys[slot] != NO_PAIR:
                new = pair_slot(larger.keys, pairs.keys[slot])
                larger.keys[new] = pairs.keys[slot]
                larger.counts[new] = pairs.counts[slot]
                larger.numbers[new] = pairs.numbers[slot]
        larger.used[0] = pairs.used[0]
        pairs = larger
    return pairs


@jit
def found_with_room(found: Found, more: int) -> Found:
    """Return a list that has room for so many pairs and words more."""
    pairs, words = found.used[0] + more, found.used[1] + more
    if pairs <= len(found.keys) and words <= len(found.words):
        return found
    return Found(
        grown(found.keys, pairs),
        grown(found.sizes, pairs),
        grown(found.last, pairs),
        grown(found.pairs, words),
        grown(found.words, words),
        found.used,
    )


@inlined
def add(pairs: Pairs, found: Found, pair: tuple[Index, Index], count: Index, word: Index) -> None:
    """Add occurrences of a pair in a word; there is room for it."""
    slot = change(pairs, pair, count)
    number = pairs.numbers[slot]
    if number < 0:
        number = found.used[0]
        pairs.numbers[slot] = number
        found.keys[number] = pairs.keys[slot]
        found.sizes[number] = 0
        found.last[number] = -1
        found.used[0] += 1
    if found.last[number] != word:
        found.last[number] = word
        found.sizes[number] += 1
        place = found.used[1]
        found.pairs[place] = number
        found.words[place] = word
        found.used[1] += 1


@inlined
def change(pairs: Pairs, pair: tuple[Index, Index], count: Index) -> int:
    """Change how often a pair occurs; return its slot."""
    key = np.uint64(pair[0]) << _HALF | np.uint64(pair[1])
    slot = pair_slot(pairs.keys, key)
    if pairs.keys[slot] == NO_PAIR:
        pairs.keys[slot] = key
        pairs.used[0] += 1
    pairs.counts[slot] += count
    return slot
