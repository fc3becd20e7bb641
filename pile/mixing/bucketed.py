"""Tables cut into buckets, each of which is read alone, however many there are.

Every bucket that has rows is an Arrow IPC stream of one record batch (zstd). Behind the last stands an
index: where each bucket begins and the last one ends, the CRC-32 of each, and how many there are, all
as little-endian numbers of 8 bytes. To open one of thousands of such files is to read a few bytes.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SUFFIX = ".buckets"
"""How the names of such files end."""

_NUMBER = np.dtype("<u8")
_LEVEL = 1
"""The files are read once and removed: time counts for more than room."""


class CorruptBucketError(ValueError):
    """A bucket is not what was written."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Some consecutive buckets of a file: where each begins and the last ends, and their CRC-32."""

    path: Path
    first: int
    starts: NDArray[np.uint64]
    checksums: NDArray[np.uint64]

    def read(self, bucket: int) -> pa.RecordBatch | None:
        """Return the rows of a bucket, or None; raises `CorruptBucketError`."""
        place = bucket - self.first
        start, stop = int(self.starts[place]), int(self.starts[place + 1])
        if start == stop:
            return None
        with _opened(self.path) as file:
            found = os.pread(file, stop - start, start)
        if len(found) < stop - start or zlib.crc32(found) != self.checksums[place]:
            raise CorruptBucketError(f"{self.path}: bucket {bucket} is damaged; make it again")
        with pa.ipc.open_stream(pa.py_buffer(found)) as stream:
            return stream.read_next_batch()


def write(path: Path, buckets: int, filled: Iterable[tuple[int, pa.RecordBatch]]) -> None:
    """Write the buckets that have rows, in order of their numbers, of ``buckets`` in all."""
    starts: list[int] = []
    checksums = np.zeros(buckets, _NUMBER)
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=_LEVEL))
    with pa.OSFile(str(path), "wb") as file:
        end = 0
        for bucket, rows in filled:
            written = _encoded(rows, options)
            starts.extend([end] * (bucket + 1 - len(starts)))
            checksums[bucket] = zlib.crc32(written)
            file.write(written)
            end += written.size
        starts.extend([end] * (buckets + 1 - len(starts)))
        file.write(np.array(starts, _NUMBER).tobytes())
        file.write(checksums.tobytes())
        file.write(np.array([buckets], _NUMBER).tobytes())


def open_buckets(path: Path, first: int, stop: int) -> Buckets:
    """Return the buckets from ``first`` up to ``stop``; raises `CorruptBucketError`."""
    width = _NUMBER.itemsize
    with _opened(path) as file:
        size = os.fstat(file).st_size
        [count] = _numbers(path, os.pread(file, width, max(size - width, 0)), 1).tolist()
        index = size - width * (2 * count + 2)
        if stop > count or index < 0:
            raise CorruptBucketError(f"{path}: has no buckets up to {stop}; make it again")
        starts = os.pread(file, width * (stop - first + 1), index + width * first)
        sums = os.pread(file, width * (stop - first), index + width * (count + 1 + first))
    return Buckets(
        path, first, _numbers(path, starts, stop - first + 1), _numbers(path, sums, stop - first)
    )


def rows(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of all buckets, in order; raises `CorruptBucketError`."""
    with _opened(path) as file:
        last = os.pread(file, _NUMBER.itemsize, max(os.fstat(file).st_size - _NUMBER.itemsize, 0))
    [count] = _numbers(path, last, 1).tolist()
    found = open_buckets(path, 0, count)
    for bucket in range(count):
        batch = found.read(bucket)
        if batch is not None:
            yield batch


def _encoded(rows: pa.RecordBatch, options: pa.ipc.IpcWriteOptions) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
        writer.write_batch(rows)
    return sink.getvalue()


def _numbers(path: Path, found: bytes, count: int) -> NDArray[np.uint64]:
    if len(found) != count * _NUMBER.itemsize:
        raise CorruptBucketError(f"{path}: its index is cut short; make it again")
    return np.frombuffer(found, _NUMBER)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)
