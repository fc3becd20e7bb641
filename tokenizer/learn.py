"""Learn merges from counted words: the pair that occurs most is joined, everywhere, again and again.

Ties go to the pair of the lower left id, then of the lower right one. Counts have 64 bits. All else
is as HF ``tokenizers`` does it (BpeTrainer), down to what happens if two different pairs make the
same token: the second makes no new entry, its occurrences are added to what the first left, and a
pair that was joined once keeps its count. So merges are HF's, wherever its 32 bits do not overflow.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.alphabet import CHARACTER_OF_BYTE
from tokenizer.jit import inlined, jit
from tokenizer.pair_heap import commonest, new_waiting, put_all
from tokenizer.pair_table import (
    Found,
    Index,
    Pairs,
    Signed,
    add,
    change,
    found_with_room,
    grown,
    new_found,
    new_pairs,
    with_room,
)
from tokenizer.recipe import SPECIAL_TOKENS, Recipe
from tokenizer.vector import signed

_ROOM = 1 << 12
"""Pairs for which room is made at once: to ask for each word anew costs as much as to join it."""

_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)


class Words(NamedTuple):
    """Distinct words: where the ids of each begin, how many are left, how often it occurs."""

    ids: NDArray[np.int32]
    starts: Signed
    lengths: Signed
    counts: Signed


class Tokens(NamedTuple):
    """The bytes of tokens, where each one's begin, a hash table of ids by bytes; ids in use."""

    bytes: NDArray[np.uint8]
    starts: Signed
    slots: Signed
    used: Signed


def merges(
    text: NDArray[np.uint8], offsets: Signed, counts: Signed, alphabet: list[int], recipe: Recipe
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return merges in order, and all tokens by id but the special ones, in the byte alphabet.

    ``text`` holds distinct words one after the other, ``offsets`` where each begins. ``alphabet``
    holds the bytes that are tokens, in the order of their ids.
    """
    reserved = len(SPECIAL_TOKENS)
    id_of_byte = np.zeros(256, dtype=np.int32)
    id_of_byte[alphabet] = np.arange(reserved, reserved + len(alphabet))
    words = Words(id_of_byte[text], offsets[:-1].copy(), np.diff(offsets), counts.astype(np.int64))
    size = max(recipe.vocabulary_size, reserved + len(alphabet))
    rows = _learn(words, np.array(alphabet), reserved, size, recipe.min_frequency)
    names = {reserved + place: CHARACTER_OF_BYTE[byte] for place, byte in enumerate(alphabet)}
    ranked: dict[tuple[str, str], int] = {}
    for rank, (left, right, made) in enumerate(rows.tolist()):
        names.setdefault(made, names[left] + names[right])
        ranked[names[left], names[right]] = rank  # of a pair learned twice the later one counts
    return sorted(ranked, key=ranked.__getitem__), [names[number] for number in sorted(names)]


@jit
def _learn(words: Words, alphabet: Signed, reserved: int, size: int, least: int) -> Signed:
    """Return merges as rows of left, right and joined id.

    ``alphabet`` holds the bytes whose ids follow the ``reserved`` ones; the ids in ``words`` are
    theirs. There will be ``size`` ids at most.
    """
    tokens = _alphabet_tokens(alphabet, reserved, size)
    pairs, found = _all_pairs(words)
    waiting = put_all(new_waiting(1 << 16), pairs, found)
    learned = np.empty((size, 3), np.int64)
    count = 0
    while tokens.used[0] < size:
        entry = commonest(waiting, pairs, least)
        if entry < 0:
            break
        key = waiting.keys[entry]
        left, right = signed(key >> _HALF), signed(key & _LOW)
        tokens, joined = _token(tokens, left, right)
        if count == len(learned):
            learned = np.concatenate((learned, learned))
        learned[count, 0], learned[count, 1], learned[count, 2] = left, right, joined
        count += 1
        place, end = waiting.firsts[entry], waiting.ends[entry]
        while place < end:
            room = max(_ROOM, 2 * words.lengths[waiting.words[place]])
            pairs = with_room(pairs, room)
            found = found_with_room(found, room)
            chosen = waiting.words[place:end]
            place += _join_some(words, chosen, (left, right, joined), pairs, found)
        waiting = put_all(waiting, pairs, found)
    return learned[:count].copy()


@jit
def _join_some(
    words: Words,
    chosen: NDArray[np.int32],
    merge: tuple[int, int, int],
    pairs: Pairs,
    found: Found,
) -> int:
    """Join a pair in the words chosen, as far as there is room; return in how many."""
    room = min(
        len(pairs.keys) // 2 - pairs.used[0],
        len(found.keys) - found.used[0],
        len(found.words) - found.used[1],
    )
    for number in range(len(chosen)):
        word = np.int64(chosen[number])
        room -= 2 * words.lengths[word]
        if room < 0:
            return number
        _join(words, word, merge, pairs, found)
    return len(chosen)


@jit
def _all_pairs(words: Words) -> tuple[Pairs, Found]:
    """Count the pairs of all words."""
    pairs, found = new_pairs(1 << 20), new_found(1 << 20)
    for word in range(len(words.starts)):
        start, length = words.starts[word], words.lengths[word]
        pairs = with_room(pairs, length)
        found = found_with_room(found, length)
        for place in range(start, start + length - 1):
            pair = np.int64(words.ids[place]), np.int64(words.ids[place + 1])
            add(pairs, found, pair, words.counts[word], np.int64(word))
    return pairs, found


@inlined
def _join(
    words: Words, word: Index, merge: tuple[int, int, int], pairs: Pairs, found: Found
) -> None:
    """Join a pair wherever it is in a word, from the left; note the pairs that go and come."""
    left, right, joined = merge
    ids, count = words.ids, words.counts[word]
    start = words.starts[word]
    stop = start + words.lengths[word]
    source = target = start
    while source < stop:
        if ids[source] != left or source + 1 == stop or ids[source + 1] != right:
            ids[target] = ids[source]
            source += 1
            target += 1
            continue
        if target > start:
            before = np.int64(ids[target - 1])
            change(pairs, (before, left), -count)
            add(pairs, found, (before, joined), count, word)
        if source + 2 < stop:
            after = np.int64(ids[source + 2])
            change(pairs, (right, after), -count)
            add(pairs, found, (joined, after), count, word)
        ids[target] = joined
        source += 2
        target += 1
    words.lengths[word] = target - start


@jit
def _alphabet_tokens(alphabet: Signed, reserved: int, size: int) -> Tokens:
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
def _token(tokens: Tokens, left: int, right: int) -> tuple[Tokens, int]:
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
