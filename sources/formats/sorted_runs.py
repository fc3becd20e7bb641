"""Sorting lines that do not fit in memory: sorted runs on disk, merged as they are read.

Lines are compared by their bytes. Memory is what one run holds, or a buffer for each run of a merge;
disk, the lines compressed, once over and for a while a second time.
"""

import heapq
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import zstandard

FAN_IN = 64
"""Runs that are merged at a time, which bounds open files and memory."""

BUFFER = 1 << 18
"""Bytes that are compressed at once."""

OVERHEAD = 64
"""Bytes that a line takes in memory besides its own."""


def write_runs(lines: Iterable[bytes], folder: Path, name: str, room: int) -> list[Path]:
    """Write lines as sorted runs ``name.N`` of about ``room`` bytes of memory each.

    Each line ends with its only newline.
    """
    runs: list[Path] = []
    waiting: list[bytes] = []
    taken = 0
    for line in lines:
        waiting.append(line)
        taken += len(line) + OVERHEAD
        if taken >= room:
            runs.append(_written(sorted(waiting), folder / f"{name}.{len(runs)}"))
            waiting.clear()
            taken = 0
    if waiting:
        runs.append(_written(sorted(waiting), folder / f"{name}.{len(runs)}"))
    return runs


def merged(runs: Sequence[Path], folder: Path) -> Iterator[bytes]:
    """Yield the lines of all runs in order, and delete the runs on the way."""
    waiting = list(runs)
    passes = 0
    while len(waiting) > FAN_IN:
        now, waiting = waiting[:FAN_IN], waiting[FAN_IN:]
        waiting.append(_written(_merged(now), folder / f"merged.{passes}"))
        passes += 1
    yield from _merged(waiting)


def _merged(runs: Sequence[Path]) -> Iterator[bytes]:
    with ExitStack() as opened:
        yield from heapq.merge(*(_lines(run, opened) for run in runs))
    for run in runs:
        run.unlink()


def _lines(run: Path, opened: ExitStack) -> io.BufferedReader:
    file = opened.enter_context(run.open("rb"))
    decompressed = zstandard.ZstdDecompressor().stream_reader(file)
    return opened.enter_context(io.BufferedReader(decompressed, 1 << 16))


def _written(lines: Iterable[bytes], path: Path) -> Path:
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    with path.open("xb") as file, compressor.stream_writer(file) as compressed:
        waiting = bytearray()
        for line in lines:
            waiting += line
            if len(waiting) >= BUFFER:
                compressed.write(waiting)
                waiting.clear()
        compressed.write(waiting)
    return path
