"""Mix: merge all scattered runs into corpus files, bucket by bucket, without what is held out.

A task writes one file: it reads each of its buckets from every run, puts the rows in the order of their
keys, and leaves out of the training split what is equal to something held out, or like it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pile import corpus, ledger, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.mixing import arrays, bucketed
from pile.parts import part_of
from pile.publication.facts import gather
from pile.publication.files import publish
from pile.stages import hold_out, near
from pile.stages.hold_out import NOTHING, Held
from pile.stages.scatter import DIGEST_BYTES, RUNS, SCATTERED, TOGETHER, cuts_of
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 5
FOLDER = "corpus"
"""Folder of the corpus within the stage's: the receipts beside it are no documents."""

REASONS = {
    "held_out": "Its text (as published: its line) is held out, in validation or test.",
    "near_held_out": "It is like a document that is held out.",
    "held_back": "It is held out as published, and neither in validation nor in test.",
}
"""Why a copy is in no file; by the order in which they are looked at, but for the last."""

RUN = pa.field("run", pa.int32())

GROUP = 1 << 16
"""Rows of a row group of provenance, at most."""

KEY_BITS = 64
LAST = (1 << KEY_BITS) - 1
"""The largest key."""


@dataclass(frozen=True, slots=True)
class Run:
    """A scattered part and the source it comes from."""

    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Range:
    """Buckets, and of their keys those above ``after`` up to ``last``."""

    buckets: range
    after: int = NOTHING
    last: int = LAST


@dataclass(frozen=True, slots=True)
class Target:
    """A corpus file: what goes into it, and up to which keys lines are held back at its beginning."""

    split: str
    number: int
    ranges: tuple[Range, ...]
    back: int = NOTHING

    @property
    def task(self) -> str:
        """What its task is called."""
        return f"{self.split}-{self.number:05d}"


@dataclass(frozen=True, slots=True)
class Removed:
    """Where what leaves the training split is listed: digests, and places of documents."""

    digests: Path | None = None
    documents: Path | None = None


@dataclass(slots=True)
class Tally:
    """Copies written and bytes of their texts by source, and those left out by reason and source."""

    documents: Counter[str] = field(default_factory=Counter)
    text_bytes: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, rows: pa.Table, runs: Sequence[Run]) -> None:
        """Count copies that are written."""
        sizes = pa.compute.binary_length(rows.column("text")).to_numpy()
        for source, inside in _by_source(rows, runs):
            self.documents[source] += int(inside.sum())
            self.text_bytes[source] += int(sizes[inside].sum())

    def reject(self, reason: str, rows: pa.Table, runs: Sequence[Run]) -> None:
        """Count copies that are left out."""
        counts = self.rejected.setdefault(reason, Counter())
        for source, inside in _by_source(rows, runs):
            counts[source] += int(inside.sum())


def stage(
    config: Config,
    scattered: Stage,
    documents: Sequence[Stage],
    held: Stage,
    alike: Sequence[Stage] = (),
) -> Stage:
    """Return the stage that writes the corpus; ``alike`` finds what is like something held out."""
    read = {stage.name.partition(".")[2] for stage in documents}
    tables = [table for table in config.enabled if table.name in read]
    names = {table.name: table.pile_set_name for table in tables}
    licences = {table.name: table.licence or table.source.licence for table in tables}
    settings: dict[str, Json] = {
        "name": config.corpus.name,
        "pile_set_names": dict(names),
        "licences": dict(licences),
        "libraries": {"zstandard": version("zstandard")},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        removed = Removed(
            inputs[held.name].folder / hold_out.DIGESTS,
            inputs[near.NEAR].folder / near.DOCUMENTS if near.NEAR in inputs else None,
        )
        shared = {
            "folder": folder,
            "runs": [Run(path.parent.name, path) for path, _ in inputs["scatter"].parts(RUNS)],
            "names": names,
            "removed": removed,
        }
        return [
            Task("mix", target.task, mix, {**shared, "target": target})
            for target in _targets(config, inputs, held)
        ]

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[Part]:
        return publish(folder, FOLDER, gather(config, made, FOLDER, receipts))

    given = (scattered, *documents, held, *alike)
    made = Stage("mix", VERSION, settings, given, tasks, finish=finish)
    return made


def _targets(config: Config, inputs: Inputs, held: Stage) -> list[Target]:
    files = list(cuts_of(inputs["scatter"]).files())
    if config.mix.hold_out == "hash":
        return [Target(split, number, (Range(buckets),)) for split, number, buckets in files]
    [receipt] = ledger.receipts(inputs[held.name].folder).values()
    listed: Any = receipt.figures["files"]
    return published_targets([buckets for _, _, buckets in files], [Held(**one) for one in listed])


def published_targets(files: Sequence[range], held: Sequence[Held]) -> list[Target]:
    """Return the corpus files as published: what is left of each train file, and what is held out."""
    train = [
        Target("train", number, (Range(buckets, after=one.test),), one.held)
        for number, (buckets, one) in enumerate(zip(files, held, strict=True))
    ]
    total = files[-1].stop
    val = [_beginning(*pair, total) for pair in zip(files, (one.val for one in held), strict=True)]
    test = [
        _beginning(*pair, total) for pair in zip(files, (one.test for one in held), strict=True)
    ]
    after_val = [
        Range(one.buckets, part.val, one.last) for one, part in zip(test, held, strict=True)
    ]
    return [*train, Target("val", 0, tuple(val)), Target("test", 0, tuple(after_val))]


def _beginning(buckets: range, last: int, total: int) -> Range:
    """Return a file's buckets up to that of a key, of ``total`` buckets of the train files."""
    stop = buckets.start if last == NOTHING else (last * total >> KEY_BITS) + 1
    return Range(range(buckets.start, stop), last=last)


def mix(
    folder: Path,
    target: Target,
    runs: Sequence[Run],
    names: Mapping[str, str],
    removed: Removed,
) -> Receipt:
    """Write one corpus file, its documents in the order they drew, and their provenance."""
    tally = Tally()
    with ExitStack() as stack:
        file = _CorpusFile(folder / FOLDER, target, stack)
        for rows in _buckets(target, runs):
            kept = _left(rows, target, runs, removed, tally)
            if kept.num_rows:
                tally.add(kept, runs)
                file.add(kept, _order(kept), runs, names)
    given = tally.documents.total()
    counts = {"rows": given, "text_bytes": tally.text_bytes.total()}
    rejected = {reason: by.total() for reason, by in sorted(tally.rejected.items())}
    return Receipt(
        target.task,
        tuple(
            part_of(folder, path, own)
            for path, own in zip(file.paths, (counts, {"rows": given}), strict=False)
        ),
        taken=given + sum(rejected.values()),
        given=given,
        rejected=rejected,
        figures=_figures(target, tally),
    )


def _figures(target: Target, tally: Tally) -> dict[str, Json]:
    if not tally.documents and not tally.rejected:
        return {}
    return {
        "split": target.split,
        "documents": dict(sorted(tally.documents.items())),
        "text_bytes": dict(sorted(tally.text_bytes.items())),
        "rejected": {
            reason: dict(sorted(by.items())) for reason, by in sorted(tally.rejected.items())
        },
    }


class _CorpusFile:
    """A corpus file and its provenance table, begun with its first document."""

    def __init__(self, folder: Path, target: Target, stack: ExitStack) -> None:
        self._folder, self._target, self._stack = folder, target, stack
        self._open: tuple[corpus.LineWriter, pq.ParquetWriter] | None = None
        self.paths: tuple[Path, ...] = ()

    def add(
        self,
        rows: pa.Table,
        order: NDArray[np.int64],
        runs: Sequence[Run],
        names: Mapping[str, str],
    ) -> None:
        """Add some documents in that order."""
        lines, provenance = self._open or self._begin()
        provenance.write_table(_provenance(rows, order, runs, names), row_group_size=GROUP)
        called = [names[run.source] for run in runs]
        texts, run = rows.column("text"), rows.column("run").to_numpy()
        for start in range(0, len(order), TOGETHER):
            some = order[start : start + TOGETHER]
            pairs = zip(texts.take(pa.array(some)).to_pylist(), run[some].tolist(), strict=True)
            lines.extend(corpus.Line(text, called[number]) for text, number in pairs)

    def _begin(self) -> tuple[corpus.LineWriter, pq.ParquetWriter]:
        split, number = self._target.split, self._target.number
        enter = self._stack.enter_context
        names = (corpus.file_name(split, number), corpus.provenance_name(split, number))
        self.paths = tuple(self._folder / name for name in names)
        lines, provenance = (enter(store.publish(path)) for path in self.paths)
        self._open = (
            enter(corpus.LineWriter(lines)),
            enter(pq.ParquetWriter(provenance, corpus.PROVENANCE, compression="zstd")),
        )
        return self._open


def _buckets(target: Target, runs: Sequence[Run]) -> Iterator[pa.Table]:
    """Yield the rows of the target's buckets from all runs, one bucket after the other."""
    schema = SCATTERED.append(RUN)
    for part in target.ranges:
        first, stop = part.buckets.start, part.buckets.stop
        opened = [bucketed.open_buckets(run.path, first, stop) for run in runs]
        for bucket in part.buckets:
            found = [schema.empty_table()]
            for number, run in enumerate(opened):
                rows = run.read(bucket)
                if rows is not None:
                    column = pa.array(np.full(rows.num_rows, number, np.int32))
                    found.append(pa.Table.from_arrays([*rows.columns, column], schema=schema))
            yield _within(pa.concat_tables(found).combine_chunks(), part)


def _within(rows: pa.Table, part: Range) -> pa.Table:
    """Return the rows whose keys are in a range."""
    keys = rows.column("key").to_numpy()
    inside = np.ones(len(keys), np.bool_)
    if part.after != NOTHING:
        inside &= keys > np.uint64(part.after)
    if part.last != LAST:
        inside &= keys <= np.uint64(part.last)
    return rows if inside.all() else rows.filter(pa.array(inside))


def _left(
    rows: pa.Table, target: Target, runs: Sequence[Run], removed: Removed, tally: Tally
) -> pa.Table:
    """Return the rows that stay in a file, and count the others by the first reason."""
    if target.split != "train" or not rows.num_rows:
        return rows
    gone = np.zeros(rows.num_rows, np.bool_)
    for reason, found in _reasons(rows, target, removed):
        new = found & ~gone
        gone |= new
        if new.any():
            tally.reject(reason, rows.filter(pa.array(new)), runs)
    return rows.filter(pa.array(~gone)) if gone.any() else rows


def _reasons(
    rows: pa.Table, target: Target, removed: Removed
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if target.back != NOTHING:
        yield "held_back", rows.column("key").to_numpy() <= np.uint64(target.back)
    if removed.digests is not None:
        yield "held_out", arrays.among(_digests(rows), arrays.load(removed.digests))
    if removed.documents is not None:
        places = rows.column("document").to_numpy()
        yield "near_held_out", arrays.among(places, arrays.load(removed.documents))


def _digests(rows: pa.Table) -> NDArray[np.bytes_]:
    column = pa.concat_arrays(rows.column("digest").chunks)
    content = np.frombuffer(column.buffers()[1], f"S{DIGEST_BYTES}")
    return content[column.offset : column.offset + len(column)]


def _order(rows: pa.Table) -> NDArray[np.int64]:
    """Return the order of rows by key; equal keys go by id, source, copy and origin."""
    keys = rows.column("key").to_numpy()
    order = np.argsort(keys, kind="stable")
    if (np.diff(keys[order]) == 0).any():
        ties = [(name, "ascending") for name in ("key", "id", "run", "epoch", "origin", "digest")]
        order = pa.compute.sort_indices(rows, ties).to_numpy()
    return order.astype(np.int64)


def _provenance(
    rows: pa.Table, order: NDArray[np.int64], runs: Sequence[Run], names: Mapping[str, str]
) -> pa.Table:
    of, places = rows.column("run").to_numpy()[order], pa.array(order)
    columns = {
        "source": pa.array([run.source for run in runs], pa.string()).take(pa.array(of)),
        "pile_set_name": pa.array([names[run.source] for run in runs], pa.string()).take(
            pa.array(of)
        ),
        **{name: rows.column(name).take(places) for name in ("id", "origin", "licence", "epoch")},
    }
    schema = corpus.PROVENANCE
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _by_source(rows: pa.Table, runs: Sequence[Run]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the sources of rows, and which rows are theirs."""
    of = rows.column("run").to_numpy()
    sources = sorted({run.source for run in runs})
    numbers = np.array([sources.index(run.source) for run in runs])[of]
    for number in np.flatnonzero(np.bincount(numbers)).tolist():
        yield sources[number], numbers == number
