"""A run told as it goes, on stderr: a bar on a terminal, and always a line for each stage made."""

import sys
from contextlib import suppress
from typing import NoReturn, Self

from tqdm import tqdm

from pile import render
from pile.run import Event, StageMade, TaskEnded, WaveStarted


class Narrator:
    """Tells what a run does; a context manager that takes its bar away at the end."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._by_bytes = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    def hear(self, event: Event) -> None:
        """Tell one event; a terminal that is gone does not end the run."""
        with suppress(BrokenPipeError):
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case WaveStarted(stages, tasks, weight):
                self._close()
                title = stages[0].split(".")[0] if stages else ""
                self._by_bytes = bool(weight)
                self._bar = tqdm(
                    total=weight or tasks,
                    desc=title,
                    unit="B" if weight else " tasks",
                    unit_scale=bool(weight),
                    file=sys.stderr,
                    disable=None,
                    leave=False,
                )
            case TaskEnded(task, _):
                if self._bar is not None:
                    self._bar.set_postfix_str(task.stage, refresh=False)
                    self._bar.update(task.weight if self._by_bytes else 1)
            case StageMade(stage, manifest, seconds, read):
                line = render.made_line(stage.name, manifest, seconds, read)
                tqdm.write(line, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None
