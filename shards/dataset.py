"""Batches of samples for training: a pure function of seed, epoch and step.

There is no state to save and none to restore: the batch of a step is found from its number alone.
A run that stops after any step goes on with the next as if it had never stopped, and on any number
of data-parallel ranks that divides the batch: ranks 0, 1 ... get the batch's rows in order.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shards.blend import Blend, Samples, blend, requests
from shards.format import paths_of
from shards.samples import Request, build_in_cache

_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Settings:
    """What is drawn from which shards.

    ``batch`` counts the samples of a step, over all ranks. ``samples`` is the size of an epoch,
    None for each shard once; Megatron's ``train_iters`` times its global batch gives Megatron's own
    order for a whole run. ``weights`` are shares of samples, one a shard, None for their sizes.
    One shard, or several with weights, are repeated to give so many samples; several without are
    not, as in Megatron: an epoch has at most what they hold. Samples have ``length`` + 1 tokens:
    inputs, and the same a token later. Raises ValueError if there is no such batch or seed.
    """

    prefixes: tuple[str, ...]
    length: int
    batch: int
    weights: tuple[float, ...] | None = None
    samples: int | None = None
    seed: int = 1234

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"a batch has at least one sample, not {self.batch}")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"the seed, {self.seed}, is not from 0 to {_SEEDS - 1}")


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of each batch a process gets: that of ``rank`` among ``world`` ranks."""

    rank: int = 0
    world: int = 1

    def rows(self, batch: int) -> tuple[int, int]:
        """Return the first of its rows, and the one after its last."""
        if not 0 <= self.rank < self.world:
            raise ValueError(f"there is no rank {self.rank} among {self.world}")
        if batch % self.world:
            raise ValueError(f"a batch of {batch} cannot be divided among {self.world} ranks")
        rows = batch // self.world
        return self.rank * rows, (self.rank + 1) * rows


WHOLE = Share()
"""The whole batch: there is one rank."""


class Loader:
    """Gives the batch of any step of any epoch; an epoch has ``size`` samples, ``steps`` batches.

    Epoch 0 has the order that Megatron has with the same seed, and epoch e that of seed + e. The
    last samples of an epoch, too few for a batch, are dropped. Give a ``cache`` folder, shared or
    not, and the order of samples is built once and memory-mapped.
    """

    def __init__(self, settings: Settings, cache: Path | None = None) -> None:
        self.settings = settings
        self._cache = cache
        self._current = (0, self._ordered(0))
        found = len(self._current[1])
        self.size = min(found, settings.samples or found)
        self.steps = self.size // settings.batch
        if not self.steps:
            raise ValueError(f"{self.size} samples are fewer than a batch of {settings.batch}")

    def __reduce__(self) -> tuple[type["Loader"], tuple[Settings, Path | None]]:
        return Loader, (self.settings, self._cache)

    def epoch(self, number: int) -> Samples | Blend:
        """Return the samples of an epoch in order; that of one epoch is held at a time."""
        current, ordered = self._current
        if current != number:
            ordered = self._ordered(number)
            self._current = (number, ordered)
        return ordered

    def batch(
        self, epoch: int, step: int, share: Share = WHOLE, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return a share of the batch of a step, [rows, length + 1]; int64 unless ``out`` is given.

        Raises IndexError if the epoch has no such step.
        """
        if not 0 <= step < self.steps:
            raise IndexError(f"there is no step {step}: an epoch has {self.steps}")
        first, after = share.rows(self.settings.batch)
        start = step * self.settings.batch
        return self.samples(epoch, np.arange(start + first, start + after), out)

    def samples(
        self, epoch: int, numbers: NDArray[np.int64], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return some samples of an epoch, [numbers, length + 1]; IndexError if they are not there."""
        ordered = self.epoch(epoch)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.size:
            raise IndexError(f"samples are numbered from 0 to {self.size - 1}")
        shape = (numbers.size, self.settings.length + 1)
        if out is None:
            out = np.empty(shape, dtype=np.int64)
        elif out.shape != shape:
            raise ValueError(f"samples are put into an array of shape {shape}, not {out.shape}")
        ordered.gather(numbers, out, np.arange(numbers.size))
        return out

    def batches(self, first: int = 0, share: Share = WHOLE) -> Iterator[NDArray[Any]]:
        """Yield a share of one batch after the other, epoch after epoch, without end.

        ``first`` counts steps over all epochs: a checkpoint need hold nothing but how many steps
        were made.
        """
        while True:
            yield self.batch(*divmod(first, self.steps), share)
            first += 1

    def identity(self) -> str:
        """Return a digest of all that decides what the batches are, short of the tokens' bytes.

        A checkpoint that holds it can tell, before training goes on, that shards or settings are
        other ones. Where shards lie makes no difference, nor does the number of ranks.
        """
        settings = asdict(self.settings)
        settings["prefixes"] = [_identity(prefix) for prefix in self.settings.prefixes]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode("ascii")).hexdigest()

    def _ordered(self, number: int) -> Samples | Blend:
        if number < 0:
            raise IndexError(f"there is no epoch {number}")
        asked = self.settings
        return blend(asked.prefixes, asked.weights, _request(asked, number), self._cache)


def prepare(settings: Settings, cache: Path, workers: int, epoch: int = 0) -> None:
    """Build the order of an epoch's samples in a cache folder, one shard a process at a time.

    A loader finds it there; one that comes earlier builds what is missing itself. Processes are
    started afresh, so that a script must call this below ``if __name__ == "__main__":``.
    """
    asked = requests(len(settings.prefixes), settings.weights, _request(settings, epoch))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(build_in_cache, prefix, request, cache)
            for prefix, request in zip(settings.prefixes, asked, strict=True)
        ]
        for one in waiting:
            one.result()


def _request(settings: Settings, epoch: int) -> Request:
    return Request(settings.length, settings.samples, (settings.seed + epoch) % _SEEDS)


def _identity(prefix: str) -> Sequence[str | int]:
    bin_path, idx_path = paths_of(prefix)
    with idx_path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), bin_path.stat().st_size
