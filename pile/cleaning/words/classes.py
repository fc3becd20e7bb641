"""What each code point is, as the interpreter's Unicode tables have it: a byte of bits for each.

Made once a process, on first use, in about a third of a second.
"""

import functools
import sys
import unicodedata

import numpy as np
import numpy.typing as npt

SPACE, ALPHABETIC, SYMBOL, BREAK = 1, 2, 4, 8
"""White space that `str.split` splits at; `str.isalpha`; no letter, mark, number or separator; a line end."""

BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
"""Where `str.splitlines` ends a line."""


@functools.cache
def classes() -> npt.NDArray[np.uint8]:
    """Return the bits of every code point, shape (0x110000,)."""
    points = [chr(point) for point in range(sys.maxunicode + 1)]
    found = np.zeros(len(points), np.uint8)
    found |= SPACE * _bits(map(str.isspace, points))
    found |= ALPHABETIC * _bits(map(str.isalpha, points))
    found |= SYMBOL * _bits(map(is_symbol, points))
    found[[ord(one) for one in BREAKS]] |= BREAK
    return found


def is_symbol(character: str) -> bool:
    """Whether a character is punctuation, a symbol, a control, or not assigned."""
    return unicodedata.category(character)[0] in "PSC"


def _bits(flags: "map[bool]") -> npt.NDArray[np.uint8]:
    return np.frombuffer(bytes(flags), np.uint8)
