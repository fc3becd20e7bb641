"""Tokens by their bytes: whether two that are put together are a token already."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import jit
from tokenizer.pair_counts import Signed, grown
from tokenizer.vector import signed

_HALF = np.uint64(32)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Tokens(NamedTuple):
    """The bytes of tokens, where each one's begin, a hash table of ids by bytes; ids in use."""

    bytes: NDArray[np.uint8]
    starts: Signed
    slots: Signed
    used: Signed


@jit
def alphabet_tokens(alphabet: Signed, reserved: int, size: int) -> Tokens:
    """Return the tokens of single bytes; the reserved ones have no bytes."""
    slots = 16
    while slots < 4 * size:
        slots *= 2
    tokens = Tokens(
        np.empty(max(1 << 16, len(alphabet)), np.uint8),
        np.zeros(size + 2, np.int64),
        np.full(slots, -1),
        np.full(1, reserved),
    )
    for byte in alphabet:
        first = tokens.starts[tokens.used[0]]
        tokens.bytes[first] = byte
        _enter(tokens, first + 1)
    return tokens


@jit
def put_together(tokens: Tokens, left: int, right: int) -> tuple[Tokens, int]:
    """Return the id of two tokens put together, which may be there already."""
    first = tokens.starts[tokens.used[0]]
    left_start, left_end = tokens.starts[left], tokens.starts[left + 1]
    right_start, right_end = tokens.starts[right], tokens.starts[right + 1]
    middle = first + left_end - left_start
    end = middle + right_end - right_start
    if end > len(tokens.bytes):
        tokens = Tokens(grown(tokens.bytes, end), tokens.starts, tokens.slots, tokens.used)
    tokens.bytes[first:middle] = tokens.bytes[left_start:left_end]
    tokens.bytes[middle:end] = tokens.bytes[right_start:right_end]
    return tokens, _enter(tokens, end)


@jit
def _enter(tokens: Tokens, end: int) -> int:
    """Return the id of the bytes after the last token's: an older token's, or a new one."""
    number = tokens.used[0]
    first = tokens.starts[number]
    last = len(tokens.slots) - 1
    slot = _hash(tokens.bytes, first, end) & last
    while tokens.slots[slot] >= 0:
        older = tokens.slots[slot]
        if _equal(tokens, older, first, end):
            return int(older)
        slot = (slot + 1) & last
    tokens.slots[slot] = number
    tokens.starts[number + 1] = end
    tokens.used[0] += 1
    return int(number)


@jit
def _equal(tokens: Tokens, older: int, first: int, end: int) -> bool:
    """Tell whether a token has the bytes from ``first`` to ``end``."""
    start = tokens.starts[older]
    if tokens.starts[older + 1] - start != end - first:
        return False
    for place in range(end - first):
        if tokens.bytes[start + place] != tokens.bytes[first + place]:
            return False
    return True


@jit
def _hash(text: NDArray[np.uint8], start: int, end: int) -> int:
    mixed = np.uint64(end - start)
    for place in range(start, end):
        mixed = (mixed ^ np.uint64(text[place])) * _SPREAD
        mixed ^= mixed >> _HALF
    hashed: int = signed(mixed >> np.uint64(1))
    return hashed
