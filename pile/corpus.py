"""The corpus as users read it: ``<split>/<number>.jsonl.zst``, a card, and provenance beside it.

A line is ``{"text": …, "meta": {"pile_set_name": …}}`` in UTF-8, as in the released Pile. A file is
one zstd frame with a checksum: one, because some readers stop after the first frame. Line *n* of a
corpus file is row *n* of its provenance table.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import zstandard
from numpy.typing import NDArray

if sys.version_info >= (3, 14):  # pragma: no cover - one of the two
    from compression import zstd
else:
    from backports import zstd

SPLITS = ("train", "val", "test")
"""Splits of a corpus, in the order their files are numbered."""

LEVEL = 3

BATCH_BYTES = 2 << 20
"""Lines of a batch: as many as a processor's cache has room for, with what is made of them."""

LINES = pa.schema([("text", pa.large_string()), ("pile_set_name", pa.string())])
"""Schema of a batch of documents."""

JSON_LINES = pa.schema(
    [("text", pa.large_string()), ("meta", pa.struct([("pile_set_name", pa.string())]))]
)
"""The same as in the file."""

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
            yield _line(path, number, raw)


def _line(path: Path, number: int, raw: bytes) -> Line:
    try:
        return _document(orjson.loads(raw))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}, line {number}: not a document: {error}") from error


def _document(value: Any) -> Line:
    text, name = value["text"], value["meta"]["pile_set_name"]
    if not isinstance(text, str) or not isinstance(name, str):
        raise TypeError("its text and its pile_set_name are strings")
    return Line(text, name)


def batches(path: Path, size: int = BATCH_BYTES) -> Iterator[pa.RecordBatch]:
    """Stream a corpus file's documents as record batches of the schema `LINES`, in order.

    A batch is of about ``size`` bytes of lines, or of one line that is longer. The same documents as of
    `read`, and the same errors, at a third of the time; of a file that is damaged twice, another of the two
    may be told. The next batch is read by another thread, without the interpreter's lock for the most part,
    while the caller has one.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        unread = _batches(path, size)
        waiting = reader.submit(next, unread, None)
        while (batch := waiting.result()) is not None:
            waiting = reader.submit(next, unread, None)
            yield batch


def _batches(path: Path, size: int) -> Iterator[pa.RecordBatch]:
    number = 1
    for lines in _whole_lines(path, size):
        between = np.flatnonzero(np.frombuffer(lines, np.uint8)[:-1] == ord("\n"))
        batch = _parsed(lines) if _look_plain(lines, between) else None
        if batch is None or batch.num_rows != len(between) + 1:
            batch = _parsed_singly(path, lines, number)
        yield batch
        number += len(between) + 1


def _whole_lines(path: Path, size: int) -> Iterator[bytes]:
    """Yield some whole lines at a time; the last one of the file may lack its end."""
    with zstd.open(path, "rb") as file:
        waiting: list[bytes] = []
        while chunk := file.read(size):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join([*waiting, chunk[:end]])
                waiting = []
            waiting.append(chunk[end:])
        if rest := b"".join(waiting):
            yield rest


def _look_plain(lines: bytes, between: NDArray[np.int64]) -> bool:
    """Tell whether each line begins and ends as an object does; then as many objects are one a line.

    ``between`` has the places where one line ends and another begins. Arrow's reader takes no notice of
    where lines end, takes U+0000 for the end of all, and brings the process down by a first ``null``.
    """
    text = np.frombuffer(lines, np.uint8)
    return (
        lines.startswith(b"{")
        and lines.endswith((b"}", b"}\n"))
        and bool((text[between - 1] == ord("}")).all() and (text[between + 1] == ord("{")).all())
        and b"\0" not in lines
    )


def _parsed(lines: bytes) -> pa.RecordBatch | None:
    """Let Arrow read lines all at once; None if that does not give documents only.

    It does not look at values that nobody asked for, so none may be there.
    """
    try:
        table = pa_json.read_json(
            pa.BufferReader(lines),
            pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            pa_json.ParseOptions(explicit_schema=JSON_LINES, unexpected_field_behavior="error"),
        ).combine_chunks()
        text = table["text"].combine_chunks()
        name = pc.struct_field(table["meta"].combine_chunks(), "pile_set_name")
        batch = pa.record_batch([text, name], schema=LINES)
        batch.validate(full=True)  # that it is UTF-8 too
    except (pa.ArrowException, OverflowError, TypeError):
        return None
    return None if text.null_count or name.null_count else batch


def _parsed_singly(path: Path, lines: bytes, number: int) -> pa.RecordBatch:
    """Read lines one by one, the first of which is line ``number``, to tell of one that is wrong."""
    found = [_line(path, number + n, raw) for n, raw in enumerate(BytesIO(lines))]
    columns = ([one.text for one in found], [one.pile_set_name for one in found])
    return pa.record_batch(list(map(pa.array, columns, LINES.types)), schema=LINES)


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
