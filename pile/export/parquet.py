"""The corpus as Parquet, texts and provenance in one row, for DuckDB, Polars and their like."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pile import corpus, documents, layout, store
from pile.config import Config
from pile.export.configs import NothingToExportError
from pile.graph import Graph
from pile.stages import mix
from pile.states import made

SCHEMA = pa.schema([pa.field("text", pa.large_string(), nullable=False), *corpus.PROVENANCE])
"""A row is a line of the corpus: its text, and its row of the provenance table."""

ROWS = 1000
"""Rows that are in memory at a time, but for a row group's worth of bytes."""


def export_parquet(config: Config, graph: Graph) -> list[Path]:
    """Write a finished corpus as ``<split>/<number>.parquet``; returns the files.

    They take the place of an earlier export together. Raises `NothingToExportError`.
    """
    finished = made(config, graph.named("mix"))
    if finished is None:
        raise NothingToExportError(f"mix is not made yet; `pile run -c {config.path}` makes it")
    folder = layout.export(config.work, "parquet")
    names = []
    with store.publish(folder) as attempt:
        for split in corpus.SPLITS:
            for lines, _ in finished.parts(f"{mix.FOLDER}/{split}/"):
                number = int(lines.name.partition(".")[0])
                table = finished.folder / mix.FOLDER / corpus.provenance_name(split, number)
                names.append(f"{split}/{number:05d}.parquet")
                _write(attempt / names[-1], lines, table)
    return [folder / name for name in names]


def _write(path: Path, lines: Path, provenance: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with documents.PartWriter(path, SCHEMA) as writer:
        for batch in _batches(lines, provenance):
            writer.add(batch)


def _batches(lines: Path, provenance: Path) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a corpus file with their provenance. Raises ValueError if they are not as many."""
    read = corpus.read(lines)
    with pq.ParquetFile(provenance) as table:
        for rows in table.iter_batches(batch_size=ROWS):
            texts = [line.text for line in itertools.islice(read, rows.num_rows)]
            if len(texts) != rows.num_rows:
                raise ValueError(f"{lines} has fewer lines than {provenance} rows: `pile verify`")
            columns = [pa.array(texts, pa.large_string()), *rows.columns]
            yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
    if next(read, None) is not None:
        raise ValueError(f"{lines} has more lines than {provenance} rows: `pile verify`")
