"""Dedup: what was decided about each document of a source, part by part and row by row."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from dedup import external
from pile import store
from pile.compared import Group
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages import decide, spill
from pile.stages.stage import Inputs, Stage

VERSION = 2


def stage(
    group: Group, source: str, decided: Stage, spilled: Stage, signed: Sequence[Stage]
) -> Stage:
    """Return the stage that writes the decisions about one source of a group."""
    name = f"dedup.{source}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        given = {
            "folder": folder,
            "group": group,
            "decided": inputs[decided.name].folder,
            "spilled": inputs[spilled.name].folder,
        }
        return [
            Task(name, path.stem, write, {**given, "task": path.stem, "number": number})
            for number, (part, path, _) in enumerate(spill.parts_of(group, inputs))
            if part.startswith(f"{source}/")
        ]

    return Stage(name, VERSION, {}, (decided, spilled, *signed), tasks)


def write(
    task: str, folder: Path, group: Group, decided: Path, spilled: Path, number: int
) -> Receipt:
    """Publish the decisions about one part of documents."""
    whole = spill.spilled(spilled, group)
    part = len(spill.earlier_parts(group)) + number
    start = whole.first(part)
    rows = whole.parts[part].documents
    found = decide.duplicates(decided, start, start + rows)
    path = folder / f"{task}.parquet"
    with store.publish(path) as attempt:
        pq.write_table(external.table(whole, found, part), attempt, compression="zstd")
    counts = {kind: count for kind, count in found.counts().items() if count}
    survivors = rows - sum(counts.values())
    part_file = part_of(folder, path, {"rows": rows, "survivors": survivors})
    return Receipt(task, (part_file,), rows, survivors, counts)
