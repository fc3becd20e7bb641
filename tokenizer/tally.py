"""Tables in memory that count words, and their kernels.

Words of at most 15 bytes are counted under their bytes, as a number of 128 bits whose top byte is
the length; longer ones under a hash, with their bytes beside it to compare. Counts have 64 bits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.cache import HIGH_MASKS, LENGTH_PLACE, LOW_MASKS, hash_long
from tokenizer.jit import jit, lean, lean_inlined
from tokenizer.joins import anywhere
from tokenizer.merge import Numbers
from tokenizer.split import Bytes, split
from tokenizer.vector import at, load_word, prefetch, put, signed

_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_HIGH = np.uint64(0xC2B2_AE3D_27D4_EB4F)
_FOLD = np.uint64(32)
_ANYWHERE = anywhere()
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_FNV_OFFSET = np.uint64(0xCBF2_9CE4_8422_2325)
_FNV_PRIME = np.uint64(0x0000_0100_0000_01B3)
_LOW = np.uint64(0xFFFF_FFFF)
_AHEAD = 64
TOGETHER = 1 << 16
"""Bytes of short documents that are taken together."""

_BLANK = 32


class Tally(NamedTuple):
    """Counts of words. ``short`` has four numbers a slot: two of the key, the count, one unused.

    ``long`` has three: hash, place and length of the bytes (32 bits each), the count. ``filled``
    says how many slots of either, and how many of ``bytes``, are in use.
    """

    short: Numbers
    shift: np.uint64
    long: Numbers
    bytes: Bytes
    filled: NDArray[np.int64]
    keys: Numbers


def tally(bits: int) -> Tally:
    """Return empty tables of ``2**bits`` slots for short words, 32 bytes each, and 9 more for longer ones.

    ``bits`` is at least 10, and there is room for all the bytes of documents taken together, so that an
    empty table is not full.
    """
    return Tally(
        short=_large(4 << bits),
        shift=np.uint64(64 - bits),
        long=np.zeros(3 << (bits - 2), dtype=np.uint64),
        bytes=np.zeros(max(12 << (bits - 2), TOGETHER), dtype=np.uint8),
        filled=np.zeros(3, dtype=np.int64),
        keys=np.zeros(3 * _AHEAD, dtype=np.uint64),
    )


def _large(size: int) -> Numbers:
    """Return zeros in large pages, which NumPy asks for only if it does not get zeros anyway."""
    array = np.empty(size, dtype=np.uint64)
    array.fill(0)
    return array


@lean
def count_documents(
    text: Bytes,
    offsets: NDArray[np.int64],
    kinds: Bytes,
    tally: Tally,
    starts: NDArray[np.int64],
    place: NDArray[np.int64],
) -> bool:
    """Count the words of documents; return whether all are done, or else the tables are full.

    ``place`` holds the document and the word to go on with, and the longest run of spaces that is
    cut out, 0 if none is. Short documents are taken together, so that `_AHEAD` words are at hand.
    ``starts`` has room for a word at each byte of the longest document, or of `TOGETHER`, and one more.
    """
    reserved = place[2]
    while place[0] < len(offsets) - 1:
        end, words = _split(text, offsets, kinds, (place[0], reserved), starts)
        for first in range(place[1], words, _AHEAD):
            count = min(_AHEAD, words - first)
            if _full(tally, at(starts, first + count) - at(starts, first)):
                place[1] = first
                return False
            _ask(text, starts, first, count, tally)
            for word in range(count):
                if reserved > 0 and _is_run(text, starts, first + word):
                    continue
                if at(tally.keys, 3 * word + 1) != _NONE:
                    _count_short(tally, word)
                else:
                    start = at(starts, first + word)
                    _count_long(text, start, at(starts, first + word + 1) - start, tally)
        place[0] = end
        place[1] = 0
    return True


@lean
def _split(
    text: Bytes,
    offsets: NDArray[np.int64],
    kinds: Bytes,
    given: tuple[int, int],
    starts: NDArray[np.int64],
) -> tuple[int, int]:
    """Write where the words of some documents begin, of one at least; return the next one, and how many.

    ``given`` is the first document, and the longest run of spaces that is cut out. Such runs are words
    of their own.
    """
    document, reserved = given
    limit = offsets[document] + TOGETHER
    words = 0
    while True:
        # One document ends where the next begins, as do their words.
        start, end = offsets[document], offsets[document + 1]
        words += split(text, start, end, (kinds, _ANYWHERE), reserved, starts[words:])
        document += 1
        if document == len(offsets) - 1 or offsets[document + 1] > limit:
            return document, words


@lean_inlined
def _is_run(text: Bytes, starts: NDArray[np.int64], word: int) -> bool:
    """Tell whether a word is a run of spaces, as all are that begin with two where runs are words."""
    start = starts[word]
    return bool(starts[word + 1] - start > 1 and text[start] == _BLANK == text[start + 1])


@lean_inlined
def _full(tally: Tally, length: int) -> bool:
    """Tell whether the next words, of so many bytes, may not fit: half of all slots are in use."""
    short, long, used = tally.filled
    return bool(
        short + _AHEAD > len(tally.short) // 8
        or long + _AHEAD > len(tally.long) // 6
        or used + length > len(tally.bytes)
    )


@lean_inlined
def _ask(text: Bytes, starts: NDArray[np.int64], first: int, count: int, tally: Tally) -> None:
    """Make the keys of some words, and ask memory for their slots."""
    start = at(starts, first)
    for word in range(count):
        end = at(starts, first + word + 1)
        length = end - start
        if length > 15:
            put(tally.keys, 3 * word + 1, _NONE)
        else:
            low = load_word(text, start) & at(LOW_MASKS, length)
            high = load_word(text, start + 8) & at(HIGH_MASKS, length)
            high |= np.uint64(length) << LENGTH_PLACE
            mixed = low * _MIX ^ high * _MIX_HIGH
            mixed = (mixed ^ mixed >> _FOLD) * _MIX
            slot = mixed >> tally.shift
            prefetch(tally.short, signed(slot) * 4)
            put(tally.keys, 3 * word, low)
            put(tally.keys, 3 * word + 1, high)
            put(tally.keys, 3 * word + 2, slot)
        start = end


@lean_inlined
def _count_short(tally: Tally, word: int) -> None:
    low, high = at(tally.keys, 3 * word), at(tally.keys, 3 * word + 1)
    slot = 4 * signed(at(tally.keys, 3 * word + 2))
    while at(tally.short, slot + 1) != _NONE:
        if at(tally.short, slot) == low and at(tally.short, slot + 1) == high:
            put(tally.short, slot + 2, at(tally.short, slot + 2) + _ONE)
            return
        slot = (slot + 4) & (len(tally.short) - 1)
    tally.short[slot] = low
    tally.short[slot + 1] = high
    tally.short[slot + 2] = _ONE
    tally.filled[0] += 1


@lean
def _count_long(text: Bytes, start: int, length: int, tally: Tally) -> None:
    slots = len(tally.long) // 3
    hashed = hash_long(text, start, length)
    slot = signed(hashed >> np.uint64(20)) & (slots - 1)
    while tally.long[3 * slot] != _NONE:
        if tally.long[3 * slot] == hashed and _same(text, start, length, tally, slot):
            tally.long[3 * slot + 2] += _ONE
            return
        slot = (slot + 1) & (slots - 1)
    place = tally.filled[2]
    tally.long[3 * slot] = hashed
    tally.long[3 * slot + 1] = np.uint64(place) << _FOLD | np.uint64(length)
    tally.long[3 * slot + 2] = _ONE
    for byte in range(length):
        tally.bytes[place + byte] = text[start + byte]
    tally.filled[1] += 1
    tally.filled[2] += length


@lean
def _same(text: Bytes, start: int, length: int, tally: Tally, slot: int) -> bool:
    kept = tally.long[3 * slot + 1]
    if signed(kept & _LOW) != length:
        return False
    place = signed(kept >> _FOLD)
    for byte in range(length):  # noqa: SIM110 - Numba compiles no generators
        if tally.bytes[place + byte] != text[start + byte]:
            return False
    return True


@jit
def bucket_of(words: Bytes, offsets: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return the bucket of each word: the FNV-1a hash of its bytes, in 64 bits, modulo ``buckets``."""
    found = np.empty(len(offsets) - 1, np.int64)
    for word in range(len(found)):
        hashed = _FNV_OFFSET
        for place in range(offsets[word], offsets[word + 1]):
            hashed = (hashed ^ np.uint64(words[place])) * _FNV_PRIME
        found[word] = signed(hashed % np.uint64(buckets))
    return found
