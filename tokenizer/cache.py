"""Words met before and their ids: nearly every word of a text was met before.

A line is 64 bytes, as those of the processor's caches are: four numbers to compare, then four values.
One of the first kind holds four words of at most 7 bytes, one of the second two of 8 to 15, whose
second number is two places after their first. So one comparison of four numbers finds either. A value
is up to three ids and their count; in lines of the second kind, two places after it are four more.
A line of the third kind holds one word of 16 to 31 bytes and up to 15 ids.
A value without a count says where among the long words the ids are: there are words of any length, by
a hash of their bytes, which are compared with them.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import lean, lean_inlined
from tokenizer.merge import Numbers, aligned
from tokenizer.split import Bytes, Mask
from tokenizer.vector import at, load_byte, load_word, lowest_bit, matches, signed

Ids: TypeAlias = NDArray[np.uint32]

LINE = 8
"""Numbers of a line."""

FIRST_IDS = 3
"""Ids of a value; those beyond are two places after it."""

MORE = 2

VALUES = 4

COUNT_PLACE = np.uint64(48)
"""Bits of a value below the count of its ids."""

CACHED = 256
"""Bytes of the longest word that is kept."""

LINE_BYTES = 31
"""Bytes of the longest word that has a line."""

LINE_IDS = 15
"""Ids at most of a word that has a line to itself."""

MERGED, DISPLACED = 2, 3
"""Places in ``filled``."""

NONE = np.uint64(0)

LENGTH_PLACE = np.uint64(56)
"""Bits of a word's last number below its length."""

LOW_MASKS = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(16)], dtype=np.uint64)
HIGH_MASKS = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(16)], dtype=np.uint64)
"""For n bytes, masks of the two numbers that hold them."""

_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_HIGH = np.uint64(0xC2B2_AE3D_27D4_EB4F)
_FOLD = np.uint64(32)
_ID = np.uint64(0xFFFF)
_ID_BITS = np.uint64(16)
_SECOND = np.uint64(2)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class Cache(NamedTuple):
    """Words and their ids; all of it may be forgotten at any time.

    Lines of the first kind take ``narrow`` numbers, and those of the first two kinds ``short``. ``shift``
    makes the number of a line of the first or third kind out of a hash, ``shift_wide`` that of one of
    the second, and of a slot. ``long`` has two numbers a slot: a
    hash, and the place in ``arena``, the length and the count of ids, in 32, 16 and 16 bits. There lie
    the bytes and then the ids, 16 bits each. ``filled`` says how many slots, and how much of ``arena``,
    are in use, and counts words merged, and words that lost their places in a line.
    """

    lines: Numbers
    narrow: int
    short: int
    shift: np.uint64
    shift_wide: np.uint64
    long: Numbers
    arena: Bytes
    filled: NDArray[np.int64]


def cache(bits: int) -> Cache:
    """Return an empty cache of ``2**bits`` lines of the first and third kind, and four times as many of the second.

    With 64 bytes a line and 48 a slot: there is a slot for each line of the second kind.
    """
    return Cache(
        lines=aligned(6 * LINE << bits, NONE),
        narrow=LINE << bits,
        short=5 * LINE << bits,
        shift=np.uint64(64 - bits),
        shift_wide=np.uint64(62 - bits),
        long=aligned(8 << bits, NONE),
        arena=np.zeros(128 << bits, dtype=np.uint8),
        filled=np.zeros(4, dtype=np.int64),
    )


@lean_inlined
def place_of(cache: Cache, line: int, low: Mask, other: Mask) -> int:
    """Return the place of a short word's value, or 0.

    ``line`` is the place of its line. Its numbers are its bytes, with the length in the top byte;
    where it has one number only, ``other`` is ``low``.
    """
    found = matches(cache.lines, line, low, other)
    found &= found >> _SECOND | (_ALL if line < cache.narrow else NONE)
    return line + VALUES + lowest_bit(found) if found != NONE else 0


@lean
def way_for(cache: Cache, line: int, low: Mask, other: Mask) -> int:
    """Return the place in its line to put a short word: where it is, else where there is room, else last.

    In a full line the last but one goes: what came first stays longer, as the vocabulary's own words.
    """
    lines = cache.lines
    ways, second = (4, 0) if line < cache.narrow else (2, 2)
    for way in range(ways):
        first, last = lines[line + way], lines[line + way + second]
        if last == NONE or (first == low and last == other):
            return way
    cache.filled[DISPLACED] += 1
    for number in range(0, LINE, VALUES if second == 0 else MORE):
        lines[line + number + ways - 2] = lines[line + number + ways - 1]
    return ways - 1


@lean
def keep_short(cache: Cache, line: int, key: tuple[Mask, Mask], value: Mask, more: Mask) -> None:
    """Put a short word into its line."""
    way = line + way_for(cache, line, key[0], key[1])
    cache.lines[way] = key[0]
    cache.lines[way + VALUES] = value
    if line >= cache.narrow:
        cache.lines[way + MORE] = key[1]
        cache.lines[way + VALUES + MORE] = more


@lean_inlined
def hash_short(low: Mask, high: Mask) -> Mask:
    """Return a hash of a short word's two numbers; its upper bits depend on all of theirs."""
    return low * _MIX ^ high * _MIX_HIGH


@lean_inlined
def last_numbers(text: Bytes, start: int, length: int) -> tuple[Mask, Mask]:
    """Return the third and fourth number of a word of 16 to 31 bytes, which has its length in it."""
    third = load_word(text, start + 16) & at(LOW_MASKS, length - 16)
    fourth = load_word(text, start + 24) & at(HIGH_MASKS, length - 16)
    return third, fourth | np.uint64(length) << LENGTH_PLACE


@lean_inlined
def line_of(cache: Cache, text: Bytes, start: int, length: int) -> int:
    """Return the place of the line for a word of 16 to 31 bytes."""
    third, fourth = last_numbers(text, start, length)
    mixed = hash_short(load_word(text, start), load_word(text, start + 8)) + third * _MIX
    mixed = (mixed ^ mixed >> _FOLD ^ fourth) * _MIX_HIGH
    line: int = cache.short + signed(mixed >> cache.shift) * LINE
    return line


@lean
def in_line(cache: Cache, line: int, text: Bytes, start: int, length: int) -> bool:
    """Tell whether a line of the third kind holds a word of 16 to 31 bytes."""
    third, fourth = last_numbers(text, start, length)
    first, second = load_word(text, start), load_word(text, start + 8)
    lines = cache.lines
    if at(lines, line) != first or at(lines, line + 1) != second:
        return False
    return bool(at(lines, line + 2) == third and at(lines, line + 3) == fourth)


@lean
def keep_line(cache: Cache, line: int, text: Bytes, word: tuple[int, int], ids: Ids) -> None:
    """Put a word of 16 to 31 bytes and its ids, `LINE_IDS` at most, into its line."""
    start, length = word
    lines = cache.lines
    cache.filled[DISPLACED] += int(lines[line + 3] != NONE)  # the length is in it
    lines[line], lines[line + 1] = load_word(text, start), load_word(text, start + 8)
    lines[line + 2], lines[line + 3] = last_numbers(text, start, length)
    lines[line + VALUES] = packed(ids, 0, FIRST_IDS) | np.uint64(len(ids)) << COUNT_PLACE
    for number in range(1, VALUES):
        first = FIRST_IDS + 4 * (number - 1)
        lines[line + VALUES + number] = packed(ids, first, first + 4)


@lean
def packed(ids: Ids, first: int, end: int) -> Mask:
    """Return at most four ids as one number, 16 bits each."""
    found = NONE
    for number in range(first, min(end, len(ids))):
        found |= np.uint64(ids[number]) << (_ID_BITS * np.uint64(number - first))
    return found


@lean
def hash_long(text: Bytes, start: int, length: int) -> Mask:
    """Return a hash of a word of at least 8 bytes, never 0."""
    mixed = np.uint64(length) * _MIX_HIGH
    for place in range(start, start + length - 7, 8):
        mixed = (mixed ^ load_word(text, place)) * _MIX
        mixed ^= mixed >> _FOLD
    mixed = (mixed ^ load_word(text, start + length - 8)) * _MIX
    return mixed ^ mixed >> _FOLD | np.uint64(1)


@lean
def slot_of(cache: Cache, text: Bytes, word: tuple[int, int], hashed: Mask) -> int:
    """Return the place of the slot that holds a long word, or of the free one to put it in."""
    slot: int = 2 * signed(hashed >> cache.shift_wide)
    while at(cache.long, slot) != NONE and not (
        at(cache.long, slot) == hashed and holds(cache, slot, text, word)
    ):
        slot = (slot + 2) & (len(cache.long) - 1)
    return slot


@lean
def holds(cache: Cache, slot: int, text: Bytes, word: tuple[int, int]) -> bool:
    """Tell whether a slot holds this very word."""
    start, length = word
    kept = at(cache.long, slot + 1)
    if signed(kept >> _ID_BITS & _ID) != length:
        return False
    place, end = signed(kept >> _FOLD), start + length
    while start + 8 <= end:
        if load_word(cache.arena, place) != load_word(text, start):
            return False
        place += 8
        start += 8
    while start < end:
        if load_byte(cache.arena, place) != load_byte(text, start):
            return False
        place += 1
        start += 1
    return True


@lean
def copy(cache: Cache, slot: int, ids: Ids, place: int) -> int:
    """Write the ids of a long word; return the place after."""
    kept = at(cache.long, slot + 1)
    count: int = signed(kept & _ID)
    first = signed(kept >> _FOLD) + signed(kept >> _ID_BITS & _ID)
    for number in range(count):
        ids[place + number] = load_byte(cache.arena, first) | load_byte(cache.arena, first + 1) << 8
        first += 2
    return place + count


@lean
def keep_long(
    text: Bytes, word: tuple[int, int], cache: Cache, key: tuple[int, Mask], ids: Ids
) -> bool:
    """Keep a long word in a free slot; when there is no room left, forget all long words instead.

    Returns whether it is kept.
    """
    start, length = word
    slot, hashed = key
    slots, used, _, _ = cache.filled
    if 4 * slots >= len(cache.long) or used + length + 2 * len(ids) > len(cache.arena):
        cache.long.fill(NONE)
        cache.filled[0] = cache.filled[1] = 0
        return False
    cache.long[slot] = hashed
    cache.long[slot + 1] = (
        np.uint64(used) << _FOLD | np.uint64(length) << _ID_BITS | np.uint64(len(ids))
    )
    for byte in range(length):
        cache.arena[used + byte] = text[start + byte]
    used += length
    for number in range(len(ids)):
        cache.arena[used] = ids[number] & 0xFF
        cache.arena[used + 1] = ids[number] >> 8
        used += 2
    cache.filled[0] += 1
    cache.filled[1] = used
    return True
