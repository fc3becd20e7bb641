"""Sums over the receipts of a stage."""

from collections import Counter
from collections.abc import Iterable
from typing import cast

from pile import ledger
from pile.ledger import Receipt
from pile.stages.stage import Made


def receipts_of(made: Made) -> list[Receipt]:
    """Return the receipts of a finished stage's tasks, in order."""
    found = ledger.receipts(made.folder)
    return [found[task] for task in made.manifest["tasks"]]


def total(counts: Iterable[object]) -> Counter[str]:
    """Add up counts by name."""
    found: Counter[str] = Counter()
    for one in counts:
        found.update(cast("dict[str, int]", one))
    return found


def sum_of(receipts: Iterable[Receipt], figure: str) -> int:
    """Add up a figure that is a number; a receipt without it adds nothing."""
    return sum(cast("int", receipt.figures.get(figure, 0)) for receipt in receipts)


def by_name(receipts: Iterable[Receipt], figure: str) -> Counter[str]:
    """Add up a figure that holds counts by name; a receipt without it adds nothing."""
    return total(receipt.figures.get(figure, {}) for receipt in receipts)


def histogram(receipts: Iterable[Receipt], figure: str, bins: int) -> list[int]:
    """Add up a figure that is a histogram."""
    found = [0] * bins
    for receipt in receipts:
        for place, count in enumerate(cast("list[int]", receipt.figures.get(figure, []))):
            found[place] += count
    return found


def histograms(receipts: Iterable[Receipt], figure: str) -> dict[str, list[int]]:
    """Add up a figure that holds histograms by name, all of as many bins."""
    found: dict[str, list[int]] = {}
    for receipt in receipts:
        for name, counts in cast("dict[str, list[int]]", receipt.figures.get(figure, {})).items():
            before = found.get(name, [0] * len(counts))
            found[name] = [a + b for a, b in zip(before, counts, strict=True)]
    return found


def trimmed(counts: list[int]) -> tuple[int, ...]:
    """Leave out the empty bins at the end."""
    while counts and not counts[-1]:
        counts.pop()
    return tuple(counts)
