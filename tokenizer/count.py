"""Count the words of a text, with bounded memory: the artefact that vocabularies are learned from.

Counts are a Parquet file of two columns, ``word`` (bytes of UTF-8 in NFC) and ``count``, in
`BUCKETS` row groups. A word's bucket is given by a hash of its bytes, and words are sorted within
their bucket, so the same text gives the same rows however it was divided among counters. Files are
added up bucket by bucket, which takes the memory of one bucket.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tokenizer.characters import classes
from tokenizer.composed import composed
from tokenizer.fast import joined, padded
from tokenizer.pieces import batches, pieces
from tokenizer.split import Bytes
from tokenizer.tally import TOGETHER, Tally, bucket_of, count_documents, tally

BUCKETS = 64
"""Row groups of a file of counts."""

TABLE_BITS = 22
"""A counter holds 2**22 slots for short words: 128 MiB, and 36 MiB for longer ones."""

SCHEMA = pa.schema([("word", pa.large_binary()), ("count", pa.int64())])
"""The columns of a file of counts."""

_BATCH = 1 << 21

_ROWS = 1 << 22
"""Rows that are added up at a time."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a file of counts holds, and what was cut from it.

    ``occurrences`` is the sum of all counts; ``cut`` counts rare words left out.
    """

    words: int
    occurrences: int
    cut: int


class Counter:
    """Counts words; writes what it counted to ``folder`` whenever its tables are full.

    Runs of spaces are cut out as tokens of up to ``reserved_run`` spaces are, if that is not 0.
    """

    def __init__(self, folder: Path, table_bits: int = TABLE_BITS, reserved_run: int = 0) -> None:
        self._reserved_run = reserved_run
        self._folder = folder
        self._bits = table_bits
        self._tally = tally(table_bits)
        self._written: list[Path] = []
        self.text_bytes = 0

    def add(self, texts: Iterable[str]) -> None:
        """Count the words of documents, in NFC.

        Raises `tokenizer.text.UnencodableText` for a lone surrogate or a word too long for memory.
        """
        for _, batch in batches(texts, pieces, size=_BATCH):
            self._add(*joined([text.encode("utf-8") for text in batch]))

    def add_buffer(self, text: Bytes, offsets: NDArray[np.int64]) -> None:
        """Count the words of documents in well-formed UTF-8, brought to NFC.

        Document i is ``text[offsets[i]:offsets[i + 1]]``, as in the buffers of an Arrow column. A
        batch is copied at a time; documents larger than one are taken apart as `add` does it.
        """
        first = 0
        while first < len(offsets) - 1:
            end = int(np.searchsorted(offsets, offsets[first] + _BATCH, "right")) - 1
            if end > first:
                self._add(*padded(text, offsets[first : end + 1]))
            else:
                end = first + 1
                self.add([text[offsets[first] : offsets[end]].tobytes().decode("utf-8")])
            first = end

    def _add(self, text: Bytes, offsets: NDArray[np.int64]) -> None:
        text, offsets = composed(text, offsets)
        self.text_bytes += int(offsets[-1])
        longest = int(np.diff(offsets).max(initial=0))
        if longest > self._tally.bytes.size // 4:
            self._spill(longest)
        starts = np.empty(max(longest, TOGETHER) + 1, dtype=np.int64)
        place = np.array([0, 0, self._reserved_run], dtype=np.int64)
        while not count_documents(text, offsets, classes(), self._tally, starts, place):
            self._spill(longest)

    def _spill(self, longest: int) -> None:
        """Write the tables to a file, and begin new ones that have room for a word so long."""
        path = self._folder / f"counts-{len(self._written):05d}.parquet"
        _write(path, _tables(self._tally), 1)
        self._written.append(path)
        self._tally = tally(self._bits)
        if longest > self._tally.bytes.size // 4:
            self._tally = self._tally._replace(bytes=np.zeros(4 * longest, dtype=np.uint8))

    def finish(self, path: Path, rarest: int = 1) -> Counted:
        """Write all counts to ``path``, without words that occur less than ``rarest`` times."""
        if not self._written:
            return _write(path, _tables(self._tally), rarest)
        self._spill(0)
        counted = merge(self._written, path, rarest)
        for written in self._written:
            written.unlink()
        self._written = []
        return counted


def merge(
    paths: Sequence[Path], path: Path, rarest: int = 1, buckets: Iterable[int] = range(BUCKETS)
) -> Counted:
    """Add up files of counts into one; words that occur less than ``rarest`` times are left out.

    However many files there are, one is open at a time; of some buckets only if so asked.
    """
    return _write(path, (_added(paths, bucket) for bucket in buckets), rarest)


def _added(paths: Sequence[Path], bucket: int) -> pa.Table:
    """Add up one bucket over files."""
    waiting = [SCHEMA.empty_table()]
    rows = 0
    for path in paths:
        with pq.ParquetFile(path) as file:
            waiting.append(file.read_row_group(bucket))
        rows += waiting[-1].num_rows
        if rows >= _ROWS:
            waiting, rows = [_sum(waiting)], 0
    return _sum(waiting)


def read(path: Path) -> pa.Table:
    """Return a file of counts as a table."""
    return pq.read_table(path, schema=SCHEMA)


def from_counts(words: dict[bytes, int], path: Path) -> Counted:
    """Write given counts to a file of counts."""
    table = pa.table({"word": list(words), "count": list(words.values())}, schema=SCHEMA)
    return _write(path, _bucketed(table), 1)


def _tables(tally: Tally) -> Iterator[pa.Table]:
    """Return what was counted, one table a bucket."""
    slots = tally.short.reshape(-1, 4)
    used = slots[slots[:, 1] != 0]
    lengths = used[:, 1] >> np.uint64(56)
    keys = np.ascontiguousarray(used[:, :2]).view(np.uint8).reshape(-1, 16)
    short = keys[np.arange(16) < lengths[:, None]]
    long = tally.long.reshape(-1, 3)
    long = long[long[:, 0] != 0]
    long = long[np.argsort(long[:, 1])]  # as their bytes lie
    lengths = np.concatenate([lengths, long[:, 1] & np.uint64(0xFFFF_FFFF)])
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    text = np.concatenate([short, tally.bytes[: tally.filled[2]]])
    words = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    counts = np.concatenate([used[:, 2], long[:, 2]]).astype(np.int64)
    return _bucketed(pa.table({"word": words, "count": counts}, schema=SCHEMA))


def _bucketed(table: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows of each bucket, sorted by word."""
    text, offsets = word_buffers(table)
    buckets = bucket_of(text, offsets, BUCKETS)
    order = np.argsort(buckets, kind="stable")
    ends = np.searchsorted(buckets[order], np.arange(BUCKETS + 1))
    for first, end in pairwise(ends.tolist()):
        yield table.take(order[first:end]).sort_by("word")


def word_buffers(table: pa.Table) -> tuple[Bytes, NDArray[np.int64]]:
    """Return the bytes of all words of a table, and where each begins."""
    column = table["word"].combine_chunks()
    array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    if not len(array):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, text = array.buffers()
    places = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(text, np.uint8), places


def _sum(tables: list[pa.Table]) -> pa.Table:
    summed = pa.concat_tables(tables).group_by("word").aggregate([("count", "sum")])
    return summed.select(["word", "count_sum"]).rename_columns(["word", "count"]).sort_by("word")


def _write(path: Path, tables: Iterable[pa.Table], rarest: int) -> Counted:
    words = occurrences = cut = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for table in tables:
            kept = table.filter(pc.greater_equal(table["count"], rarest)) if rarest > 1 else table
            words += kept.num_rows
            cut += table.num_rows - kept.num_rows
            occurrences += pc.sum(kept["count"]).as_py() or 0
            writer.write_table(kept, row_group_size=max(1, kept.num_rows))
    return Counted(words, occurrences, cut)
