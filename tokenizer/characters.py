"""What each character is to GPT-2's rule and to NFC, as tables for the kernels.

The classes are asked of HF ``tokenizers`` itself when they are first needed, for every code point
(0.4 s), so they agree with it whatever Unicode version it was built for.
"""

import functools
import sys
import unicodedata

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex
from tokenizers.normalizers import Replace

OTHER, LETTER, DIGIT, SPACE = range(4)
"""The classes of GPT-2's rule: ``\\p{L}``, ``\\p{N}``, ``\\s``, and what is none of them."""

BEGINS_ANEW, UNSURE = 0, 255
"""Forms: the combining class of a starter, and what is no combining class."""

_CODE_POINTS = sys.maxunicode + 1
_SURROGATES = range(0xD800, 0xE000)


@functools.cache
def classes() -> NDArray[np.uint8]:
    """Return the class of every code point; surrogates are of class `OTHER`."""
    table = np.full(_CODE_POINTS, OTHER, dtype=np.uint8)
    everything = _text(np.arange(_CODE_POINTS))
    for number, pattern in ((LETTER, r"\p{L}"), (DIGIT, r"\p{N}"), (SPACE, r"\s")):
        left = Replace(Regex(pattern), "").normalize_str(everything)
        matches = np.ones(_CODE_POINTS, dtype=np.bool_)
        matches[np.frombuffer(left.encode("utf-32-le"), dtype=np.uint32)] = False
        matches[_SURROGATES.start : _SURROGATES.stop] = False
        table[matches] = number
    return table


def _text(code_points: NDArray[np.int64]) -> str:
    scalars = code_points[~np.isin(code_points, np.array(_SURROGATES))]
    return scalars.astype("<u4").tobytes().decode("utf-32-le")


@functools.cache
def forms() -> NDArray[np.uint8]:
    """Return for every code point what it may be in NFC (UAX #15): its combining class, or `UNSURE`.

    A class of 0, `BEGINS_ANEW`, is that of a starter whose NFC_Quick_Check is Yes: what stands before it is
    composed without it, and never with it. `UNSURE` are all whose quick check is not Yes, and code points
    that this Python's Unicode version does not know. All it knows have kept their forms since (Unicode's
    stability policy), so that those of HF ``tokenizers`` are the same, or code points it does not know,
    which begin anew there.
    """
    table = np.zeros(_CODE_POINTS, dtype=np.uint8)
    decomposed: list[int] = []
    for code_point in range(0x80, _CODE_POINTS):
        character = chr(code_point)
        if unicodedata.category(character) in ("Cn", "Cs"):
            table[code_point] = UNSURE
        elif (mark := unicodedata.combining(character)) and table[code_point] != UNSURE:
            table[code_point] = mark
        if parts := unicodedata.decomposition(character).split():
            if not unicodedata.is_normalized("NFC", character):
                table[code_point] = UNSURE
            if not parts[0].startswith("<"):
                decomposed.append(code_point)
                table[[int(part, 16) for part in parts[1:]]] = UNSURE
    table[0x1161:0x1176] = UNSURE  # Hangul vowels and finals join the syllable before them.
    table[0x11A8:0x11C3] = UNSURE
    # What begins with such a character may join what is before it too; Unicode has some from 16.0 on.
    begins = [ord(unicodedata.normalize("NFD", chr(code_point))[0]) for code_point in decomposed]
    table[decomposed] = np.where(table[begins] == UNSURE, UNSURE, table[decomposed])
    return table
