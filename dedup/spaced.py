"""Texts in which one space stands behind each treebank word, so that words lie between blanks.

Words are those of `shingles.words`, found by `dedup.treebank_kernels`. Texts of more characters than a
piece has are taken piece by piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup import characters, kernels, shingles, treebank_kernels
from dedup.columns import batched, padded
from dedup.vectors import PAD, SLACK

_BATCH = 1 << 18
"""Bytes of text whose words are found together."""

_SPACE = ord(" ")

Spaced = tuple[int, NDArray[np.uint8], NDArray[np.int64]]
"""The number of a text, the bytes of it and those that follow, and where each begins and the last ends."""


@dataclass(frozen=True, slots=True, eq=False)
class _Room:
    """Arrays for the words of some text; memory that is not used is not taken."""

    fields: tuple[NDArray[Any], NDArray[Any]]
    made: NDArray[np.uint8]


def spaced(content: NDArray[np.uint8], offsets: NDArray[np.int64], n: int) -> Iterator[Spaced]:
    """Yield texts that lie in a buffer of UTF-8, some at a time, with spaces between their words.

    A long text comes in several runs, each begun with the last n - 1 words of the one before. What
    is yielded is overwritten afterwards.
    """
    room = _room(_BATCH)
    for at, stop in batched(offsets, _BATCH):
        edges = np.column_stack((offsets[at:stop], offsets[at + 1 : stop + 1]))
        size = int(edges[-1, 1] - edges[0, 0])
        if size <= shingles.PIECE:
            yield (at, *_written(content, edges, room if size <= _BATCH else _room(size)))
        else:
            yield from ((at, *run) for run in _runs(content, edges[0], n))


def _runs(
    content: NDArray[np.uint8], edge: NDArray[np.int64], n: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield the words of one long text in runs."""
    text, edges = padded(content, edge[None])
    start, end = 0, int(edges[0, 1])
    held = np.empty(0, np.uint8)
    while start < end:
        stop = treebank_kernels.piece_end(text, start, end, shingles.PIECE, characters.table())
        piece = np.array([[start, stop]])
        made, places = _written(text, piece, _room(stop - start))
        run = np.concatenate((held, made[: places[-1] + PAD]))
        length = len(held) + int(places[-1])
        yield run, np.array([0, length])
        held = _last_words(run[:length], n - 1)
        start = stop


def _last_words(run: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return the last words of a run, with the space behind each."""
    ends = np.flatnonzero(run == _SPACE)
    return run if len(ends) <= count else run[int(ends[-count - 1]) + 1 :]


def _written(
    content: NDArray[np.uint8], edges: NDArray[np.int64], room: _Room
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return segments with spaces between their words, and where each begins and the last ends."""
    text, edges = padded(content, edges)
    firsts = np.empty(len(edges) + 1, np.int64)
    kernels.find_words(text, edges, *room.fields, firsts)
    places = np.empty(len(edges) + 1, np.int64)
    treebank_kernels.write_words(text, room.fields, firsts, characters.table(), room.made, places)
    return room.made, places


def _room(size: int) -> _Room:
    """Return room for texts of ``size`` bytes, were every byte a word, and a double quote."""
    words = size + 2 + SLACK
    place = np.int32 if size + PAD < 1 << 31 else np.int64
    fields = (np.empty(words, place), np.empty(words, place))
    return _Room(fields, np.empty(3 * size + PAD, np.uint8))
