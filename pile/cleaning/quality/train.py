"""Train the classifier: fastText's supervised model for two classes, reproducibly.

What is as in fastText (0.9): words and pairs of words as features, a text's vector the mean of its
features' rows, softmax, stochastic gradient descent with a rate that falls in a straight line, the share
of a text's gradient that each row gets, rows that start at random within 1/dims of zero. The softmax of
two classes whose vectors start at zero moves them by equal and opposite steps, so one vector is kept.

What is not: words are told apart by their hash of 32 bits; random numbers are hashes, and one thread
learns the examples in one order, the same for every run; the rate falls from text to text.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pile.cleaning.quality import kernels
from pile.cleaning.quality.model import Model, slots_of
from pile.cleaning.quality.words import Words


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; `pile.settings.Quality` says what each is, and what the Pile took."""

    dims: int
    buckets: int
    words: int
    min_count: int
    epochs: int
    rate: float
    seed: int


class NoExamplesError(ValueError):
    """There is nothing to learn from: one of the two classes has no example."""


def train(
    examples: Words, wanted: npt.NDArray[np.bool_], order: npt.NDArray[np.int64], recipe: Recipe
) -> Model:
    """Learn which texts are wanted, taking them by number in this order; raises `NoExamplesError`."""
    if wanted.all() or not wanted.any():
        raise NoExamplesError(
            f"there are {int(wanted.sum()):,} examples of what is wanted and "
            f"{int((~wanted).sum()):,} of what is not; raise [quality] sample, or read more raw files"
        )
    lexicon = vocabulary(examples.hashes, recipe.words, recipe.min_count)
    rows = np.empty((len(lexicon) + recipe.buckets, recipe.dims), np.float32)
    kernels.initialise(rows, np.uint64(recipe.seed))
    output = np.zeros(recipe.dims, np.float32)
    kernels.train(
        (examples.hashes, examples.firsts, wanted, order),
        (lexicon, slots_of(lexicon), recipe.buckets),
        (rows, output),
        recipe.rate,
        recipe.epochs,
    )
    return Model(lexicon, rows, output)


def vocabulary(hashes: npt.NDArray[np.uint32], most: int, min_count: int) -> npt.NDArray[np.uint32]:
    """Return the hashes seen ``min_count`` times or more, the commonest first, ``most`` at most."""
    # A sixteenth of all hashes at a time: less to hold, and still in their order.
    edges = [part << 28 for part in range(17)]
    pieces = [
        np.unique(hashes[(hashes >= low) & (hashes < high)], return_counts=True)
        for low, high in pairwise(edges)
    ]
    found = np.concatenate([piece[0] for piece in pieces])
    counts = np.concatenate([piece[1] for piece in pieces])
    found, counts = found[counts >= min_count], counts[counts >= min_count]
    order = np.argsort(-counts, kind="stable")  # equal counts stay in the order of their hashes
    return np.ascontiguousarray(found[order[:most]])
