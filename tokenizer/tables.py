"""What the kernels of the encoder work with: a tokenizer's tables, and room for one thread."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenizer.cache import Cache
from tokenizer.merge import LANES, SHORT, Merges, Numbers, Workspace
from tokenizer.split import Bytes

AHEAD = 256
"""Words that are looked at together."""


class Ahead(NamedTuple):
    """The keys of the next words, the places of their lines in the cache, and of their values or 0.

    Instead of a value's, it is the place of the line, less than 0, where that is the word's own.
    ``unknown`` are the numbers of those without a value, ``lanes`` of those that are merged side by
    side, and ``ids`` the tokens of one.
    """

    low: Numbers
    other: Numbers
    lines: NDArray[np.int64]
    values: NDArray[np.int64]
    unknown: NDArray[np.int64]
    lanes: NDArray[np.int64]
    ids: NDArray[np.uint32]


class Scratch(NamedTuple):
    """Room for a piece of text: where its words begin, and to merge a word as long as all of it."""

    starts: NDArray[np.int64]
    long: NDArray[np.int64]


class Tables(NamedTuple):
    """All that turns words into ids; ``run_ids`` has the id of n spaces at n, or is empty.

    ``joins`` says between which characters a token can lie.
    """

    merges: Merges
    run_ids: NDArray[np.int64]
    cache: Cache
    room: Workspace
    ahead: Ahead
    joins: Bytes


def ahead() -> Ahead:
    """Return room for keys, for one thread."""
    return Ahead(
        low=np.zeros(AHEAD, np.uint64),
        other=np.zeros(AHEAD, np.uint64),
        lines=np.zeros(AHEAD, np.int64),
        values=np.zeros(AHEAD, np.int64),
        unknown=np.zeros(AHEAD, np.int64),
        lanes=np.zeros(LANES, np.int64),
        ids=np.zeros(SHORT, np.uint32),
    )
