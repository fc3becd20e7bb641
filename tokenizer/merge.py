"""The tokens of one word: pairs are joined in the order in which they were learned.

Of all neighbouring pairs the one learned first is joined, the leftmost of several; then again, until
no pair was ever learned. Short words are searched from end to end for each step, 16 pairs at a time;
long ones keep their pairs in a heap, so that a word of n bytes takes n log n steps.

What a join's two new pairs are worth is far away in memory. It is asked for at the end of a step, and
read at the beginning of the next: several short words are merged side by side, a step each in turn,
so that memory answers one while the others go on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import jit, lean, lean_inlined
from tokenizer.split import Bytes, Mask
from tokenizer.vector import (
    at,
    highest_bit,
    load_byte,
    lowest_bit,
    prefetch,
    put,
    settle_16,
    signed,
    value_of,
)

Numbers = NDArray[np.uint64]
Signed = NDArray[np.int64]

SHORT = 62
"""Bytes of the longest word that is searched from end to end: with an end on either side, 64 symbols."""

LANES = 16
"""Short words that can be merged side by side."""

LONG_ROOM = 6
"""Numbers that a byte of a longer word needs room for."""

NEVER = np.uint64(0xFFFF_FFFF)
"""The worth of a pair that was never learned; `tokenizer.coverage` sees to it that no rank reaches it."""

_LANE = 64
_END = 0xFFFF
"""What stands before and behind a word: no pair holds it, as `tokenizer.coverage` sees to."""

_EMPTY = np.uint32(0xFFFF_FFFF)
_LINE = 16
_VALUES = 8
_ID_BITS = np.uint64(16)
_ID = np.uint64(0xFFFF)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Merges(NamedTuple):
    """A tokenizer's merges, and the ids of bytes. Ids have 16 bits.

    The worth of a pair is its rank and the id of the token it makes, 16 bits each. That of two bytes
    is found by the bytes; that of two ids in ``pairs``, lines of eight pairs (left id, right id) and
    what each is worth, filled from the first on. A pair that finds its line full is in the next with room.
    """

    byte_ids: NDArray[np.int64]
    byte_pairs: NDArray[np.uint32]
    pairs: NDArray[np.uint32]
    shift: np.uint64


class Workspace(NamedTuple):
    """Room for short words that are merged side by side, each in a lane.

    A lane has 64 symbols, of which the first and the one behind the word are `_END`, the worth of each
    with the next, the number of those in use, and a mask of the places that still hold one: symbols
    stay where their first bytes are. ``right`` is the place that the last join took in, ``joined`` is
    the place of the last join, whose pairs are still to be read, or -1. ``running`` lists lanes.
    """

    symbols: NDArray[np.int64]
    worth: NDArray[np.uint32]
    bytes: NDArray[np.int64]
    live: Numbers
    right: NDArray[np.int64]
    joined: NDArray[np.int64]
    running: NDArray[np.int64]


def workspace() -> Workspace:
    """Return room for one thread."""
    return Workspace(
        symbols=np.full(LANES * _LANE, _END, np.int64),
        worth=aligned(LANES * _LANE // 2, _ALL).view(np.uint32),
        bytes=np.zeros(LANES, np.int64),
        live=np.zeros(LANES, np.uint64),
        right=np.zeros(LANES, np.int64),
        joined=np.zeros(LANES, np.int64),
        running=np.zeros(LANES, np.int64),
    )


def table(ids: dict[int, int], pairs: list[tuple[int, int, int]]) -> Merges:
    """Return the merges as kernels read them: ids of bytes, and (left, right, joined) in order."""
    bits = max(1, (len(pairs) // 4).bit_length())
    byte_ids = np.zeros(256, dtype=np.int64)
    for byte, number in ids.items():
        byte_ids[byte] = number
    merges = Merges(
        byte_ids,
        np.full(1 << 16, NEVER, dtype=np.uint32),
        aligned(_LINE // 2 << bits, _ALL).view(np.uint32),
        np.uint64(64 - bits),
    )
    _fill(merges, np.array(pairs, dtype=np.uint64).reshape(-1, 3))
    _fill_bytes(merges)
    return merges


def aligned(size: int, value: np.uint64) -> Numbers:
    """Return an array whose lines of eight numbers are lines of the processor's cache."""
    array = np.full(size + 8, value, dtype=np.uint64)
    first = -(array.ctypes.data // 8) % 8
    return array[first : first + size]


@jit
def _fill(merges: Merges, pairs: NDArray[np.uint64]) -> None:
    for rank in range(len(pairs)):
        pair = np.uint32(pairs[rank, 0] << _ID_BITS | pairs[rank, 1])
        line, way = _LINE * _line(merges, pair), 0
        while merges.pairs[line + way] != _EMPTY and merges.pairs[line + way] != pair:
            way += 1
            if way == _VALUES:
                line, way = (line + _LINE) % len(merges.pairs), 0
        merges.pairs[line + way] = pair
        merges.pairs[line + way + _VALUES] = np.uint64(rank) << _ID_BITS | pairs[rank, 2]


@jit
def _fill_bytes(merges: Merges) -> None:
    for left in range(256):
        for right in range(256):
            worth = _worth(merges, merges.byte_ids[left], merges.byte_ids[right])
            merges.byte_pairs[left << 8 | right] = worth


@lean_inlined
def _line(merges: Merges, pair: Mask) -> int:
    line: int = signed((np.uint64(pair) * _SPREAD) >> merges.shift)
    return line


@lean_inlined
def _worth(merges: Merges, left: int, right: int) -> Mask:
    """Return rank and id of what a pair makes, or `NEVER`."""
    pair = np.uint64(left) << _ID_BITS | np.uint64(right)
    place = _LINE * _line(merges, pair)
    worth = value_of(merges.pairs, place, pair)
    # Few lines are full: the processor guesses right, as it would not whether the pair is there.
    if at(merges.pairs, place + _VALUES - 1) != _EMPTY:
        while worth == NEVER and at(merges.pairs, place + _VALUES - 1) != _EMPTY:
            place += _LINE
            if place == len(merges.pairs):
                place = 0
            worth = value_of(merges.pairs, place, pair)
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
    """Write the tokens of a word of at most `SHORT` bytes to ``ids``; return the place after."""
    begin(text, word, merges, room, 0)
    merge_lanes(merges, room, 1)
    return write_tokens(room, 0, ids, place)


@lean
def begin(text: Bytes, word: tuple[int, int], merges: Merges, room: Workspace, lane: int) -> None:
    """Put the bytes of a word into a lane, and what each is worth with the next.

    All pairs of a lane are worth `NEVER` before, as they are once its word is merged.
    """
    start, length = word
    first = lane * _LANE
    byte = load_byte(text, start)
    for place in range(first + 1, first + 1 + length):
        put(room.symbols, place, at(merges.byte_ids, byte))
        start += 1
        following = load_byte(text, start)
        put(room.worth, place, at(merges.byte_pairs, byte << 8 | following))
        byte = following
    put(room.symbols, first + length + 1, _END)
    put(room.worth, first + length, np.uint32(NEVER))
    put(room.bytes, lane, length + 2)
    put(room.live, lane, _ALL >> np.uint64(62 - length))
    put(room.right, lane, -1)
    put(room.joined, lane, -1)


@lean
def merge_lanes(merges: Merges, room: Workspace, lanes: int) -> None:
    """Merge the words of the first lanes, a step of each in turn."""
    running = lanes
    for lane in range(lanes):
        put(room.running, lane, lane)
    while running > 0:
        still = 0
        for number in range(running):
            lane = at(room.running, number)
            if _step(merges, room, lane):
                put(room.running, still, lane)
                still += 1
        running = still


@lean
def write_tokens(room: Workspace, lane: int, ids: NDArray[np.uint32], place: int) -> int:
    """Write what a lane holds; return the place after."""
    live = at(room.live, lane)
    live &= live - _ONE
    while True:
        symbol = at(room.symbols, lane * _LANE + lowest_bit(live))
        live &= live - _ONE
        if not live:
            return place  # the end behind the word
        put(ids, place, np.uint32(symbol))
        place += 1


@lean_inlined
def _step(merges: Merges, room: Workspace, lane: int) -> bool:
    """Join the best pair of a lane; return whether there was one."""
    symbols, first = room.symbols, lane * _LANE
    live = at(room.live, lane)
    right, joined = at(room.right, lane), at(room.joined, lane)
    left, behind, before = joined, NEVER, NEVER
    if joined >= 0:
        left = _last(live, joined)
        made = at(symbols, first + joined)
        behind = _worth(merges, made, at(symbols, first + _next(live, joined)))
        before = _worth(merges, at(symbols, first + left), made)
    values = behind, before, NEVER
    best, place = settle_16(room.worth, first, (joined, left, right), values)
    for block in range(16, at(room.bytes, lane), 16):
        places = joined - block, left - block, right - block
        least, found = settle_16(room.worth, first + block, places, values)
        if least < best:
            best, place = least, block + found
    if best == NEVER:
        return False
    made = signed(best & _ID)
    right = _next(live, place)
    live &= ~(_ONE << np.uint64(right))
    put(symbols, first + place, made)
    put(room.live, lane, live)
    put(room.right, lane, right)
    put(room.joined, lane, place)
    _ask_for(merges, made, at(symbols, first + _next(live, place)))
    _ask_for(merges, at(symbols, first + _last(live, place)), made)
    return True


@lean_inlined
def _next(live: Mask, place: int) -> int:
    """Return the place that holds a symbol after one; there is an end behind the word."""
    following: int = lowest_bit(live & (_ALL << np.uint64(place)) & ~(_ONE << np.uint64(place)))
    return following


@lean_inlined
def _last(live: Mask, place: int) -> int:
    """Return the place that holds a symbol before one; there is an end before the word."""
    before: int = highest_bit(live & ((_ONE << np.uint64(place)) - _ONE))
    return before


@lean_inlined
def _ask_for(merges: Merges, left: int, right: int) -> None:
    """Ask memory for the line of a pair."""
    pair = np.uint64(left) << _ID_BITS | np.uint64(right)
    prefetch(merges.pairs, _LINE * _line(merges, pair))


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
