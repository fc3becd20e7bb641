"""Decide: which documents of a group are duplicates, of what, and which of them stays."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedup import components
from dedup.components import Joining, Positions, Preference, Similarity, cluster_buckets
from dedup.external import Duplicates, Workspace, decide_buckets
from dedup.spill import Spill
from pile import store
from pile.compared import Group, require_undamaged
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages import buckets, spill
from pile.stages.stage import Inputs, Stage
from pile.texts import Texts

VERSION = 1

DUPLICATES = "duplicates.parquet"
"""The duplicates of a group by position, ascending; see `dedup.external.Duplicates`."""

ROWS = 1 << 16
"""Duplicates of a row group, which is what the decisions about one part read at least."""

_EARLIER = -1
"""Stands before the numbers of all sources."""

_LONGEST = 1 << 40
"""More bytes than a text has."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is decided upon: spilled signatures, buckets, parts of documents in order, their rows."""

    spilled: Path
    buckets: Path
    documents: tuple[tuple[Path, int], ...]
    sources: tuple[int, ...]


def stage(
    group: Group, found: Stage, spilled: Stage, extracted: Sequence[Stage], memory: int
) -> Stage:
    """Return the stage that decides about a group, with ``memory`` bytes for sorting.

    ``found`` are its buckets; the texts of ``extracted`` are read where a rule needs them.
    """
    name = f"decide.{group.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = [
            (number, path, part["counts"]["rows"])
            for number, stage in enumerate(extracted)
            for path, part in inputs[stage.name].parts("documents/")
        ]
        ground = Ground(
            inputs[spilled.name].folder,
            inputs[found.name].folder,
            tuple((path, rows) for _, path, rows in parts),
            tuple(number for number, _, _ in parts),
        )
        given = {"folder": folder, "group": group, "ground": ground, "memory": memory}
        return [Task(name, "decide", decide, given)]

    return Stage(name, VERSION, group.rule(), (spilled, found, *extracted), tasks)


def decide(folder: Path, group: Group, ground: Ground, memory: int) -> Receipt:
    """Decide about all documents of a group, and publish the duplicates.

    Raises `DamagedIndex` for an earlier index that is not what was saved.
    """
    if group.earlier is not None:
        require_undamaged(group.earlier)
    whole = spill.spilled(ground.spilled, group)
    before = spill.decided(group)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".sort-", suffix=".tmp") as scratch:
        work = Workspace(Path(scratch), memory)
        files = buckets.paths(ground.buckets, group)
        if group.cluster:
            found = cluster_buckets(whole, files, work, _joining(whole, group, ground, before))
        else:
            found = decide_buckets(whole, files, work, before)
    path = folder / DUPLICATES
    with store.publish(path) as attempt:
        pq.write_table(_table(found), attempt, compression="zstd", row_group_size=ROWS)
    new = found.positions >= before
    taken = len(whole) - before
    gone = int(new.sum())
    return Receipt(
        "decide",
        (part_of(folder, path, {"rows": len(found.positions)}),),
        taken,
        taken - gone,
        {"duplicate": gone} if gone else {},
    )


def duplicates(folder: Path, start: int, stop: int) -> Duplicates:
    """Return the decided duplicates of the documents at some positions."""
    inside = (pc.field("position") >= start) & (pc.field("position") < stop)
    found = pq.read_table(folder / DUPLICATES, filters=inside)
    positions, *others = (column.to_numpy() for column in found.columns)
    return Duplicates(positions, *others)


def _table(found: Duplicates) -> pa.Table:
    return pa.table(
        {
            "position": found.positions,
            "kind": found.kind,
            "matched": found.matched,
            "kept": found.kept,
            "agreeing": found.agreeing,
        }
    )


def _joining(whole: Spill, group: Group, ground: Ground, before: int) -> Joining:
    texts = Texts(ground.documents, before)
    return Joining(
        _preference(whole, group, ground, texts),
        _similarity(whole, group, texts),
        group.least_similarity,
    )


def _similarity(whole: Spill, group: Group, texts: Texts) -> Similarity | None:
    if group.check == "none":
        return None
    if group.check == "signature":
        return components.by_signature(whole)
    return components.by_shingles(texts.at, group.scheme)


def _preference(whole: Spill, group: Group, ground: Ground, texts: Texts) -> Preference:
    """Prefer what is in the earlier index, then the better source, then what the rule says."""
    earlier = len(whole.parts) - len(ground.sources)
    by_source = components.by_part(whole, [_EARLIER] * earlier + list(ground.sources))

    def preference(positions: Positions) -> Positions:
        sources = by_source(positions)
        numbers = sources * _LONGEST
        if group.keep == "first":
            numbers += positions
        elif group.keep == "last":
            numbers += _LONGEST - 1 - positions
        else:
            numbers += _LONGEST - 1 - texts.bytes_at(positions)
        numbers[sources == _EARLIER] = _EARLIER
        return numbers

    return preference
