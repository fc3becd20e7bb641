"""Which documents are kept: a draw that the score makes likely.

The Pile kept a page of score s if a number drawn from NumPy's ``pareto(3)`` was above 1 - s, that is with
the chance ``(2 - s) ** -3``: an eighth of the pages that read least like those wanted, and all that read
most like them. Here the draw is the document's own, a keyed hash, so that it is the same in every run.
"""

from pile import draws

PUBLISHED_SHARES = {
    1: 0.5894,
    2: 0.3649,
    3: 0.2390,
    4: 0.1671,
    5: 0.1239,
    6: 0.0974,
    7: 0.0802,
    8: 0.0685,
    9: 0.0602,
}
"""Share of documents the Pile's classifier kept, by alpha (arXiv 2101.00027, Table 6)."""


def chance(score: float, alpha: float) -> float:
    """Return the chance that a document of this score is kept."""
    return float((2.0 - score) ** -alpha)


def draw(seed: int, identity: str) -> float:
    """Return a document's number in [0, 1): it is kept if its chance is above it."""
    return draws.unit(seed, "quality", identity)
