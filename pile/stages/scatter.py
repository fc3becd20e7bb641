"""Scatter: every document draws its split, its copies and their places in the corpus.

Split, number of copies and order are keyed hashes of the document's id, so they depend on nothing
but the seed. A task sorts the copies of one document part by their keys, into a run that is read
bucket by bucket (`pile.mixing.splits`, `pile.mixing.bucketed`): the mix merges all runs. Beside it lie the digests of
copies that are, or may yet be, held out.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dedup.runs import sort_rows, write_runs
from pile import corpus, draws, ledger, store
from pile.config import Config
from pile.draws import Numbers
from pile.engine import Task
from pile.ledger import Receipt
from pile.mixing import bucketed
from pile.mixing.splits import Cut, Cuts, Size, cut
from pile.parts import part_of
from pile.stages import survivors, weigh
from pile.stages.stage import Inputs, Made, Stage
from pile.stages.survivors import ROW_BITS, Part
from sources.source import Json

VERSION = 4

DIGEST_BYTES = 16
"""Of a SHA-256, which is enough to tell texts apart."""

SCATTERED = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("digest", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("document", pa.uint64(), nullable=False),
    ]
)
"""Schema of scattered copies: ``key`` is the place in the corpus, ``document`` that among all documents
(`survivors.ROW_BITS`), ``digest`` what copies of one text, or of one line, have in common."""

TOGETHER = 1024
"""Rows that are Python objects at a time."""

RUNS, HELD = "runs/", "held/"
"""Where runs lie, and the digests of what may be held out."""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """What a document draws from: the seed, its source's epochs, the shares held out, the cuts."""

    seed: int
    epochs: float
    val: float
    test: float
    hold_out: Literal["hash", "published"]
    cuts: Cuts


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Copies of documents in the order of their buckets and keys, one entry of each array a copy.

    ``split`` is a number of `pile.corpus.SPLITS`, ``row`` the document's, ``epoch`` counts from 0.
    """

    bucket: NDArray[np.int64]
    key: Numbers
    split: NDArray[np.int64]
    row: NDArray[np.int64]
    epoch: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def documents(self) -> NDArray[np.int64]:
        """Return the rows of documents that have copies, ascending."""
        return np.flatnonzero(np.bincount(self.row))


def stage(
    config: Config,
    documents: Mapping[str, Stage],
    decisions: Mapping[str, Stage],
    weighed: Mapping[str, Stage],
) -> Stage:
    """Return the stage that scatters all sources' documents; the mappings go by source."""
    settings: dict[str, Json] = {
        "seed": config.corpus.seed,
        "mix": config.mix.model_dump(mode="json", exclude={"near_duplicates"}),
        "epochs": {table.name: table.epochs for table in config.enabled if table.name in documents},
        "pile_set_names": names_of(config) if config.mix.hold_out == "published" else {},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts, names = survivors.parts(config, inputs), names_of(config)
        epochs = weigh.epochs(config, inputs)
        sizes = [Size(part.text_bytes, part.rows, epochs[part.source]) for part in parts]
        cuts = cut(config.mix, sizes)
        return [
            Task(
                "scatter",
                part.task,
                scatter,
                {
                    "folder": folder,
                    "part": part,
                    "shuffle": _shuffle(config, epochs[part.source], cuts),
                    "name": names[part.source],
                },
                part.bytes,
            )
            for part in parts
        ]

    inputs = (*documents.values(), *decisions.values(), *weighed.values())
    return Stage("scatter", VERSION, settings, inputs, tasks)


def names_of(config: Config) -> dict[str, str]:
    """Return by source the name that stands in the corpus."""
    return {table.name: table.pile_set_name for table in config.enabled}


def cuts_of(scattered: Made) -> Cuts:
    """Return the splits' files and buckets, as a finished scatter has them."""
    receipts = list(ledger.receipts(scattered.folder).values())
    if not receipts:
        return Cuts(Cut(1), Cut(0), Cut(0))
    listed: Any = receipts[0].figures["cuts"]
    return Cuts(**{split: Cut(*counts) for split, counts in listed.items()})


def _shuffle(config: Config, epochs: float, cuts: Cuts) -> Shuffle:
    mix = config.mix
    return Shuffle(config.corpus.seed, epochs, mix.val, mix.test, mix.hold_out, cuts)


def scatter(folder: Path, part: Part, shuffle: Shuffle, name: str) -> Receipt:
    """Sort the copies of one part's documents by bucket and key; ``name`` stands in their lines."""
    columns = ["id", "text", "origin", "licence"]
    table = pq.read_table(part.path, columns=columns).combine_chunks()
    stays = part.stays()
    rows = np.flatnonzero(stays)
    ids = table.column("id").take(pa.array(rows)).to_pylist()
    copies = draw(ids, rows, shuffle)
    digests = _digests(table, copies, name if shuffle.hold_out == "published" else None)
    run = folder / RUNS / f"{part.task}{bucketed.SUFFIX}"
    held = folder / HELD / f"{part.task}.run"
    with store.publish(run) as attempt:
        filled = _filled(table, copies, digests, part.number)
        bucketed.write(attempt, len(shuffle.cuts), filled)
    with store.publish(held) as attempt:
        write_runs(attempt, [_may_be_held(copies, digests, part.number, shuffle.hold_out)])
    drawn = copies.documents()
    sizes = pa.compute.binary_length(table.column("text")).to_numpy()
    rejected = {"duplicate": part.rows - len(rows), "not_drawn": len(rows) - len(drawn)}
    return Receipt(
        part.task,
        (part_of(folder, run, {"rows": len(copies)}), part_of(folder, held, {})),
        taken=part.rows,
        given=len(drawn),
        rejected={reason: count for reason, count in rejected.items() if count},
        figures={
            "source": part.source,
            "epochs": shuffle.epochs,
            "available_documents": len(rows),
            "available_bytes": int(sizes[rows].sum()),
            "text_bytes": int(sizes[drawn].sum()),
            "copies": _by_split(copies),
            "cuts": shuffle.cuts.plain(),
        },
    )


def draw(ids: Sequence[str], rows: NDArray[np.int64], shuffle: Shuffle) -> Copies:
    """Draw the copies of documents, which are in these rows: one if it is held out, else one an epoch.

    The fraction of the epochs is the chance of one more copy. Held out as published, all copies go to
    the train files first.
    """
    split, more, order = draws.keys(shuffle.seed, "mix", ids, 3).T
    splits = np.zeros(len(ids), np.int64)
    if shuffle.hold_out == "hash":
        splits[split < draws.below(shuffle.val + shuffle.test)] = 2
        splits[split < draws.below(shuffle.val)] = 1
    whole = int(shuffle.epochs)
    counts = whole + (more < draws.below(shuffle.epochs - whole)).astype(np.int64)
    counts[splits > 0] = 1
    chosen = np.repeat(np.arange(len(ids)), counts)
    epoch = np.arange(len(chosen)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = draws.later(order[chosen], epoch.astype(np.uint64))
    bucket = shuffle.cuts.buckets(key, splits[chosen])
    placed = np.lexsort((epoch, chosen, key, bucket))
    chosen = chosen[placed]
    return Copies(bucket[placed], key[placed], splits[chosen], rows[chosen], epoch[placed])


def _by_split(copies: Copies) -> dict[str, Json]:
    counts = np.bincount(copies.split, minlength=len(corpus.SPLITS)).tolist()
    return {split: count for split, count in zip(corpus.SPLITS, counts, strict=True) if count}


def _digests(table: pa.Table, copies: Copies, name: str | None) -> NDArray[np.bytes_]:
    """Return by row the digest of its text, or of its line in the corpus with this name.

    Rows without a copy have none.
    """
    found = np.zeros(table.num_rows, f"S{DIGEST_BYTES}")
    drawn = copies.documents()
    for start in range(0, len(drawn), TOGETHER):
        rows = drawn[start : start + TOGETHER]
        texts: list[str] = table.column("text").take(pa.array(rows)).to_pylist()
        for row, text in zip(rows.tolist(), texts, strict=True):
            whole = text.encode() if name is None else corpus.line_bytes(corpus.Line(text, name))
            found[row] = hashlib.sha256(whole).digest()[:DIGEST_BYTES]
    return found


def _may_be_held(
    copies: Copies, digests: NDArray[np.bytes_], number: int, hold_out: str
) -> Numbers:
    """Return sorted rows (key, digest, digest, document) of copies held out, or of all as published."""
    chosen = np.flatnonzero(copies.split) if hold_out == "hash" else np.arange(len(copies))
    rows = copies.row[chosen]
    halves = np.ascontiguousarray(digests[rows]).view(">u8").reshape(-1, 2).astype(np.uint64)
    found = np.column_stack((copies.key[chosen], halves, _documents(number, rows)))
    return sort_rows(found)


def _documents(number: int, rows: NDArray[np.int64]) -> Numbers:
    return rows.astype(np.uint64) + np.uint64(number << ROW_BITS)


def _filled(
    table: pa.Table, copies: Copies, digests: NDArray[np.bytes_], number: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the buckets that have copies, and these."""
    buckets, starts = np.unique(copies.bucket, return_index=True)
    edges = [*starts.tolist(), len(copies)]
    for place, bucket in enumerate(buckets.tolist()):
        inside = slice(edges[place], edges[place + 1])
        rows = copies.row[inside]
        taken = table.take(pa.array(rows)).combine_chunks()
        columns = {
            "key": pa.array(copies.key[inside]),
            "epoch": pa.array(copies.epoch[inside].astype(np.int32)),
            "digest": _binary(digests[rows]),
            "document": pa.array(_documents(number, rows)),
            **{name: taken.column(name).combine_chunks() for name in taken.schema.names},
        }
        arrays = [columns[name].cast(SCATTERED.field(name).type) for name in SCATTERED.names]
        yield bucket, pa.RecordBatch.from_arrays(arrays, schema=SCATTERED)


def _binary(digests: NDArray[np.bytes_]) -> pa.Array:
    """Return digests as Arrow values, zeros at their ends and all."""
    content = pa.py_buffer(np.ascontiguousarray(digests))
    kind = pa.binary(DIGEST_BYTES)
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(digests), [None, content])
