"""A run told as it goes, on stderr: bars on a terminal, and always a line for each stage made."""

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, Self, TypeAlias

from tqdm import tqdm

from pile import render
from pile.journals import Far
from pile.run import Downloading, Event, StageMade, TaskEnded, WaveStarted

Bar: TypeAlias = "tqdm[NoReturn]"


class Narrator:
    """Tells what a run does; a context manager that takes its bars away at the end."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._by_bytes = False
        self._sources: dict[str, tuple[Bar, Far]] = {}
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
            case StageMade(stage, manifest, seconds):
                tqdm.write(render.made_line(stage.name, manifest, seconds), file=sys.stderr)

    def _open_downloads(self, downloads: Sequence[Far]) -> None:
        """Show a line for each source that is downloaded, and the total below."""
        for place, one in enumerate(downloads):
            self._sources[one.source] = (_bar(one.source, one.bytes, "B", place), one)
        total = sum(one.bytes for one in downloads)
        self._bar = _bar("total", total, "B", len(downloads))

    def _show_downloads(self, far: Sequence[Far]) -> None:
        for one in far:
            if one.source in self._sources:
                bar, expected = self._sources[one.source]
                _move(bar, one.bytes, f"{one.files:,}/{expected.files:,} files")
        if self._bar is not None and self._sources:
            _move(self._bar, sum(int(bar.n) for bar, _ in self._sources.values()), "")

    def _close(self) -> None:
        for bar, _ in self._sources.values():
            bar.close()
        self._sources = {}
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _bar(title: str, total: int, unit: str, place: int) -> Bar:
    return tqdm(
        total=total or None,
        desc=title,
        unit=unit,
        unit_scale=unit == "B",
        position=place,
        file=sys.stderr,
        disable=None,
        leave=False,
    )


def _move(bar: Bar, size: int, postfix: str) -> None:
    """Set how far a bar is; files of unknown size make its total grow."""
    if bar.total is not None and size > bar.total:
        bar.total = size
    bar.set_postfix_str(postfix, refresh=False)
    bar.update(size - bar.n)
