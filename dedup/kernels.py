"""The kernels of signatures: words, hashes and least permuted hashes, straight on UTF-8 bytes.

Compiled by Numba on first use, kept on disk, and run without the interpreter's lock. Texts come as
segments of a buffer: segment s is ``text[edges[s, 0]:edges[s, 1]]``, and `vectors.PAD` bytes behind
the last can be read. What they give is what
`dedup.shingles` and `dedup.minhash` give without them, bit for bit.
"""

from typing import Any

import numpy as np
from numba import njit

from dedup.vectors import (
    LANES,
    ascii_blanks,
    blank_leads,
    blank_pairs,
    blank_triples,
    compress,
    copy_sixteen,
    count_bits,
    fold_affine,
    fold_affine_wide,
    fold_legacy,
    lowest_bit,
    message_row,
)

_compiled = njit(cache=True, nogil=True, boundscheck=False)

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE, _TWO, _TOP = np.uint64(1), np.uint64(2), np.uint64(63)
_SHA1 = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], np.uint32)


@_compiled
def find_words(text: Any, edges: Any, starts: Any, ends: Any, firsts: Any) -> None:
    """Find the words of segments, as ``str.split`` does.

    Word w is ``text[starts[w]:ends[w]]``; those of segment s are ``firsts[s]`` up to
    ``firsts[s + 1]``. There must be room for one word in two bytes, one more a
    segment, and `vectors.SLACK` behind all.
    """
    found = 0
    ended = 0
    for segment in range(len(edges)):
        firsts[segment] = found
        stop = edges[segment, 1]
        before, spill = _ONE, np.uint64(0)
        for at in range(edges[segment, 0], stop, 64):
            blank = ascii_blanks(text, at) | spill
            spill = np.uint64(0)
            if blank_leads(text, at) != 0:
                pairs, triples = blank_pairs(text, at), blank_triples(text, at)
                blank |= pairs | (pairs << _ONE) | triples | (triples << _ONE) | (triples << _TWO)
                spill = (pairs >> _TOP) | (triples >> _TOP) | (triples >> np.uint64(62))
                spill |= (triples >> _TOP) << _ONE
            if stop - at < 64:
                blank |= _ALL << np.uint64(stop - at)
            edge = blank ^ ((blank << _ONE) | before)
            before = blank >> _TOP
            found = _write_places(edge & ~blank, at, starts, found)
            ended = _write_places(edge & blank, at, ends, ended)
        if ended < found:
            ends[ended] = stop
            ended += 1
    firsts[len(edges)] = found


@njit(inline="always", boundscheck=False)
def _write_places(mask: Any, at: int, places: Any, count: int) -> int:
    """Write where the bits of a mask are set, counted from ``at``; return how many are written.

    Eight at a time, so that the processor seldom guesses wrong when they end; what is written too
    much lies behind the count.
    """
    bits = int(count_bits(mask))
    for first in range(0, bits, 8):
        for number in range(count + first, count + first + 8):
            places[number] = at + np.int64(lowest_bit(mask))
            mask &= mask - _ONE
    return count + bits


@_compiled
def join_words(text: Any, starts: Any, ends: Any, count: int, joined: Any) -> int:
    """Write words with one space behind each; make ``starts`` and ``ends`` places in ``joined``.

    Returns the length written. The text's length, one byte a word and `vectors.PAD` must fit.
    """
    to = 0
    for word in range(count):
        start, length = starts[word], ends[word] - starts[word]
        for at in range(0, length, 16):
            copy_sixteen(text, start + at, joined, to + at)
        starts[word] = to
        to += length
        ends[word] = to
        joined[to] = 32
        to += 1
    return to


@_compiled
def sha1_hashes(
    text: Any, words: Any, firsts: Any, n: int, hashes: Any, longer: Any
) -> tuple[int, int]:
    """Hash the shingles of joined words with SHA-1, 16 at once; ``firsts`` as in `fast_hashes`.

    A hash is the first four bytes of the digest, least significant first. Shingles of more than 55
    bytes need more than one block: they are left to `sha1_longer`, with their hash's place, start
    and end in the rows of ``longer``; ``words`` are their starts and ends. Returns how many hashes there are, and how many are left.
    """
    starts, ends = words
    block = np.empty((LANES, LANES), np.uint32)
    state = np.empty((5, LANES), np.uint32)
    places = np.zeros(LANES, np.int64)
    made, left, lane = 0, 0, 0
    for segment in range(len(firsts) - 1):
        low, high = firsts[segment], firsts[segment + 1]
        firsts[segment] = made
        for word in range(low, high - n + 1):
            start, end = starts[word], ends[word + n - 1]
            if end - start > 55:
                longer[left, 0], longer[left, 1], longer[left, 2] = made, start, end
                left += 1
            else:
                message_row(text, start, end - start, block, lane)
                block[lane, 15] = np.uint32(8 * (end - start))
                places[lane] = made
                lane += 1
                if lane == LANES:
                    _hash_block(block, state, places, hashes, lane)
                    lane = 0
            made += 1
    _hash_block(block, state, places, hashes, lane)
    firsts[len(firsts) - 1] = made
    return made, left


@_compiled
def sha1_longer(text: Any, longer: Any, hashes: Any) -> None:
    """Hash messages of any length, given as (hash's place, start, end), 16 at once.

    They are best sorted by length: 16 take as many steps as their longest.
    """
    block = np.empty((LANES, LANES), np.uint32)
    state = np.empty((5, LANES), np.uint32)
    for group in range(0, len(longer), LANES):
        lanes = min(LANES, len(longer) - group)
        _begin(state)
        blocks = 0
        for lane in range(lanes):
            blocks = max(blocks, (longer[group + lane, 2] - longer[group + lane, 1] + 72) // 64)
        for number in range(blocks):
            for lane in range(lanes):
                place, start, end = longer[group + lane]
                length = end - start
                _long_row(text, start, length, number, block, lane)
            compress(block, state)
            for lane in range(lanes):
                place, start, end = longer[group + lane]
                if (end - start + 72) // 64 == number + 1:
                    hashes[place] = _swapped(state[0, lane])


@njit(inline="always", boundscheck=False)
def _long_row(text: Any, start: int, length: int, number: int, block: Any, lane: int) -> None:
    """Write one block of a message, its length in bits behind it if it is the last."""
    left = length - 64 * number
    message_row(text, start + 64 * number if left > 0 else start, left, block, lane)
    if left <= 55:
        block[lane, 14] = np.uint32(length >> 29)
        block[lane, 15] = np.uint32(length << 3)


@njit(inline="always", boundscheck=False)
def _hash_block(block: Any, state: Any, places: Any, hashes: Any, lanes: int) -> None:
    """Hash messages of one block each and put the hashes to their places."""
    _begin(state)
    compress(block, state)
    for lane in range(lanes):
        hashes[places[lane]] = _swapped(state[0, lane])


@njit(inline="always", boundscheck=False)
def _begin(state: Any) -> None:
    """Set every lane to SHA-1's first state."""
    for word in range(5):
        state[word, :] = _SHA1[word]


@njit(inline="always", boundscheck=False)
def _swapped(word: Any) -> Any:
    """Return a word of 32 bits with its bytes in the other order."""
    halves = ((word & np.uint32(0x00FF00FF)) << np.uint32(8)) | (
        (word >> np.uint32(8)) & np.uint32(0x00FF00FF)
    )
    return np.uint32((halves << np.uint32(16)) | (halves >> np.uint32(16)))


@_compiled
def mix_hashes(hashes: Any, count: int) -> None:
    """Mix hashes in place with the 32-bit finaliser of MurmurHash3."""
    for at in range(count):
        mixed = hashes[at]
        mixed = np.uint32((mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        mixed = np.uint32((mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        hashes[at] = mixed ^ (mixed >> np.uint32(16))


@_compiled
def least_affine(
    hashes: Any, firsts: Any, owners: Any, factors: Any, terms: Any, values: Any
) -> None:
    """Take the least ``a h + b mod 2^32`` of every segment's hashes into its owner's row.

    The numbers of permutations, and so of columns, are a multiple of `vectors.LANES`.
    """
    for segment in range(len(owners)):
        for start in range(firsts[segment], firsts[segment + 1], 2048):
            span = (start, min(start + 2048, firsts[segment + 1]))
            wide = len(factors) // (4 * LANES) * (4 * LANES)
            for k in range(0, wide, 4 * LANES):
                row = values[owners[segment], k:]
                fold_affine_wide(hashes, span, factors[k:], terms[k:], row)
            for k in range(wide, len(factors), LANES):
                row = values[owners[segment], k:]
                fold_affine(hashes, span, factors[k:], terms[k:], row)


@_compiled
def least_legacy(
    hashes: Any, firsts: Any, owners: Any, factors: Any, terms: Any, values: Any
) -> None:
    """Take the least ``((a h + b) mod 2^64) mod (2^61 - 1)``, its low half, as `least_affine` does."""
    for segment in range(len(owners)):
        for start in range(firsts[segment], firsts[segment + 1], 2048):
            span = (start, min(start + 2048, firsts[segment + 1]))
            for k in range(0, len(factors), LANES):
                row = values[owners[segment], k:]
                fold_legacy(hashes, span, factors[k:], terms[k:], row)
