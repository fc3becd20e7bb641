"""From words to ids: nearly every word of a text was met before, so its ids are kept.

A word of at most 15 bytes is a number of 128 bits, its length in the top byte. A table of two
entries a set holds such numbers with up to eight ids, 32 bytes an entry. Sets are asked for 64
words ahead of being read, so that memory answers meanwhile. Longer words are kept by hash with
their bytes, and compared with them. What is in neither is merged, then kept in place of an older.

If runs of spaces are tokens, words of nothing but two or more spaces are such runs. One that is
longer than the longest token and leaves a single space over is the one that `split` cannot know of:
that space belongs to what follows. Its document is split again by `tokenizer.split_scalar`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import jit
from tokenizer.merge import SHORT, Merges, Numbers, Workspace, merge_long, merge_short
from tokenizer.split import Bytes, Mask
from tokenizer.vector import at, load_word, prefetch, put, signed, widen

SPLIT_AGAIN = -1
"""What `look_up` returns for a document with a run of spaces that leaves one over."""

CACHED = 64
"""Bytes of the longest word that is kept."""

_AHEAD = 64
_KEPT_IDS = 8
LOW_MASKS = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(16)], dtype=np.uint64)
HIGH_MASKS = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(16)], dtype=np.uint64)
_LENGTH_PLACE = np.uint64(56)
_COUNT_PLACE = np.uint64(60)
_WITHOUT_COUNT = np.uint64(0x0FFF_FFFF_FFFF_FFFF)
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_HIGH = np.uint64(0xC2B2_AE3D_27D4_EB4F)
_FOLD = np.uint64(32)
_NONE = np.uint64(0)
_BLANKS = np.uint64(0x2020_2020_2020_2020)
_ID_BITS = np.uint64(16)


class Cache(NamedTuple):
    """Words and their ids; all of it may be forgotten at any time.

    ``short`` has eight numbers a set. ``long`` has three a slot: hash, place and length of the
    bytes, place and number of the ids, two numbers of 32 bits each. ``filled`` says how much of
    ``long``, ``bytes`` and ``ids`` is in use, and counts words merged.
    """

    short: Numbers
    shift: np.uint64
    long: Numbers
    bytes: Bytes
    ids: NDArray[np.uint32]
    filled: NDArray[np.int64]


class Ahead(NamedTuple):
    """The keys of the next words, and their places in the cache."""

    low: Numbers
    high: Numbers
    slots: NDArray[np.int64]


class Tables(NamedTuple):
    """All that turns words into ids; ``run_ids`` has the id of n spaces at n, or is empty."""

    merges: Merges
    run_ids: NDArray[np.int64]
    cache: Cache
    room: Workspace
    ahead: Ahead


def cache(bits: int) -> Cache:
    """Return an empty cache of ``2**bits`` sets of short words: 64 bytes each, and half as much again."""
    short = np.zeros((8 << bits) + 8, dtype=np.uint64)
    aligned = -(short.ctypes.data // 8) % 8
    return Cache(
        short=short[aligned : aligned + (8 << bits)],
        shift=np.uint64(64 - bits),
        long=np.zeros(3 << (bits - 1), dtype=np.uint64),
        bytes=np.zeros(16 << (bits - 1), dtype=np.uint8),
        ids=np.zeros(6 << (bits - 1), dtype=np.uint32),
        filled=np.zeros(4, dtype=np.int64),
    )


def ahead() -> Ahead:
    """Return room for keys, for one thread."""
    return Ahead(
        np.zeros(_AHEAD, np.uint64), np.zeros(_AHEAD, np.uint64), np.zeros(_AHEAD, np.int64)
    )


@jit
def look_up(
    text: Bytes,
    starts: NDArray[np.int64],
    words: int,
    tables: Tables,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of words to ``ids`` from ``place`` on; return the place after, or `SPLIT_AGAIN`.

    ``ids`` has room for one id a byte and `_KEPT_IDS` more.
    """
    for first in range(0, words, _AHEAD):
        count = min(_AHEAD, words - first)
        _ask(text, starts, first, count, tables)
        for word in range(count):
            high = at(tables.ahead.high, word)
            slot = at(tables.ahead.slots, word)
            if high != _NONE:
                low = at(tables.ahead.low, word)
                short = tables.cache.short
                kept = at(short, slot + 1)
                if at(short, slot) == low and kept & _WITHOUT_COUNT == high:
                    widen(ids, place, short, slot + 2)
                    place += signed(kept >> _COUNT_PLACE)
                    continue
                kept = at(short, slot + 5)
                if at(short, slot + 4) == low and kept & _WITHOUT_COUNT == high:
                    widen(ids, place, short, slot + 6)
                    place += signed(kept >> _COUNT_PLACE)
                    continue
            start = at(starts, first + word)
            length = at(starts, first + word + 1) - start
            if high != _NONE:
                place = _learn_short(text, (start, length), tables, word, ids, place)
            else:
                place = _long_word(text, (start, length), tables, ids, place)
            if place < 0:
                return SPLIT_AGAIN
    return place


@jit
def _ask(text: Bytes, starts: NDArray[np.int64], first: int, count: int, tables: Tables) -> None:
    """Make the keys of some words, and ask memory for their places in the cache."""
    low_keys, high_keys, slots = tables.ahead
    start = at(starts, first)
    for word in range(count):
        end = at(starts, first + word + 1)
        length = end - start
        if length > 15:
            put(high_keys, word, _NONE)
        else:
            low = load_word(text, start) & at(LOW_MASKS, length)
            high = load_word(text, start + 8) & at(HIGH_MASKS, length)
            high |= np.uint64(length) << _LENGTH_PLACE
            mixed = low * _MIX ^ high * _MIX_HIGH
            mixed = (mixed ^ mixed >> _FOLD) * _MIX
            slot = signed(mixed >> tables.cache.shift) * 8
            prefetch(tables.cache.short, slot)
            put(low_keys, word, low)
            put(high_keys, word, high)
            put(slots, word, slot)
        start = end


@jit
def _blank(text: Bytes, start: int, length: int) -> bool:
    """Tell whether a word is all spaces."""
    for place in range(start, start + length):  # noqa: SIM110 - Numba compiles no generators
        if text[place] != 32:
            return False
    return True


@jit
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


@jit
def _learn_short(
    text: Bytes,
    word: tuple[int, int],
    tables: Tables,
    key: int,
    ids: NDArray[np.uint32],
    place: int,
) -> int:
    """Write the ids of a short word that is not in the cache, and keep them."""
    start, length = word
    tables.cache.filled[3] += 1
    if len(tables.run_ids) > 0 and length > 1 and _blank(text, start, length):
        after = _run(length, tables.run_ids, ids, place)
        if after == SPLIT_AGAIN:
            return after
    else:
        count = merge_short(text, start, length, tables.merges, tables.room)
        for number in range(count):
            ids[place + number] = np.uint32(tables.room.symbols[number])
        after = place + count
    if after - place <= _KEPT_IDS:
        _keep_short(tables, key, ids, place, after)
    return after


@jit
def _keep_short(tables: Tables, key: int, ids: NDArray[np.uint32], place: int, after: int) -> None:
    """Put a word's ids first in its set; what was first becomes second, what was second is lost."""
    short = tables.cache.short
    slot = tables.ahead.slots[key]
    for number in range(4):
        short[slot + 4 + number] = short[slot + number]
    short[slot] = tables.ahead.low[key]
    short[slot + 1] = tables.ahead.high[key] | np.uint64(after - place) << _COUNT_PLACE
    packed = _NONE
    for number in range(after - place):
        if number == 4:
            short[slot + 2] = packed
            packed = _NONE
        packed |= np.uint64(ids[place + number]) << (_ID_BITS * np.uint64(number & 3))
    short[slot + (2 if after - place <= 4 else 3)] = packed


@jit
def hash_long(text: Bytes, start: int, length: int) -> Mask:
    """Return a hash of a word of at least 16 bytes, never 0."""
    mixed = np.uint64(length) * _MIX_HIGH
    for place in range(start, start + length - 7, 8):
        mixed = (mixed ^ load_word(text, place)) * _MIX
        mixed ^= mixed >> _FOLD
    mixed = (mixed ^ load_word(text, start + length - 8)) * _MIX
    return mixed ^ mixed >> _FOLD | np.uint64(1)


@jit
def _long_word(
    text: Bytes, word: tuple[int, int], tables: Tables, ids: NDArray[np.uint32], place: int
) -> int:
    """Write the ids of a word of more than 15 bytes."""
    start, length = word
    if (
        load_word(text, start) == _BLANKS
        and len(tables.run_ids) > 0
        and _blank(text, start, length)
    ):
        return _run(length, tables.run_ids, ids, place)
    if length > CACHED:
        return _merge(text, word, tables, ids, place)
    slots = len(tables.cache.long) // 3
    hashed = hash_long(text, start, length)
    slot = signed(hashed >> np.uint64(20)) & (slots - 1)
    while tables.cache.long[3 * slot] != _NONE:
        if tables.cache.long[3 * slot] == hashed and _same(text, word, tables.cache, slot):
            return _copy(tables.cache, slot, ids, place)
        slot = (slot + 1) & (slots - 1)
    after = _merge(text, word, tables, ids, place)
    _keep_long(text, word, tables.cache, (slot, hashed), ids[place:after])
    return after


@jit
def _same(text: Bytes, word: tuple[int, int], cache: Cache, slot: int) -> bool:
    """Tell whether a slot holds this very word."""
    kept = cache.long[3 * slot + 1]
    if signed(kept & np.uint64(0xFFFF_FFFF)) != word[1]:
        return False
    place = signed(kept >> _FOLD)
    for byte in range(word[1]):  # noqa: SIM110 - Numba compiles no generators
        if cache.bytes[place + byte] != text[word[0] + byte]:
            return False
    return True


@jit
def _copy(cache: Cache, slot: int, ids: NDArray[np.uint32], place: int) -> int:
    kept = cache.long[3 * slot + 2]
    first = signed(kept >> _FOLD)
    count: int = signed(kept & np.uint64(0xFFFF_FFFF))
    for number in range(count):
        ids[place + number] = cache.ids[first + number]
    return place + count


@jit
def _merge(
    text: Bytes, word: tuple[int, int], tables: Tables, ids: NDArray[np.uint32], place: int
) -> int:
    """Write the ids of a word that is merged anew."""
    start, length = word
    tables.cache.filled[3] += 1
    if length <= SHORT:
        count = merge_short(text, start, length, tables.merges, tables.room)
        for number in range(count):
            ids[place + number] = np.uint32(tables.room.symbols[number])
        return place + count
    found = merge_long(text, start, length, tables.merges)
    for number in range(len(found)):
        ids[place + number] = np.uint32(found[number])
    count = len(found)
    return place + count


@jit
def _keep_long(
    text: Bytes, word: tuple[int, int], cache: Cache, key: tuple[int, Mask], ids: NDArray[np.uint32]
) -> None:
    """Keep a long word in a free slot; when there is no room left, forget all long words instead."""
    start, length = word
    slot, hashed = key
    used, bytes_used, ids_used, _ = cache.filled
    if (
        2 * used >= len(cache.long) // 3
        or bytes_used + length > len(cache.bytes)
        or ids_used + len(ids) > len(cache.ids)
    ):
        cache.long[:] = _NONE
        cache.filled[:3] = 0
        return
    cache.long[3 * slot] = hashed
    cache.long[3 * slot + 1] = np.uint64(bytes_used) << _FOLD | np.uint64(length)
    cache.long[3 * slot + 2] = np.uint64(ids_used) << _FOLD | np.uint64(len(ids))
    cache.bytes[bytes_used : bytes_used + length] = text[start : start + length]
    cache.ids[ids_used : ids_used + len(ids)] = ids
    cache.filled[0] += 1
    cache.filled[1] += length
    cache.filled[2] += len(ids)
