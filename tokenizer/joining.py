"""Distinct words as ids of tokens, and a pair joined in them: which neighbours it had, and where.

A token of n bytes takes n places; its id stands at the first and at the last, so that the tokens
before and after are found from either end. What stands between is left over from before, and never
looked at: a token only grows, so no later pair begins there.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.jit import inlined, jit
from tokenizer.merge import Numbers
from tokenizer.pair_counts import Index, Signed
from tokenizer.vector import at, prefetch, put, signed, unsigned

BOUND = -1
"""Stands before, between and after words."""

_AHEAD = 24
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFF_FFFF)


class Words(NamedTuple):
    """Ids of all words, with bounds between; where each word begins there; how often it occurs."""

    ids: NDArray[np.int32]
    starts: Signed
    counts: Signed


class Side(NamedTuple):
    """The neighbours, on one side, of a pair that is being joined.

    ``sums`` has two numbers for each id: how often it is a neighbour, and at how many places.
    ``ids`` are those that are, in order of finding, ``slots`` where the pairs they make are counted.
    ``found`` has the neighbour at each place, and ``places`` where the new pair then is: the word
    above the place. ``used`` says how much of ``ids`` and of ``found`` is in use.
    """

    sums: Signed
    ids: NDArray[np.int32]
    slots: Signed
    found: NDArray[np.int32]
    places: Numbers
    used: Signed


def words_of(text: NDArray[np.uint8], offsets: Signed, counts: Signed, ids: Signed) -> Words:
    """Return words as the ids of their bytes; word i is ``text[offsets[i]:offsets[i + 1]]``.

    NumPy asks for large arrays in large pages, Numba does not: so what is large is made here.
    """
    words = Words(
        np.empty(len(text) + len(counts) + 1, np.int32), np.empty(len(counts), np.int64), counts
    )
    _write_words(text, offsets, ids, words)
    return words


@jit
def _write_words(text: NDArray[np.uint8], offsets: Signed, ids: Signed, words: Words) -> None:
    place = 0
    for word in range(len(words.counts)):
        words.ids[place] = BOUND
        place += 1
        words.starts[word] = place
        for byte in range(offsets[word], offsets[word + 1]):
            words.ids[place] = ids[text[byte]]
            place += 1
    words.ids[place] = BOUND


def new_side(size: int, places: int) -> Side:
    """Return room for neighbours of so many ids, at so many places."""
    return Side(
        np.zeros(2 * size, np.int64),
        np.empty(size, np.int32),
        np.empty(size, np.int64),
        np.empty(places, np.int32),
        np.empty(places, np.uint64),
        np.zeros(2, np.int64),
    )


@inlined
def placed(word: Index, place: Index) -> Any:
    """Return a word and a place in it as one number."""
    return unsigned(word) << _HALF | unsigned(place)


@inlined
def note(side: Side, neighbour: Index, count: Index, word: Index, place: Index) -> None:
    """Count a neighbour, and the place where it makes a new pair."""
    if at(side.sums, 2 * neighbour + 1) == 0:
        put(side.ids, side.used[0], np.int32(neighbour))
        side.used[0] += 1
    put(side.sums, 2 * neighbour, at(side.sums, 2 * neighbour) + count)
    put(side.sums, 2 * neighbour + 1, at(side.sums, 2 * neighbour + 1) + 1)
    put(side.found, side.used[1], np.int32(neighbour))
    put(side.places, side.used[1], placed(word, place))
    side.used[1] += 1


@inlined
def _join_at(
    words: Words, where: tuple[int, int], merge: tuple[int, int, int], lengths: Signed,
    before: Side, after: Side,
) -> None:  # fmt: skip
    """Join the pair that is at a place of a word."""
    word, place = where
    left, right, joined = merge
    middle = place + at(lengths, left)
    end = middle + at(lengths, right)
    count = at(words.counts, word)
    neighbour = np.int64(at(words.ids, place - 1))
    if neighbour != BOUND:
        note(before, neighbour, count, word, place - at(lengths, neighbour))
    neighbour = np.int64(at(words.ids, end))
    if neighbour != BOUND:
        note(after, neighbour, count, word, place)
    put(words.ids, place, np.int32(joined))
    put(words.ids, middle, np.int32(joined))
    put(words.ids, end - 1, np.int32(joined))


@jit
def join_places(
    words: Words, places: Numbers, merge: tuple[int, int, int], lengths: Signed,
    before: Side, after: Side,
) -> None:  # fmt: skip
    """Join a pair at the places of words where it still is; they are in order."""
    left, right, _ = merge
    first_length = at(lengths, left)
    count = len(places)
    for number in range(count):
        if number + _AHEAD < count:
            coming = at(places, number + _AHEAD)
            prefetch(words.ids, signed(coming & _LOW))
            prefetch(words.counts, signed(coming >> _HALF))
        here = at(places, number)
        place = signed(here & _LOW)
        if at(words.ids, place) == left and at(words.ids, place + first_length) == right:
            _join_at(words, (signed(here >> _HALF), place), merge, lengths, before, after)


@jit
def join_words(
    words: Words, places: Numbers, merge: tuple[int, int, int], lengths: Signed,
    before: Side, after: Side,
) -> None:  # fmt: skip
    """Join a pair wherever it is in the words of the places."""
    left, right, joined = merge
    for number in range(len(places)):
        word = signed(places[number] >> _HALF)
        place = words.starts[word]
        while words.ids[place] != BOUND:
            token = np.int64(words.ids[place])
            if token == left and words.ids[place + lengths[left]] == right:
                _join_at(words, (word, place), merge, lengths, before, after)
                token = np.int64(joined)
            place += lengths[token]
