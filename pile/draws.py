"""Randomness without state: every draw is a keyed hash of what it decides about.

A draw depends on the seed, its purpose and the names given, and on nothing else: not on order,
worker or history. BLAKE2b (RFC 7693), 8 bytes of digest a number, names separated by a NUL byte.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]
"""Uniform 64-bit integers."""

_TOP = 1 << 64

# The increment and the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def key(seed: int, purpose: str, *names: str | int) -> int:
    """Return a uniform 64-bit integer for these names."""
    text = "\0".join((purpose, *map(str, names)))
    sha = hashlib.blake2b(text.encode(), digest_size=8, key=str(seed).encode())
    return int.from_bytes(sha.digest(), "big")


def unit(seed: int, purpose: str, *names: str | int) -> float:
    """Return a uniform number in [0, 1) for these names."""
    return key(seed, purpose, *names) / _TOP


def keys(seed: int, purpose: str, names: Iterable[str], count: int) -> Numbers:
    """Return ``count`` independent integers for each name, shape (names, count), of one hash each."""
    begun = hashlib.blake2b(f"{purpose}\0".encode(), digest_size=8 * count, key=str(seed).encode())
    found = bytearray()
    for name in names:
        sha = begun.copy()
        sha.update(name.encode())
        found += sha.digest()
    return np.frombuffer(found, ">u8").astype(np.uint64).reshape(-1, count)


def later(first: Numbers, steps: Numbers) -> Numbers:
    """Return the numbers that come some steps later in sequences of SplitMix64; step 0 is the first."""
    numbers = first + steps * _STEP
    for factor, shift in zip(_FACTORS, _SHIFTS, strict=False):
        numbers = (numbers ^ (numbers >> shift)) * factor
    numbers ^= numbers >> _SHIFTS[-1]
    return np.where(steps == 0, first, numbers)


def below(share: float) -> int:
    """Return the integer below which that share of all 64-bit integers lies; at most the largest."""
    return min(int(share * _TOP), _TOP - 1)


def slots(numbers: Numbers, count: int) -> NDArray[np.int64]:
    """Return in which of ``count`` equal parts of all 64-bit integers each number lies, in order.

    That is the upper half of the product with ``count``, which is below 2^32.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    times = np.uint64(count)
    upper = (numbers >> half) * times + ((numbers & low) * times >> half)
    found: NDArray[np.int64] = (upper >> half).astype(np.int64)
    return found
