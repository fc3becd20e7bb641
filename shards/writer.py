"""Write a token shard, as a stream: memory does not grow with documents or tokens.

The two files are written to the paths given; who publishes them renames ``.bin`` first and ``.idx``
last. Until `ShardWriter.finish` the index has no header, so nothing takes it for one.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shards.format import (
    HEADER_BYTES,
    LENGTH,
    LONGEST_SEQUENCE,
    OFFSET,
    BadShard,
    Header,
    Tokens,
    code_of,
)

EmptyDocuments: TypeAlias = Literal["keep", "drop"]
"""What becomes of a document without tokens: a lone EOD, or nothing, but counted."""

_AT_ONCE = 1 << 16  # index entries in memory


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """What was written: counts, sizes in bytes, and digests of both files.

    ``tokens`` counts every EOD; ``dropped`` counts empty documents that were left out.
    """

    documents: int
    dropped: int
    tokens: int
    dtype: str
    bin_bytes: int
    idx_bytes: int
    sha256_bin: str
    sha256_idx: str


class ShardWriter:
    """Writes documents of tokens to a new shard.

    ``vocabulary`` is the number of ids, and ``dtype`` must hold them all (`shards.format.dtype_for`
    tells which one the frameworks expect). ``eod`` is put after each document, unless it is None.
    Leaving the ``with`` block before `finish` removes both files.
    """

    def __init__(
        self,
        bin_path: Path,
        idx_path: Path,
        dtype: np.dtype[Any],
        *,
        vocabulary: int,
        eod: int | None,
        empty: EmptyDocuments = "keep",
    ) -> None:
        _check_settings(dtype, vocabulary, eod, empty)
        self._dtype, self._vocabulary, self._eod, self._empty = dtype, vocabulary, eod, empty
        self._documents = self._dropped = self._tokens = 0
        self._sha256_bin = hashlib.sha256()
        self._finished = False
        self._bin = bin_path.open("xb")
        try:
            self._idx = idx_path.open("xb+")
        except OSError:
            self._bin.close()
            bin_path.unlink()
            raise
        self._idx.write(bytes(HEADER_BYTES))

    def add(self, ids: ArrayLike, lengths: ArrayLike) -> None:
        """Write documents: their ids one after the other, and how many ids each has.

        Raises ValueError, and writes nothing, if they do not fit each other, the vocabulary, or the
        format.
        """
        tokens, counts = np.asarray(ids), np.asarray(lengths)
        self._check(tokens, counts)
        if self._empty == "drop":
            self._dropped += int((counts == 0).sum())
            counts = counts[counts > 0]
        if self._eod is not None:
            tokens, counts = _with_eod(tokens, counts, self._eod, self._dtype)
        stored = np.ascontiguousarray(tokens, dtype=self._dtype)
        self._bin.write(stored.data)
        self._sha256_bin.update(stored.data)
        self._idx.write(counts.astype(LENGTH).data)
        self._tokens += stored.size
        self._documents += counts.size

    def finish(self) -> ShardFacts:
        """Complete the index, bring both files to disk, and tell what is in them.

        Raises ValueError if there is no document: the frameworks cannot open an empty shard.
        """
        if not self._documents:
            raise ValueError("a shard without documents is never written")
        self._check_written()
        sha256_idx = self._complete_index()
        for file in (self._bin, self._idx):
            file.flush()
            os.fsync(file.fileno())
        facts = ShardFacts(
            documents=self._documents,
            dropped=self._dropped,
            tokens=self._tokens,
            dtype=self._dtype.name,
            bin_bytes=self._bin.tell(),
            idx_bytes=self._header().idx_bytes,
            sha256_bin=self._sha256_bin.hexdigest(),
            sha256_idx=sha256_idx,
        )
        self._close()
        self._finished = True
        return facts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._finished:
            self._close()
            Path(self._bin.name).unlink()
            Path(self._idx.name).unlink()

    def _check(self, tokens: NDArray[Any], counts: NDArray[Any]) -> None:
        if tokens.ndim != 1 or counts.ndim != 1:
            raise ValueError("ids and lengths are flat arrays")
        if any(array.size and array.dtype.kind not in "iu" for array in (tokens, counts)):
            raise ValueError("ids and lengths are integers")
        if not counts.size and not tokens.size:
            return
        most = LONGEST_SEQUENCE - (self._eod is not None)
        if not counts.size or counts.min() < 0 or counts.max() > most:
            raise ValueError(f"a document has from 0 to {most:,} tokens")
        if int(counts.sum(dtype=np.int64)) != tokens.size:
            raise ValueError(f"lengths add up to {counts.sum()}, but there are {tokens.size} ids")
        if tokens.size and (tokens.min() < 0 or tokens.max() >= self._vocabulary):
            raise ValueError(f"ids go from 0 to {self._vocabulary - 1}, not {_extremes(tokens)}")

    def _check_written(self) -> None:
        """Refuse to go on where a write failed halfway and its error was passed over."""
        expected = (self._tokens * self._dtype.itemsize, self._header().offsets_at)
        if (self._bin.tell(), self._idx.tell()) != expected:
            raise BadShard("an earlier write failed: the shard is not whole")

    def _header(self) -> Header:
        return Header(self._dtype, self._documents, self._documents + 1)

    def _complete_index(self) -> str:
        """Put header, offsets and document array around the lengths; return the file's SHA-256."""
        header = self._header()
        self._idx.seek(header.offsets_at)
        for offsets in self._offsets():
            self._idx.write(offsets.data)
        for first in range(0, header.document_entries, _AT_ONCE):
            last = min(first + _AT_ONCE, header.document_entries)
            self._idx.write(np.arange(first, last, dtype=OFFSET).data)
        self._idx.seek(0)
        self._idx.write(header.packed())
        self._idx.seek(0)
        return hashlib.file_digest(self._idx, "sha256").hexdigest()

    def _offsets(self) -> Iterator[NDArray[np.int64]]:
        """Yield where sequences begin in ``.bin``, from the lengths already in the index."""
        self._idx.flush()
        begin = 0
        for first in range(0, self._documents, _AT_ONCE):
            count = min(_AT_ONCE, self._documents - first)
            place = HEADER_BYTES + LENGTH.itemsize * first
            lengths = np.frombuffer(
                os.pread(self._idx.fileno(), LENGTH.itemsize * count, place), dtype=LENGTH
            )
            sizes = lengths.astype(OFFSET) * self._dtype.itemsize
            ends = begin + np.cumsum(sizes)
            yield ends - sizes
            begin = int(ends[-1])

    def _close(self) -> None:
        self._bin.close()
        self._idx.close()


def _check_settings(
    dtype: np.dtype[Any], vocabulary: int, eod: int | None, empty: EmptyDocuments
) -> None:
    code_of(dtype)
    if not 0 < vocabulary <= np.iinfo(dtype).max + 1:
        raise ValueError(f"a vocabulary of {vocabulary} ids does not fit into {dtype}")
    if eod is not None and not 0 <= eod < vocabulary:
        raise ValueError(f"the EOD, {eod}, is not among the {vocabulary} ids of the vocabulary")
    if empty not in get_args(EmptyDocuments):
        raise ValueError(f"empty is {empty!r}: choose one of {get_args(EmptyDocuments)}")
    if eod is None and empty == "keep":
        raise ValueError("without EOD, an empty document has no tokens to keep: drop it")


def _with_eod(
    tokens: NDArray[Any], counts: NDArray[Any], eod: int, dtype: np.dtype[Any]
) -> tuple[Tokens, NDArray[np.int64]]:
    """Return ids and lengths with the EOD after each document."""
    longer = counts.astype(np.int64) + 1
    lasts = np.cumsum(longer) - 1
    result = np.full(int(longer.sum()), eod, dtype=dtype)
    inside = np.ones(result.size, dtype=np.bool_)
    inside[lasts] = False
    result[inside] = tokens
    return result, longer


def _extremes(tokens: NDArray[Any]) -> str:
    return f"from {tokens.min()} to {tokens.max()}"
