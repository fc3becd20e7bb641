"""Repeated lines or paragraphs of texts: found across all documents, all but the first taken out.

Boilerplate of web pages repeats line by line where no two pages are near-duplicates. Every unit of
at least so many characters is digested, as it is but for blanks at its ends; digests are sorted on
disk, and of equal ones the first in the documents' order stays.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from dedup.exact import text_digest
from dedup.external import Workspace
from dedup.runs import Rows, Run

SEPARATORS: Mapping[str, str] = MappingProxyType({"line": "\n", "paragraph": "\n\n"})
"""What stands between two units, by the names that settings use."""

LEAST = 20
"""Units of fewer characters stay: brackets, list marks and the like repeat for good reasons."""


def unit_rows(texts: Iterable[str], first: int, unit: str = "line", least: int = LEAST) -> Rows:
    """Return (digest, digest, document, unit) of each unit that counts; documents from ``first`` on."""
    digests: list[bytes] = []
    places: list[tuple[int, int]] = []
    for document, text in enumerate(texts, first):
        for number, content in enumerate(text.split(SEPARATORS[unit])):
            stripped = content.strip()
            if len(stripped) >= least:
                digests.append(text_digest(stripped))
                places.append((document, number))
    keys = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
    return np.column_stack((keys, np.array(places, np.uint64).reshape(-1, 2)))


def repeated_units(runs: Sequence[Run], work: Workspace) -> Iterator[tuple[int, list[int]]]:
    """Yield documents that have units which came before, in order, with the numbers of these units.

    The runs are those of the rows of all documents (`runs.spool`), in whatever parts.
    """
    again = work.sorted("repeated", _repeated(work.merged(runs)))
    document, units = -1, list[int]()
    for block in work.merged(again):
        for place, unit in block.tolist():
            if place != document and units:
                yield document, units
                units = []
            document = place
            units.append(unit)
    if units:
        yield document, units


def without_units(text: str, units: Collection[int], unit: str = "line") -> str:
    """Return a text without the units of some numbers."""
    separator, gone = SEPARATORS[unit], frozenset(units)
    kept = (part for number, part in enumerate(text.split(separator)) if number not in gone)
    return separator.join(kept)


def _repeated(blocks: Iterable[Rows]) -> Iterator[Rows]:
    """Yield (document, unit) of rows whose digest is that of the row before."""
    last = np.empty((0, 4), np.uint64)
    for block in blocks:
        rows = np.concatenate((last, block))
        same = (rows[1:, :2] == rows[:-1, :2]).all(axis=1)
        yield rows[1:, 2:][same]
        last = rows[-1:]
