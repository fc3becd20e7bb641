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
def suspects() -> NDArray[np.bool_]:
    """Return for every code point whether a text that holds it may be in another form than NFC.

    A text is in NFC if all its characters are starters whose NFC_Quick_Check is Yes (UAX #15). Code
    points that this Python's Unicode version does not know are suspects.
    """
    table = np.zeros(_CODE_POINTS, dtype=np.bool_)
    for code_point in range(0x80, _CODE_POINTS):
        character = chr(code_point)
        if unicodedata.category(character) in ("Cn", "Cs") or unicodedata.combining(character):
            table[code_point] = True
        elif decomposed := unicodedata.decomposition(character):
            table[code_point] |= not unicodedata.is_normalized("NFC", character)
            parts = decomposed.split()
            if len(parts) == 2 and not parts[0].startswith("<"):
                table[int(parts[1], 16)] = True
    table[0x1161:0x1176] = True  # Hangul vowels and finals join the syllable before them.
    table[0x11A8:0x11C3] = True
    return table
