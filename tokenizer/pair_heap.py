"""The pairs that wait to be joined, the commonest on top.

An entry is a pair, the count it had when it was put here, and the words in which it was found then.
One whose count has changed since sinks to its place when it comes to the top.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import inlined, jit
from tokenizer.merge import Numbers
from tokenizer.pair_table import Found, Pairs, Signed, grown, pair_slot


class Waiting(NamedTuple):
    """By entry: the pair's key, its count, and which of ``words`` are its. A heap of entries.

    ``used`` says how many entries, of which how many are on the heap, and words there are.
    """

    keys: Numbers
    counts: Signed
    firsts: Signed
    ends: Signed
    heap: Signed
    words: NDArray[np.int32]
    used: Signed


@jit
def new_waiting(size: int) -> Waiting:
    """Return room for so many entries."""
    return Waiting(
        np.empty(size, np.uint64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
        np.zeros(3, np.int64),
    )


@inlined
def _before(counts: Signed, keys: Numbers, one: int, other: int) -> bool:
    """Tell whether an entry is joined before another: by count, ties by the lower pair."""
    if counts[one] != counts[other]:
        return bool(counts[one] > counts[other])
    return bool(keys[one] < keys[other])


@inlined
def _rise(waiting: Waiting, place: int) -> None:
    """Bring the entry at a place of the heap up to where it belongs."""
    heap, counts, keys = waiting.heap, waiting.counts, waiting.keys
    entry = heap[place]
    while place > 0:
        parent = (place - 1) >> 1
        if not _before(counts, keys, entry, heap[parent]):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = entry


@inlined
def _sink(waiting: Waiting) -> None:
    """Bring the top entry down to where it belongs."""
    heap, size = waiting.heap, waiting.used[1]
    counts, keys = waiting.counts, waiting.keys
    entry = heap[0]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _before(counts, keys, heap[child + 1], heap[child]):
            child += 1
        if not _before(counts, keys, heap[child], entry):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = entry


@jit
def commonest(waiting: Waiting, pairs: Pairs, least: int) -> int:
    """Take the commonest pair's entry off the heap; -1 if none occurs ``least`` times."""
    while waiting.used[1] > 0:
        top = waiting.heap[0]
        now = pairs.counts[pair_slot(pairs.keys, waiting.keys[top])]
        if waiting.counts[top] != now:
            waiting.counts[top] = now
            _sink(waiting)
            continue
        if now < max(1, least):
            break
        waiting.used[1] -= 1
        waiting.heap[0] = waiting.heap[waiting.used[1]]
        if waiting.used[1] > 0:
            _sink(waiting)
        return int(top)
    return -1


@jit
def put_all(waiting: Waiting, pairs: Pairs, found: Found) -> Waiting:
    """Put the pairs of a step on the heap, and forget them as found; return the larger heap."""
    waiting = _with_room(waiting, found.used[0], found.used[1])
    for number in range(found.used[0]):
        slot = pair_slot(pairs.keys, found.keys[number])
        pairs.numbers[slot] = -1
        first = waiting.used[2]
        waiting.used[2] += found.sizes[number]
        found.last[number] = first
        if pairs.counts[slot] > 0:
            _put(waiting, found.keys[number], pairs.counts[slot], first)
    for place in range(found.used[1]):
        number = found.pairs[place]
        waiting.words[found.last[number]] = found.words[place]
        found.last[number] += 1
    found.used[:] = 0
    return waiting


@jit
def _put(waiting: Waiting, key: np.uint64, count: int, first: int) -> None:
    """Make an entry of a pair and the words from ``first`` on."""
    entry, place = waiting.used[0], waiting.used[1]
    waiting.keys[entry] = key
    waiting.counts[entry] = count
    waiting.firsts[entry] = first
    waiting.ends[entry] = waiting.used[2]
    waiting.heap[place] = entry
    waiting.used[0] += 1
    waiting.used[1] += 1
    _rise(waiting, place)


@jit
def _with_room(waiting: Waiting, entries: int, words: int) -> Waiting:
    entries += waiting.used[0]
    words += waiting.used[2]
    if entries <= len(waiting.keys) and words <= len(waiting.words):
        return waiting
    return Waiting(
        grown(waiting.keys, entries),
        grown(waiting.counts, entries),
        grown(waiting.firsts, entries),
        grown(waiting.ends, entries),
        grown(waiting.heap, entries),
        grown(waiting.words, words),
        waiting.used,
    )
