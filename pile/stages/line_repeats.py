"""Line repeats: which lines or paragraphs of which documents came before in their source."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dedup.external import Workspace
from dedup.lines import repeated_units
from dedup.runs import Rows, runs_of, write_runs
from pile import store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages.stage import Inputs, Stage

VERSION = 1

REPEATS = "repeats.run"
"""Rows (document, unit) of what is to be cut, in order."""

_TOGETHER = 1 << 16
"""Documents whose repeats are written together."""


def stage(config: Config, source: str, units: Stage) -> Stage:
    """Return the stage that finds the units which came before."""
    name = f"line_repeats.{source}"
    memory = config.run.sort_memory_mb << 20

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = [(path, part["counts"]["rows"]) for path, part in inputs[units.name].parts()]
        given = {"folder": folder, "parts": parts, "memory": memory}
        return [Task(name, "find", find, given)]

    return Stage(name, VERSION, {}, (units,), tasks)


def find(folder: Path, parts: Sequence[tuple[Path, int]], memory: int) -> Receipt:
    """Merge the units of all parts, and publish what came before."""
    runs = [run for path, _ in parts for run in runs_of(path)]
    path = folder / REPEATS
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".sort-", suffix=".tmp") as scratch,
        store.publish(path) as attempt,
    ):
        write_runs(attempt, _rows(repeated_units(runs, Workspace(Path(scratch), memory))))
    documents = sum(rows for _, rows in parts)
    return Receipt("find", (part_of(folder, path, {}),), documents, documents)


def _rows(repeats: Iterator[tuple[int, list[int]]]) -> Iterator[Rows]:
    """Gather documents and the numbers of their units into blocks of rows."""
    held: list[tuple[int, int]] = []
    for document, units in repeats:
        held.extend((document, unit) for unit in units)
        if len(held) >= _TOGETHER:
            yield np.array(held, np.uint64)
            held = []
    if held:
        yield np.array(held, np.uint64)
