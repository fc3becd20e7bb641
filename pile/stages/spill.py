"""Spill: the signatures of a group's sources, part by part, as sorted runs on disk (`dedup.spill`)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from dedup.bands import Bands
from dedup.decisions import Keep
from dedup.signatures import Signatures
from dedup.spill import Part, Spill, write_part
from pile import ledger, store
from pile.compared import SPILL, Group, earlier_spill
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages.stage import Inputs, Stage

VERSION = 1

STEM = "part"
"""What the names of a part's files begin with, in its own folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part's place among all documents: position of its first, how many there are in all."""

    first: int
    total: int
    order: Keep
    bands: Bands


def stage(group: Group, signed: Sequence[Stage]) -> Stage:
    """Return the stage that spills a group's signatures; ``signed`` are in the group's order."""
    name = f"spill.{group.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = list(parts_of(group, inputs))
        return [
            Task(name, task, spill, {"task": task, "folder": folder, "part": path, "place": place})
            for task, path, place in _placed(group, parts)
        ]

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[ledger.Part]:
        rows = {receipt.task: receipt.given for receipt in receipts}
        parts = tuple(Part(folder / task / STEM, rows[task]) for task in _in_order(group, rows))
        with store.publish(folder / SPILL) as attempt:
            Spill(group.scheme, group.bands, group.order, parts).save(attempt)
        return [part_of(folder, folder / SPILL, {"parts": len(parts)})]

    return Stage(name, VERSION, group.identity(), tuple(signed), tasks, finish=finish)


def parts_of(group: Group, inputs: Inputs) -> Iterator[tuple[str, Path, int]]:
    """Yield name, path and rows of all parts of signatures, in the order of the documents."""
    for source in group.sources:
        for path, part in inputs[f"sign.{source}"].parts():
            yield f"{source}/{path.stem}", path, part["counts"]["rows"]


def spilled(folder: Path, group: Group) -> Spill:
    """Return a group's spilled signatures, behind those of the earlier index."""
    own = Spill.load(folder / SPILL)
    return Spill(own.scheme, own.bands, own.keep, (*earlier_parts(group), *own.parts))


def earlier_parts(group: Group) -> tuple[Part, ...]:
    """Return the parts of the earlier index."""
    earlier = earlier_spill(group)
    return earlier.parts if earlier else ()


def decided(group: Group) -> int:
    """Return how many documents the earlier index has: they all stay."""
    return sum(part.documents for part in earlier_parts(group))


def spill(task: str, folder: Path, part: Path, place: Place) -> Receipt:
    """Spill the signatures of one part."""
    signatures = Signatures.from_table(pq.read_table(part))
    positions = place.first + np.arange(len(signatures))
    ranks = positions if place.order == "first" else place.total - 1 - positions
    with store.publish(folder / task) as attempt:
        attempt.mkdir()
        write_part(Part(attempt / STEM, len(signatures)), signatures, place.bands, ranks)
    written = sorted((folder / task).iterdir())
    parts = tuple(part_of(folder, path, {}) for path in written)
    return Receipt(task, parts, len(signatures), len(signatures))


def _placed(
    group: Group, parts: Sequence[tuple[str, Path, int]]
) -> Iterator[tuple[str, Path, Place]]:
    first = decided(group)
    total = first + sum(rows for _, _, rows in parts)
    for task, path, rows in parts:
        yield task, path, Place(first, total, group.order, group.bands)
        first += rows


def _in_order(group: Group, tasks: Iterable[str]) -> list[str]:
    """Return task names by their source's place in the group, then by name."""
    place = {source: number for number, source in enumerate(group.sources)}
    return sorted(tasks, key=lambda task: (place[task.partition("/")[0]], task))
