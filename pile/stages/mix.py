"""Mix: merge all scattered runs into corpus files, bucket by bucket, without what is held out.

A task writes one file: it reads each of its buckets from every run, puts the rows in the order of their
keys, and leaves out of the training split what is equal to something held out, or like it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pile import layout, ledger
from pile.config import Config
from pile.engine import Task
from pile.ledger import ConservationError, Part, Receipt
from pile.mixing import arrays, bucketed
from pile.mixing.corpus_files import CorpusFile, Run, order_of
from pile.mixing.targets import LAST, NOTHING, Held, Range, Target, published_targets
from pile.parts import part_of
from pile.publication.facts import gather
from pile.publication.files import publish
from pile.publication.nothing_left import check_left
from pile.stages import hold_out, near
from pile.stages.scatter import DIGEST_BYTES, RUNS, SCATTERED, cuts_of
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
        copies = layout.stage(config.work, scattered.name, scattered.fingerprint)
        check_copies(ledger.receipts(copies).values(), receipts)
        facts = gather(config, made, FOLDER, receipts)
        check_left(facts)
        return publish(folder, FOLDER, facts)

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


def mix(
    folder: Path,
    target: Target,
    runs: Sequence[Run],
    names: Mapping[str, str],
    removed: Removed,
) -> Receipt:
    """Write one corpus file, its documents in the order they drew, and their provenance."""
    tally, taken = Tally(), 0
    with ExitStack() as stack:
        file = CorpusFile(folder / FOLDER, target, stack)
        for rows in _buckets(target, runs):
            taken += rows.num_rows
            kept = _left(rows, target, runs, removed, tally)
            if kept.num_rows:
                tally.add(kept, runs)
                file.add(kept, order_of(kept), runs, names)
    given = tally.documents.total()
    counts = {"rows": given, "text_bytes": tally.text_bytes.total()}
    rejected = {reason: by.total() for reason, by in sorted(tally.rejected.items())}
    return Receipt(
        target.task,
        tuple(
            part_of(folder, path, own)
            for path, own in zip(file.paths, (counts, {"rows": given}), strict=False)
        ),
        taken=taken,
        given=given,
        rejected=rejected,
        figures=_figures(target, tally),
    )


def check_copies(scattered: Iterable[Receipt], mixed: Iterable[Receipt]) -> None:
    """Raise `ConservationError` unless all copies that were scattered were taken into some file."""
    made = sum(
        part.counts["rows"]
        for receipt in scattered
        for part in receipt.parts
        if part.name.startswith(RUNS)
    )
    taken = sum(receipt.taken for receipt in mixed)
    if made != taken:
        raise ConservationError(
            f"mix: scatter made {made:,} copies of documents, and {taken:,} were taken; nothing is "
            "published. This is a defect: please report it with pipeline.toml."
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


def _by_source(rows: pa.Table, runs: Sequence[Run]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the sources of rows, and which rows are theirs."""
    of = rows.column("run").to_numpy()
    sources = sorted({run.source for run in runs})
    numbers = np.array([sources.index(run.source) for run in runs])[of]
    for number in np.flatnonzero(np.bincount(numbers)).tolist():
        yield sources[number], numbers == number
