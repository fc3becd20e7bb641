"""Words of up to 31 bytes that are not in the cache: some are merged side by side, and kept."""

import numpy as np
from numpy.typing import NDArray

from tokenizer.cache import (
    COUNT_PLACE,
    FIRST_IDS,
    LINE_BYTES,
    LINE_IDS,
    MERGED,
    NONE,
    VALUES,
    Cache,
    copy,
    hash_long,
    hash_short,
    holds,
    in_line,
    keep_line,
    keep_long,
    keep_short,
    packed,
    place_of,
    slot_of,
)
from tokenizer.jit import lean, lean_inlined
from tokenizer.merge import LANES, begin, merge_lanes, write_tokens
from tokenizer.split import Bytes
from tokenizer.tables import Tables
from tokenizer.vector import at, put, signed, spread

_ODD = np.uint64(1)

Word = tuple[int, int, int]
"""Where a word begins, its length, and its number among those that are looked at together."""


@lean
def is_run(text: Bytes, start: int, length: int, run_ids: NDArray[np.int64]) -> bool:
    """Tell whether a word is a run of spaces that has tokens of its own."""
    if len(run_ids) == 0 or length == 1:
        return False
    for place in range(start, start + length):  # noqa: SIM110 - Numba compiles no generators
        if text[place] != 32:
            return False
    return True


@lean
def find(count: int, tables: Tables) -> int:
    """Find the values of the words looked at together; return how many have none, which are listed."""
    ahead, unknown = tables.ahead, 0
    for number in range(count):
        value = _value_of(number, tables)
        put(ahead.values, number, value)
        put(ahead.unknown, unknown, number)
        unknown += int(value == 0)
    return unknown


@lean_inlined
def _value_of(number: int, tables: Tables) -> int:
    """Return the place of the value of a word of less than 16 bytes, or 0."""
    low, other, lines = tables.ahead.low, tables.ahead.other, tables.ahead.lines
    return place_of(tables.cache, at(lines, number), at(low, number), at(other, number))


@lean_inlined
def write_line(cache: Cache, line: int, ids: NDArray[np.uint32], place: int) -> int:
    """Write the ids of a word that has a line to itself; return the place after."""
    first = at(cache.lines, line + VALUES)
    spread(ids, place, first)
    for value in range(1, VALUES):  # there is room: ids are not more than bytes
        after = place + FIRST_IDS + 4 * (value - 1)
        spread(ids, after, at(cache.lines, line + VALUES + value))
    count: int = signed(first >> COUNT_PLACE)
    return place + count


@lean
def write_known(
    text: Bytes, word: Word, tables: Tables, ids: NDArray[np.uint32], place: int
) -> int:
    """Write the ids of a word of up to 31 bytes that are not in its value; return the place after.

    It is the same place if the cache does not have them.
    """
    start, length, number = word
    cache, line = tables.cache, at(tables.ahead.lines, number)
    if length < 16:
        value = at(tables.ahead.values, number)
        if value == 0:
            return place
        slot = signed(at(cache.lines, value))
        return copy(cache, slot, ids, place) if holds(cache, slot, text, (start, length)) else place
    if in_line(cache, line, text, start, length):
        return write_line(cache, line, ids, place)
    slot = slot_of(cache, text, (start, length), hash_long(text, start, length))
    if at(cache.long, slot) == NONE:
        return place
    after = copy(cache, slot, ids, place)
    if after - place <= LINE_IDS:
        keep_line(cache, line, text, (start, length), ids[place:after])
    return after


@lean
def merge_unknown(
    text: Bytes, starts: NDArray[np.int64], batch: tuple[int, int], tables: Tables
) -> None:
    """Merge the words of up to 31 bytes that `find` found no values for, and keep them.

    ``batch`` is the first of the words looked at together, and how many have no value.
    """
    first, unknown = batch
    ahead, lanes = tables.ahead, 0
    for candidate in range(unknown):
        number = at(ahead.unknown, candidate)
        start = at(starts, first + number)
        length = at(starts, first + number + 1) - start
        if length > LINE_BYTES or is_run(text, start, length, tables.run_ids):
            continue
        if length > 15:
            line = at(ahead.lines, number)
            if in_line(tables.cache, line, text, start, length):
                put(ahead.values, number, -line)
                continue
            slot = slot_of(tables.cache, text, (start, length), hash_long(text, start, length))
            if at(tables.cache.long, slot) != NONE:
                continue
        begin(text, (start, length), tables.merges, tables.room, lanes)
        put(ahead.lanes, lanes, number)
        lanes += 1
        if lanes == LANES:
            _merge_lanes(text, starts, (first, lanes), tables)
            lanes = 0
    _merge_lanes(text, starts, (first, lanes), tables)


@lean
def _merge_lanes(
    text: Bytes, starts: NDArray[np.int64], batch: tuple[int, int], tables: Tables
) -> None:
    """Merge the words in lanes, and keep them."""
    first, lanes = batch
    ahead, made = tables.ahead, tables.ahead.ids
    merge_lanes(tables.merges, tables.room, lanes)
    tables.cache.filled[MERGED] += lanes
    for lane in range(lanes):
        number = at(ahead.lanes, lane)
        start = at(starts, first + number)
        length = at(starts, first + number + 1) - start
        count = write_tokens(tables.room, lane, made, 0)
        keep(text, (start, length, number), tables, made[:count])
        if length < 16:
            put(ahead.values, number, _value_of(number, tables))


@lean
def keep(text: Bytes, word: Word, tables: Tables, ids: NDArray[np.uint32]) -> None:
    """Keep the ids of a word of up to 31 bytes: in its line, or among the long words if they are too many."""
    start, length, number = word
    cache, line = tables.cache, at(tables.ahead.lines, number)
    if length > 15:
        hashed = hash_long(text, start, length)
        slot = slot_of(cache, text, (start, length), hashed)
        if at(cache.long, slot) == NONE:
            keep_long(text, (start, length), cache, (slot, hashed), ids)
        if len(ids) <= LINE_IDS:
            keep_line(cache, line, text, (start, length), ids)
        return
    numbers = at(tables.ahead.low, number), at(tables.ahead.other, number)
    value = more = NONE
    if len(ids) <= (FIRST_IDS if length < 8 else FIRST_IDS + 4):
        value = packed(ids, 0, FIRST_IDS) | np.uint64(len(ids)) << COUNT_PLACE
        more = packed(ids, FIRST_IDS, len(ids))
    else:
        hashed = hash_short(numbers[0], numbers[1]) | _ODD
        slot = slot_of(cache, text, (start, length), hashed)
        if at(cache.long, slot) == NONE and not keep_long(
            text, (start, length), cache, (slot, hashed), ids
        ):
            return
        value = np.uint64(slot)
    keep_short(cache, line, numbers, value, more)
