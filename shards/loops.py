"""The inner loops of sampling, as plain Python that Numba can compile.

`compiled` gives the fast form of a loop where Numba is installed; where it is not, callers do the
same with NumPy. Both give the same arrays, and the plain functions here say what those are.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

INSIDE = -1
"""What `gather` returns when all went well; else it is the number of the sequence that did not."""

OUTSIDE = -2
"""What `gather` returns where samples, or sequences in their order, are none of the shard's."""


@cache
def compiled(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return a loop compiled, or None without Numba. It runs without the interpreter's lock."""
    try:
        from numba import njit  # noqa: PLC0415 - shards need NumPy alone
    except ImportError:
        return None
    try:
        fast: Callable[..., Any] = njit(nogil=True, cache=True)(loop)
    except RuntimeError:  # there is no folder to keep the compiled form in
        fast = njit(nogil=True)(loop)
    return fast


def place_samples(
    lengths: NDArray[np.int32], order: NDArray[np.int32], length: int, places: NDArray[Any]
) -> None:
    """Fill ``places`` [samples + 1, 2]: where each sample begins among sequences in ``order``.

    That is a position in ``order``, and a token of the sequence that is there. Samples begin at
    every ``length``-th token, sequences without tokens left aside, except before the first sample.
    """
    places[0, 0] = places[0, 1] = 0
    # Of unsigned numbers Numba need not look whether they count from the end.
    sample, one, after = np.uint64(1), np.uint64(1), np.uint64(places.shape[0])
    wanted = np.int64(length)  # where the next sample begins, from the beginning of its sequence
    for position in range(order.size):
        size = np.int64(lengths[np.uint32(order[position])])
        while wanted < size:
            if sample == after:
                return
            places[sample, 0] = position
            places[sample, 1] = wanted
            sample += one
            wanted += length
        wanted -= size


def gather(
    tokens: NDArray[Any],
    index: tuple[NDArray[np.int32], NDArray[np.int64]],
    sampling: tuple[NDArray[np.int32], NDArray[Any], NDArray[Any]],
    numbers: NDArray[np.int64],
    out: NDArray[Any],
    rows: NDArray[np.int64],
) -> int:
    """Put samples ``numbers`` into ``rows`` of ``out``, each as many tokens as a row has.

    ``index`` are lengths in tokens and offsets in bytes; ``sampling`` the order of sequences, the
    places of samples, and the order of samples. Returns `INSIDE`, or the number of a sequence that
    does not lie between its neighbours, or `OUTSIDE`: nothing is read beyond any array.
    """
    lengths, offsets = index
    order, places, shuffle = sampling
    for row in range(numbers.size):
        sample = np.int64(shuffle[numbers[row]])
        if not 0 <= sample < places.shape[0]:
            return OUTSIDE
        position, skipped = np.int64(places[sample, 0]), np.int64(places[sample, 1])
        filled = 0
        while filled < out.shape[1]:
            if not 0 <= position < order.size:
                return OUTSIDE
            sequence = order[position]
            if not (0 <= sequence < lengths.size and 0 <= skipped <= lengths[sequence]):
                return OUTSIDE
            begin = offsets[sequence]
            end = begin + lengths[sequence] * tokens.itemsize
            is_last = sequence + 1 == lengths.size
            next_begin = tokens.nbytes if is_last else offsets[sequence + 1]
            if begin < 0 or begin > end or end != next_begin or begin % tokens.itemsize:
                return int(sequence)
            first = begin // tokens.itemsize + skipped
            count = min(lengths[sequence] - skipped, out.shape[1] - filled)
            for place in range(count):
                out[rows[row], filled + place] = tokens[first + place]
            filled += count
            position += 1
            skipped = np.int64(0)
    return INSIDE


def blend(weights: NDArray[np.float64], parts: NDArray[np.int16], numbers: NDArray[Any]) -> None:
    """Fill, for each sample of a blend, which part it is from, and which sample of it.

    At each step the part is taken that lies farthest behind its weight, the first of several:
    Megatron's greedy rule. Weights add up to 1.
    """
    taken = np.zeros(weights.size, dtype=np.int64)
    for sample in range(parts.size):
        step = float(max(sample, 1))
        chosen = 0
        behind = weights[0] * step - taken[0]
        for part in range(1, weights.size):
            other = weights[part] * step - taken[part]
            if other > behind:
                chosen, behind = part, other
        parts[sample] = chosen
        numbers[sample] = taken[chosen]
        taken[chosen] += 1


def blend_all(sizes: NDArray[np.int64], parts: NDArray[np.int16], numbers: NDArray[Any]) -> None:
    """Fill as `blend` does, with sizes as weights, so that each part is used up exactly.

    A part that is used up is not looked at any more, as in Megatron.
    """
    total = float(sizes.sum())
    taken = np.zeros(sizes.size, dtype=np.int64)
    for sample in range(parts.size):
        step = float(max(sample, 1))
        chosen, behind = -1, -np.inf
        for part in range(sizes.size):
            if taken[part] < sizes[part]:
                other = sizes[part] / total * step - taken[part]
                if other > behind:
                    chosen, behind = part, other
        parts[sample] = chosen
        numbers[sample] = taken[chosen]
        taken[chosen] += 1
