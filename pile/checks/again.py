"""Run a drawn share of a finished stage's tasks once more, and compare what comes out.

This is done for the stages between raw files and corpus: raw to text, its filters, and the mix. The
tasks write below ``verify/`` in the work directory, and nothing of it stays. A task is drawn, not a
document, as reading one document means to read its raw file; at least one of each stage is.
"""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pile import corpus, documents, draws, layout, ledger, store
from pile.checks.problems import Problem, damaged_parts
from pile.config import Config
from pile.engine import Task
from pile.graph import Graph
from pile.ledger import Part, Receipt
from pile.mixing import bucketed
from pile.stages import hold_out, near
from pile.stages.stage import FILTERS, Made, Stage
from pile.states import published

REMADE = ("extract", *FILTERS, "scatter", hold_out.NAME, near.KNOWN, near.NEAR, "mix")
"""Stages whose tasks are run once more, by the first word of their names."""


def remake(
    config: Config, graph: Graph, stage: Stage, finished: Made, share: float
) -> tuple[int, list[Problem]]:
    """Return how many tasks of a stage were run once more, and in what their output differs.

    None are of stages that are not compared, nor while an input is damaged: that is told of there.
    """
    if stage.name.partition(".")[0] not in REMADE:
        return 0, []
    inputs = {given.name: published(config, given) for given in stage.inputs}
    whole = {name: made for name, made in inputs.items() if made is not None}
    if len(whole) < len(inputs) or any(any(damaged_parts(*one)) for one in whole.items()):
        return 0, []
    receipts = ledger.receipts(finished.folder)
    tasks = [
        task
        for task in stage.tasks(finished.folder, whole)
        if task.name in receipts and _can_be_again(receipts[task.name])
    ]
    drawn = _drawn(config.corpus.seed, tasks, share)
    found = [
        problem for task in drawn for problem in _again(config, finished, task, receipts[task.name])
    ]
    return len(drawn), found


def _can_be_again(receipt: Receipt) -> bool:
    """Leave out what was set aside: reading it may kill, and its other pieces were emptied."""
    return bool(receipt.parts) and not receipt.quarantined


def _drawn(seed: int, tasks: Sequence[Task], share: float) -> list[Task]:
    keys = [draws.unit(seed, "verify", task.stage, task.name) for task in tasks]
    least = min(keys, default=0.0)
    return [task for task, key in zip(tasks, keys, strict=True) if key < share or key == least]


def _again(config: Config, finished: Made, task: Task, receipt: Receipt) -> Iterator[Problem]:
    place = layout.verify(config.work)
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".", suffix=".tmp") as folder:
        made: Receipt = task.function(**{**task.arguments, "folder": Path(folder)})
        if made == receipt:
            return
        yield from _differences(task.stage, receipt, made, finished.folder, Path(folder))


def _differences(
    stage: str, before: Receipt, after: Receipt, folder: Path, again: Path
) -> Iterator[Problem]:
    new = {part.name: part for part in after.parts}
    told = 0
    for part in before.parts:
        if part.name not in new:
            told += 1
            yield Problem(stage, part.name, "is not made when its task is run once more")
        elif new[part.name] != part:
            told += 1
            yield _difference(stage, part, folder / part.name, again / part.name)
    for name in sorted(new.keys() - {part.name for part in before.parts}):
        told += 1
        yield Problem(stage, name, "is made when its task is run once more, and is not here")
    if not told:
        what = f"the receipt of {before.task} counts otherwise than its task run once more"
        yield Problem(stage, layout.receipts(folder).name, what)


def _difference(stage: str, part: Part, before: Path, after: Path) -> Problem:
    """Name the first row in which a part differs from the same made once more."""
    pairs = itertools.zip_longest(_rows(before), _rows(after))
    for number, (one, other) in enumerate(pairs):
        if one != other:
            identity = str((one or other or {}).get("id", ""))
            return Problem(stage, part.name, _in_what(one, other), number, identity)
    return Problem(stage, part.name, "has the same rows, but other bytes, made once more")


def _in_what(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    if one is None or other is None:
        return f"{'has fewer' if one is None else 'has more'} rows than when made once more"
    fields = [name for name in one if one[name] != other.get(name)]
    return f"differs in {', '.join(fields)} when made once more"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        names = pq.read_schema(path).names
        for batch in documents.batches(path, names):
            yield from batch.to_pylist()
    elif path.suffix == bucketed.SUFFIX:
        for batch in bucketed.rows(path):
            yield from batch.to_pylist()
    elif path.name.endswith(".jsonl.zst"):
        for line in corpus.read(path):
            yield {"text": line.text, "pile_set_name": line.pile_set_name}
    else:
        yield {"content": store.digest(path)}
