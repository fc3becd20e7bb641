"""The words of `dedup.treebank`, compiled: of many texts at once, straight on their UTF-8 bytes.

What `treebank.words` does to a run of non-blanks is done here by functions of the same names, and its
rules by `dedup.treebank_rules`. The words are the same for every text.
"""

from typing import Any

import numpy as np
from numba import njit

from dedup.characters import (
    ALNUM,
    BLANK,
    DIGIT,
    FULL_STOP,
    LOWER,
    UPPER,
    before,
    decoded,
    lowered,
    packed,
    packed_lowered,
)
from dedup.rewriting import BREAK, SPACE, compiled
from dedup.treebank import ABBREVIATIONS, ALONE_AT_END, CLOSERS, FUSED_WORDS, STARTERS
from dedup.treebank_rules import ENDS, GROWTH, STOP, kinds_of, split_by_rules
from dedup.vectors import copy_sixteen, lowest_bit, other_than_alnum

_compiled = njit(cache=True, nogil=True, boundscheck=False)
_inline = njit(inline="always", boundscheck=False)

_NONE = 0
_STOP = 46


def _among(characters: str) -> Any:
    """Return which of all bytes are among some ASCII characters."""
    found = np.zeros(256, np.bool_)
    found[list(characters.encode("ascii"))] = True
    return found


def _numbers(words: Any) -> Any:
    """Return the numbers of words, ascending."""
    return np.array(sorted(map(packed, words)))


_CLOSERS = _among(CLOSERS)
_ENDERS = _among(".?!" + CLOSERS)
_OPENERS = _among("\"'([{<`-")
_ENDS_SENTENCE = _among(".?!")
_BEHIND_END = _among("?!)\";}]*:@'({[")
_CLOSING = _among("\"')]}")
_ALONE = _among("".join(sorted(ALONE_AT_END)))
_ABBREVIATIONS, _STARTERS, _FUSED = map(_numbers, (ABBREVIATIONS, STARTERS, FUSED_WORDS))
_EG, _IE = packed("e.g"), packed("i.e")


@_compiled
def write_words(
    text: Any, fields: Any, firsts: Any, properties: Any, made: Any, places: Any
) -> None:
    """Write the words of texts, one space behind each, and where those of each begin and all end.

    ``fields`` are where runs of non-blanks start and end, ``firsts`` which are the first of each
    text (`kernels.find_words`); each text's end is the end of a sentence.
    ``made`` needs room for three bytes in place of each, and `vectors.PAD`.
    """
    starts, ends = fields
    longest = 0
    for field in range(firsts[0], firsts[-1]):
        longest = max(longest, ends[field] - starts[field])
    rooms = (properties, np.empty(2 * (GROWTH * longest + ENDS), np.uint8))
    to = 0
    for number in range(len(firsts) - 1):
        places[number] = to
        blank = _NONE
        for field in range(firsts[number], firsts[number + 1]):
            span = (np.int64(starts[field]), np.int64(ends[field]))
            following, after = span, _NONE
            if field + 1 < firsts[number + 1]:
                following = (np.int64(starts[field + 1]), np.int64(ends[field + 1]))
                if not (
                    _ENDERS[text[span[1] - 1]] and _ends_sentence(text, span, following, properties)
                ):
                    after = SPACE if text[span[1]] == SPACE else BREAK
            wrote = _write_plain(text, span, after, properties, made, to)
            if wrote == to:
                wrote = _write_other(text, span, (blank, after), rooms, made, to)
            to = wrote
            blank = _NONE
            if after != _NONE:
                blank = SPACE if text[following[0] - 1] == SPACE else BREAK
    places[len(firsts) - 1] = to


@_compiled
def piece_end(text: Any, start: int, stop: int, characters: int, properties: Any) -> int:
    """Return where the first blank behind so many characters is; ``stop`` if there is none."""
    at, number = start, 0
    while at < stop:
        point, size = decoded(text, at)
        if number >= characters and properties[point] & BLANK != 0:
            return at
        at, number = at + size, number + 1
    return stop


@compiled
def _ends_sentence(text: Any, span: Any, following: Any, properties: Any) -> bool:
    """Say whether a run of non-blanks ends a sentence, as `treebank.ends_sentence`."""
    start, stop = span
    while stop > start and _CLOSERS[text[stop - 1]]:
        stop -= 1
    if stop == start or text[stop - 1] != _STOP:
        return stop > start and _ENDS_SENTENCE[text[stop - 1]]
    stop -= 1
    start = _without_openers(text, start, stop)
    first = properties[decoded(text, following[0])[0]]
    if _is_short(text, start, stop):
        if first & UPPER == 0:
            return False
        return _is_one_of(_STARTERS, packed_lowered(text, following[0], following[1]))
    if start == stop:
        return True
    if text[stop - 1] == _STOP:
        return False
    last = properties[decoded(text, before(text, stop))[0]]
    return not (last & DIGIT != 0 and first & LOWER != 0)


@compiled
def _without_openers(text: Any, start: int, stop: int) -> int:
    """Return where a run begins behind its opening quotes, brackets and dashes."""
    while start < stop:
        if _OPENERS[text[start]]:
            start += 1
        elif text[start] == 0xC2 and text[start + 1] == 0xAB:
            start += 2
        elif text[start] == 0xE2 and text[start + 1] == 0x80:
            last = text[start + 2]
            if last not in (0x9C, 0x98, 0x9E):
                return start
            start += 3
        else:
            return start
    return start


@compiled
def _is_short(text: Any, start: int, stop: int) -> bool:
    """Say whether a word before a full stop is an abbreviation, a letter, or letters with stops."""
    code = packed_lowered(text, start, stop)
    if code in (_EG, _IE):
        return False
    if _is_one_of(_ABBREVIATIONS, code):
        return True
    at, letters = start, True
    while at < stop:
        letter, size = lowered(text, at)
        at += size
        if letters and not (letter >= 1 and letter <= 26):
            return False
        if not letters and letter != FULL_STOP:
            return False
        letters = not letters
    return not letters


@compiled
def _is_one_of(codes: Any, code: int) -> bool:
    """Look a number up in ascending ones."""
    if code == 0:
        return False
    at = np.searchsorted(codes, code)
    return bool(at < len(codes) and codes[at] == code)


@_inline
def _write_plain(text: Any, span: Any, after: int, properties: Any, made: Any, to: int) -> int:
    """Write a word with at most one mark behind it, the usual case; nothing for others."""
    start, end = span
    stop = _alnum_end(text, start, end, properties)
    if stop < end - 1 or stop == start or _is_fused(text, start, stop):
        return to
    if stop == end:
        return _write(text, start, end, made, to)
    mark = text[stop]
    if mark == _STOP and after != _NONE:
        return _write(text, start, end, made, to)
    if mark == _STOP or _ALONE[mark]:
        return _write(text, stop, end, made, _write(text, start, stop, made, to))
    return to


@_inline
def _alnum_end(text: Any, start: int, end: int, properties: Any) -> int:
    """Return where letters and digits end that begin at a place."""
    at = start
    while at < end:
        at += int(lowest_bit(other_than_alnum(text, at)))
        if at >= end:
            return end
        if text[at] < 0x80:
            if at < end and properties[text[at]] & ALNUM == 0:
                return at
            continue
        point, size = decoded(text, at)
        if properties[point] & ALNUM == 0:
            return at
        at += size
    return end


@_inline
def _is_fused(text: Any, start: int, stop: int) -> bool:
    """Say whether a word is one of those that come apart."""
    length = stop - start
    if length not in (5, 6):
        return False
    first = text[start] | 0x20
    if first not in (99, 103, 108, 119):  # c, g, l, w
        return False
    return _is_one_of(_FUSED, packed_lowered(text, start, stop))


@_inline
def _write(text: Any, start: int, end: int, made: Any, to: int) -> int:
    """Write bytes and a space, and return where they end."""
    for at in range(0, end - start, 16):
        copy_sixteen(text, start + at, made, to + at)
    to += end - start
    made[to] = SPACE
    return to + 1


@compiled
def _write_other(text: Any, span: Any, blanks: Any, rooms: Any, made: Any, to: int) -> int:
    """Split any run of non-blanks, first where a sentence ends within it, and write its words."""
    start, end = span
    stop = _last_stop(text, start, end)
    if stop > start and text[stop - 1] == _STOP and not _is_closing(text, stop, end):
        head, tail = (start, stop), (stop, end)
        if _ends_sentence(text, head, tail, rooms[0]):
            to = _write_split(text, head, (blanks[0], _NONE), rooms, made, to)
            return _write_split(text, tail, (_NONE, blanks[1]), rooms, made, to)
    return _write_split(text, span, blanks, rooms, made, to)


@compiled
def _last_stop(text: Any, start: int, end: int) -> int:
    """Return where the last mark that may end a sentence ends; ``start`` if there is none."""
    for at in range(end - 1, start - 1, -1):
        if _ENDS_SENTENCE[text[at]] and (at + 1 == end or _BEHIND_END[text[at + 1]]):
            return at + 1
    return start


@compiled
def _is_closing(text: Any, at: int, end: int) -> bool:
    """Say whether nothing but closing quotes and brackets is left."""
    while at < end and _CLOSING[text[at]]:
        at += 1
    return at == end


@compiled
def _write_split(text: Any, span: Any, blanks: Any, rooms: Any, made: Any, to: int) -> int:
    """Split a run of non-blanks by the rules, and write its words."""
    properties, room = rooms
    kinds = kinds_of(text, span[0], span[1])
    if kinds & ~STOP == 0 and (kinds == 0 or blanks[1] != _NONE):
        return _write(text, span[0], span[1], made, to)
    length = 1
    if blanks[0] != _NONE:
        room[1], length = blanks[0], 2
    for at in range(span[0], span[1]):
        room[length] = text[at]
        length += 1
    if blanks[1] != _NONE:
        room[length] = blanks[1]
        length += 1
    start, stop = split_by_rules(room, 1, length, kinds, properties)
    space = True
    for at in range(start, stop):
        byte = room[at]
        blank = byte in (SPACE, BREAK)
        if not (blank and space):
            made[to] = SPACE if blank else byte
            to += 1
        space = blank
    return to
