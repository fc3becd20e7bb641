"""Merge shards, and divide them anew: the same documents, in the same order, in other files.

`divide` says which documents each new shard gets, from the indexes alone; `copy` writes one of them.
So the new shards can be written by any number of workers, in any order, and are always the same.
Positions are 64-bit throughout: mergers that add up 32-bit lengths break past 2 GiB. Memory holds
some tokens at a time, and at least one document.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shards.format import OFFSET, BadShard, paths_of
from shards.reader import Shard
from shards.verify import verify_index
from shards.writer import ShardFacts, ShardWriter

_DOCUMENTS = 1 << 16  # of the index, in memory at once
_TOKENS = 1 << 21


@dataclass(frozen=True, slots=True)
class Stretch:
    """The documents of a shard from number ``first`` to before number ``after``."""

    prefix: str
    first: int
    after: int


def divide(prefixes: Iterable[Path | str], bin_bytes: int | None = None) -> list[list[Stretch]]:
    """Return which documents of some shards each new shard gets, in the order given.

    A new shard gets as many whole documents as fit into ``bin_bytes``, and at least one: a longer
    document has a shard of its own. None puts all into one. Raises `BadShard` if an index is not
    right, and ValueError if tokens differ in dtype, for then ids would have to be converted.
    """
    if bin_bytes is not None and bin_bytes < 1:
        raise ValueError(f"a shard of {bin_bytes} bytes holds no document")
    result: list[list[Stretch]] = []
    room = 0
    for shard in _same_dtype(map(_checked, prefixes)):
        for stretch, size in _stretches(shard, room, bin_bytes):
            if size > room or not result:
                result.append([])
                room = bin_bytes if bin_bytes is not None else _ALL
            result[-1].append(stretch)
            room -= size
    return result


_ALL = 1 << 62  # bytes: no shard is larger


def _stretches(shard: Shard, room: int, bin_bytes: int | None) -> Iterator[tuple[Stretch, int]]:
    """Yield how a shard falls into pieces, and their bytes, if there is ``room`` for the first."""
    first, begin, total = 0, 0, shard.tokens.nbytes
    while first < len(shard):
        after = _fitting(shard, first, begin + room)
        if after == first:
            room = bin_bytes if bin_bytes is not None else _ALL
            after = max(_fitting(shard, first, begin + room), first + 1)
        end = int(shard.offsets[after]) if after < len(shard) else total
        yield Stretch(shard.prefix, first, after), end - begin
        first, begin, room = after, end, room - (end - begin)


def _fitting(shard: Shard, first: int, end: int) -> int:
    """Return the number of the first document, from ``first`` on, that ends after byte ``end``."""
    if shard.tokens.nbytes <= end:
        return len(shard)
    return max(bisect_right(shard.offsets, end, lo=first) - 1, first)


def copy(
    stretches: Sequence[Stretch], bin_path: Path, idx_path: Path, *, vocabulary: int | None = None
) -> ShardFacts:
    """Write the documents of some stretches to a new shard, and tell what is in it.

    Raises ValueError if an id is not below ``vocabulary``, or a shard has no such documents, and
    `BadShard` if documents do not lie where their index says; no file is left then.
    """
    if not stretches:
        raise ValueError("there is nothing to copy")
    dtype = Shard.open(stretches[0].prefix).tokens.dtype
    ids = np.iinfo(dtype).max + 1 if vocabulary is None else vocabulary
    shards = _same_dtype(Shard.open(stretch.prefix) for stretch in stretches)
    with ShardWriter(bin_path, idx_path, dtype, vocabulary=ids, eod=None, empty="drop") as writer:
        for stretch, shard in zip(stretches, shards, strict=True):
            if not 0 <= stretch.first < stretch.after <= len(shard):
                raise ValueError(f"{stretch} is none of {len(shard)} documents")
            for tokens, lengths in _batches(stretch, shard):
                writer.add(tokens, lengths)
        return writer.finish()


def _batches(stretch: Stretch, shard: Shard) -> Iterator[tuple[NDArray[Any], NDArray[np.int32]]]:
    """Yield tokens and lengths of a stretch, some documents at a time.

    Tokens are read from the file, not from the mapping, so that they do not stay in memory.
    """
    with paths_of(stretch.prefix)[0].open("rb") as file:
        file.seek(int(shard.offsets[stretch.first]))
        for first in range(stretch.first, stretch.after, _DOCUMENTS):
            after = min(first + _DOCUMENTS, stretch.after)
            lengths = np.array(shard.lengths[first:after])
            _check_offsets(shard, first, lengths)
            for count in _batch_sizes(lengths):
                batch, lengths = lengths[:count], lengths[count:]
                total = int(batch.sum(dtype=OFFSET))
                tokens: NDArray[Any] = np.fromfile(file, shard.tokens.dtype, total)
                yield tokens, batch


def _batch_sizes(lengths: NDArray[np.int32]) -> Iterator[int]:
    """Divide documents into batches of at most so many tokens, or of one document."""
    ends = np.cumsum(lengths, dtype=OFFSET)
    first = begin = 0
    while first < ends.size:
        after = max(int(np.searchsorted(ends, begin + _TOKENS, side="right")), first + 1)
        yield after - first
        first, begin = after, int(ends[after - 1])


def _check_offsets(shard: Shard, first: int, lengths: NDArray[np.int32]) -> None:
    sizes = lengths.astype(OFFSET) * shard.tokens.itemsize
    begins = np.cumsum(sizes) - sizes + shard.offsets[first]
    if sizes.min() < 1 or not np.array_equal(begins, shard.offsets[first : first + sizes.size]):
        raise BadShard(f"{shard.prefix}: documents from {first} on do not follow each other")


def _checked(prefix: Path | str) -> Shard:
    problems = verify_index(prefix)
    if problems:
        raise BadShard(f"{problems[0].path}: {problems[0].message}")
    return Shard.open(prefix)


def _same_dtype(shards: Iterable[Shard]) -> Iterator[Shard]:
    """Pass shards on; ValueError at the first whose tokens are not of the dtype of those before."""
    expected = None
    for shard in shards:
        expected = expected or shard
        if shard.tokens.dtype != expected.tokens.dtype:
            raise ValueError(
                f"{shard.prefix} has {shard.tokens.dtype} tokens, "
                f"{expected.prefix} has {expected.tokens.dtype}"
            )
        yield shard
