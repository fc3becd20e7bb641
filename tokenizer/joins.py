"""Between which characters a token can lie: words are cut elsewhere, and mean the same.

A merge makes a token of the vocabulary. Where no token has in it what stands on either side of a
place, none is ever made across, and the tokens of a word are those of its two parts. Text without
spaces (Chinese, Japanese, Thai) has words as long as sentences, hardly one of which is met twice;
parts are met all the time, and so are found in `tokenizer.cache`.

Only places before characters of three bytes or more are looked at, where such scripts are.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tokenizer.alphabet import BYTE_OF_CHARACTER
from tokenizer.jit import lean_inlined
from tokenizer.vector import load_byte, load_word

WIDE = 0xE0
"""The least byte that begins a character of three bytes or more."""

_BITS = 16
_ENDS = 1 << _BITS - 3
"""The byte at which the bits begin of tokens that end within three bytes of a place: by the bytes on its two sides."""
_SIZE = _ENDS + 1024

_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)
_FOUR = np.uint64(0xFFFF_FFFF)
_SHIFT = np.uint64(64 - _BITS)


def anywhere() -> NDArray[np.uint8]:
    """Return what says that a token can lie between any two characters: words stay whole."""
    joins = np.full(_SIZE, 0xFF, np.uint8)
    joins.flags.writeable = False
    return joins


def joins_of(vocabulary: Iterable[str]) -> NDArray[np.uint8]:
    """Return a bit for every four bytes, hashed, and every two, that tokens have across a place.

    The first is the last byte before it. Two are marked for a token of which only one or two are
    behind; a bit may be set by others too, and then a word is not cut where it could have been.
    """
    joins = np.zeros(_SIZE, np.uint8)
    for token in vocabulary:
        if token.isascii():
            continue
        text = bytes(BYTE_OF_CHARACTER[c] for c in token if c in BYTE_OF_CHARACTER)
        for place in range(1, len(text)):
            if text[place] >= WIDE:
                bit = _bit_of(text[place - 1 : place + 3])
                joins[bit >> 3] |= 1 << (bit & 7)
    joins.flags.writeable = False
    return joins


def _bit_of(across: bytes) -> int:
    if len(across) < 4:
        return 8 * _ENDS + (across[0] << 5 | across[1] & 31)
    hashed = int.from_bytes(across, "little") * int(_SPREAD) & 0xFFFF_FFFF_FFFF_FFFF
    return hashed >> int(_SHIFT)


@lean_inlined
def may_join(joins: NDArray[np.uint8], text: NDArray[np.uint8], place: int) -> bool:
    """Tell whether a token can have in it the byte before a place and the character there, a wide one."""
    four = load_word(text, place - 1) & _FOUR
    bit = np.int64((four * _SPREAD) >> _SHIFT)
    last, lead = load_byte(text, place - 1), load_byte(text, place)
    ending = 8 * _ENDS + (last << 5 | lead & 31)
    found = load_byte(joins, bit >> 3) >> (bit & 7) | load_byte(joins, ending >> 3) >> (ending & 7)
    return bool(found & 1)
