"""The tokens of one word: pairs are joined in the order in which they were learned.

Of all neighbouring pairs the one learned first is joined, the leftmost of several; then again, until
no pair was ever learned. Short words are searched from end to end for each step, 16 pairs at a time;
long ones keep their pairs in a heap, so that a word of n bytes takes n log n steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import jit, lean, lean_inlined
from tokenizer.split import Bytes, Mask
from tokenizer.vector import (
    at,
    highest_bit,
    least_of_16,
    load_byte,
    low_half_of,
    lowest_bit,
    put,
    signed,
)

Numbers = NDArray[np.uint64]
Signed = NDArray[np.int64]

SHORT = 64
"""Bytes of the longest word that is searched from end to end."""

LONG_ROOM = 6
"""Numbers that a byte of a longer word needs room for."""

NEVER = np.uint64(0xFFFF_FFFF)
"""The worth of a pair that was never learned; `tokenizer.coverage` sees to it that no rank reaches it."""

_EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_LINE = 8
_ID_BITS = np.uint64(16)
_ID = np.uint64(0xFFFF)
_BYTE_BITS = np.uint64(8)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Merges(NamedTuple):
    """A tokenizer's merges, and the ids of bytes. Ids have 16 bits.

    The worth of a pair is its rank and the id of the token it makes, 16 bits each. That of two bytes
    is found by the bytes; that of two ids in ``pairs``, lines of eight, filled from the first on:
    left id, right id, worth. A pair that finds its line full is in the next with room.
    """

    byte_ids: NDArray[np.int64]
    byte_pairs: NDArray[np.uint32]
    pairs: Numbers
    shift: np.uint64


class Workspace(NamedTuple):
    """Room for the symbols of a short word, and the worth of each with the next."""

    symbols: NDArray[np.int64]
    worth: NDArray[np.uint32]


def workspace() -> Workspace:
    """Return room for one thread."""
    return Workspace(np.zeros(SHORT, np.int64), np.zeros(SHORT, np.uint32))


def table(ids: dict[int, int], pairs: list[tuple[int, int, int]]) -> Merges:
    """Return the merges as kernels read them: ids of bytes, and (left, right, joined) in order."""
    bits = max(1, (len(pairs) // 4).bit_length())
    byte_ids = np.zeros(256, dtype=np.int64)
    for byte, number in ids.items():
        byte_ids[byte] = number
    merges = Merges(
        byte_ids,
        np.full(1 << 16, NEVER, dtype=np.uint32),
        aligned(_LINE << bits, _EMPTY),
        np.uint64(64 - bits),
    )
    _fill(merges, np.array(pairs, dtype=np.uint64).reshape(-1, 3))
    _fill_bytes(merges)
    return merges


def aligned(size: int, value: np.uint64) -> Numbers:
    """Return an array whose lines of eight numbers are lines of the processor's cache."""
    array = np.full(size + _LINE, value, dtype=np.uint64)
    first = -(array.ctypes.data // 8) % _LINE
    return array[first : first + size]


@jit
def _fill(merges: Merges, pairs: NDArray[np.uint64]) -> None:
    for rank in range(len(pairs)):
        pair = pairs[rank, 0] << _ID_BITS | pairs[rank, 1]
        slot = _LINE * _line(merges, pair)
        while merges.pairs[slot] != _EMPTY and merges.pairs[slot] >> _HALF != pair:
            slot = (slot + 1) % len(merges.pairs)
        merges.pairs[slot] = pair << _HALF | np.uint64(rank) << _ID_BITS | pairs[rank, 2]


@jit
def _fill_bytes(merges: Merges) -> None:
    for left in range(256):
        for right in range(256):
            worth = _worth(merges, merges.byte_ids[left], merges.byte_ids[right])
            merges.byte_pairs[left << 8 | right] = worth


@lean_inlined
def _line(merges: Merges, pair: Mask) -> int:
    line: int = signed((pair * _SPREAD) >> merges.shift)
    return line


@lean_inlined
def _worth(merges: Merges, left: int, right: int) -> Mask:
    """Return rank and id of what a pair makes, or `NEVER`."""
    pair = np.uint64(left) << _ID_BITS | np.uint64(right)
    place = _LINE * _line(merges, pair)
    worth = low_half_of(merges.pairs, place, pair)
    while worth == NEVER and at(merges.pairs, place + _LINE - 1) != _EMPTY:
        place = (place + _LINE) % len(merges.pairs)
        worth = low_half_of(merges.pairs, place, pair)
    return worth


@lean
def merge_short(
    text: Bytes,
    word: tuple[int, int],
    merges: Merges,
    room: Workspace,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the tokens of a word of at most `SHORT` bytes to ``ids``; return the place after.

    Symbols stay where their first bytes are; ``live`` tells which places still hold one.
    """
    _, length = word
    symbols, worth = room
    live = _ALL >> np.uint64(64 - length)
    blocks = (length + 15) >> 4
    _begin(text, word, merges, room)
    while True:
        best, joined = least_of_16(worth, 0)
        for block in range(1, blocks):
            least, found = least_of_16(worth, 16 * block)
            if least < best:
                best, joined = least, 16 * block + found
        if best == NEVER:
            break
        made = signed(best & _ID)
        put(symbols, joined, made)
        after = live & (_ALL << np.uint64(joined)) & ~(_ONE << np.uint64(joined))
        right = lowest_bit(after)
        put(worth, right, np.uint32(NEVER))
        live &= ~(_ONE << np.uint64(right))
        after &= after - _ONE
        value = NEVER
        if after:
            value = _worth(merges, made, at(symbols, lowest_bit(after)))
        put(worth, joined, np.uint32(value))
        before = live & ((_ONE << np.uint64(joined)) - _ONE)
        if before:
            left = highest_bit(before)
            put(worth, left, np.uint32(_worth(merges, at(symbols, left), made)))
    while live:
        put(ids, place, np.uint32(at(symbols, lowest_bit(live))))
        place += 1
        live &= live - _ONE
    return place


@lean_inlined
def _begin(text: Bytes, word: tuple[int, int], merges: Merges, room: Workspace) -> None:
    """Put the bytes of a word into the workspace, and what each is worth with the next."""
    start, length = word
    symbols, worth = room
    byte = load_byte(text, start)
    for place in range(length):
        put(symbols, place, at(merges.byte_ids, byte))
        following = load_byte(text, start + place + 1)
        put(worth, place, at(merges.byte_pairs, byte << 8 | following))
        byte = following
    for place in range(length - 1, (length + 15) & ~15):
        put(worth, place, np.uint32(NEVER))


@lean
def _push(heap: Signed, size: int, item: int) -> None:
    """Add to a heap of ``size`` items, the least on top."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent] <= item:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = item


@lean
def _drop_top(heap: Signed, size: int) -> None:
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


@lean
def _offer(heap: Signed, size: int, merges: Merges, symbols: Signed, pair: tuple[int, int]) -> int:
    """Put the pair at two places on the heap, if it was learned; return the heap's size."""
    worth = _worth(merges, symbols[pair[0]], symbols[pair[1]])
    if worth == NEVER:
        return size
    _push(heap, size, signed(worth >> _ID_BITS) << 32 | pair[0])
    return size + 1


@lean
def merge_long(
    text: Bytes,
    word: tuple[int, int],
    merges: Merges,
    room: Signed,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the tokens of a word of any length below 2**31 bytes; return the place after.

    ``room`` holds `LONG_ROOM` numbers a byte: each of the joins makes two new pairs at most.
    """
    start, length = word
    symbols, after, before = room[:length], room[length:], room[2 * length :]
    heap, size = room[3 * length :], 0
    for byte in range(length):
        symbols[byte] = merges.byte_ids[text[start + byte]]
        after[byte], before[byte] = byte + 1, byte - 1
        if byte > 0:
            size = _offer(heap, size, merges, symbols, (byte - 1, byte))
    while size > 0:
        top = heap[0]
        _drop_top(heap, size)
        size -= 1
        left = top & 0xFFFF_FFFF
        right = after[left]
        if symbols[left] < 0 or right >= length:
            continue
        worth = _worth(merges, symbols[left], symbols[right])
        if worth == NEVER or signed(worth >> _ID_BITS) != top >> 32:
            continue  # one of the two was joined with another since
        symbols[left] = signed(worth & _ID)
        symbols[right] = -1
        after[left] = after[right]
        if after[left] < length:
            before[after[left]] = left
            size = _offer(heap, size, merges, symbols, (left, after[left]))
        if before[left] >= 0:
            size = _offer(heap, size, merges, symbols, (before[left], left))
    for symbol in symbols:
        if symbol >= 0:
            ids[place] = np.uint32(symbol)
            place += 1
    return place
