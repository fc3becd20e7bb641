"""The pairs that wait to be joined, commonest first, ties by the lower pair.

An entry is a pair, the count it had when it was put here, and the places where it was found then.
One whose count has changed since is put where it belongs when its turn comes.

Counts are divided into levels, each of twice the counts of the one below. Only the entries of one
level are in order, on a heap; those of lower levels wait in piles, most of them for good.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import inlined, jit
from tokenizer.merge import Numbers
from tokenizer.pair_counts import Index, PairCounts, Signed, count_at, find, grown, home
from tokenizer.vector import highest_bit, unsigned

LEVELS = 64
_ENTRIES = 1 << 17
_ON_HEAP = 1 << 12


class Queue(NamedTuple):
    """By entry: the pair's key, its count, which of ``places`` are its, the next of its pile.

    ``heap_*`` hold the heap's counts, keys and entries. ``piles`` has the top of each level's pile,
    or -1. ``used`` says how many entries, entries on the heap, and places there are, and which level
    is on the heap.
    """

    keys: Numbers
    counts: Signed
    firsts: Signed
    ends: Signed
    below: NDArray[np.int32]
    heap_counts: Signed
    heap_keys: Numbers
    heap_entries: NDArray[np.int32]
    piles: Signed
    places: Numbers
    used: Signed


def new_queue(places: int) -> Queue:
    """Return room for so many places in all."""
    used = np.zeros(4, np.int64)
    used[3] = LEVELS
    return Queue(
        np.empty(_ENTRIES, np.uint64),
        np.empty(_ENTRIES, np.int64),
        np.empty(_ENTRIES, np.int64),
        np.empty(_ENTRIES, np.int64),
        np.empty(_ENTRIES, np.int32),
        np.empty(_ON_HEAP, np.int64),
        np.empty(_ON_HEAP, np.uint64),
        np.empty(_ON_HEAP, np.int32),
        np.full(LEVELS, -1),
        np.empty(places, np.uint64),
        used,
    )


@jit
def queue_with_room(queue: Queue, entries: int) -> Queue:
    """Return a queue that has room for so many entries more."""
    on_heap = queue.used[1] + entries
    entries += queue.used[0]
    if entries <= len(queue.keys) and on_heap <= len(queue.heap_keys):
        return queue
    return Queue(
        grown(queue.keys, entries),
        grown(queue.counts, entries),
        grown(queue.firsts, entries),
        grown(queue.ends, entries),
        grown(queue.below, entries),
        grown(queue.heap_counts, on_heap),
        grown(queue.heap_keys, on_heap),
        grown(queue.heap_entries, on_heap),
        queue.piles,
        queue.places,
        queue.used,
    )


@inlined
def level_of(count: Index) -> int:
    """Return the level of a count: how many bits it has."""
    return 0 if count <= 0 else int(highest_bit(unsigned(count))) + 1


@inlined
def enter(queue: Queue, key: Any, count: Index, first: Index, end: Index) -> None:
    """Make an entry of a pair and the places from ``first`` to ``end``; there is room for it."""
    entry = queue.used[0]
    queue.used[0] += 1
    queue.keys[entry] = key
    queue.firsts[entry] = first
    queue.ends[entry] = end
    _place(queue, entry, count)


@inlined
def _place(queue: Queue, entry: Index, count: Index) -> None:
    """Put an entry on the heap, or on the pile of its level."""
    level = level_of(count)
    if level >= queue.used[3]:
        _push(queue, count, queue.keys[entry], entry)
    else:
        queue.counts[entry] = count
        queue.below[entry] = queue.piles[level]
        queue.piles[level] = entry


@inlined
def _push(queue: Queue, count: Index, key: Any, entry: Index) -> None:
    counts, keys, entries = queue.heap_counts, queue.heap_keys, queue.heap_entries
    place = queue.used[1]
    queue.used[1] += 1
    while place > 0:
        parent = (place - 1) >> 1
        if counts[parent] > count or (counts[parent] == count and keys[parent] <= key):
            break
        counts[place], keys[place], entries[place] = counts[parent], keys[parent], entries[parent]
        place = parent
    counts[place], keys[place], entries[place] = count, key, entry


@inlined
def _sink(queue: Queue, count: Index, key: Any, entry: Index) -> None:
    """Put an entry where the top of the heap was."""
    counts, keys, entries = queue.heap_counts, queue.heap_keys, queue.heap_entries
    size = queue.used[1]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            counts[other] > counts[child]
            or (counts[other] == counts[child] and keys[other] < keys[child])
        ):
            child = other
        if counts[child] < count or (counts[child] == count and keys[child] >= key):
            break
        counts[place], keys[place], entries[place] = counts[child], keys[child], entries[child]
        place = child
    counts[place], keys[place], entries[place] = count, key, entry


@inlined
def _drop_top(queue: Queue) -> None:
    queue.used[1] -= 1
    last = queue.used[1]
    if last > 0:
        _sink(queue, queue.heap_counts[last], queue.heap_keys[last], queue.heap_entries[last])


@jit
def _next_level(queue: Queue) -> Queue:
    """Put the highest pile on the heap, which is empty; there may be none left."""
    while queue.used[3] > 0 and queue.used[1] == 0:
        queue.used[3] -= 1
        entry = queue.piles[queue.used[3]]
        queue.piles[queue.used[3]] = -1
        while entry >= 0:
            queue = queue_with_room(queue, 1)
            _push(queue, queue.counts[entry], queue.keys[entry], entry)
            entry = np.int64(queue.below[entry])
    return queue


@jit
def commonest(queue: Queue, pairs: PairCounts, least: int) -> tuple[Queue, Index]:
    """Take the commonest pair's entry; -1 if none occurs ``least`` times."""
    while True:
        if queue.used[1] == 0:
            queue = _next_level(queue)
            if queue.used[1] == 0:
                return queue, -1
        key, entry = queue.heap_keys[0], np.int64(queue.heap_entries[0])
        now = count_at(pairs, find(pairs, key, home(pairs, key)))
        if queue.heap_counts[0] == now:
            if now < max(1, least):
                return queue, -1
            _drop_top(queue)
            return queue, entry
        if level_of(now) >= queue.used[3]:
            _sink(queue, now, key, entry)
        else:
            _drop_top(queue)
            _place(queue, entry, now)
