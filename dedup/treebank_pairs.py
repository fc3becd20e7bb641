"""The rules of `dedup.treebank` for two words that are written as one, compiled.

Each is found at a place in a text: a function returns where its halves begin, where the second ends,
and where to go on (`rewriting.halving`).
"""

from typing import Any

import numpy as np

from dedup.characters import folded_end, packed, word_at, word_before
from dedup.rewriting import BREAK, SPACE, compiled, halving

FIRST_OF_PAIR = b"cCdDgGlLmMwW"
"""Letters that a pair begins with, but for the one that begins with an apostrophe."""

ASCII_WORD, _FIRST = (np.zeros(256, np.bool_) for _ in range(2))
ASCII_WORD[[*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B), 0x5F]] = True
_FIRST[list(FIRST_OF_PAIR)] = True

_BEGINNINGS = tuple(
    int.from_bytes(word, "big")
    for word in (b"can", b"d'y", b"gim", b"gon", b"got", b"lem", b"mor", b"wan")
)
_FUSED = np.array(
    [
        [packed(one), packed(other)]
        for one, other in (
            ("can", "not"),
            ("d", "'ye"),
            ("gim", "me"),
            ("gon", "na"),
            ("got", "ta"),
            ("lem", "me"),
            ("mor", "'n"),
        )
    ]
)
_WAN, _NA, _T, _IS, _WAS = map(packed, ("wan", "na", "'t", "is", "was"))


@compiled
def may_begin_pair(text: Any, at: int, start: int, stop: int) -> bool:
    """Say whether a pair may begin at one of the letters that pairs begin with, by a glance."""
    if at + 2 >= stop or (at > start and ASCII_WORD[text[at - 1]]):
        return False
    first, second = np.int64(text[at] | 0x20), np.int64(text[at + 1] | 0x20)
    beginning = first << 16 | second << 8 | np.int64(text[at + 2] | 0x20)
    # Beyond ASCII there are variants of i.
    return bool(second >= 0x80 or beginning in _BEGINNINGS)


@compiled
def _wanna(text: Any, at: int, ends: Any, properties: Any) -> tuple[int, int, int, int]:
    r"""``(?i)\b(wan)(na)\s``."""
    start, stop = ends
    middle = folded_end(text, at, stop, _WAN) if _FIRST[text[at]] else -1
    if middle < 0 or word_before(text, at, start, properties):
        return 0, 0, 0, 0
    end = folded_end(text, middle, stop, _NA)
    if end < 0 or end >= stop or text[end] not in (SPACE, BREAK):
        return 0, 0, 0, 0
    return at, middle, end, end + 1


@compiled
def _tis(text: Any, at: int, ends: Any, properties: Any) -> tuple[int, int, int, int]:
    r"""``(?i) ('t)(is|was)\b``."""
    stop = ends[1]
    middle = folded_end(text, at + 1, stop, _T) if text[at] == SPACE else -1
    if middle < 0:
        return 0, 0, 0, 0
    end = max(folded_end(text, middle, stop, _IS), folded_end(text, middle, stop, _WAS))
    if end < 0 or word_at(text, end, stop, properties):
        return 0, 0, 0, 0
    return at + 1, middle, end, end


@compiled
def _fused(text: Any, at: int, ends: Any, properties: Any) -> tuple[int, int, int, int]:
    r"""``(?i)\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(mor)('n))\b``."""
    start, stop = ends
    if not _FIRST[text[at]] or not may_begin_pair(text, at, start, stop):
        return 0, 0, 0, 0
    if word_before(text, at, start, properties):
        return 0, 0, 0, 0
    for pair in range(len(_FUSED)):
        middle = folded_end(text, at, stop, _FUSED[pair, 0])
        end = folded_end(text, middle, stop, _FUSED[pair, 1]) if middle >= 0 else -1
        if end >= 0 and not word_at(text, end, stop, properties):
            return at, middle, end, end
    return 0, 0, 0, 0


wanna_halved, tis_halved, fused_halved = map(halving, (_wanna, _tis, _fused))
