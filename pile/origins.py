"""Where each document of a shard comes from: row *n* tells the corpus file and line of document *n*.

A table lies beside each file of tokens, so that documents that were left out, divided by source or
packed into other shards can still be found in the corpus, and by it in the raw files.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        pa.field("file", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
    ]
)
"""``file`` is named below the corpus folder; ``line`` counts from 1."""


class OriginWriter:
    """Writes one table; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(
            path,
            SCHEMA,
            compression="zstd",
            use_dictionary=["file"],
            column_encoding={"line": "DELTA_BINARY_PACKED"},
        )

    def add(self, file: str, lines: Sequence[int]) -> None:
        """Add documents of one corpus file, by their lines."""
        files = pa.DictionaryArray.from_arrays(pa.array([0] * len(lines), pa.int32()), [file])
        self._writer.write_table(pa.table([files, pa.array(lines, pa.int64())], schema=SCHEMA))

    def copy(self, rows: Iterable[pa.Table]) -> None:
        """Add rows of other tables."""
        for table in rows:
            self._writer.write_table(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()


def rows(path: Path, first: int, after: int) -> Iterator[pa.Table]:
    """Yield the rows from ``first`` to before ``after``, some at a time."""
    begin = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            low, high = max(first - begin, 0), min(after - begin, count)
            if low < high:
                yield file.read_row_group(group).cast(SCHEMA).slice(low, high - low)
            begin += count


def pairs(path: Path) -> Iterator[tuple[str, int]]:
    """Yield corpus file and line of each document, in order."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            files, lines = batch.column("file").to_pylist(), batch.column("line").to_pylist()
            yield from zip(files, lines, strict=True)
