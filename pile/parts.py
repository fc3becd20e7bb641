"""A task's parts, one after the other, each published when it is full or at the end."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from pile import documents, store
from pile.ledger import Part

PART_BYTES = 256 << 20
"""Bytes of text after which a part is closed and the next one begun."""

PART_ROWS = 1 << 19
"""Rows after which it is, however short: later stages hold a part's ids and signatures in memory."""

HISTOGRAM = 48
"""Buckets of the length histogram: bucket i counts texts of 2^i to 2^(i+1)-1 bytes."""


def part_of(folder: Path, path: Path, counts: Mapping[str, int]) -> Part:
    """Describe a published file of a stage."""
    size, sha256 = store.digest(path)
    return Part(path.relative_to(folder).as_posix(), size, sha256, dict(counts))


class PartSeries:
    """Writes batches of one schema to ``<name>-000.parquet`` and so on; a context manager.

    ``parts``, ``rows`` and, for documents, ``text_bytes`` and ``lengths`` (a histogram of UTF-8
    bytes, see `HISTOGRAM`) are complete after the block. Nothing is written if there are no rows.
    """

    def __init__(self, folder: Path, name: str, schema: pa.Schema) -> None:
        self._folder = folder
        self._name = name
        self._schema = schema
        self._open_part = ExitStack()
        self._writer: documents.PartWriter | None = None
        self._counts: Counter[str] = Counter()
        self.parts: list[Part] = []
        self.rows = 0
        self.text_bytes = 0
        self.lengths = np.zeros(HISTOGRAM, dtype=np.int64)

    def extend(self, batches: Iterator[pa.RecordBatch]) -> None:
        """Add batches, closing parts as they fill up."""
        for batch in batches:
            if self._writer is None:
                self._writer = self._open()
            self._writer.add(batch)
            self._count(batch)
            if self._counts["text_bytes"] >= PART_BYTES or self._counts["rows"] >= PART_ROWS:
                self._close()

    def _count(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        self._counts["rows"] += batch.num_rows
        if "text" in batch.schema.names:
            sizes = documents.text_bytes(batch)
            self.text_bytes += int(sizes.sum())
            self._counts["text_bytes"] += int(sizes.sum())
            buckets = np.frexp(np.maximum(sizes, 1))[1] - 1
            self.lengths += np.bincount(buckets, minlength=HISTOGRAM)

    def _path(self) -> Path:
        return self._folder / f"{self._name}-{len(self.parts):03d}.parquet"

    def _open(self) -> documents.PartWriter:
        attempt = self._open_part.enter_context(store.publish(self._path()))
        return self._open_part.enter_context(documents.PartWriter(attempt, self._schema))

    def _close(self) -> None:
        if self._writer is None:
            return
        self._open_part.close()
        self.parts.append(part_of(self._folder, self._path(), self._counts))
        self._writer = None
        self._counts = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._close()
        else:
            self._open_part.__exit__(kind, error, trace)
