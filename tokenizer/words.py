"""From words to ids, by `tokenizer.cache`; a word that is not in it is merged, and kept there.

Words are taken 256 at a time: their lines of the cache are asked for first and read afterwards, so
that memory answers meanwhile. Where one is not there, all that are not are merged side by side.

If runs of spaces are tokens, words of nothing but two or more spaces are such runs.
"""

import numpy as np
from numpy.typing import NDArray

from tokenizer.cache import (
    CACHED,
    COUNT_PLACE,
    DISPLACED,
    FIRST_IDS,
    HIGH_MASKS,
    LENGTH_PLACE,
    LINE,
    LINE_BYTES,
    LOW_MASKS,
    MERGED,
    MORE,
    NONE,
    copy,
    hash_long,
    hash_short,
    keep_long,
    line_of,
    slot_of,
)
from tokenizer.jit import lean, lean_inlined
from tokenizer.merge import SHORT, merge_long, merge_short
from tokenizer.split import Bytes
from tokenizer.tables import AHEAD, Scratch, Tables
from tokenizer.unknown import find, is_run, keep, merge_unknown, write_known, write_line
from tokenizer.vector import at, load_word, prefetch, put, signed, spread

_BY_LENGTH = np.zeros((17, 4), dtype=np.uint64)
_BY_LENGTH[:16, 0], _BY_LENGTH[:16, 1] = LOW_MASKS, HIGH_MASKS
_BY_LENGTH[:8, 2] = np.arange(8, dtype=np.uint64) << LENGTH_PLACE
_BY_LENGTH[8:16, 3] = np.arange(8, 16, dtype=np.uint64) << LENGTH_PLACE
_BY_LENGTH[16] = 0, 0, 0xFF << 56, 0
_KEYS = _BY_LENGTH.reshape(-1)
"""Four numbers a length: masks of a word's first two numbers, and what is set in each, the length.

The last four are for all that is longer: a number that no line of the first kinds holds.
"""


@lean
def look_up(
    text: Bytes,
    scratch: Scratch,
    words: int,
    tables: Tables,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of words to ``ids`` from ``place`` on; return the place after.

    ``ids`` has room for one id a byte and 4 more.
    """
    starts, lines = scratch.starts, tables.cache.lines
    for first in range(0, words, AHEAD):
        asked = min(AHEAD, words - first)
        _ask(text, starts, first, asked, tables)
        unknown = find(asked, tables)
        displaced = at(tables.cache.filled, DISPLACED)
        if unknown > 0:
            merge_unknown(text, starts, (first, unknown), tables)
        for word in range(asked):
            if at(tables.cache.filled, DISPLACED) != displaced:
                find(asked, tables)
                displaced = at(tables.cache.filled, DISPLACED)
            value = at(tables.ahead.values, word)
            found = at(lines, max(value, 0))
            count = signed(found >> COUNT_PLACE)
            if value > 0 and count > 0:
                spread(ids, place, found)
                if count > FIRST_IDS:
                    spread(ids, place + FIRST_IDS, at(lines, value + MORE))
                place += count
            elif value < 0:
                place = write_line(tables.cache, -value, ids, place)
            else:
                place = _seldom(text, (first, word), tables, scratch, ids, place)
    return place


@lean_inlined
def _ask(text: Bytes, starts: NDArray[np.int64], first: int, count: int, tables: Tables) -> None:
    """Make the keys of some words, and ask memory for their lines of the cache."""
    lows, others, lines = tables.ahead.low, tables.ahead.other, tables.ahead.lines
    narrow, shift, shift_wide = tables.cache.narrow, tables.cache.shift, tables.cache.shift_wide
    start = at(starts, first)
    for word in range(count):
        end = at(starts, first + word + 1)
        length = end - start
        row = min(length, 16) * 4
        low = load_word(text, start) & at(_KEYS, row) | at(_KEYS, row + 2)
        high = load_word(text, start + 8) & at(_KEYS, row + 1) | at(_KEYS, row + 3)
        wide = high != NONE
        line = signed(hash_short(low, high) >> (shift_wide if wide else shift)) * LINE
        line += narrow if wide else 0
        if 15 < length <= LINE_BYTES:
            line = line_of(tables.cache, text, start, length)
        prefetch(tables.cache.lines, line)
        put(lows, word, low)
        put(others, word, high if wide else low)
        put(lines, word, line)
        start = end


@lean
def _run(length: int, run_ids: NDArray[np.int64], ids: NDArray[np.uint32], place: int) -> int:
    """Write the tokens of a run of two or more spaces."""
    longest = len(run_ids) - 1
    while length > 0:
        taken = min(length, longest)
        ids[place] = np.uint32(run_ids[taken])
        place += 1
        length -= taken
    return place


@lean
def _seldom(
    text: Bytes,
    batch: tuple[int, int],
    tables: Tables,
    scratch: Scratch,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a word whose line of the cache does not have them.

    ``batch`` is the first of the words looked at together, and the number of this one among them.
    """
    first, number = batch
    start = at(scratch.starts, first + number)
    length = at(scratch.starts, first + number + 1) - start
    word = start, length, number
    if is_run(text, start, length, tables.run_ids):
        after = _run(length, tables.run_ids, ids, place)
        if length < 16:
            keep(text, word, tables, ids[place:after])
        return after
    if length > CACHED:
        return _merge(text, (start, length), tables, scratch, ids, place)
    if length > LINE_BYTES:
        return _long(text, (start, length), tables, scratch, ids, place)
    after = write_known(text, word, tables, ids, place)
    if after == place:  # it was kept among the long words, which were forgotten
        after = _merge(text, (start, length), tables, scratch, ids, place)
        keep(text, word, tables, ids[place:after])
    return after


@lean
def _long(
    text: Bytes,
    word: tuple[int, int],
    tables: Tables,
    scratch: Scratch,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a word of 32 bytes or more."""
    hashed = hash_long(text, word[0], word[1])
    slot = slot_of(tables.cache, text, word, hashed)
    if at(tables.cache.long, slot) != NONE:
        return copy(tables.cache, slot, ids, place)
    after = _merge(text, word, tables, scratch, ids, place)
    keep_long(text, word, tables.cache, (slot, hashed), ids[place:after])
    return after


@lean
def _merge(
    text: Bytes,
    word: tuple[int, int],
    tables: Tables,
    scratch: Scratch,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a word that is merged anew."""
    tables.cache.filled[MERGED] += 1
    if word[1] <= SHORT:
        return merge_short(text, word, tables.merges, tables.room, ids, place)
    return merge_long(text, word, tables.merges, scratch.long, ids, place)
