"""The rules of `dedup.treebank`, compiled: one function a rule, in the same order, on UTF-8 bytes.

`split_by_rules` follows them. Rules that find nothing are left out, which `kinds_of` tells before.
"""

from typing import Any

import numpy as np

from dedup.characters import DECIMAL, decoded, folded, word_at
from dedup.rewriting import BREAK, SPACE, between_spaces, compiled, copied, parting, wrapping
from dedup.treebank_pairs import (
    ASCII_WORD,
    FIRST_OF_PAIR,
    fused_halved,
    may_begin_pair,
    tis_halved,
    wanna_halved,
)

GROWTH = 8
"""How many bytes all rules together may make of one, beside `ENDS` for the whole."""
ENDS = 64

OPENING, CLOSING, QUOTE, STOP, STOPS, COLON, MARK, DASHES, PAIR, UNSURE = (
    np.uint16(1 << bit) for bit in range(10)
)
APOSTROPHE, TWO, LOOSE, LETTER, TIS = (np.uint16(1 << bit) for bit in range(10, 15))
"""What rules look for; where a byte is `UNSURE`, its neighbours say what it is."""

_QUOTE, _APOSTROPHE, _STOP, _TICK, _DASH, _T = b"\"'.`-t"

_KINDS = np.zeros(256, np.uint16)
for _bytes, _kind in (
    (b"`", OPENING),
    (b'"', QUOTE),
    (b":,", COLON),
    (b";@#$%&?!*[](){}<>", MARK),
    (b".-'\xc2\xe2" + FIRST_OF_PAIR, UNSURE),
):
    _KINDS[list(_bytes)] = _kind

_BEFORE_QUOTE, _BEHIND_STOP, _CLITIC = (np.zeros(256, np.bool_) for _ in range(3))
_BEFORE_QUOTE[list(b" ([{<")] = True
_BEHIND_STOP[list(b"])}>\"'")] = True
_CLITIC[list(b"sSmMdD")] = True
_LONG_CLITICS = tuple(
    int.from_bytes(word, "big")
    for word in (b"'ll", b"'LL", b"'re", b"'RE", b"'ve", b"'VE", b"n't", b"N'T")
)
_NOT_SPLIT = np.zeros(32, np.bool_)
_NOT_SPLIT[[13, 20, 19, 4]] = True  # m, t, s, d


@compiled
def kinds_of(text: Any, start: int, stop: int) -> Any:
    """Return what rules look for that is in a run of non-blanks."""
    kinds = np.uint16(0)
    for at in range(start, stop):
        kind = _KINDS[text[at]]
        if kind & UNSURE != 0:
            kind = _kind_at(text, at, start, stop)
        kinds |= kind
    return kinds


@compiled
def _kind_at(text: Any, at: int, start: int, stop: int) -> Any:
    """Look at the neighbours of a byte."""
    byte, again = text[at], at + 1 < stop and text[at + 1] == text[at]
    if byte == _STOP:
        return STOP | STOPS if again else STOP
    if byte == _DASH:
        return DASHES if again else np.uint16(0)
    if byte == _APOSTROPHE:
        return _apostrophe_at(text, at, stop)
    if byte >= 0x80:
        if _curly_opening(text, at) != 0:
            return OPENING
        return CLOSING if _curly_closing(text, at, stop) != 0 else np.uint16(0)
    return PAIR if may_begin_pair(text, at, start, stop) else np.uint16(0)


@compiled
def _apostrophe_at(text: Any, at: int, stop: int) -> Any:
    """Say whether two stand together, whether a space may get behind one, and what letters are there."""
    if at + 1 >= stop:
        return APOSTROPHE | LOOSE
    behind = text[at + 1]
    if behind == _APOSTROPHE:
        return APOSTROPHE | LOOSE | TWO
    if not ASCII_WORD[behind]:
        return APOSTROPHE | LOOSE | LETTER if behind >= 0x80 else APOSTROPHE | LOOSE
    kind = APOSTROPHE | TIS if behind | 0x20 == _T else APOSTROPHE
    if at + 2 < stop and ASCII_WORD[text[at + 2]]:
        return kind
    return kind if _NOT_SPLIT[behind & 31] and behind > 0x40 else kind | LOOSE | LETTER


@compiled
def split_by_rules(
    text: Any, start: int, stop: int, kinds: int, properties: Any
) -> tuple[int, int]:
    """Put spaces between the words of a run of non-blanks; return where the text lies then.

    It lies in the first half of the array, and one byte before it and after each half is free.
    """
    to = start + len(text) // 2
    start, stop, to = _by_quotes(text, (start, stop, to), kinds, properties)
    start, stop, to = _by_marks(text, (start, stop, to), kinds, properties)
    start, stop = start - 1, stop + 1
    text[start], text[stop - 1] = SPACE, SPACE
    start, stop, to = _by_ends(text, (start, stop, to), kinds)
    if kinds & PAIR != 0:
        start, stop, to = to, wanna_halved(text, start, stop, to, properties), start
    if kinds & TIS != 0:
        start, stop, to = to, tis_halved(text, start, stop, to, properties), start
    if kinds & PAIR != 0:
        start, stop, to = to, fused_halved(text, start, stop, to, properties), start
    return start, stop


@compiled
def _by_quotes(text: Any, places: Any, kinds: int, properties: Any) -> tuple[int, int, int]:
    """Follow the rules from that of opening quotes to that of quoted letters."""
    start, stop, to = places
    if kinds & OPENING != 0:
        start, stop, to = to, _openings_wrapped(text, start, stop, to), start
    if kinds & QUOTE != 0 and text[start] == _QUOTE:
        start, stop, to = to, _quote_first(text, start, stop, to), start
    if kinds & (QUOTE | TWO) != 0:
        start, stop, to = to, _quotes_behind(text, start, stop, to), start
    if kinds & LETTER != 0:
        start, stop, to = to, _letters_quoted(text, start, stop, to, properties), start
    return start, stop, to


@compiled
def _by_marks(text: Any, places: Any, kinds: int, properties: Any) -> tuple[int, int, int]:
    """Follow the rules from that of the last full stop to that of lone apostrophes."""
    start, stop, to = places
    if kinds & STOP != 0:
        start, stop, to = to, _stop_last(text, start, stop, to), start
    if kinds & COLON != 0:
        start, stop, to = to, _colons(text, start, stop, to, properties), start
        start, stop, to = to, _colon_last(text, start, stop, to), start
    if kinds & (STOPS | MARK | DASHES) != 0:
        start, stop, to = to, _marks_wrapped(text, start, stop, to), start
    if kinds & LOOSE != 0:
        start, stop, to = to, _apostrophes_parted(text, start, stop, to), start
    return start, stop, to


@compiled
def _by_ends(text: Any, places: Any, kinds: int) -> tuple[int, int, int]:
    """Follow the rules from that of closing quotes to that of long clitics."""
    start, stop, to = places
    if kinds & CLOSING != 0:
        start, stop, to = to, _closing_wrapped(text, start, stop, to), start
    if kinds & QUOTE != 0:
        start, stop, to = to, _quotes_left(text, start, stop, to), start
    if kinds & TWO != 0:
        start, stop, to = to, _two_parted(text, start, stop, to), start
    if kinds & APOSTROPHE != 0:
        start, stop, to = to, _short_parted(text, start, stop, to), start
        start, stop, to = to, _long_parted(text, start, stop, to), start
    return start, stop, to


@compiled
def _curly_opening(text: Any, at: int) -> int:
    """Measure an opening quote that is none of ASCII."""
    if text[at] == 0xC2 and text[at + 1] == 0xAB:
        return 2
    if text[at] == 0xE2 and text[at + 1] == 0x80:
        return 3 if text[at + 2] in (0x98, 0x9C, 0x9E) else 0
    return 0


@compiled
def _curly_closing(text: Any, at: int, stop: int) -> int:
    """Measure a closing quote that is none of ASCII."""
    if text[at] == 0xC2 and text[at + 1] == 0xBB:
        return 2
    if text[at] == 0xE2 and text[at + 1] == 0x80:
        return 3 if text[at + 2] in (0x99, 0x9D) else 0
    return 0


@compiled
def _opening(text: Any, at: int, stop: int) -> int:
    """Measure an opening quote that is none of ASCII, or a run of backticks."""
    size = 0
    while at + size < stop and text[at + size] == _TICK:
        size += 1
    return size if size != 0 else _curly_opening(text, at)


@compiled
def _quote_first(text: Any, start: int, stop: int, to: int) -> int:
    """``^"`` to `` `` ``, known to be there."""
    return copied(text, start + 1, stop, _ticks(text, to))


@compiled
def _ticks(text: Any, to: int) -> int:
    """Write `` `` `` with its spaces."""
    text[to], text[to + 1], text[to + 2], text[to + 3] = SPACE, _TICK, _TICK, SPACE
    return to + 4


@compiled
def _quotes_behind(text: Any, start: int, stop: int, to: int) -> int:
    r"""``([ (\[{<])(?:"|'')`` to ``\1 `` ``."""
    at = start
    while at < stop:
        text[to] = text[at]
        at, to = at + 1, to + 1
        if _BEFORE_QUOTE[text[at - 1]] and at < stop:
            size = 1 if text[at] == _QUOTE else _two(text, at, stop)
            if size != 0:
                at, to = at + size, _ticks(text, to)
    return to


@compiled
def _two(text: Any, at: int, stop: int) -> int:
    """Measure two apostrophes."""
    return 2 if at + 1 < stop and text[at] == _APOSTROPHE and text[at + 1] == _APOSTROPHE else 0


@compiled
def _letters_quoted(text: Any, start: int, stop: int, to: int, properties: Any) -> int:
    r"""``(?i)'(?![mtsd])(\w)\b`` to ``' \1``."""
    at = start
    while at < stop:
        text[to] = text[at]
        at, to = at + 1, to + 1
        if text[at - 1] == _APOSTROPHE and word_at(text, at, stop, properties):
            end = at + decoded(text, at)[1]
            split = not _NOT_SPLIT[folded(text, at)[0]]
            if split and not word_at(text, end, stop, properties):
                text[to] = SPACE
                at, to = end, copied(text, at, end, to + 1)
    return to


@compiled
def _stop_last(text: Any, start: int, stop: int, to: int) -> int:
    r"""``([^.])\.(?=C*\Z)`` to ``\1 . ``, where C are closing brackets and quotes."""
    at = stop - 1
    while at > start:
        if _BEHIND_STOP[text[at]]:
            at -= 1
        elif at - 1 >= start and text[at] == 0xBB and text[at - 1] == 0xC2:
            at -= 2
        elif at - 2 >= start and _curly_closing(text, at - 2, stop) == 3:
            at -= 3
        else:
            break
    if at <= start or text[at] != _STOP or text[at - 1] == _STOP:
        return copied(text, start, stop, to)
    to = between_spaces(text, at, at + 1, copied(text, start, at, to))
    return copied(text, at + 1, stop, to)


@compiled
def _colons(text: Any, start: int, stop: int, to: int, properties: Any) -> int:
    r"""``([:,])(\D)`` to `` \1 \2``."""
    at = start
    while at < stop:
        if _KINDS[text[at]] == COLON and at + 1 < stop:
            point, size = decoded(text, at + 1)
            if properties[point] & DECIMAL == 0:
                to = between_spaces(text, at, at + 1, to)
                at, to = at + 1 + size, copied(text, at + 1, at + 1 + size, to)
                continue
        text[to] = text[at]
        at, to = at + 1, to + 1
    return to


@compiled
def _colon_last(text: Any, start: int, stop: int, to: int) -> int:
    r"""``[:,]\Z`` to `` \g<0> ``."""
    if _KINDS[text[stop - 1]] != COLON:
        return copied(text, start, stop, to)
    return between_spaces(text, stop - 1, stop, copied(text, start, stop - 1, to))


@compiled
def _mark(text: Any, at: int, stop: int) -> int:
    r"""``\.{2,}|[;@#$%&?!*\[\](){}<>]|--``."""
    if _KINDS[text[at]] == MARK:
        return 1
    if text[at] == _DASH:
        return 2 if at + 1 < stop and text[at + 1] == _DASH else 0
    size = 0
    while at + size < stop and text[at + size] == _STOP:
        size += 1
    return size if size > 1 else 0


@compiled
def _lone(text: Any, at: int, stop: int) -> tuple[int, int]:
    r"""``([^'])' `` to ``\1 ' ``: what stands behind the first byte."""
    found = at + 1 < stop and text[at] == _APOSTROPHE and text[at + 1] == SPACE
    return (1 if found and text[at - 1] != _APOSTROPHE else 0), 1


@compiled
def _quotes_left(text: Any, start: int, stop: int, to: int) -> int:
    """``"`` to `` '' ``."""
    for at in range(start, stop):
        if text[at] == _QUOTE:
            text[to], text[to + 3] = SPACE, SPACE
            text[to + 1], text[to + 2] = _APOSTROPHE, _APOSTROPHE
            to += 4
        else:
            text[to] = text[at]
            to += 1
    return to


@compiled
def _two_behind(text: Any, at: int, stop: int) -> tuple[int, int]:
    r"""``(\S)''`` to ``\1 '' ``."""
    return (0 if text[at - 1] in (SPACE, BREAK) else _two(text, at, stop)), 0


@compiled
def _short(text: Any, at: int, stop: int) -> tuple[int, int]:
    r"""``([^' ])('[sSmMdD]?) `` to ``\1 \2 ``."""
    if at + 1 >= stop or text[at] != _APOSTROPHE or text[at - 1] in (_APOSTROPHE, SPACE):
        return 0, 1
    size = 2 if _CLITIC[text[at + 1]] else 1
    return (size if at + size < stop and text[at + size] == SPACE else 0), 1


@compiled
def _long(text: Any, at: int, stop: int) -> tuple[int, int]:
    r"""``([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `` to ``\1 \2 ``."""
    if at + 3 >= stop or text[at + 3] != SPACE or text[at - 1] in (_APOSTROPHE, SPACE):
        return 0, 1
    clitic = np.int64(text[at]) << 16 | np.int64(text[at + 1]) << 8 | np.int64(text[at + 2])
    return (3 if clitic in _LONG_CLITICS else 0), 1


_openings_wrapped, _marks_wrapped, _closing_wrapped = map(
    wrapping, (_opening, _mark, _curly_closing)
)
_apostrophes_parted, _two_parted, _short_parted, _long_parted = map(
    parting, (_lone, _two_behind, _short, _long)
)
