"""A run told as it goes, on stderr: bars on a terminal, and always a line for each stage made."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, Self, TypeAlias

from tqdm import tqdm

from pile.commands import render
from pile.downloads.journals import Far
from pile.run import Downloading, Event, StageMade, TaskEnded, WaveStarted

Bar: TypeAlias = "tqdm[NoReturn]"


class Narrator:
    """Tells what a run does; a context manager that takes its bars away at the end."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._by_bytes = False
        self._sources: dict[str, Bar] = {}
        self._far: dict[str, Far] = {}
        self._expected: dict[str, Far] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    def hear(self, event: Event) -> None:
        """Tell one event, from any thread; a terminal that is gone does not end the run."""
        with self._lock, suppress(BrokenPipeError):
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case WaveStarted(stages, tasks, weight, downloads):
                self._close()
                title = stages[0].split(".")[0] if stages else ""
                if downloads:
                    self._open_downloads(downloads)
                else:
                    self._by_bytes = bool(weight)
                    self._bar = _bar(title, weight or tasks, "B" if weight else " tasks", 0)
            case Downloading(far):
                self._show_downloads(far)
            case TaskEnded(task, _):
                if self._bar is not None and not self._sources:
                    self._bar.set_postfix_str(task.stage, refresh=False)
                    self._bar.update(task.weight if self._by_bytes else 1)
            case StageMade(stage, manifest, seconds, read):
                line = render.made_line(stage.name, manifest, seconds, read)
                tqdm.write(line, file=sys.stderr)

    def _open_downloads(self, downloads: Sequence[Far]) -> None:
        """Show a line for each source that is downloaded, as many as fit, and the total below."""
        self._expected = {one.source: one for one in downloads}
        self._far = {one.source: Far(one.source, 0, 0) for one in downloads}
        places = min(len(downloads), max(1, _shape()[1] - 2))
        for place, one in enumerate(downloads[:places]):
            self._sources[one.source] = _bar(one.source, one.bytes, "B", place)
        sizes = [one.bytes for one in downloads]
        self._bar = _bar("total", sum(sizes) if all(sizes) else 0, "B", places)

    def _show_downloads(self, far: Sequence[Far]) -> None:
        for one in far:
            if one.source in self._far:
                self._far[one.source] = one
                # A bar whose total is not known has no truth value.
                bar = self._sources.get(one.source)
                bar = self._take_place(one.source) if bar is None else bar
                if bar is not None:
                    _move(bar, one, self._expected[one.source])
        if self._bar is not None and self._far:
            _move(self._bar, _sum(self._far), _sum(self._expected))

    def _take_place(self, source: str) -> "Bar | None":
        """Give a source that has no line the place of one that is whole, if there is one."""
        for other, bar in self._sources.items():
            if self._far[other].files == self._expected[other].files:
                del self._sources[other]
                place = abs(bar.pos)
                bar.close()
                opened = _bar(source, self._expected[source].bytes, "B", place)
                self._sources[source] = opened
                return opened
        return None

    def _close(self) -> None:
        for bar in self._sources.values():
            bar.close()
        self._sources, self._far, self._expected = {}, {}, {}
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _shape() -> tuple[int, int]:
    """Return columns and rows of the terminal; one that does not tell them has 80 and 24."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        columns = rows = 0
    return columns or 80, rows or 24


def _sum(far: Mapping[str, Far]) -> Far:
    every = far.values()
    return Far("total", sum(one.bytes for one in every), sum(one.files for one in every))


def _bar(title: str, total: int, unit: str, place: int) -> Bar:
    columns, rows = _shape()
    return tqdm(
        total=total or None,
        desc=title,
        unit=unit,
        unit_scale=unit == "B",
        position=place,
        file=sys.stderr,
        disable=None,
        leave=False,
        ncols=columns - 1,
        nrows=rows,
    )


def _move(bar: Bar, far: Far, expected: Far) -> None:
    """Set how far a bar is; files of unknown size make its total grow.

    Where sizes are not known, what is left is told from the files.
    """
    if not bar.n and not bar.disable:
        # The rate counts from when bytes come, not from when workers start, nor what lay there.
        bar.reset(bar.total)
        bar.initial = bar.n = bar.last_print_n = far.bytes
    if bar.total is not None and far.bytes > bar.total:
        bar.total = far.bytes
    left = ""
    if bar.total is None and far.files:
        seconds = bar.format_dict["elapsed"] * (expected.files - far.files) / far.files
        left = f", {tqdm.format_interval(seconds)} left"
    bar.set_postfix_str(f"{far.files:,}/{expected.files:,} files{left}", refresh=False)
    bar.update(far.bytes - bar.n)
    bar.refresh()
