"""Learn merges from counted words: the pair that occurs most is joined, everywhere, again and again.

Ties go to the pair of the lower left id, then of the lower right one. Counts have 64 bits. All else
is as HF ``tokenizers`` does it (BpeTrainer), down to what happens if two different pairs make the
same token: the second makes no new entry, its occurrences are added to what the first left, and a
pair that was joined once keeps its count. So merges are HF's, wherever its 32 bits do not overflow.

The occurrences of a pair all begin to be at one step, that which makes the younger of its tokens, or
at the beginning; so each pair has one list of places. Only tokens that were made twice break this:
pairs of theirs are looked for in whole words, as HF does it for all.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tokenizer.alphabet import CHARACTER_OF_BYTE
from tokenizer.jit import inlined, jit
from tokenizer.joining import (
    BOUND,
    Side,
    Words,
    join_places,
    join_words,
    new_side,
    placed,
    words_of,
)
from tokenizer.merge import Numbers
from tokenizer.pair_counts import (
    PairCounts,
    Signed,
    change,
    count_at,
    home,
    key_of,
    new_pairs,
    with_room,
)
from tokenizer.pair_queue import Queue, commonest, enter, new_queue, queue_with_room
from tokenizer.recipe import SPECIAL_TOKENS, Recipe
from tokenizer.token_table import alphabet_tokens, put_together
from tokenizer.vector import at, prefetch, put, signed

Merge: TypeAlias = tuple[int, int, int]
"""Left, right and joined id."""

_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)

LARGEST = 1 << 32
"""Bytes of distinct words, and words, that places of 32 bits can tell apart."""


class Workshop(NamedTuple):
    """What learning works with; by id, how many bytes a token has, and whether it was made twice."""

    pairs: PairCounts
    queue: Queue
    before: Side
    after: Side
    lengths: Signed
    twice: NDArray[np.bool_]


def merges(
    text: NDArray[np.uint8], offsets: Signed, counts: Signed, alphabet: list[int], recipe: Recipe
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return merges in order, and all tokens by id but the special ones, in the byte alphabet.

    ``text`` holds distinct words one after the other, ``offsets`` where each begins. ``alphabet``
    holds the bytes that are tokens, in the order of their ids. Raises ValueError if there are more
    than 4 GiB of distinct words.
    """
    if len(text) + len(offsets) >= LARGEST:
        raise ValueError(
            f"{len(text):,} bytes of distinct words are more than can be learned from: "
            "leave out rare ones (min_word_count)"
        )
    reserved = len(SPECIAL_TOKENS)
    id_of_byte = np.zeros(256, dtype=np.int64)
    id_of_byte[alphabet] = np.arange(reserved, reserved + len(alphabet))
    words = words_of(text, offsets, counts.astype(np.int64), id_of_byte)
    size = max(recipe.vocabulary_size, reserved + len(alphabet))
    rows = _learn(
        words, _workshop(len(text), size), np.array(alphabet), reserved, recipe.min_frequency
    )
    names = {reserved + place: CHARACTER_OF_BYTE[byte] for place, byte in enumerate(alphabet)}
    ranked: dict[tuple[str, str], int] = {}
    for rank, (left, right, made) in enumerate(rows.tolist()):
        names.setdefault(made, names[left] + names[right])
        ranked[names[left], names[right]] = rank  # of a pair learned twice the later one counts
    return sorted(ranked, key=ranked.__getitem__), [names[number] for number in sorted(names)]


def _workshop(text_bytes: int, size: int) -> Workshop:
    """Return what learning ``size`` ids from so many bytes of words takes.

    A join makes two places of new pairs at most, and one token of two: three places a byte are enough.
    What is not written to takes no memory.
    """
    return Workshop(
        new_pairs(max(12, (text_bytes // 4).bit_length())),
        new_queue(3 * text_bytes),
        new_side(size + 1, text_bytes),
        new_side(size + 1, text_bytes),
        np.ones(size + 1, np.int64),
        np.zeros(size + 1, np.bool_),
    )


@jit
def _learn(words: Words, workshop: Workshop, alphabet: Signed, reserved: int, least: int) -> Signed:
    """Return merges as rows of left, right and joined id.

    ``alphabet`` holds the bytes whose ids follow the ``reserved`` ones; the ids in ``words`` are
    theirs.
    """
    pairs, queue, before, after, lengths, twice = workshop
    size = len(lengths) - 1
    tokens = alphabet_tokens(alphabet, reserved, size)
    pairs, queue = _enter_all(words, reserved + len(alphabet), pairs, queue)
    learned = np.empty((size, 3), np.int64)
    count = 0
    while tokens.used[0] < size:
        queue, entry = commonest(queue, pairs, least)
        if entry < 0:
            break
        key = queue.keys[entry]
        left, right = signed(key >> _HALF), signed(key & _LOW)
        known = tokens.used[0]
        tokens, joined = put_together(tokens, left, right)
        twice[joined] = tokens.used[0] == known
        lengths[joined] = lengths[left] + lengths[right]
        if count == len(learned):
            learned = np.concatenate((learned, learned))
        merge = left, right, joined
        learned[count, 0], learned[count, 1], learned[count, 2] = merge
        count += 1
        places = queue.places[queue.firsts[entry] : queue.ends[entry]]
        if twice[left] or twice[right]:
            join_words(words, places, merge, lengths, before, after)
        else:
            join_places(words, places, merge, lengths, before, after)
        neighbours = before.used[0] + after.used[0]
        pairs = with_room(pairs, 2 * neighbours)
        queue = queue_with_room(queue, neighbours)
        _change_before(pairs, before, left, joined)
        _change_after(pairs, after, right, joined)
        _enter_new(pairs, queue, before, after, joined)
    return learned[:count].copy()


@jit
def _enter_all(
    words: Words, size: int, pairs: PairCounts, queue: Queue
) -> tuple[PairCounts, Queue]:
    """Count and enter the pairs of all words, whose ids are below ``size``."""
    sums = np.zeros(size * size, np.int64)
    sizes = np.zeros(size * size, np.int64)
    for word in range(len(words.starts)):
        place = words.starts[word]
        while words.ids[place] != BOUND and words.ids[place + 1] != BOUND:
            pair = np.int64(words.ids[place]) * size + np.int64(words.ids[place + 1])
            sums[pair] += words.counts[word]
            sizes[pair] += 1
            place += 1
    different = np.flatnonzero(sums)
    queue = queue_with_room(queue, len(different))
    pairs = with_room(pairs, len(different))
    for pair in different:
        key = key_of(pair // size, pair % size)
        change(pairs, key, home(pairs, key), sums[pair])
        first = queue.used[2]
        queue.used[2] += sizes[pair]
        enter(queue, key, sums[pair], first, queue.used[2])
        sizes[pair] = first
    for word in range(len(words.starts)):
        place = words.starts[word]
        while words.ids[place] != BOUND and words.ids[place + 1] != BOUND:
            pair = np.int64(words.ids[place]) * size + np.int64(words.ids[place + 1])
            queue.places[sizes[pair]] = placed(word, place)
            sizes[pair] += 1
            place += 1
    return pairs, queue


@jit
def _change_before(pairs: PairCounts, side: Side, left: int, joined: int) -> None:
    """Count the pairs that go and come on the left."""
    for number in range(side.used[0]):
        neighbour = np.int64(at(side.ids, number))
        prefetch(pairs.slots, home(pairs, key_of(neighbour, left)))
        prefetch(pairs.slots, home(pairs, key_of(neighbour, joined)))
    for number in range(side.used[0]):
        neighbour = np.int64(at(side.ids, number))
        count = at(side.sums, 2 * neighbour)
        gone, come = key_of(neighbour, left), key_of(neighbour, joined)
        change(pairs, gone, home(pairs, gone), -count)
        put(side.slots, number, change(pairs, come, home(pairs, come), count))


@jit
def _change_after(pairs: PairCounts, side: Side, right: int, joined: int) -> None:
    """Count the pairs that go and come on the right."""
    for number in range(side.used[0]):
        neighbour = np.int64(at(side.ids, number))
        prefetch(pairs.slots, home(pairs, key_of(right, neighbour)))
        prefetch(pairs.slots, home(pairs, key_of(joined, neighbour)))
    for number in range(side.used[0]):
        neighbour = np.int64(at(side.ids, number))
        count = at(side.sums, 2 * neighbour)
        gone, come = key_of(right, neighbour), key_of(joined, neighbour)
        change(pairs, gone, home(pairs, gone), -count)
        put(side.slots, number, change(pairs, come, home(pairs, come), count))


@jit
def _enter_new(pairs: PairCounts, queue: Queue, before: Side, after: Side, joined: int) -> None:
    """Put the pairs that came on the queue, and forget the neighbours.

    A token made twice may stand on both sides of itself: its places on either are one entry.
    """
    double = before.sums[2 * joined + 1] > 0 and after.sums[2 * joined + 1] > 0
    for number in range(before.used[0]):
        neighbour = np.int64(before.ids[number])
        first, places = queue.used[2], before.sums[2 * neighbour + 1]
        before.sums[2 * neighbour] = first
        if double and neighbour == joined:
            after.sums[2 * neighbour] = first + places
            places += after.sums[2 * neighbour + 1]
        _enter_pair(pairs, queue, key_of(neighbour, joined), before.slots[number], places)
    for number in range(after.used[0]):
        neighbour = np.int64(after.ids[number])
        if double and neighbour == joined:
            continue
        first, places = queue.used[2], after.sums[2 * neighbour + 1]
        after.sums[2 * neighbour] = first
        _enter_pair(pairs, queue, key_of(joined, neighbour), after.slots[number], places)
    _write_places(queue, before)
    _write_places(queue, after)


@inlined
def _enter_pair(pairs: PairCounts, queue: Queue, key: Numbers, slot: int, places: int) -> None:
    first = queue.used[2]
    queue.used[2] += places
    count = count_at(pairs, slot)
    if count > 0:
        enter(queue, key, count, first, queue.used[2])


@inlined
def _write_places(queue: Queue, side: Side) -> None:
    """Write each neighbour's places, and empty the side."""
    for number in range(side.used[1]):
        neighbour = np.int64(at(side.found, number))
        place = at(side.sums, 2 * neighbour)
        put(side.sums, 2 * neighbour, place + 1)
        put(queue.places, place, at(side.places, number))
    for number in range(side.used[0]):
        neighbour = np.int64(at(side.ids, number))
        put(side.sums, 2 * neighbour, 0)
        put(side.sums, 2 * neighbour + 1, 0)
    side.used[:] = 0
