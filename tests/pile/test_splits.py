"""Splits are cut into files and buckets that fit in memory, however often documents come."""

import numpy as np
import pytest

from pile.mixing.splits import BUCKET_BYTES, ROW_BYTES, Cut, Size, cut
from pile.settings import Mix
from pile.stages.scatter import Shuffle, draw


@pytest.mark.parametrize("epochs", [0.01, 0.5, 1.0, 3.0])
def test_a_bucket_fits_in_memory_whatever_the_epochs(epochs: float) -> None:
    """Of 40,000 documents of a megabyte, each bucket of each split holds about 256 MiB at most.

    A document that is held out comes once, be the epochs a hundredth.
    """
    text, count = 1_000_000, 40_000
    rule = Mix(val=0.05, test=0.02)
    cuts = cut(rule, [Size(text * count, count, epochs)])
    drawn = draw(
        [f"x/{number}" for number in range(count)],
        np.arange(count),
        Shuffle(7, epochs, rule.val, rule.test, "hash", cuts),
    )
    held = np.bincount(drawn.bucket, minlength=len(cuts)) * (text + ROW_BYTES)
    # Chance puts a fifth more into some of them.
    assert held.max() < 1.3 * BUCKET_BYTES
    assert len(cuts) < 1.5 * held.sum() / BUCKET_BYTES + 3


def test_files_are_as_many_as_wished_and_buckets_as_many_as_needed() -> None:
    """30 files of 40 GB have the buckets that 40 GB need; a little text has one file and bucket."""
    pile = cut(Mix(files=30, val=0, test=0), [Size(1_200_000_000_000, 210_000_000, 1.0)])
    assert pile.train.files == 30
    per_bucket = (1_200_000_000_000 + 210_000_000 * ROW_BYTES) / len(pile)
    assert 0.98 * BUCKET_BYTES < per_bucket <= BUCKET_BYTES
    little = cut(Mix(), [Size(1000, 10, 1.0)])
    assert (little.train, little.val, little.test) == (Cut(1), Cut(1), Cut(1))
    assert len(cut(Mix(val=0, test=0), [Size(1000, 10, 1.0)])) == 1
