"""The tokens of one word: pairs are joined in the order in which they were learned.

Of all neighbouring pairs the one learned first is joined, the leftmost of several; then again, until
no pair was ever learned. Short words are searched from end to end for each step, long ones keep
their pairs in a heap, so that a word of n bytes takes n log n steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import jit
from tokenizer.split import Bytes, Mask
from tokenizer.vector import at, load_byte, put, signed

Numbers = NDArray[np.uint64]

SHORT = 128
"""Bytes of the longest word that is searched from end to end."""

NEVER = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""The worth of a pair that was never learned."""

_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Merges(NamedTuple):
    """A tokenizer's merges: ids of bytes, and a hash table of pairs.

    The table holds two numbers a slot: the ids of a pair, and its worth, which is its rank and the
    id of the token it makes. Either is two numbers of 32 bits, the first above the second.
    """

    byte_ids: NDArray[np.int64]
    pairs: Numbers
    shift: np.uint64


class Workspace(NamedTuple):
    """Room for the symbols of a short word and the worth of each with the next."""

    symbols: NDArray[np.int64]
    worth: Numbers


def workspace() -> Workspace:
    """Return room for one thread."""
    return Workspace(np.zeros(SHORT, np.int64), np.zeros(SHORT, np.uint64))


def table(ids: dict[int, int], pairs: list[tuple[int, int, int]]) -> Merges:
    """Return the merges as kernels read them: ids of bytes, and (left, right, joined) in order."""
    bits = max(4, (3 * len(pairs)).bit_length())
    byte_ids = np.zeros(256, dtype=np.int64)
    for byte, number in ids.items():
        byte_ids[byte] = number
    merges = Merges(byte_ids, np.full(2 << bits, NEVER), np.uint64(64 - bits))
    _fill(merges.pairs, merges.shift, np.array(pairs, dtype=np.uint64).reshape(-1, 3))
    return merges


@jit
def _fill(table: Numbers, shift: Mask, pairs: NDArray[np.uint64]) -> None:
    last = table.size // 2 - 1
    for rank in range(len(pairs)):
        pair = pairs[rank, 0] << _HALF | pairs[rank, 1]
        slot = signed((pair * _SPREAD) >> shift)
        while table[2 * slot] != NEVER and table[2 * slot] != pair:
            slot = (slot + 1) & last
        table[2 * slot] = pair
        table[2 * slot + 1] = np.uint64(rank) << _HALF | pairs[rank, 2]


@jit
def _worth(merges: Merges, left: int, right: int) -> Mask:
    """Return rank and id of what a pair makes, or `NEVER`."""
    pair = np.uint64(left) << _HALF | np.uint64(right)
    last = merges.pairs.size // 2 - 1
    slot = signed((pair * _SPREAD) >> merges.shift)
    while True:
        found = at(merges.pairs, 2 * slot)
        if found == pair:
            return at(merges.pairs, 2 * slot + 1)
        if found == NEVER:
            return NEVER
        slot = (slot + 1) & last


@jit
def merge_short(text: Bytes, start: int, length: int, merges: Merges, room: Workspace) -> int:
    """Put the tokens of a word of at most `SHORT` bytes in ``room.symbols``; return their number."""
    symbols, worth = room
    for place in range(length):
        put(symbols, place, at(merges.byte_ids, load_byte(text, start + place)))
    for place in range(length - 1):
        put(worth, place, _worth(merges, at(symbols, place), at(symbols, place + 1)))
    while length > 1:
        best, best_place = NEVER, 0
        for place in range(length - 1):
            if at(worth, place) < best:
                best, best_place = at(worth, place), place
        if best == NEVER:
            break
        put(symbols, best_place, signed(best & _LOW))
        length -= 1
        for place in range(best_place + 1, length):
            put(symbols, place, at(symbols, place + 1))
            put(worth, place - 1, at(worth, place))
        if best_place < length - 1:
            worth[best_place] = _worth(merges, symbols[best_place], symbols[best_place + 1])
        if best_place > 0:
            worth[best_place - 1] = _worth(merges, symbols[best_place - 1], symbols[best_place])
    return length


@jit
def _push(heap: Numbers, size: int, item: Mask) -> None:
    """Add to a heap of ``size`` items, the least on top."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent] <= item:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = item


@jit
def _drop_top(heap: Numbers, size: int) -> None:
    """Take the least of ``size`` items away."""
    item = heap[size - 1]
    size -= 1
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = item


@jit
def _offer(
    heap: Numbers, size: int, merges: Merges, symbols: NDArray[np.int64], pair: tuple[int, int]
) -> int:
    """Put the pair at two places on the heap, if it was learned; return the heap's size."""
    worth = _worth(merges, symbols[pair[0]], symbols[pair[1]])
    if worth == NEVER:
        return size
    _push(heap, size, (worth >> _HALF) << _HALF | np.uint64(pair[0]))
    return size + 1


@jit
def merge_long(text: Bytes, start: int, length: int, merges: Merges) -> NDArray[np.int64]:
    """Return the tokens of a word of any length below 2**31 bytes."""
    symbols = np.empty(length, np.int64)
    after = np.arange(1, length + 1)
    before = np.arange(-1, length - 1)
    heap = np.empty(3 * length, np.uint64)  # each of the joins makes two new pairs at most
    size = 0
    for place in range(length):
        symbols[place] = merges.byte_ids[text[start + place]]
        if place > 0:
            size = _offer(heap, size, merges, symbols, (place - 1, place))
    while size > 0:
        top = heap[0]
        _drop_top(heap, size)
        size -= 1
        left = signed(top & _LOW)
        right = after[left]
        if symbols[left] < 0 or right >= length:
            continue
        worth = _worth(merges, symbols[left], symbols[right])
        if worth == NEVER or worth >> _HALF != top >> _HALF:
            continue  # one of the two was joined with another since
        symbols[left] = signed(worth & _LOW)
        symbols[right] = -1
        after[left] = after[right]
        if after[left] < length:
            before[after[left]] = left
            size = _offer(heap, size, merges, symbols, (left, after[left]))
        if before[left] >= 0:
            size = _offer(heap, size, merges, symbols, (before[left], left))
    return symbols[symbols >= 0]
