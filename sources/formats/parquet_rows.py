"""Rows of a Parquet file: its text, its ids, a batch at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sources.source import UnreadableFile

BATCH = 256
"""Rows held at once, at most."""
BATCH_BYTES = 16 << 20
"""Bytes of text that a batch has on average, at most."""
BUFFER = 1 << 20
"""Bytes read of a column at once; without it, readers take the whole row group into memory."""


def parquet_rows(path: Path, name: str, text: str, identifier: str) -> Iterator[dict[str, Any]]:
    """Yield each row's ``text``, and ``identifier`` unless it is empty, by column.

    A text that is not UTF-8 comes as bytes. Raises `UnreadableFile` for what is no whole Parquet
    file or has no such columns.
    """
    wanted = [text, identifier] if identifier else [text]
    try:
        with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            missing = sorted(set(wanted) - set(file.schema_arrow.names))
            if missing:
                raise UnreadableFile(
                    f"{name}: it has no column {missing[0]!r}, only"
                    f" {', '.join(file.schema_arrow.names):.200}; set text_key or id_key"
                )
            for batch in file.iter_batches(_rows_at_once(file), columns=wanted, use_threads=False):
                columns = [_values(batch.column(column)) for column in wanted]
                for values in zip(*columns, strict=True):
                    yield dict(zip(wanted, values, strict=True))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{name}: no readable Parquet file ({error!s:.200})") from error


def _rows_at_once(file: pq.ParquetFile) -> int:
    """Return how many rows a batch has, by the longest mean of the file's row groups."""
    groups = (file.metadata.row_group(at) for at in range(file.num_row_groups))
    mean = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    return max(1, min(BATCH, BATCH_BYTES // max(mean, 1)))


def _values(column: pa.Array) -> list[Any]:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return list(column.to_pylist())
    # Parquet readers do not check that strings are UTF-8.
    return [_text(value) for value in column.cast(pa.large_binary()).to_pylist()]


def _text(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value
