"""The samples of a shard, and of several shards by weight, each by its number.

Weights are shares of samples: give tokens x epochs, and each shard is seen as often as its epochs
say. Megatron's rules are kept exactly, down to the samples that are built in reserve.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shards import cache, loops
from shards.format import BadShard
from shards.reader import Shard
from shards.samples import Request, SampleIndex, build_of, cached

SURPLUS = 0.005
"""What Megatron builds in reserve of each part, since greedy choice overshoots a little."""

MOST_PARTS = 32_766


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The samples of one shard, in the order of training; each has ``length`` + 1 tokens."""

    shard: Shard
    index: SampleIndex
    length: int

    def __len__(self) -> int:
        return len(self.index)

    def gather(
        self, numbers: NDArray[np.int64], out: NDArray[Any], rows: NDArray[np.int64]
    ) -> None:
        """Put samples ``numbers`` into ``rows`` of ``out``; raises `BadShard` if they are not there.

        Numbers must be from 0 to before ``len(self)``, and rows be rows of ``out``. Raises
        ValueError if its dtype does not hold all that tokens can be.
        """
        shard, index = self.shard, self.index
        if not np.can_cast(shard.tokens.dtype, out.dtype):
            raise ValueError(f"{out.dtype} cannot hold all {shard.tokens.dtype} tokens")
        fast = loops.compiled(loops.gather)
        if fast is None:
            for number, row in zip(numbers.tolist(), rows.tolist(), strict=True):
                self._fill(number, out[row])
            return
        sampling = (index.order, index.places, index.shuffle)
        found = fast(shard.tokens, (shard.lengths, shard.offsets), sampling, numbers, out, rows)
        if found == loops.OUTSIDE:
            raise self._damaged()
        if found != loops.INSIDE:
            raise BadShard(f"{shard.prefix}: sequence {found} does not lie where it should")

    def _fill(self, number: int, row: NDArray[Any]) -> None:
        """Fill a row with a sample, sequence by sequence: what the compiled loop does."""
        index = self.index
        sample = int(index.shuffle[number])
        if not 0 <= sample < len(index.places):
            raise self._damaged()
        position, skipped = (int(place) for place in index.places[sample])
        filled = 0
        while filled < row.size:
            if not 0 <= position < index.order.size:
                raise self._damaged()
            sequence = int(index.order[position])
            if not (
                0 <= sequence < len(self.shard) and 0 <= skipped <= self.shard.lengths[sequence]
            ):
                raise self._damaged()
            tokens = self.shard[sequence][skipped : skipped + row.size - filled]
            row[filled : filled + tokens.size] = tokens
            filled += tokens.size
            position, skipped = position + 1, 0

    def _damaged(self) -> BadShard:
        return BadShard(
            f"{self.shard.prefix}: the order of its samples is none; if it is from a cache, remove "
            f"that, and it is built anew"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Samples of several shards: sample i is sample ``numbers[i]`` of part ``which[i]``."""

    parts: tuple[Samples, ...]
    which: NDArray[np.int16]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return self.which.size

    def gather(
        self, numbers: NDArray[np.int64], out: NDArray[Any], rows: NDArray[np.int64]
    ) -> None:
        """Put samples ``numbers`` into ``rows`` of ``out``, as `Samples.gather` does."""
        which, within = self.which[numbers], self.numbers[numbers]
        for part in np.unique(which).tolist():
            chosen = which == part
            self.parts[part].gather(within[chosen], out, rows[chosen])


def samples_of(prefix: Path | str, request: Request, folder: Path | None = None) -> Samples:
    """Open a shard and order its samples; with a cache ``folder``, the order is kept there."""
    shard = Shard.open(prefix)
    index = build_of(shard, request) if folder is None else cached(prefix, request, folder)
    return Samples(shard, index, request.length)


def requests(count: int, weights: Sequence[float] | None, request: Request) -> list[Request]:
    """Return what a blend of so many shards asks of each.

    Without weights that is one epoch. With weights, which need not add up to 1, it is the shard's
    share of ``request.samples``, which must be given, rounded up, and a little more. One shard
    alone is asked for just what is wanted.
    """
    if not 0 < count <= MOST_PARTS:
        raise ValueError(f"from 1 to {MOST_PARTS:,} shards can be mixed, not {count}")
    if weights is not None:
        _check_weights(count, weights, request)
    if count == 1:
        return [request]
    if weights is None:
        return [Request(request.length, None, request.seed)] * count
    return [
        Request(request.length, math.ceil(target * (1 + SURPLUS)), request.seed)
        for target in _targets(weights, request)
    ]


def blend(
    prefixes: Sequence[Path | str],
    weights: Sequence[float] | None,
    request: Request,
    folder: Path | None = None,
) -> Samples | Blend:
    """Return samples of some shards, mixed; one shard alone is not mixed.

    Without weights each shard is seen once, and ``request.samples`` may ask for a part of that.
    With weights there may be a few samples more than asked for, since each share is rounded up.
    """
    asked = requests(len(prefixes), weights, request)
    parts = tuple(map(samples_of, prefixes, asked, [folder] * len(asked)))
    if len(parts) == 1:
        return parts[0]
    if weights is not None:
        return _greedy(parts, _shares(weights), sum(_targets(weights, request)), folder)
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    total = int(sizes.sum())
    if request.samples is None:
        return Blend(parts, *_choose(loops.blend_all, sizes, total, folder))
    return _greedy(parts, sizes.astype(np.float64), min(request.samples, total), folder)


def _check_weights(count: int, weights: Sequence[float], request: Request) -> None:
    if len(weights) != count or not all(0 < weight < math.inf for weight in weights):
        raise ValueError("each shard has a weight, and it is above 0")
    if request.samples is None:
        raise ValueError("with weights, say how many samples are wanted")


def _targets(weights: Sequence[float], request: Request) -> list[int]:
    """Return how many samples are wanted of each shard."""
    return [math.ceil((request.samples or 0) * share) for share in _shares(weights).tolist()]


def _greedy(
    parts: tuple[Samples, ...], weights: NDArray[np.float64], size: int, folder: Path | None
) -> Blend:
    which, numbers = _choose(loops.blend, _shares(weights), size, folder)
    taken = np.bincount(which, minlength=len(parts))
    for part, count in zip(parts, taken.tolist(), strict=True):
        if count > len(part):
            raise ValueError(
                f"{size} samples are too few to be mixed by these weights: {count} would be "
                f"taken of {part.shard.prefix}, which has {len(part)}"
            )
    return Blend(parts, which, numbers)


def _choose(
    loop: Callable[..., None], weights: NDArray[Any], size: int, folder: Path | None
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Choose a part for each of so many samples, in memory or in a cache."""

    def build(allocate: cache.Allocate) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        which, numbers = (
            allocate("which", (size,), np.int16),
            allocate("numbers", (size,), np.int64),
        )
        (loops.compiled(loop) or loop)(weights, which, numbers)
        return which, numbers

    if folder is None:
        return build(cache.in_memory)
    name = cache.key(loop.__name__, weights.tolist(), size)
    which, numbers = cache.load(
        cache.entry(folder, name, build), [("which", (size,)), ("numbers", (size,))]
    )
    return which, numbers


def _shares(weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights that add up to 1."""
    given = np.asarray(weights, dtype=np.float64)
    shares: NDArray[np.float64] = given / np.sum(given)
    return shares
