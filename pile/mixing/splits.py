"""How a corpus is cut: into splits, files, and buckets that fit in memory.

Every copy of a document has a key, a uniform 64-bit integer, and stands in its split in the order of
keys. A split is an equal division of all keys into files, and each file one into buckets: the rows of a
bucket are all that is sorted, or in memory, at a time, however large the files.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pile import draws
from pile.corpus import SPLITS
from pile.draws import Numbers
from pile.settings import Mix
from sources.source import Json

BUCKET_BYTES = 256 << 20
"""About what a bucket takes in memory as text and `ROW_BYTES` a row."""

ROW_BYTES = 256
"""About what a copy takes in memory besides its text."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The files of a split, and the buckets that each of them has."""

    files: int
    buckets: int = 1

    def __len__(self) -> int:
        return self.files * self.buckets


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of all splits; buckets are numbered through, split by split."""

    train: Cut
    val: Cut
    test: Cut

    def __len__(self) -> int:
        return sum(len(cut) for cut in self._splits)

    @property
    def _splits(self) -> tuple[Cut, Cut, Cut]:
        return self.train, self.val, self.test

    def plain(self) -> dict[str, Json]:
        """Return files and buckets of each split, by its name."""
        named = zip(SPLITS, self._splits, strict=True)
        return {split: [cut.files, cut.buckets] for split, cut in named}

    def files(self) -> Iterator[tuple[str, int, range]]:
        """Yield split, number and buckets of every file."""
        first = 0
        for split, cut in zip(SPLITS, self._splits, strict=True):
            for number in range(cut.files):
                yield split, number, range(first, first + cut.buckets)
                first += cut.buckets

    def buckets(self, keys: Numbers, splits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the bucket of each key, in the split of that number."""
        found = np.zeros(len(keys), np.int64)
        first = 0
        for number, cut in enumerate(self._splits):
            inside = splits == number
            if cut.files and inside.any():
                found[inside] = first + draws.slots(keys[inside], len(cut))
            first += len(cut)
        return found


@dataclass(frozen=True, slots=True)
class Size:
    """What there is of a source, in bytes of text and in documents.

    It is drawn ``epochs`` times; what is held out comes once, however few epochs there are.
    """

    text_bytes: int
    documents: int
    epochs: float


def cut(mix: Mix, sizes: list[Size]) -> Cuts:
    """Return how many files and buckets each split needs for its share of what is drawn."""
    drawn = _sum(sizes, [size.epochs for size in sizes])
    once = _sum(sizes, [1.0 for _ in sizes])
    if mix.hold_out == "published":
        nothing = Cut(0)
        return Cuts(_cut(mix, drawn, 1.0, mix.files), nothing, nothing)
    return Cuts(
        _cut(mix, drawn, 1 - mix.held, mix.files),
        _cut(mix, once, mix.val, 0) if mix.val else Cut(0),
        _cut(mix, once, mix.test, 0) if mix.test else Cut(0),
    )


def _sum(sizes: list[Size], times: list[float]) -> tuple[float, float]:
    pairs = list(zip(sizes, times, strict=True))
    return (
        sum(size.text_bytes * factor for size, factor in pairs),
        sum(size.documents * factor for size, factor in pairs),
    )


def _cut(mix: Mix, drawn: tuple[float, float], share: float, wished: int) -> Cut:
    text, documents = drawn[0] * share, drawn[1] * share
    files = wished or max(1, -int(-text // mix.file_bytes))
    room = BUCKET_BYTES * files
    return Cut(files, max(1, -int(-(text + ROW_BYTES * documents) // room)))
