"""Buckets: which documents of a group share a digest, or a band of their signatures."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from dedup.buckets import write_buckets
from dedup.external import Workspace
from pile import store
from pile.compared import Group
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages import spill
from pile.stages.stage import Inputs, Stage

VERSION = 1


def stage(group: Group, spilled: Stage, memory: int) -> Stage:
    """Return the stage that finds buckets, with ``memory`` bytes for merging: a task a band."""
    name = f"buckets.{group.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        given = {"folder": folder, "spilled": inputs[spilled.name].folder, "group": group}
        return [
            Task(name, name_of(section), find, {**given, "section": section, "memory": memory})
            for section in range(1 + group.bands.bands)
        ]

    return Stage(name, VERSION, {}, (spilled,), tasks)


def name_of(section: int) -> str:
    """Return what a section's file is called: that of digests, or of a band."""
    return f"band-{section:04d}" if section else "digests"


def paths(folder: Path, group: Group) -> list[Path]:
    """Return the files of buckets, of digests and then of each band."""
    return [folder / f"{name_of(section)}.run" for section in range(1 + group.bands.bands)]


def find(folder: Path, spilled: Path, group: Group, section: int, memory: int) -> Receipt:
    """Merge a section of all parts, and publish its buckets."""
    whole = spill.spilled(spilled, group)
    path = folder / f"{name_of(section)}.run"
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".merge-", suffix=".tmp") as scratch,
        store.publish(path) as attempt,
    ):
        write_buckets(whole.sections()[section], Workspace(Path(scratch), memory).merged, attempt)
    return Receipt(name_of(section), (part_of(folder, path, {}),), len(whole), len(whole))
