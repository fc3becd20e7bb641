"""Texts of documents by their position in a list of parts, read where they are asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pile import documents

Positions = NDArray[np.int64]


class Texts:
    """The texts of parts, one after the other, counted from ``first``; one row group in memory."""

    def __init__(self, parts: Sequence[tuple[Path, int]], first: int = 0) -> None:
        """Take paths and rows of parts."""
        self._paths = [path for path, _ in parts]
        self._ends = first + np.cumsum([rows for _, rows in parts], dtype=np.int64)
        self._first = first

    def at(self, positions: Positions) -> list[str]:
        """Return the texts at some positions, in any order."""
        found: list[str] = [""] * len(positions)
        for places, texts in self._columns(positions):
            for place, text in zip(places.tolist(), texts.to_pylist(), strict=True):
                found[place] = text
        return found

    def bytes_at(self, positions: Positions) -> Positions:
        """Return the UTF-8 bytes of the texts at some positions; 0 before the first."""
        found = np.zeros(len(positions), np.int64)
        for places, texts in self._columns(positions):
            batch = pa.record_batch({"text": texts})
            found[places] = documents.text_bytes(batch)
        return found

    def _columns(self, positions: Positions) -> Iterator[tuple[Positions, pa.Array]]:
        """Yield places among the positions, and the texts there, a row group at a time."""
        order = np.argsort(positions, kind="stable")
        ordered = positions[order]
        start = self._first
        for path, end in zip(self._paths, self._ends.tolist(), strict=True):
            low, high = np.searchsorted(ordered, (start, end))
            if low < high:
                yield from _in_part(path, ordered[low:high] - start, order[low:high])
            start = end


def _in_part(
    path: Path, rows: Positions, places: Positions
) -> Iterator[tuple[Positions, pa.Array]]:
    start = 0
    for batch in documents.batches(path, ["text"]):
        low, high = np.searchsorted(rows, (start, start + batch.num_rows))
        if low < high:
            yield places[low:high], batch.column(0).take(pa.array(rows[low:high] - start))
        start += batch.num_rows
