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
"""Rows that are in memory at a time, unless their texts are long."""


def export_parquet(config: Config, graph: Graph) -> list[Path]:
    """Write a finished corpus as ``<split>/<number>.parquet``; returns the files.

    They take the place of an earlier export together. Raises `NothingToExportError`, also for a corpus
    that is damaged.
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
    try:
        with documents.PartWriter(path, SCHEMA) as writer:
            for batch in _batches(lines, provenance):
                writer.add(batch)
    except corpus.DAMAGED as error:
        raise NothingToExportError(
            f"{lines} or its provenance is damaged: {error}; `pile repair` makes it again"
        ) from error


def _batches(lines: Path, provenance: Path) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a corpus file with their provenance, of bounded bytes.

    Raises ValueError unless there are as many lines as rows, and one of `pile.corpus.DAMAGED`.
    """
    read = corpus.read(lines)
    with pq.ParquetFile(provenance) as table:
        for rows in table.iter_batches(batch_size=ROWS):
            start = 0
            for texts in _some(read, rows.num_rows):
                columns = rows.slice(start, len(texts)).columns
                start += len(texts)
                yield pa.RecordBatch.from_arrays(
                    [pa.array(texts, pa.large_string()), *columns], schema=SCHEMA
                )
            if start < rows.num_rows:
                raise ValueError(f"{lines} has fewer lines than {provenance} rows")
    if next(read, None) is not None:
        raise ValueError(f"{lines} has more lines than {provenance} rows")


def _some(lines: Iterator[corpus.Line], count: int) -> Iterator[list[str]]:
    """Yield the texts of the next lines in lists that are closed when they hold `BATCH_BYTES`."""
    texts: list[str] = []
    held = 0
    for line in itertools.islice(lines, count):
        texts.append(line.text)
        held += len(line.text)
        if held >= documents.BATCH_BYTES:
            yield texts
            texts, held = [], 0
    if texts:
        yield texts
