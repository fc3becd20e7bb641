"""Characters in UTF-8, as kernels see them: the properties that Python's own tables give, by code point.

A table has one byte a code point, of the bits below. It is made by the Python that runs, so that
kernels and Python agree whatever the version of its Unicode tables.
"""

import re
import sys
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.rewriting import compiled

ALNUM, UPPER, LOWER, DIGIT, DECIMAL, UNDERSCORE, BLANK = (np.uint8(1 << bit) for bit in range(7))
"""``str.isalnum``, ``isupper``, ``islower``, ``isdigit``, ``isdecimal`` of one character, ``_``, and ``isspace``."""

WORD = np.uint8(ALNUM | UNDERSCORE)
"""What ``\\w`` matches."""

APOSTROPHE, FULL_STOP = 28, 27
"""What `folded` and `lowered` give for these; letters from a to z are 1 to 26."""


@cache
def table() -> NDArray[np.uint8]:
    """Return the properties of all code points."""
    found = np.zeros(sys.maxunicode + 1, np.uint8)
    whole = "".join(map(chr, range(sys.maxunicode + 1)))
    for bit, pattern in ((ALNUM, r"[^\W_]+"), (BLANK, r"\s+")):
        for match in re.finditer(pattern, whole):
            found[match.start() : match.end()] |= bit
    points = np.arange(sys.maxunicode + 1, dtype=np.uint32).view("U1")
    checks = (np.char.isupper, np.char.islower, np.char.isdigit, np.char.isdecimal)
    for bit, check in zip((UPPER, LOWER, DIGIT, DECIMAL), checks, strict=True):
        found[check(points)] |= bit
    found[ord("_")] |= UNDERSCORE
    return found


@compiled
def decoded(text: Any, at: int) -> tuple[Any, int]:
    """Return the code point of the character at a place, and how many bytes it has."""
    lead = np.int64(text[at])
    if lead < 0x80:
        return lead, 1
    second = np.int64(text[at + 1]) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, 2
    third = np.int64(text[at + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, 3
    fourth = np.int64(text[at + 3]) & 0x3F
    return (lead & 0x07) << 18 | second << 12 | third << 6 | fourth, 4


@compiled
def before(text: Any, at: int) -> int:
    """Return where the character begins that ends at a place."""
    at -= 1
    while text[at] & 0xC0 == 0x80:
        at -= 1
    return at


@compiled
def word_at(text: Any, at: int, stop: int, properties: Any) -> bool:
    r"""Say whether there is a character at a place, and ``\w`` matches it."""
    return at < stop and properties[decoded(text, at)[0]] & WORD != 0


@compiled
def word_before(text: Any, at: int, start: int, properties: Any) -> bool:
    r"""Say whether there is a character before a place, and ``\w`` matches it."""
    return at > start and properties[decoded(text, before(text, at))[0]] & WORD != 0


@compiled
def lowered(text: Any, at: int) -> tuple[Any, int]:
    """Return the number of the ASCII letter or mark that ``str.lower`` makes of a character.

    It is 0 if it makes no such; with it comes how many bytes the character has.
    """
    byte = np.int64(text[at])
    letter = (byte | 0x20) - 0x60
    if byte >= 0x40 and byte < 0x80 and letter >= 1 and letter <= 26:
        return letter, 1
    if byte == 0x2E:
        return FULL_STOP, 1
    if byte == 0x27:
        return APOSTROPHE, 1
    if byte == 0xE2 and text[at + 1] == 0x84 and text[at + 2] == 0xAA:  # the Kelvin sign
        return 11, 3
    return 0, 1


@compiled
def folded(text: Any, at: int) -> tuple[int, int]:
    """Return what `lowered` does, but as ``(?i)`` sees it: dotted I and dotless i, long s too."""
    byte = text[at]
    if byte == 0xC4 and (text[at + 1] == 0xB0 or text[at + 1] == 0xB1):
        return 9, 2
    if byte == 0xC5 and text[at + 1] == 0xBF:
        return 19, 2
    return lowered(text, at)


def packed(word: str) -> int:
    """Return the number of a word of at most 11 lower-case letters, full stops and apostrophes."""
    code = 0
    for letter in word:
        code = code << 5 | (".'".index(letter) + FULL_STOP if letter in ".'" else ord(letter) - 96)
    return code


@compiled
def packed_lowered(text: Any, start: int, stop: int) -> Any:
    """Return the number of a word in lower case; 0 if it has none."""
    code, at = np.int64(0), start
    while at < stop:
        letter, size = lowered(text, at)
        if letter == 0 or code >> 50 != 0:
            return np.int64(0)
        code = code << 5 | letter
        at += size
    return code


@compiled
def folded_end(text: Any, at: int, stop: int, code: int) -> int:
    """Return where a word ends if it stands at a place, whatever its case; -1 if it does not."""
    shift = 0
    while code >> shift != 0:
        shift += 5
    while shift > 0:
        shift -= 5
        if at >= stop:
            return -1
        letter, size = folded(text, at)
        if letter != code >> shift & 31:
            return -1
        at += size
    return at
