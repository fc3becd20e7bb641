"""Bands: which documents are compared at all.

A signature is cut into ``bands`` bands of ``rows`` numbers. Two documents are candidates, and in
the Pile's deduplication duplicates, if they agree on all numbers of a band. Documents of Jaccard
similarity s do so with probability 1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of
Massive Datasets, chapter 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bands:
    """How many bands a signature has, and how many numbers each; numbers left over are unused."""

    bands: int
    rows: int

    def __post_init__(self) -> None:
        """Refuse what is no band."""
        if self.bands < 1 or self.rows < 1:
            raise ValueError(f"{self.bands} bands of {self.rows} rows: both must be at least 1")

    def split(self, values: NDArray[np.uint32]) -> Iterator[NDArray[np.uint32]]:
        """Yield the columns of signatures (documents, permutations) that form each band.

        Raises ValueError if the signatures are too short.
        """
        if self.bands * self.rows > values.shape[1]:
            raise ValueError(
                f"{self.bands} bands of {self.rows} rows need signatures of "
                f"{self.bands * self.rows} permutations, these have {values.shape[1]}"
            )
        for band in range(self.bands):
            yield values[:, band * self.rows : (band + 1) * self.rows]

    def match_probability(self, similarity: float) -> float:
        """Return the probability that documents of this Jaccard similarity share a band."""
        return float(1.0 - (1.0 - similarity**self.rows) ** self.bands)


def choose_bands(threshold: float, permutations: int) -> Bands:
    """Return the bands that datasketch chooses for a similarity threshold.

    They make the least sum of false positives and false negatives, every similarity being as
    likely as any other. For 0.5 and 10 permutations, the Pile's, they are 3 bands of 3 rows.
    Raises ValueError if the threshold is not within 0 and 1, or if a single band were best.
    """
    from datasketch import MinHashLSH  # noqa: PLC0415 - takes a second, and only this needs it

    index = MinHashLSH(threshold=threshold, num_perm=permutations)
    return Bands(index.b, index.r)
