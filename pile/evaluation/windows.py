"""Windows of tokens, as the Pile's paper (arXiv 2101.00027, E.2) and lm-evaluation-harness score a document.

The tokens of a document, after one that begins every document, are divided into pieces of L, the last
one shorter. Each token is predicted once: from those before it in its piece, and the last of the piece
before. A window always has what the model sees, though, so that the tokens of a short last piece are
predicted from as many before it as there is room for. The harness calls this a rolling
log-likelihood, with a context of one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BATCHES = 64


class Window(NamedTuple):
    """Tokens of a document of a source; the last ``predicted`` are, each from all before it."""

    source: str
    tokens: NDArray[np.int64]
    predicted: int


def windows(source: str, ids: Sequence[int], prefix: int, length: int) -> Iterator[Window]:
    """Yield the windows of one document, each of at most ``length`` + 1 tokens; none of no tokens."""
    tokens = np.array([prefix, *ids], dtype=np.int64)
    for first in range(0, len(ids), length):
        last = min(first + length, len(ids))
        yield Window(source, tokens[max(last - length, 0) : last + 1], last - first)


def batches(found: Iterable[Window], size: int) -> Iterator[list[Window]]:
    """Gather windows into batches of about one length, so that little of a batch is padding.

    Some batches are in memory at a time. All windows come out, in an order that depends on nothing
    but the order in which they came.
    """
    rest = iter(found)
    while held := list(islice(rest, size * _BATCHES)):
        held.sort(key=lambda window: -window.tokens.size)  # keeps the order of equals
        yield from (held[first : first + size] for first in range(0, len(held), size))
