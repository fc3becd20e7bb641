"""What a stage is: named inputs in, named parts out, under the fingerprint of its recipe."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from pile import ledger
from pile.engine import Failed, Task
from pile.ledger import Part, Receipt
from pile.rows import Rows
from sources.source import Json


@dataclass(frozen=True, slots=True)
class Made:
    """A finished stage as its users see it: its folder and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    def parts(self, prefix: str = "") -> list[tuple[Path, Mapping[str, Any]]]:
        """Return path and manifest entry of the parts whose name starts so, in order."""
        entries = [part for part in self.manifest["parts"] if part["name"].startswith(prefix)]
        return [(self.folder / part["name"], part) for part in entries]


Inputs: TypeAlias = Mapping[str, Made]


FILTERS = ("clean", "filter", "lines", "decontaminate")
"""Stages that give a source's documents on, changed or fewer, in the order in which they may come."""


def documents_of(inputs: Inputs, source: str) -> Made | None:
    """Return the stage whose documents of a source go on: its last filter, or as they were read."""
    names = [f"{kind}.{source}" for kind in ("extract", *FILTERS)]
    return next((inputs[name] for name in reversed(names) if name in inputs), None)


def _never(task: Task, failed: Failed) -> Sequence[Task] | Receipt | None:
    del task, failed
    return None


def _nothing_more(folder: Path, receipts: Sequence[Receipt]) -> Sequence[Part]:
    del folder, receipts
    return ()


def _as_they_are(receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    return receipts


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    ``version`` is raised by hand whenever the stage's bytes change; ``settings`` holds all that
    decides them besides. ``tasks`` gets the stage's folder and its finished inputs. ``mend`` says
    what to do about a task that failed: smaller tasks in its place, a receipt that sets its input
    aside, or None to fail the run. Once all receipts are there, ``settle`` may empty some over what
    others say, and their parts go; ``finish`` publishes what needs all receipts.
    """

    name: str
    version: int
    settings: Mapping[str, Json]
    inputs: tuple["Stage", ...]
    tasks: Callable[[Path, Inputs], Sequence[Task]]
    mend: Callable[[Task, Failed], Sequence[Task] | Receipt | None] = _never
    finish: Callable[[Path, Sequence[Receipt]], Sequence[Part]] = _nothing_more
    settle: Callable[[Sequence[Receipt]], Sequence[Receipt]] = _as_they_are

    @property
    def recipe(self) -> dict[str, Json]:
        """Everything that decides this stage's bytes; made anew, as it may be a list of a million files."""
        settings = {
            key: list(value) if isinstance(value, Rows) else value
            for key, value in self.settings.items()
        }
        return self._recipe(settings)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the recipe."""
        return ledger.fingerprint(self._recipe(self.settings))

    def _recipe(self, settings: Mapping[str, Json]) -> dict[str, Json]:
        return {
            "stage": self.name,
            "version": self.version,
            "settings": dict(settings),
            "inputs": {stage.name: stage.fingerprint for stage in self.inputs},
        }
