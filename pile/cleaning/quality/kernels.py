"""The kernels of the quality classifier: hashing, training and scoring over flat arrays.

Compiled by Numba on first use and kept on disk. They use one thread, add in a fixed order and take no
function from the system's mathematical library, so that the same input gives the same bytes on every
machine. ``lexicon`` is ``(words, slots, buckets)``: the hashes of the words that have a row of their own,
an open-addressing table of their rows (a power of two long, -1 where free), and how many rows pairs of
words share. ``weights`` is ``(rows, output)``, of shapes (words + buckets, dims) and (dims,).
"""

from typing import Any

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, boundscheck=False)
_inlined = njit(inline="always", boundscheck=False)

_BASIS, _PRIME = np.uint32(2166136261), np.uint32(16777619)
_SIGN = np.uint32(0xFFFFFF00)

END = np.uint32(3617362777)
"""Hash of ``</s>``, the word that ends each text; a text that holds it ends there."""

_PAIR = np.uint64(116049371)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

_LOG2E, _LN2 = 1.4426950408889634, 0.6931471805599453
_TERMS = 14


@_compiled
def hash_words(text: Any, edges: Any, hashes: Any, firsts: Any) -> int:
    """Hash the words of texts ``text[edges[t]:edges[t + 1]]``; returns how many there are.

    There must be room for one word in two bytes, and two more a text.
    """
    made = 0
    for number in range(len(firsts) - 1):
        firsts[number] = made
        hashed, inside = _BASIS, False
        for at in range(edges[number], edges[number + 1]):
            byte = text[at]
            if byte == 32 or 9 <= byte <= 13 or byte == 0:
                if inside:
                    if hashed == END:
                        break
                    hashes[made] = hashed
                    made += 1
                    hashed, inside = _BASIS, False
            else:
                signed = np.uint32(byte) | _SIGN if byte >= 128 else np.uint32(byte)
                hashed = np.uint32((hashed ^ signed) * _PRIME)
                inside = True
        if inside and hashed != END:
            hashes[made] = hashed
            made += 1
        hashes[made] = END
        made += 1
    firsts[len(firsts) - 1] = made
    return made


@_compiled
def fill_slots(words: Any, slots: Any) -> None:
    """Enter the rows of words into an empty table."""
    mask = np.int64(len(slots) - 1)
    for row in range(len(words)):
        at = np.int64(words[row]) & mask
        while slots[at] >= 0:
            at = (at + 1) & mask
        slots[at] = row


@_inlined
def _row_of(hashed: Any, words: Any, slots: Any) -> Any:
    """Return a word's row, or -1."""
    mask = np.int64(len(slots) - 1)
    at = np.int64(hashed) & mask
    while slots[at] >= 0:
        if words[slots[at]] == hashed:
            return np.int64(slots[at])
        at = (at + 1) & mask
    return np.int64(-1)


@_inlined
def _find_rows(hashes: Any, start: int, stop: int, lexicon: Any, found: Any) -> int:
    """Write the rows of a text's known words, then those of its pairs; returns how many."""
    words, slots, buckets = lexicon
    count = 0
    for at in range(start, stop):
        row = _row_of(hashes[at], words, slots)
        if row >= 0:
            found[count] = row
            count += 1
    for at in range(start, stop - 1):
        first = np.uint64(np.int64(np.int32(hashes[at])))
        second = np.uint64(np.int64(np.int32(hashes[at + 1])))
        pair = (first * _PAIR + second) % np.uint64(buckets)
        found[count] = len(words) + np.int64(pair)
        count += 1
    return count


@_inlined
def _mean(rows: Any, found: Any, count: int, hidden: Any) -> None:
    """Average rows into ``hidden``."""
    hidden[:] = 0
    for place in range(count):
        row = rows[found[place]]
        for column in range(len(hidden)):
            hidden[column] += row[column]
    share = np.float32(1.0 / max(count, 1))
    for column in range(len(hidden)):
        hidden[column] *= share


@_inlined
def _chance(hidden: Any, output: Any) -> Any:
    """Return ``1 / (1 + exp(-2 output . hidden))``."""
    dot = 0.0
    for column in range(len(hidden)):
        dot += np.float64(hidden[column]) * np.float64(output[column])
    small = _exp(-abs(2.0 * dot))
    return 1.0 / (1.0 + small) if dot >= 0 else small / (1.0 + small)


@_inlined
def _exp(x: float) -> float:
    """Return e to the power of x <= 0: a power of two times the series of what is left."""
    if x < -700.0:
        return 0.0
    whole = np.floor(x * _LOG2E + 0.5)
    left = x - whole * _LN2
    total = 1.0
    for term in range(_TERMS, 0, -1):
        total = 1.0 + total * left / term
    for _ in range(-int(whole)):
        total *= 0.5
    return total


@_compiled
def initialise(rows: Any, seed: np.uint64) -> None:
    """Fill rows with numbers from -1/dims to 1/dims, each a hash (SplitMix64) of seed and place."""
    dims = rows.shape[1]
    for row in range(len(rows)):
        for column in range(dims):
            state = seed + np.uint64(row * dims + column + 1) * _GOLDEN
            state = (state ^ (state >> np.uint64(30))) * _MIX_1
            state = (state ^ (state >> np.uint64(27))) * _MIX_2
            drawn = np.float64((state ^ (state >> np.uint64(31))) >> np.uint64(40)) / (1 << 24)
            rows[row, column] = np.float32((2.0 * drawn - 1.0) / dims)


@_compiled
def train(examples: Any, lexicon: Any, weights: Any, rate: float, epochs: int) -> None:
    """Learn from examples, one after another; ``examples`` is ``(hashes, firsts, wanted, order)``.

    The rate falls to nothing in a straight line with the words seen.
    """
    hashes, firsts, wanted, order = examples
    rows, output = weights
    found = np.empty(2 * max(1, np.max(firsts[1:] - firsts[:-1])), np.int64)
    hidden, change = np.empty(len(output), np.float32), np.empty(len(output), np.float32)
    seen = 0
    for _ in range(epochs):
        for number in order:
            done = seen / (epochs * len(hashes))
            seen += firsts[number + 1] - firsts[number]
            count = _find_rows(hashes, firsts[number], firsts[number + 1], lexicon, found)
            _mean(rows, found, count, hidden)
            step = rate * (1.0 - done) * (wanted[number] - _chance(hidden, output))
            share, step = np.float32(2.0 * step / max(count, 1)), np.float32(step)
            for column in range(len(output)):
                change[column] = share * output[column]
                output[column] += step * hidden[column]
            for place in range(count):
                row = rows[found[place]]
                for column in range(len(output)):
                    row[column] += change[column]


@_compiled
def score(hashes: Any, firsts: Any, lexicon: Any, weights: Any, scores: Any) -> None:
    """Write for each text the chance that it is one of those wanted."""
    rows, output = weights
    found = np.empty(2 * max(1, np.max(firsts[1:] - firsts[:-1])), np.int64)
    hidden = np.empty(len(output), np.float32)
    for number in range(len(scores)):
        count = _find_rows(hashes, firsts[number], firsts[number + 1], lexicon, found)
        _mean(rows, found, count, hidden)
        scores[number] = _chance(hidden, output)
