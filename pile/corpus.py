"""The corpus as users read it: ``<split>/<number>.jsonl.zst``, a card, and provenance beside it.

A line is ``{"text": …, "meta": {"pile_set_name": …}}`` in UTF-8, as in the released Pile. A file is
one zstd frame with a checksum: one, because some readers stop after the first frame. Line *n* of a
corpus file is row *n* of its provenance table.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

if sys.version_info >= (3, 14):  # pragma: no cover - one of the two
    from compression import zstd
else:
    from backports import zstd

SPLITS = ("train", "val", "test")
"""Splits of a corpus, in the order their files are numbered."""

LEVEL = 3

DAMAGED = (EOFError, ValueError, zstd.ZstdError)
"""What `read` raises for a file that is not as it was written."""

PROVENANCE = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("pile_set_name", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("epoch", pa.int32(), nullable=False),
    ]
)
"""Schema of a provenance table: where each line comes from; ``epoch`` counts its copies from 0."""


@dataclass(frozen=True, slots=True)
class Line:
    """One document as a corpus file holds it."""

    text: str
    pile_set_name: str


def line_bytes(line: Line) -> bytes:
    """Return a document as its line, with the end of the line."""
    value = {"text": line.text, "meta": {"pile_set_name": line.pile_set_name}}
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class LineWriter:
    """Write one corpus file; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, which the caller publishes under its final name."""
        self._file: IO[bytes] = path.open("wb")
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._stream = compressor.stream_writer(self._file, closefd=False)

    def add(self, line: Line) -> None:
        """Add one document."""
        self.extend((line,))

    def extend(self, lines: Iterable[Line]) -> None:
        """Add some documents, whose lines are in memory together."""
        self._stream.write(b"".join(map(line_bytes, lines)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._stream.close()  # type: ignore[no-untyped-call]
        finally:
            self._file.close()


def read(path: Path) -> Iterator[Line]:
    """Stream a corpus file's documents, in order.

    Raises one of `DAMAGED`: EOFError or zstd's error on a truncated or damaged file, ValueError on
    a line that is not a document.
    """
    with zstd.open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                value = orjson.loads(raw)
                yield Line(value["text"], value["meta"]["pile_set_name"])
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: not a document: {error}") from error


def provenance(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Stream what a corpus file's provenance says of each line, in order, by these columns."""
    table = path.parents[1] / provenance_name(path.parent.name, int(path.name.partition(".")[0]))
    with pq.ParquetFile(table) as file:
        for batch in file.iter_batches(columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def file_name(split: str, number: int) -> str:
    """Return the name of a corpus file below the corpus folder."""
    return f"{split}/{number:05d}.jsonl.zst"


def provenance_name(split: str, number: int) -> str:
    """Return the name of the provenance table of a corpus file."""
    return f"provenance/{split}/{number:05d}.parquet"


def files(folder: Path, split: str) -> list[Path]:
    """Return a corpus's files of one split, in order."""
    return sorted((folder / split).glob("*.jsonl.zst"))
