"""Index: the signatures of what stays, saved for later corpora to be matched against.

The folder stands on its own: it holds the earlier index too, and may be copied anywhere.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow.parquet as pq

from dedup.signatures import Signatures
from dedup.spill import Part, Spill, write_part
from pile import ledger, store
from pile.compared import INDEX, SPILL, Group
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages import spill
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 1

Given: TypeAlias = tuple[str, Callable[..., Receipt], dict[str, Any]]
"""Name, function and arguments of a task."""

FOLDER = "index"
"""What lies in the stage's folder: the index, as it may be copied."""


def stage(group: Group, signed: Sequence[Stage], decided: Sequence[Stage]) -> Stage:
    """Return the stage that saves the index of a group's survivors."""
    name = f"index.{group.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        return [
            Task(name, task, function, {"task": task, "folder": folder, **given})
            for task, function, given in [*_copies(group), *_survivors(group, inputs)]
        ]

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[ledger.Part]:
        return _list(folder, group, receipts)

    return Stage(name, VERSION, group.identity(), (*signed, *decided), tasks, finish=finish)


def copy(task: str, folder: Path, part: Part) -> Receipt:
    """Copy a part of the earlier index."""
    target = folder / FOLDER / task
    with store.publish(target) as attempt:
        attempt.mkdir()
        for path in sorted(part.stem.parent.glob(f"{part.stem.name}.*")):
            shutil.copyfile(path, attempt / f"{spill.STEM}.{path.suffix[1:]}")
    return _receipt(task, folder, part.documents, part.documents)


def save(task: str, folder: Path, signed: Path, decided: Path, first: int, group: Group) -> Receipt:
    """Save what stays of one part's signatures; the first has the position ``first``."""
    stays = ~pq.read_table(decided, columns=["duplicate"]).column(0).to_numpy()
    signatures = Signatures.from_table(pq.read_table(signed).filter(stays))
    ranks = first + np.arange(len(signatures))
    with store.publish(folder / FOLDER / task) as attempt:
        attempt.mkdir()
        write_part(Part(attempt / spill.STEM, len(signatures)), signatures, group.bands, ranks)
    return _receipt(task, folder, len(stays), len(signatures))


def _copies(group: Group) -> Iterator[Given]:
    for number, part in enumerate(spill.earlier_parts(group)):
        yield f"earlier-{number:06d}", copy, {"part": part}


def _survivors(group: Group, inputs: Inputs) -> Iterator[Given]:
    first = spill.decided(group)
    number = len(spill.earlier_parts(group))
    for name, path, _ in spill.parts_of(group, inputs):
        source, _, stem = name.partition("/")
        made = inputs[f"dedup.{source}"]
        found = {part.stem: (part, entry) for part, entry in made.parts()}
        decided, entry = found[stem]
        given = {"signed": path, "decided": decided, "first": first, "group": group}
        yield f"part-{number:06d}", save, given
        first += entry["counts"]["survivors"]
        number += 1


def _receipt(task: str, folder: Path, taken: int, given: int) -> Receipt:
    written = sorted((folder / FOLDER / task).iterdir())
    parts = tuple(part_of(folder, path, {"rows": given}) for path in written)
    rejected = {"duplicate": taken - given} if taken > given else {}
    return Receipt(task, parts, taken, given, rejected)


def _list(folder: Path, group: Group, receipts: Sequence[Receipt]) -> Sequence[ledger.Part]:
    """Publish what lists the parts, and then what vouches for all files."""
    whole = folder / FOLDER
    parts = tuple(Part(whole / one.task / spill.STEM, one.given) for one in receipts)
    with store.publish(whole / SPILL) as attempt:
        Spill(group.scheme, group.bands, group.order, parts).save(attempt)
    listed = [part_of(folder, whole / SPILL, {}), *(part for one in receipts for part in one.parts)]
    files: dict[str, Json] = {
        part.name.removeprefix(f"{FOLDER}/"): {"size": part.size, "sha256": part.sha256}
        for part in listed
    }
    store.publish_json(whole / INDEX, files)
    return [listed[0], part_of(folder, whole / INDEX, {})]
