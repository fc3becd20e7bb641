"""Buckets: documents that have a digest, or a band of their signatures, in common.

The digests and each band make a file of their own, which depends on the spilled parts alone: they
may be made side by side. A file holds rows (bucket, rank) in order, blocks of them as sections of a
run; buckets of one document are left out, the others count from 0.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from dedup.runs import Rows, Run, read_run, runs_of, write_runs

_RANK = 2
"""The column of a document's rank behind its key."""


def write_buckets(
    runs: Sequence[Run], merged: Callable[[Sequence[Run]], Iterator[Rows]], path: Path
) -> None:
    """Write the buckets of the runs of all digests, or of a band: one section of `Spill.sections`.

    ``merged`` gives the rows of runs in order, as `external.Workspace.merged`. Raises CorruptRun.
    """
    write_runs(path, _shared(merged(runs)))


def read_buckets(path: Path) -> Iterator[Rows]:
    """Yield the rows (bucket, rank) of a file, in order; raise CorruptRun for another's."""
    for run in runs_of(path):
        yield from read_run(run, max(run.rows, 1))


def count_buckets(path: Path) -> int:
    """Return how many buckets a file holds."""
    last = 0
    for run in runs_of(path)[-1:]:
        for rows in read_run(run, max(run.rows, 1)):
            last = int(rows[-1, 0]) + 1
    return last


def _shared(blocks: Iterable[Rows]) -> Iterator[Rows]:
    """Yield (bucket, rank) where at least two documents have one key.

    Rows are (key, key, rank), in order. The last row of a block waits for the next.
    """
    held = np.empty((0, 3), np.uint64)
    continued = False
    bucket = 0
    for block in blocks:
        rows = np.concatenate((held, block))
        if not len(rows):
            continue
        equal = [rows[1:, column] == rows[:-1, column] for column in range(_RANK)]
        same = np.concatenate(([continued], np.logical_and(*equal)))
        shares = same[:-1] | same[1:]
        begins = shares & ~same[:-1]
        numbers = (bucket - 1 + np.cumsum(begins)).astype(np.uint64)
        bucket += int(np.count_nonzero(begins))
        if shares.any():
            yield np.column_stack((numbers[shares], rows[:-1, _RANK][shares]))
        held, continued = rows[-1:], bool(same[-1])
    if continued:
        yield np.column_stack((np.array([bucket - 1], np.uint64), held[:, _RANK]))
