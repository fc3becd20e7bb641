"""Read a token shard, memory-mapped.

GPT-NeoX and Megatron-Core open shards that are cut off, whose offsets are wrong, or whose document
array is not one, and give out whatever lies there. `Shard.open` refuses what can be seen without
reading the shard through, and each access checks the entries it uses; `Shard.check_sequences` checks
those of all sequences, and `shards.verify` all there is.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from shards.format import (
    HEADER_BYTES,
    LENGTH,
    OFFSET,
    BadShard,
    Header,
    Tokens,
    parse_header,
    paths_of,
)

_AT_ONCE = 1 << 18  # index entries


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """The sequences of a shard, by number: ``shard[3]``, ``shard[-1]``, ``shard[10:20]``.

    Arrays are read-only views into the file, in the shard's own dtype; each keeps the file mapped
    for as long as it is in use. ``tokens`` is all of ``.bin``; ``lengths`` counts tokens, ``offsets``
    bytes. ``documents`` holds the first sequence of each document, and at its end ``len(shard)``.
    """

    prefix: str
    tokens: Tokens
    lengths: NDArray[np.int32]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int64]

    @classmethod
    def open(cls, prefix: Path | str) -> "Shard":
        """Open the shard ``<prefix>.bin`` and ``<prefix>.idx``; `BadShard` says what is wrong."""
        bin_path, idx_path = paths_of(prefix)
        with idx_path.open("rb") as file:
            header = parse_header(file.read(HEADER_BYTES))
        _check_sizes(header, bin_path, idx_path)
        shard = cls(
            str(prefix),
            _mapped(bin_path, header.dtype, 0, bin_path.stat().st_size // header.dtype.itemsize),
            _mapped(idx_path, LENGTH, HEADER_BYTES, header.sequences),
            _mapped(idx_path, OFFSET, header.offsets_at, header.sequences),
            _mapped(idx_path, OFFSET, header.documents_at, header.document_entries),
        )
        _check_ends(shard)
        return shard

    def __len__(self) -> int:
        return self.lengths.size

    @overload
    def __getitem__(self, which: int) -> Tokens: ...
    @overload
    def __getitem__(self, which: slice) -> list[Tokens]: ...
    def __getitem__(self, which: int | slice) -> Tokens | list[Tokens]:
        if isinstance(which, slice):
            return [self._sequence(number) for number in range(*which.indices(len(self)))]
        number = operator.index(which)
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no sequence {number}: {self.prefix} has {len(self)}")
        return self._sequence(number % len(self))

    def __iter__(self) -> Iterator[Tokens]:
        return map(self._sequence, range(len(self)))

    def __reduce__(self) -> tuple[Callable[..., "Shard"], tuple[str]]:
        return Shard.open, (self.prefix,)

    def document(self, number: int) -> Tokens:
        """Return the tokens of a document, EOD included: all its sequences, as one array."""
        if not 0 <= number < self.documents.size - 1:
            raise IndexError(f"there is no document {number} in {self.prefix}")
        first, after = map(int, self.documents[number : number + 2])
        if not 0 <= first <= after <= len(self):
            raise BadShard(f"{self.prefix}: document {number} has sequences {first} to {after}")
        if first == after:
            return self.tokens[:0]
        return self.tokens[self._bounds(first)[0] : self._bounds(after - 1)[1]]

    def check_sequences(self) -> None:
        """Raise `BadShard` unless sequences follow each other, from the first token to the last."""
        begin = 0
        for first in range(0, len(self), _AT_ONCE):
            sizes = self.lengths[first : first + _AT_ONCE].astype(OFFSET) * self.tokens.itemsize
            ends = begin + np.cumsum(sizes)
            wrong = (self.offsets[first : first + _AT_ONCE] != ends - sizes) | (sizes < 0)
            if wrong.any():
                number = first + int(wrong.argmax())
                raise BadShard(
                    f"{self.prefix}: sequence {number} has {self.lengths[number]} tokens from byte "
                    f"{self.offsets[number]}, those before it end at {(ends - sizes)[number - first]}"
                )
            begin = int(ends[-1])
        if begin != self.tokens.nbytes:
            raise BadShard(f"{self.prefix}: sequences end at byte {begin} of {self.tokens.nbytes}")

    def _sequence(self, number: int) -> Tokens:
        first, after = self._bounds(number)
        return self.tokens[first:after]

    def _bounds(self, number: int) -> tuple[int, int]:
        """Return where a sequence begins and ends, in tokens, if the next one begins there."""
        itemsize = self.tokens.itemsize
        begin = int(self.offsets[number])
        end = begin + int(self.lengths[number]) * itemsize
        is_last = number + 1 == len(self)
        next_begin = self.tokens.nbytes if is_last else int(self.offsets[number + 1])
        if not 0 <= begin <= end == next_begin or begin % itemsize:
            raise BadShard(
                f"{self.prefix}: sequence {number} lies at bytes {begin} to {end}, "
                f"the next begins at {next_begin}"
            )
        return begin // itemsize, end // itemsize


def _check_sizes(header: Header, bin_path: Path, idx_path: Path) -> None:
    """Raise `BadShard` unless both files can be what the header says."""
    if not header.sequences:
        raise BadShard(f"{idx_path}: the shard is empty")
    idx_bytes, bin_bytes = idx_path.stat().st_size, bin_path.stat().st_size
    if idx_bytes != header.idx_bytes:
        raise BadShard(f"{idx_path}: {idx_bytes} bytes, not {header.idx_bytes} as its header says")
    if not bin_bytes or bin_bytes % header.dtype.itemsize:
        raise BadShard(
            f"{bin_path}: {bin_bytes} bytes are no whole number of {header.dtype} tokens"
        )


def _check_ends(shard: Shard) -> None:
    """Raise `BadShard` unless the first and the last entries of the index fit the tokens."""
    if int(shard.offsets[0]) != 0:
        raise BadShard(f"{shard.prefix}: the first sequence begins at byte {shard.offsets[0]}")
    expected = (0, len(shard))
    found = (int(shard.documents[0]), int(shard.documents[-1])) if shard.documents.size else None
    if found != expected:
        raise BadShard(f"{shard.prefix}: documents begin and end with {found}, not {expected}")
    # The last sequence must end where the tokens end: this finds a .bin that was cut off.
    shard[-1]


def _mapped(path: Path, dtype: np.dtype[Any], offset: int, count: int) -> NDArray[Any]:
    """Return an array over part of a file; it holds on to the mapping, not to the open file."""
    if not count:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=(count,)).view(np.ndarray)
