"""The order in which training sees a shard: Megatron's and GPT-NeoX's, exactly.

Sequences are shuffled, for all epochs at once, and laid end to end; a sample is L + 1 tokens of
that, and begins with the last token of the sample before; then samples are shuffled. What is left
at the end, too short for a sample, is dropped. Both shuffles are those of one
``numpy.random.RandomState``, which gives the same numbers with every release of NumPy.

Where several epochs are wanted but less than 80 % of the last, Megatron shuffles the last epoch by
itself, so that a document is not seen twice long before others are seen at all. GPT-NeoX does not;
with one epoch both give the same samples.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shards import cache, loops
from shards.format import OFFSET, paths_of
from shards.reader import Shard

_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Request:
    """Which samples are wanted: ``length`` is L, and ``samples`` how many, None for one epoch."""

    length: int
    samples: int | None = None
    seed: int = 1234

    def __post_init__(self) -> None:
        if self.length < 1 or (self.samples is not None and self.samples < 1):
            raise ValueError("a sample has a length of at least 1, and at least one is wanted")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"the seed, {self.seed}, is not from 0 to {2**32 - 1}")


@dataclass(frozen=True, slots=True)
class Counts:
    """How a request falls on a shard.

    ``samples`` is what all epochs give, at least what was asked for; ``together`` of them are
    shuffled with each other, and so are those after them, which are of the last epoch.
    """

    sequences: int
    epochs: int
    samples: int
    together: int

    @property
    def last_apart(self) -> bool:
        """Tell whether the last epoch is shuffled by itself."""
        return self.together < self.samples


@dataclass(frozen=True, slots=True, eq=False)
class SampleIndex:
    """The three arrays that order samples.

    ``order`` int32 [epochs x sequences]: sequences as they lie end to end. ``places`` [samples + 1,
    2]: position in ``order`` and token in that sequence, where each sample begins. ``shuffle``
    [samples]: which sample is seen when.
    """

    order: NDArray[np.int32]
    places: NDArray[Any]
    shuffle: NDArray[Any]

    def __len__(self) -> int:
        return self.shuffle.size


def count(lengths: NDArray[np.int32], request: Request) -> Counts:
    """Return how a request falls on sequences; ValueError if they are too few or too many."""
    tokens = int(lengths.sum(dtype=np.int64))
    if tokens == 0 or (request.samples is None and tokens <= request.length):
        raise ValueError(
            f"{tokens} tokens are too few for one sample of {request.length} + 1: leave the shard "
            f"out, or give weights and a number of samples, so that it is repeated"
        )
    if lengths.size >= 2**31:
        raise ValueError(f"{lengths.size:,} sequences are too many: divide the shard")
    if request.samples is None:
        samples = (tokens - 1) // request.length
        return Counts(lengths.size, 1, samples, samples)
    epochs = -(-(request.samples * request.length + 1) // tokens)
    samples = (epochs * tokens - 1) // request.length
    before_last = ((epochs - 1) * tokens - 1) // request.length
    of_last = request.samples - before_last
    apart = epochs > 1 and of_last < int(0.80 * ((tokens - 1) // request.length))
    return Counts(lengths.size, epochs, samples, before_last if apart else samples)


def build(
    lengths: NDArray[np.int32], request: Request, allocate: cache.Allocate = cache.in_memory
) -> SampleIndex:
    """Build the index for sequences of so many tokens each.

    Memory holds ``lengths``, and what ``allocate`` puts there.
    """
    lengths = np.array(lengths)
    counts = count(lengths, request)
    random = np.random.RandomState(request.seed)
    order = allocate("order", (counts.epochs * counts.sequences,), np.int32)
    apart = counts.sequences * (counts.epochs - counts.last_apart)
    _count_up(order, counts.sequences)
    random.shuffle(order[:apart])
    random.shuffle(order[apart:])
    places = allocate("places", (counts.samples + 1, 2), _place_dtype(lengths, counts))
    shuffle = allocate("shuffle", (counts.samples,), _shuffle_dtype(counts))
    with ThreadPoolExecutor(1) as beside:
        placed = beside.submit(place, lengths, order, request.length, places)
        _count_up(shuffle, counts.samples)
        random.shuffle(shuffle[: counts.together])
        random.shuffle(shuffle[counts.together :])
        placed.result()
    return SampleIndex(order, places, shuffle)


def build_of(
    shard: Shard, request: Request, allocate: cache.Allocate = cache.in_memory
) -> SampleIndex:
    """Build the index for a shard, as `build` does; a ValueError names the shard.

    Raises `BadShard` if sequences are not where they should be: now, not after days of training.
    """
    shard.check_sequences()
    try:
        return build(shard.lengths, request, allocate)
    except ValueError as error:
        raise ValueError(f"{shard.prefix}: {error}") from error


def _place_dtype(lengths: NDArray[np.int32], counts: Counts) -> type[np.integer[Any]]:
    largest = max(counts.epochs * counts.sequences, int(lengths.max()))
    return np.int32 if largest < 2**31 else np.int64


def _shuffle_dtype(counts: Counts) -> type[np.integer[Any]]:
    return np.uint32 if counts.samples < 2**32 - 2 else np.int64


def _count_up(numbers: NDArray[Any], after: int) -> None:
    """Fill with 0, 1 ... up to before ``after``, again and again."""
    for first in range(0, numbers.size, _AT_ONCE):
        last = min(first + _AT_ONCE, numbers.size)
        numbers[first:last] = np.arange(first, last) % after


def place(
    lengths: NDArray[np.int32], order: NDArray[np.int32], length: int, places: NDArray[Any]
) -> None:
    """Fill where samples begin, as `shards.loops.place_samples` says, the fastest way there is."""
    fast = loops.compiled(loops.place_samples)
    if fast is not None:
        fast(lengths, order, length, places)
        return
    places[0] = 0
    begin, sample = 0, 1
    for first in range(0, order.size, _AT_ONCE):
        ends = begin + np.cumsum(lengths[order[first : first + _AT_ONCE]], dtype=OFFSET)
        after = max(min(-(-int(ends[-1]) // length), len(places)), sample)
        wanted = np.arange(sample, after) * length
        position = np.searchsorted(ends, wanted, side="right")
        begins = np.concatenate(([begin], ends[:-1]))
        places[sample:after, 0] = first + position
        places[sample:after, 1] = wanted - begins[position]
        begin, sample = int(ends[-1]), after


def cached(prefix: Path | str, request: Request, folder: Path) -> SampleIndex:
    """Return the index for a shard from a cache, memory-mapped; build it there if it is not there.

    The cache is keyed by what the shard's ``.idx`` holds, not by its name, so that another shard
    under an old name gets an index of its own.
    """
    home = build_in_cache(prefix, request, folder)
    counts = count(Shard.open(prefix).lengths, request)
    shapes = {
        "order": (counts.epochs * counts.sequences,),
        "places": (counts.samples + 1, 2),
        "shuffle": (counts.samples,),
    }
    return SampleIndex(*cache.load(home, list(shapes.items())))


def build_in_cache(prefix: Path | str, request: Request, folder: Path) -> Path:
    """Build the index for a shard in a cache, unless it is there; return the folder it has."""
    with paths_of(prefix)[1].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return cache.entry(
        folder,
        cache.key("samples", digest, *astuple(request)),
        lambda allocate: build_of(Shard.open(prefix), request, allocate),
    )
