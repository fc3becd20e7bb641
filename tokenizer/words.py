"""From words to ids, by `tokenizer.cache`; a word that is not in it is merged, and kept there.

Words are taken 64 at a time: their lines of the cache are asked for first and read afterwards, so
that memory answers meanwhile.

If runs of spaces are tokens, words of nothing but two or more spaces are such runs. One that is
longer than the longest token and leaves a single space over is the one that `split` cannot know of:
that space belongs to what follows. Its document is split again by `tokenizer.split_scalar`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.cache import (
    CACHED,
    COUNT_PLACE,
    FIRST_IDS,
    LINE,
    LINE_BYTES,
    LINE_IDS,
    MORE,
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
    line_of,
    packed,
    place_of,
    slot_of,
)
from tokenizer.jit import lean, lean_inlined
from tokenizer.merge import SHORT, Merges, Numbers, Workspace, merge_long, merge_short
from tokenizer.split import Bytes
from tokenizer.vector import at, load_word, prefetch, put, signed, spread

SPLIT_AGAIN = -1
"""What `look_up` returns for a document with a run of spaces that leaves one over."""

AHEAD = 64

LOW_MASKS = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(16)], dtype=np.uint64)
HIGH_MASKS = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(16)], dtype=np.uint64)

_BY_LENGTH = np.zeros((17, 4), dtype=np.uint64)
_BY_LENGTH[:16, 0], _BY_LENGTH[:16, 1] = LOW_MASKS, HIGH_MASKS
_BY_LENGTH[:8, 2] = np.arange(8, dtype=np.uint64) << np.uint64(56)
_BY_LENGTH[8:16, 3] = np.arange(8, 16, dtype=np.uint64) << np.uint64(56)
_BY_LENGTH[16] = 0, 0, 0xFF << 56, 0
_KEYS = _BY_LENGTH.reshape(-1)
"""Four numbers a length: masks of a word's first two numbers, and what is set in each, the length.

The last four are for all that is longer: a number that no line of the first kinds holds.
"""

_ODD = np.uint64(1)


class Ahead(NamedTuple):
    """The keys of the next words, and the places of their lines in the cache."""

    low: Numbers
    other: Numbers
    lines: NDArray[np.int64]


class Scratch(NamedTuple):
    """Room for a piece of text: where its words begin, and to merge a word as long as all of it."""

    starts: NDArray[np.int64]
    long: NDArray[np.int64]


class Tables(NamedTuple):
    """All that turns words into ids; ``run_ids`` has the id of n spaces at n, or is empty.

    ``joins`` says between which characters a token can lie.
    """

    merges: Merges
    run_ids: NDArray[np.int64]
    cache: Cache
    room: Workspace
    ahead: Ahead
    joins: Bytes


def ahead() -> Ahead:
    """Return room for keys, for one thread."""
    return Ahead(np.zeros(AHEAD, np.uint64), np.zeros(AHEAD, np.uint64), np.zeros(AHEAD, np.int64))


@lean
def look_up(
    text: Bytes,
    scratch: Scratch,
    words: int,
    tables: Tables,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of words to ``ids`` from ``place`` on; return the place after, or `SPLIT_AGAIN`.

    ``ids`` has room for one id a byte and 4 more.
    """
    low, other, lines = tables.ahead
    starts, _ = scratch
    for first in range(0, words, AHEAD):
        asked = min(AHEAD, words - first)
        _ask(text, starts, first, asked, tables)
        for word in range(asked):
            value = place_of(tables.cache, at(lines, word), at(low, word), at(other, word))
            found = at(tables.cache.lines, value)
            count = signed(found >> COUNT_PLACE)
            if value > 0 and count > 0:
                spread(ids, place, found)
                if count > FIRST_IDS:
                    spread(ids, place + FIRST_IDS, at(tables.cache.lines, value + MORE))
                place += count
            else:
                start = at(starts, first + word)
                length = at(starts, first + word + 1) - start
                place = _seldom(text, (start, length, word), tables, scratch, ids, place)
                if place < 0:
                    return SPLIT_AGAIN
    return place


@lean_inlined
def _ask(text: Bytes, starts: NDArray[np.int64], first: int, count: int, tables: Tables) -> None:
    """Make the keys of some words, and ask memory for their lines of the cache."""
    lows, others, lines = tables.ahead
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
def _blank(text: Bytes, start: int, length: int) -> bool:
    """Tell whether a word is all spaces."""
    for place in range(start, start + length):  # noqa: SIM110 - Numba compiles no generators
        if text[place] != 32:
            return False
    return True


@lean
def _run(length: int, run_ids: NDArray[np.int64], ids: NDArray[np.uint32], place: int) -> int:
    """Write the tokens of a run of two or more spaces."""
    longest = len(run_ids) - 1
    if length > longest and length % longest == 1:
        return SPLIT_AGAIN
    while length > 0:
        taken = min(length, longest)
        ids[place] = np.uint32(run_ids[taken])
        place += 1
        length -= taken
    return place


@lean
def _seldom(
    text: Bytes,
    word: tuple[int, int, int],
    tables: Tables,
    scratch: Scratch,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a word whose line of the cache does not have them."""
    start, length, key = word
    if len(tables.run_ids) > 0 and length > 1 and _blank(text, start, length):
        after = _run(length, tables.run_ids, ids, place)
        if length < 16 and after != SPLIT_AGAIN:
            _keep(text, word, tables, ids[place:after])
        return after
    if length > CACHED:
        return _merge(text, (start, length), tables, scratch, ids, place)
    if length > LINE_BYTES:
        return _long(text, (start, length), tables, scratch, ids, place)
    if length > 15:
        line = at(tables.ahead.lines, key)
        return _medium(text, (start, length, line), tables, scratch, ids, place)
    low, other, lines = tables.ahead
    value = place_of(tables.cache, at(lines, key), at(low, key), at(other, key))
    if value > 0:
        slot = signed(at(tables.cache.lines, value))
        if holds(tables.cache, slot, text, (start, length)):
            return copy(tables.cache, slot, ids, place)
    after = _merge(text, (start, length), tables, scratch, ids, place)
    _keep(text, word, tables, ids[place:after])
    return after


@lean
def _keep(text: Bytes, word: tuple[int, int, int], tables: Tables, ids: NDArray[np.uint32]) -> None:
    """Keep the ids of a short word: in its line, or among the long words if they are too many."""
    start, length, key = word
    numbers = at(tables.ahead.low, key), at(tables.ahead.other, key)
    value = more = NONE
    if len(ids) <= (FIRST_IDS if length < 8 else FIRST_IDS + 4):
        value = packed(ids, 0, FIRST_IDS) | np.uint64(len(ids)) << COUNT_PLACE
        more = packed(ids, FIRST_IDS, len(ids))
    else:
        hashed = hash_short(numbers[0], numbers[1]) | _ODD
        slot = slot_of(tables.cache, text, (start, length), hashed)
        if at(tables.cache.long, slot) == NONE and not keep_long(
            text, (start, length), tables.cache, (slot, hashed), ids
        ):
            return
        value = np.uint64(slot)
    keep_short(tables.cache, at(tables.ahead.lines, key), numbers, value, more)


@lean
def _medium(
    text: Bytes,
    word: tuple[int, int, int],
    tables: Tables,
    scratch: Scratch,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a word of 16 to 31 bytes, whose line is the third of ``word``."""
    start, length, line = word
    if in_line(tables.cache, line, text, start, length):
        count: int = signed(at(tables.cache.lines, line + VALUES) >> COUNT_PLACE)
        for number in range(VALUES):  # there is room: ids are fewer than bytes
            after = place + (FIRST_IDS + 4 * (number - 1) if number else 0)
            spread(ids, after, at(tables.cache.lines, line + VALUES + number))
        return place + count
    after = _long(text, (start, length), tables, scratch, ids, place)
    if after - place <= LINE_IDS:
        keep_line(tables.cache, line, text, (start, length), ids[place:after])
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
    """Write the ids of a word of more than 15 bytes."""
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
    tables.cache.filled[2] += 1
    if word[1] <= SHORT:
        return merge_short(text, word, tables.merges, tables.room, ids, place)
    return merge_long(text, word, tables.merges, scratch.long, ids, place)
