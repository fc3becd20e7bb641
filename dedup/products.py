"""Kernels that hash shingles by multiplication, as vector code: the ``fast`` hashes of `dedup.shingles`.

Words go through plain loops over arrays, a step a loop, a thousand at a time.
"""

from typing import Any

import numpy as np
from numba import njit

from dedup.shingles import LAST_FACTOR, LENGTH_FACTOR, NEXT_FACTOR, WORD_FACTOR
from dedup.vectors import eight_bytes

_compiled = njit(cache=True, nogil=True, boundscheck=False)

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_THREE, _EIGHT = np.uint64(3), np.uint64(8)
_HALF, _THIRD = np.uint64(32), np.uint64(29)
_TOGETHER = 1 << 10
"""Words that are hashed together: few enough that their hashes stay in the nearest cache."""


@_compiled
def fast_hashes(text: Any, starts: Any, ends: Any, firsts: Any, n: int, hashes: Any) -> int:
    """Hash the shingles of words by multiplication; ``firsts`` becomes the places of hashes.

    Returns how many there are. `dedup.shingles` says what a hash is.
    """
    words = np.empty(_TOGETHER + n, np.uint64)
    grams, spare = np.empty_like(words), np.empty_like(words)
    longer = np.empty(len(words) + 1, np.int64)
    made = 0
    for segment in range(len(firsts) - 1):
        low, high = firsts[segment], firsts[segment + 1]
        firsts[segment] = made
        while high - low >= n:
            stop = min(high, low + _TOGETHER + n - 1)
            count = stop - low - n + 1
            _hash_words(text, starts[low:stop], ends[low:stop], words, longer)
            summed = _join_hashes(words[: stop - low], n, grams, spare)
            _mix_grams(summed, hashes[made : made + count])
            made += count
            low += count
    firsts[len(firsts) - 1] = made
    return made


@_compiled
def _hash_words(text: Any, starts: Any, ends: Any, words: Any, longer: Any) -> None:
    """Hash words: all as if of up to 8 bytes at first, then the few longer ones anew."""
    found = 0
    for word in range(len(starts)):
        start, length = starts[word], np.uint64(ends[word] - starts[word])
        unused = np.uint64(64) - (min(length, _EIGHT) << _THREE)
        words[word] = (eight_bytes(text, start) & (_ALL >> unused)) ^ length * LENGTH_FACTOR
        longer[found] = word
        found += int(length > _EIGHT)
    for word in range(len(starts)):
        hashed = words[word] * WORD_FACTOR
        hashed = (hashed ^ (hashed >> _THIRD)) * LENGTH_FACTOR
        words[word] = hashed ^ (hashed >> _HALF)
    for word in longer[:found]:
        words[word] = _long_word_hash(text, starts[word], ends[word])


@njit(inline="always", boundscheck=False)
def _long_word_hash(text: Any, start: int, end: int) -> Any:
    """Hash the bytes of one word, 8 at a time, the last padded with zeros."""
    hashed = np.uint64(end - start) * LENGTH_FACTOR
    while end - start > 8:
        hashed = (hashed ^ eight_bytes(text, start)) * WORD_FACTOR
        hashed ^= hashed >> _THIRD
        start += 8
    last = eight_bytes(text, start) & (_ALL >> np.uint64(64 - 8 * (end - start)))
    hashed = (hashed ^ last) * WORD_FACTOR
    hashed = (hashed ^ (hashed >> _THIRD)) * LENGTH_FACTOR
    return hashed ^ (hashed >> _HALF)


@_compiled
def _join_hashes(words: Any, n: int, grams: Any, spare: Any) -> Any:
    """Return the sums of every n neighbouring hashes, each times a power of the factor.

    Sums of m and m make those of 2 m, and one word more those of 2 m + 1: by the binary digits of n.
    """
    sums, held, factor = words, 1, NEXT_FACTOR
    digit = 1
    while digit * 2 <= n:
        digit *= 2
    while held < n:
        digit //= 2
        _add_sums(sums, sums[held:], factor, grams)
        sums, grams, spare = grams[: len(sums) - held], spare, grams
        held, factor = 2 * held, factor * factor
        if n & digit:
            _add_sums(sums, words[held:], NEXT_FACTOR, grams)
            sums, grams, spare = grams[: len(sums) - 1], spare, grams
            held, factor = held + 1, factor * NEXT_FACTOR
    return sums


@_compiled
def _add_sums(sums: Any, further: Any, factor: Any, total: Any) -> None:
    """Write sums times a factor, plus those further on."""
    for place in range(len(further)):
        total[place] = sums[place] * factor + further[place]


@_compiled
def _mix_grams(summed: Any, hashes: Any) -> None:
    """Mix the sums of shingles to their hashes."""
    for place in range(len(hashes)):
        mixed = (summed[place] ^ (summed[place] >> _HALF)) * LAST_FACTOR
        hashes[place] = np.uint32(((mixed ^ (mixed >> _THIRD)) * WORD_FACTOR) >> _HALF)
