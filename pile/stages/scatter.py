"""Scatter: every document draws its split, its copies and its place in the corpus.

Split, number of copies and order are keyed hashes of the document's id, so they depend on nothing
but the seed. The corpus is cut into buckets, each the content of one corpus file; a task sorts the
rows of one document part by bucket, so that the mix can collect each bucket from all tasks.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pile import draws, store
from pile.config import Config, SourceTable
from pile.corpus import SPLITS
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.settings import Mix
from pile.stages.stage import Inputs, Stage, documents_of
from sources.source import Json

VERSION = 2

SCATTERED = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
    ]
)
"""Schema of scattered documents: ``key`` is the place in the corpus; one row a copy."""

BUCKETS = b"buckets"
"""Key of a part's metadata: the bucket of each of its row groups, in order."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many corpus files each split has."""

    train: int
    val: int
    test: int

    def split(self, bucket: int) -> tuple[str, int]:
        """Return split and file number of a bucket."""
        for name, count in zip(SPLITS, (self.train, self.val, self.test), strict=True):
            if bucket < count:
                return name, bucket
            bucket -= count
        raise IndexError(bucket)

    def __len__(self) -> int:
        return self.train + self.val + self.test


@dataclass(frozen=True, slots=True)
class Shuffle:
    """What a document draws from: the seed, its source's epochs, the shares held out, the buckets."""

    seed: int
    epochs: float
    val: float
    test: float
    buckets: Buckets


class Copy(NamedTuple):
    """One copy of a document: the bucket and place it goes to, its row, and which copy it is."""

    bucket: int
    key: int
    row: int
    epoch: int


def stage(config: Config, documents: Mapping[str, Stage], decisions: Mapping[str, Stage]) -> Stage:
    """Return the stage that scatters all sources' documents; both mappings go by source."""
    settings: dict[str, Json] = {
        "seed": config.corpus.seed,
        "mix": config.mix.model_dump(mode="json"),
        "epochs": {table.name: table.epochs for table in config.enabled if table.name in documents},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        buckets = plan_buckets(config, inputs)
        found: list[Task] = []
        for table in (table for table in config.enabled if table.name in documents):
            decided = inputs.get(f"dedup.{table.name}")
            found.extend(
                _tasks(config, table, inputs, decided.folder if decided else None, folder, buckets)
            )
        return found

    inputs = (*documents.values(), *decisions.values())
    return Stage("scatter", VERSION, settings, inputs, tasks)


def plan_buckets(config: Config, inputs: Inputs) -> Buckets:
    """Return how many files each split needs for files of about the size wished."""
    drawn = 0.0
    held = 0
    for table in config.enabled:
        made = documents_of(inputs, table.name)
        if made is not None:
            size = sum(part["counts"]["text_bytes"] for _, part in made.parts("documents/"))
            drawn += size * table.epochs
            held += size
    return _buckets(config.mix, drawn, held)


def _buckets(mix: Mix, drawn: float, held: int) -> Buckets:
    def files(size: float) -> int:
        return max(1, -int(-size // mix.file_bytes))

    train = files(drawn * (1 - mix.val - mix.test))
    val = files(held * mix.val) if mix.val else 0
    test = files(held * mix.test) if mix.test else 0
    return Buckets(train, val, test)


def _tasks(
    config: Config,
    table: SourceTable,
    inputs: Inputs,
    decisions: Path | None,
    folder: Path,
    buckets: Buckets,
) -> Iterator[Task]:
    shuffle = Shuffle(config.corpus.seed, table.epochs, config.mix.val, config.mix.test, buckets)
    made = documents_of(inputs, table.name)
    for path, part in made.parts("documents/") if made else ():
        name = f"{table.name}/{path.stem}"
        arguments = {
            "task": name,
            "folder": folder,
            "part": path,
            "decisions": decisions / f"{path.stem}.parquet" if decisions else None,
            "shuffle": shuffle,
        }
        yield Task("scatter", name, scatter, arguments, part["size"])


def scatter(
    task: str, folder: Path, part: Path, decisions: Path | None, shuffle: Shuffle
) -> Receipt:
    """Sort one part's documents by the bucket they draw."""
    table = pq.read_table(part, columns=["id", "text", "origin", "licence"])
    duplicate = _duplicates(decisions, table.num_rows)
    copies: list[Copy] = []
    rejected: Counter[str] = Counter()
    for row, identity in enumerate(table.column("id").to_pylist()):
        if duplicate[row]:
            rejected["duplicate"] += 1
            continue
        drawn = draw(identity, row, shuffle)
        rejected["not_drawn"] += not drawn
        copies.extend(drawn)
    path = folder / f"{task}.parquet"
    with store.publish(path) as attempt:
        _write(attempt, table, sorted(copies))
    kept = sorted({copy.row for copy in copies})
    sizes = pc.binary_length(table.column("text")).to_numpy()
    return Receipt(
        task,
        (part_of(folder, path, {"rows": len(copies)}),),
        taken=table.num_rows,
        given=len(kept),
        rejected={reason: count for reason, count in sorted(rejected.items()) if count},
        figures={"text_bytes": int(sizes[kept].sum()) if kept else 0},
    )


def draw(identity: str, row: int, shuffle: Shuffle) -> list[Copy]:
    """Draw a document's copies: one if it is held out, else one an epoch.

    The fraction of the epochs is the chance of one more copy.
    """
    seed, buckets = shuffle.seed, shuffle.buckets
    share = draws.unit(seed, "split", identity)
    if share < shuffle.val + shuffle.test:
        first = buckets.train if share < shuffle.val else buckets.train + buckets.val
        count = buckets.val if share < shuffle.val else buckets.test
        return [_copy(identity, row, 0, seed, first, count)]
    whole = int(shuffle.epochs)
    more = draws.unit(seed, "epoch", identity) < shuffle.epochs - whole
    return [_copy(identity, row, epoch, seed, 0, buckets.train) for epoch in range(whole + more)]


def _copy(identity: str, row: int, epoch: int, seed: int, first: int, count: int) -> Copy:
    key = draws.key(seed, "order", identity, epoch)
    return Copy(first + (key * count >> 64), key, row, epoch)


def _duplicates(decisions: Path | None, rows: int) -> list[bool]:
    if decisions is None:
        return [False] * rows
    found: list[bool] = pq.read_table(decisions, columns=["duplicate"]).column(0).to_pylist()
    if len(found) != rows:
        raise ValueError(f"{decisions} decides about {len(found)} documents, its part has {rows}")
    return found


def _write(path: Path, table: pa.Table, copies: Sequence[Copy]) -> None:
    """Write one row group a bucket; ``copies`` is in the order of (bucket, key)."""
    buckets = sorted({copy.bucket for copy in copies})
    schema = SCATTERED.with_metadata({BUCKETS: json.dumps(buckets)})
    edges = np.searchsorted(
        [copy.bucket for copy in copies], [*buckets, len(copies) and buckets[-1] + 1]
    )
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for start, stop in itertools.pairwise(edges):
            writer.write_table(
                _rows(table, copies[start:stop], schema), row_group_size=stop - start
            )


def _rows(table: pa.Table, copies: Sequence[Copy], schema: pa.Schema) -> pa.Table:
    taken = table.take(pa.array([copy.row for copy in copies], pa.int64())).combine_chunks()
    columns = {
        "key": pa.array([copy.key for copy in copies], pa.uint64()),
        "epoch": pa.array([copy.epoch for copy in copies], pa.int32()),
        **{name: taken.column(name) for name in ("id", "text", "origin", "licence")},
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)
