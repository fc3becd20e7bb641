"""The kernels that measure words, lines and repetition in one text, straight on its UTF-8 bytes.

Compiled by Numba on first use and kept on disk. ``classes`` says of each code point what it is, by the
bits of `pile.cleaning.words.classes`. Words, lines and n-grams are told apart by hashes of 64 bits. A table of
hashes is open-addressing, a power of two long, and 0 where it is free.
"""

from typing import Any

import numpy as np
from numba import njit

from pile.cleaning.words.classes import ALPHABETIC, BREAK, SPACE, SYMBOL

_compiled = njit(cache=True, nogil=True, boundscheck=False)
_inlined = njit(inline="always", boundscheck=False)

_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_0, _1 = np.uint64(0), np.uint64(1)

_NEWLINE, _RETURN, _DOT, _HASH, _DASH = 10, 13, 46, 35, 45
_BULLET, _ELLIPSIS = 0x2022, 0x2026


@_inlined
def _mixed(state: Any) -> Any:
    """Return a hash of which every bit depends on every bit (SplitMix64), never 0."""
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return (state ^ (state >> np.uint64(31))) | _1


@_inlined
def _decode(text: Any, at: int) -> Any:
    """Return the code point that begins at a byte, and how many bytes it has."""
    byte = np.int64(text[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (np.int64(text[at + 1]) & 0x3F), 2
    two = (np.int64(text[at + 1]) & 0x3F) << 6 | (np.int64(text[at + 2]) & 0x3F)
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | two, 3
    return (byte & 0x07) << 18 | two << 6 | (np.int64(text[at + 3]) & 0x3F), 4


@_inlined
def _room(count: Any) -> Any:
    """Return the length of a table for so many hashes, at most half full."""
    room = 2
    while room < 2 * count:
        room *= 2
    return room


@_inlined
def _place(table: Any, key: Any) -> Any:
    """Return where a hash is in a table, or is to be entered."""
    mask = np.int64(len(table) - 1)
    at = np.int64(key >> np.uint64(1)) & mask
    while table[at] != _0 and table[at] != key:
        at = (at + 1) & mask
    return at


@_compiled
def read_words(text: Any, classes: Any, hashes: Any, ends: Any, counts: Any) -> int:
    """Hash a text's words; ``ends[w + 1]`` is how many characters the words up to w have together.

    Returns how many words there are. ``counts``: characters of the text; words that are not symbols
    alone; their characters; words with an alphabetic character.
    """
    words, characters = 0, 0
    hashed, length, seen = _BASIS, 0, 0
    all_symbols = True
    at, stop = 0, len(text)
    ends[0] = 0
    counts[:] = 0
    while at <= stop:
        kind, size, point = SPACE, 1, 0
        if at < stop:
            point, size = _decode(text, at)
            kind = classes[point]
            characters += 1
        if kind & SPACE:
            if length:
                hashes[words] = _mixed(hashed)
                ends[words + 1] = ends[words] + length
                words += 1
                if not all_symbols:
                    counts[1] += 1
                    counts[2] += length
                counts[3] += 1 if seen & ALPHABETIC else 0
                hashed, length, seen, all_symbols = _BASIS, 0, 0, True
        else:
            hashed = (hashed ^ np.uint64(point)) * _PRIME
            length += 1
            seen |= kind
            all_symbols = all_symbols and (kind & SYMBOL) != 0
        at += size
    counts[0] = characters
    return words


@_compiled
def read_lines(text: Any, classes: Any, counts: Any) -> None:
    """Count hash signs, ellipses, lines, and lines that begin with a bullet or end with an ellipsis.

    Lines end as `str.splitlines` has it.
    """
    counts[:] = 0
    at, stop = 0, len(text)
    begun, first, dots, open_line = False, False, 0, False
    run = 0  # of dots, to count ellipses that do not overlap
    last_ellipsis = False
    while at < stop:
        point, size = _decode(text, at)
        kind = classes[point]
        counts[0] += point == _HASH
        run = run + 1 if point == _DOT else 0
        counts[1] += (point == _DOT and run % 3 == 0) or point == _ELLIPSIS
        open_line = True
        if kind & BREAK:
            counts[2] += 1
            counts[3] += first
            counts[4] += last_ellipsis or dots >= 3
            begun, first, dots, open_line, last_ellipsis = False, False, 0, False, False
            if point == _RETURN and at + size < stop and text[at + size] == _NEWLINE:
                size += 1
        elif not kind & SPACE:
            if not begun:
                begun, first = True, point in (_BULLET, _DASH)
            if dots and point == _DOT and text[at - 1] != _DOT:
                dots = 0  # white space stands between the dots
            dots = dots + 1 if point == _DOT else 0
            last_ellipsis = point == _ELLIPSIS
        at += size
    if open_line:
        counts[2] += 1
        counts[3] += first
        counts[4] += last_ellipsis or dots >= 3


@_compiled
def repeated_pieces(text: Any, breaks: int, counts: Any) -> None:
    """Count the pieces between runs of so many line feeds or more, those that came before, their characters.

    Line feeds at both ends are no break.
    """
    start, stop = 0, len(text)
    while start < stop and text[start] == _NEWLINE:
        start += 1
    while stop > start and text[stop - 1] == _NEWLINE:
        stop -= 1
    pieces, run = 1, 0
    for at in range(start, stop):
        run = run + 1 if text[at] == _NEWLINE else 0
        pieces += run == breaks
    table = np.zeros(_room(pieces), np.uint64)
    counts[:] = 0
    at = start
    while at <= stop:
        hashed, length, run = _BASIS, 0, 0
        while at < stop:
            byte = text[at]
            if byte == _NEWLINE:
                run = 1
                while text[at + run] == _NEWLINE:
                    run += 1
                if run >= breaks:
                    break
            hashed = (hashed ^ np.uint64(byte)) * _PRIME
            length += (byte & 0xC0) != 0x80
            at += 1
        counts[0] += 1
        key = _mixed(hashed)
        place = _place(table, key)
        if table[place] == key:
            counts[1] += 1
            counts[2] += length
        table[place] = key
        at = at + run if at < stop else stop + 1


@_inlined
def _prefixes(hashes: Any, words: int) -> Any:
    """Return the hashes of the first 0, 1, 2 … words, from which those of n-grams follow."""
    prefixes = np.zeros(words + 1, np.uint64)
    for word in range(words):
        prefixes[word + 1] = prefixes[word] * _BASE + hashes[word]
    return prefixes


@_compiled
def top_grams(hashes: Any, ends: Any, words: int, longest: int, found: Any) -> None:
    """Write for n from 2 the characters in the n-gram that occurs most often, if more than once.

    Its words are joined by a blank; of those that occur equally often the first counts.
    """
    prefixes = _prefixes(hashes, words)
    room = _room(words)
    table, counts = np.zeros(room, np.uint64), np.zeros(room, np.int64)
    firsts = np.zeros(room, np.int64)
    power = _BASE
    for n in range(2, longest + 1):
        power *= _BASE
        table[:] = _0
        best, best_first = 1, -1
        for at in range(words - n + 1):
            key = _mixed(prefixes[at + n] - prefixes[at] * power)
            place = _place(table, key)
            if table[place] == _0:
                table[place], counts[place], firsts[place] = key, 0, at
            counts[place] += 1
            count, first = counts[place], firsts[place]
            if count > best or (count == best and count > 1 and first < best_first):
                best, best_first = count, first
        found[n - 2] = 0
        if best > 1:
            length = ends[best_first + n] - ends[best_first] + n - 1
            found[n - 2] = best * length


@_compiled
def duplicate_grams(hashes: Any, ends: Any, words: int, sizes: Any, found: Any) -> None:
    """Write for each n the characters of words in n-grams that came before; none counts twice."""
    prefixes = _prefixes(hashes, words)
    table = np.zeros(_room(words), np.uint64)
    for number in range(len(sizes)):
        n = sizes[number]
        power = _1
        for _ in range(n):
            power *= _BASE
        table[:] = _0
        repeated, at = 0, 0
        while at + n <= words:
            key = _mixed(prefixes[at + n] - prefixes[at] * power)
            place = _place(table, key)
            if table[place] == key:
                repeated += ends[at + n] - ends[at]
                at += n
            else:
                table[place] = key
                at += 1
        found[number] = repeated


@_compiled
def count_present(wanted: Any, hashes: Any, words: int) -> int:
    """Count which of a few hashes occur among those of the words."""
    table = np.zeros(_room(len(wanted)), np.uint64)
    for key in wanted:
        table[_place(table, key)] = key
    left = 0
    for key in table:
        left += key != _0
    present, every = 0, left
    seen = np.zeros(len(table), np.bool_)
    for word in range(words):
        place = _place(table, hashes[word])
        if table[place] == hashes[word] and not seen[place]:
            seen[place] = True
            present += 1
            if present == every:
                break
    return present
