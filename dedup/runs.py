"""Sorted runs on disk: rows of unsigned 64-bit numbers, written a section at a time and merged.

A file of runs is a list of sections, each sorted by its first column, then the second, and so on:
a header of four little-endian numbers (`_MAGIC`, columns, rows, CRC-32 of the rows), then the rows.
A merge reads each section from end to end, and so notices any that was cut short or changed.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.uint64]
"""Rows of numbers, (rows, columns)."""

_MAGIC = 0x316E75722D646564  # "ded-run1"
_HEADER = struct.Struct("<4Q")
_NUMBER = np.dtype("<u8")
_LEAST_BLOCK = 1 << 10
"""Rows of a run that are at least read at a time: with fewer, more time goes into reading."""
_COPIES = 6
"""How often a row is held in memory while it is merged."""


class CorruptRun(ValueError):  # noqa: N818 - the name says what is wrong
    """A run is not what was written."""


@dataclass(frozen=True, slots=True)
class Run:
    """A section of a file: its rows begin at byte ``start``, and have the CRC-32 ``checksum``."""

    path: Path
    start: int
    rows: int
    columns: int
    checksum: int


def sort_rows(rows: Rows) -> Rows:
    """Return rows in order of their first column, then their second, and so on.

    Most first numbers are found once, so that is what is sorted by; only equals are looked at again.
    """
    rows = np.take(rows, np.argsort(rows[:, 0]), axis=0)
    equal = rows[1:, 0] == rows[:-1, 0]
    if equal.any():
        among = np.zeros(len(rows), np.bool_)
        among[1:] |= equal
        among[:-1] |= equal
        places = np.flatnonzero(among)
        some = rows[places]
        rows[places] = some[np.lexsort(some.T[::-1])]
    return rows


def write_runs(path: Path, sections: Iterable[Rows]) -> None:
    """Write sections of sorted rows to a file, one after the other."""
    with path.open("wb") as file:
        for rows in sections:
            written = np.ascontiguousarray(rows, _NUMBER)
            checksum = zlib.crc32(written.data)
            file.write(_HEADER.pack(_MAGIC, rows.shape[1], len(rows), checksum))
            file.write(written.data)


def runs_of(path: Path) -> list[Run]:
    """Return the sections of a file; raise CorruptRun, naming file and place, for anything else."""
    found: list[Run] = []
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        at = 0
        while at < size:
            file.seek(at)
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size or header[:8] != _MAGIC.to_bytes(8, "little"):
                raise CorruptRun(f"{path}: no section of a run at byte {at}; make it again")
            _, columns, rows, checksum = _HEADER.unpack(header)
            found.append(Run(path, at + _HEADER.size, rows, columns, checksum))
            at += _HEADER.size + _NUMBER.itemsize * columns * rows
    if at != size:
        raise CorruptRun(
            f"{path}: ends at byte {size}, within the section up to {at}; make it again"
        )
    return found


def spool(blocks: Iterable[Rows], memory: int, path: Path) -> list[Run]:
    """Sort blocks of rows into runs of a file, as much at a time as fits ``memory`` bytes."""
    write_runs(path, map(sort_rows, _gathered(blocks, memory)))
    return runs_of(path)


def read_run(run: Run, block: int) -> Iterator[Rows]:
    """Yield the rows of a run, ``block`` at a time; raise CorruptRun for others than were written."""
    with run.path.open("rb") as file:
        yield from _blocks(file, run, block)


def _gathered(blocks: Iterable[Rows], memory: int) -> Iterator[Rows]:
    """Put blocks together until another would not fit in memory beside its sorted copy."""
    held: list[Rows] = []
    size = 0
    for block in blocks:
        if held and (size + block.nbytes) * _COPIES > memory:
            yield np.concatenate(held)
            held, size = [], 0
        held.append(block)
        size += block.nbytes
    if held:
        yield np.concatenate(held)


def merge(runs: Sequence[Run], memory: int, folder: Path) -> Iterator[Rows]:
    """Yield the rows of runs of equal width in order, in blocks that together fit ``memory`` bytes.

    If there are more runs than can be read side by side, some are first merged into files in
    ``folder``, which are removed again. Raises CorruptRun for a run that is not what was written.
    """
    runs = [run for run in runs if run.rows]
    if not runs:
        return
    budget = max(memory // (8 * runs[0].columns * _COPIES), 2 * _LEAST_BLOCK)
    together = budget // _LEAST_BLOCK
    made: list[Path] = []
    try:
        while len(runs) > together:
            path = folder / f"merged-{runs[0].path.name}-{runs[0].start}-{len(made)}"
            made.append(path)
            runs = [*runs[together:], _merged(runs[:together], budget, path)]
        yield from _merge(runs, budget // len(runs))
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _merged(runs: Sequence[Run], budget: int, path: Path) -> Run:
    """Merge runs into one section of a file of its own."""
    columns, rows, checksum = runs[0].columns, sum(run.rows for run in runs), 0
    with path.open("wb") as file:
        file.write(bytes(_HEADER.size))
        for block in _merge(runs, budget // len(runs)):
            checksum = zlib.crc32(block.data, checksum)
            file.write(block.data)
        file.seek(0)
        file.write(_HEADER.pack(_MAGIC, columns, rows, checksum))
    return Run(path, _HEADER.size, rows, columns, checksum)


def _merge(runs: Sequence[Run], block: int) -> Iterator[Rows]:
    """Merge runs, ``block`` rows of each in memory at a time.

    What is at most the last row that is held of each run with more to read can come: nothing less
    is to be read. Once all runs are read to their ends, everything can.
    """
    files = {path: path.open("rb") for path in sorted({run.path for run in runs})}
    try:
        held = [_Held(files[run.path], run, block) for run in runs]
        while held:
            limit = min((one.last() for one in held if one.unread), default=None)
            yield sort_rows(np.concatenate([one.take(limit) for one in held]))
            held = [one for one in held if len(one.rows)]
    finally:
        for file in files.values():
            file.close()


class _Held:
    """The rows of a run that are in memory, and how many are still to be read."""

    def __init__(self, file: BinaryIO, run: Run, block: int) -> None:
        self._blocks = _blocks(file, run, block)
        self.rows = next(self._blocks)
        self.unread = run.rows - len(self.rows)

    def last(self) -> tuple[int, ...]:
        """Return the last row in memory."""
        return tuple(self.rows[-1].tolist())

    def take(self, limit: tuple[int, ...] | None) -> Rows:
        """Return the rows that are at most ``limit``, or all; read on if none is left."""
        count = len(self.rows) if limit is None else _count_up_to(self.rows, limit)
        taken, self.rows = self.rows[:count], self.rows[count:]
        if not len(self.rows) and self.unread:
            self.rows = next(self._blocks)
            self.unread -= len(self.rows)
        return taken


def _blocks(file: BinaryIO, run: Run, size: int) -> Iterator[Rows]:
    """Yield the rows of a run, and raise CorruptRun behind the last if they are others."""
    checksum = 0
    for first in range(0, run.rows, size):
        wanted = min(size, run.rows - first) * run.columns * _NUMBER.itemsize
        file.seek(run.start + first * run.columns * _NUMBER.itemsize)
        read = file.read(wanted)
        checksum = zlib.crc32(read, checksum)
        if len(read) < wanted or (first + size >= run.rows and checksum != run.checksum):
            raise CorruptRun(
                f"{run.path}: the rows at byte {run.start} are damaged; make them again"
            )
        yield np.frombuffer(read, _NUMBER).reshape(-1, run.columns)


def _count_up_to(rows: Rows, limit: tuple[int, ...]) -> int:
    """Return how many sorted rows are at most a limit."""
    low, high = 0, len(rows)
    for column, value in enumerate(limit):
        some, number = rows[low:high, column], np.uint64(value)
        low, high = (
            low + int(np.searchsorted(some, number, "left")),
            low + int(np.searchsorted(some, number, "right")),
        )
    return high
