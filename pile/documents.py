"""Tables of documents and of rejected records, as Parquet parts.

The meta of a document travels as JSON text, because every source has its own. Texts are 64-bit
offset strings, so that one row group may pass 2 GiB.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sources.source import Document, Rejected

DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("meta", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
    ]
)
"""Schema of a document table; one row a document, in the order the raw files give them."""

REJECTED = pa.schema(
    [
        pa.field("origin", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("excerpt", pa.string(), nullable=False),
    ]
)
"""Schema of a table of rejected records."""

BATCH_BYTES = 16 << 20
"""Text of one row group: what a reader holds in memory at a time."""

BATCH_ROWS = 20_000
COMPRESSION_LEVEL = 3


class Rows:
    """Rows of a schema, gathered into record batches of bounded size."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns: list[list[str]] = [[] for _ in schema]
        self._held = 0

    def add(self, row: tuple[str, ...]) -> pa.RecordBatch | None:
        """Add a row; returns a batch when one is full."""
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
            self._held += len(value)
        full = self._held >= BATCH_BYTES or len(self._columns[0]) >= BATCH_ROWS
        return self.take() if full else None

    def take(self) -> pa.RecordBatch | None:
        """Return the rows held so far as a batch, if there are any."""
        if not self._columns[0]:
            return None
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(column, type=field.type)
                for column, field in zip(self._columns, self._schema, strict=True)
            ],
            schema=self._schema,
        )
        self._columns = [[] for _ in self._schema]
        self._held = 0
        return batch


class Spool:
    """What one raw file gave, set aside until the whole file has been read.

    The first batch stays in memory, later ones go to a file of the caller's choosing.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._rows = Rows(schema)
        self._first: pa.RecordBatch | None = None
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def add(self, row: tuple[str, ...]) -> None:
        """Add a row."""
        self._put(self._rows.add(row))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give everything back, in order; nothing can be added afterwards."""
        self._put(self._rows.take())
        if self._first is not None:
            yield self._first
        if self._writer is not None:
            self._writer.close()
            with pa.ipc.open_stream(self._path) as reader:
                yield from reader

    def close(self) -> None:
        """Forget everything."""
        if self._writer is not None:
            self._writer.close()
        self._path.unlink(missing_ok=True)

    def _put(self, batch: pa.RecordBatch | None) -> None:
        if batch is None:
            return
        if self._first is None:
            self._first = batch
            return
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._path, self._schema)
        self._writer.write_batch(batch)


class PartWriter:
    """Write one Parquet part from batches, in row groups of bounded size; a context manager."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Open ``path``, which the caller publishes under its final name."""
        self._writer = pq.ParquetWriter(
            path, schema, compression="zstd", compression_level=COMPRESSION_LEVEL
        )
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch; small ones are gathered into one row group."""
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._held_bytes >= BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, schema=self._schema)
            self._writer.write_table(table.combine_chunks())
        self._held, self._held_bytes = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def document_row(document: Document) -> tuple[str, ...]:
    """Return a document as a row of `DOCUMENTS`."""
    meta = json.dumps(document.meta, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (document.id, document.text, meta, document.origin, document.licence)


def rejected_row(rejected: Rejected) -> tuple[str, ...]:
    """Return a rejected record as a row of `REJECTED`."""
    return (rejected.origin, rejected.reason, rejected.detail, rejected.excerpt)


def text_bytes(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """UTF-8 bytes of each text of a batch, shape (rows,)."""
    lengths = pc.binary_length(batch.column("text")).cast(pa.int64())
    found: npt.NDArray[np.int64] = lengths.to_numpy(zero_copy_only=False)
    return found


def batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Stream a part's record batches, one row group in memory at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, columns=columns).to_batches()


def rows(path: Path) -> int:
    """Count the rows of a part from its footer."""
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def texts(path: Path) -> Iterator[str]:
    """Stream the texts of a part, in order."""
    for batch in batches(path, ["text"]):
        yield from batch.column(0).to_pylist()


def read(path: Path) -> Iterator[Document]:
    """Stream the documents of a part, in order."""
    for batch in batches(path):
        yield from batch_documents(batch)


def batch_documents(batch: pa.RecordBatch) -> Iterator[Document]:
    """Return the documents of a batch of `DOCUMENTS`, in order."""
    for row in batch.to_pylist():
        meta = json.loads(row["meta"])
        yield Document(row["id"], row["text"], row["origin"], row["licence"], meta)


def take(path: Path, wanted: Iterable[int]) -> list[Document]:
    """Return the documents at these row numbers of a part, in order."""
    places = sorted(set(wanted))
    found: list[Document] = []
    start = 0
    for batch in batches(path):
        inside = [place - start for place in places if start <= place < start + batch.num_rows]
        if inside:
            found.extend(batch_documents(batch.take(pa.array(inside))))
        start += batch.num_rows
    return found
