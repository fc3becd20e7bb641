"""Which keys go into which corpus file: all of its buckets, or as published what is left of them."""

from collections.abc import Sequence
from dataclasses import dataclass

NOTHING = -1
"""Stands for the key up to which lines are held out, where none are."""

KEY_BITS = 64
LAST = (1 << KEY_BITS) - 1
"""The largest key."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held out of a train file as published: lines in all, and up to which keys.

    Up to ``val`` stands validation, from there up to ``test`` test, from there up to ``held`` what is
    held back. Lines of equal keys are not parted.
    """

    lines: int
    val: int
    test: int
    held: int


@dataclass(frozen=True, slots=True)
class Range:
    """Buckets, and of their keys those above ``after`` up to ``last``."""

    buckets: range
    after: int = NOTHING
    last: int = LAST


@dataclass(frozen=True, slots=True)
class Target:
    """A corpus file: what goes into it, and up to which keys lines are held back at its beginning."""

    split: str
    number: int
    ranges: tuple[Range, ...]
    back: int = NOTHING

    @property
    def task(self) -> str:
        """What its task is called."""
        return f"{self.split}-{self.number:05d}"


def published_targets(files: Sequence[range], held: Sequence[Held]) -> list[Target]:
    """Return the corpus files as published: what is left of each train file, and what is held out."""
    train = [
        Target("train", number, (Range(buckets, after=one.test),), one.held)
        for number, (buckets, one) in enumerate(zip(files, held, strict=True))
    ]
    total = files[-1].stop
    val = [_beginning(*pair, total) for pair in zip(files, (one.val for one in held), strict=True)]
    test = [
        _beginning(*pair, total) for pair in zip(files, (one.test for one in held), strict=True)
    ]
    after_val = [
        Range(one.buckets, part.val, one.last) for one, part in zip(test, held, strict=True)
    ]
    return [*train, Target("val", 0, tuple(val)), Target("test", 0, tuple(after_val))]


def _beginning(buckets: range, last: int, total: int) -> Range:
    """Return a file's buckets up to that of a key, of ``total`` buckets of the train files."""
    stop = buckets.start if last == NOTHING else (last * total >> KEY_BITS) + 1
    return Range(range(buckets.start, stop), last=last)
