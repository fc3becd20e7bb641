"""Mix: collect every bucket from all scattered parts and write it as a corpus file."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pile import corpus, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.publication.facts import gather
from pile.publication.files import publish
from pile.stages.scatter import BUCKETS, SCATTERED, plan_buckets
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 2
FOLDER = "corpus"
"""Folder of the corpus within the stage's: the receipts beside it are no documents."""

ROWS = 1024
"""Rows that are Python objects at a time."""

RUN = pa.field("run", pa.int32())


@dataclass(frozen=True, slots=True)
class Run:
    """A scattered part and the source it comes from."""

    source: str
    path: Path


def stage(config: Config, scattered: Stage, documents: Sequence[Stage]) -> Stage:
    """Return the stage that writes the corpus."""
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
        buckets = plan_buckets(config, inputs)
        runs = [Run(path.parent.name, path) for path, _ in inputs["scatter"].parts()]
        shared = {"folder": folder, "runs": runs, "names": names}
        return [
            Task(
                "mix",
                "{}-{:05d}".format(*buckets.split(bucket)),
                mix,
                {**shared, "bucket": bucket, "place": buckets.split(bucket)},
            )
            for bucket in range(len(buckets))
        ]

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[Part]:
        return publish(folder, FOLDER, gather(config, made, FOLDER, receipts))

    made = Stage("mix", VERSION, settings, (scattered, *documents), tasks, finish=finish)
    return made


def mix(
    folder: Path, bucket: int, place: tuple[str, int], runs: Sequence[Run], names: Mapping[str, str]
) -> Receipt:
    """Write one corpus file, its documents in the order they drew, and their provenance."""
    split, number = place
    task = f"{split}-{number:05d}"
    table = _collect(bucket, runs)
    if not table.num_rows:
        return Receipt(task)
    lines = folder / FOLDER / corpus.file_name(split, number)
    origins = folder / FOLDER / corpus.provenance_name(split, number)
    documents: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    with ExitStack() as stack:
        writer = stack.enter_context(corpus.LineWriter(stack.enter_context(store.publish(lines))))
        provenance = stack.enter_context(
            pq.ParquetWriter(
                stack.enter_context(store.publish(origins)), corpus.PROVENANCE, compression="zstd"
            )
        )
        for rows in _in_order(table):
            sources = [runs[run].source for run in rows.column("run").to_pylist()]
            texts = rows.column("text").to_pylist()
            for source, text in zip(sources, texts, strict=True):
                writer.add(corpus.Line(text, names[source]))
                documents[source] += 1
                sizes[source] += len(text.encode())
            provenance.write_table(_provenance(rows, sources, names))
    counts = {"rows": documents.total(), "text_bytes": sizes.total()}
    return Receipt(
        task,
        (part_of(folder, lines, counts), part_of(folder, origins, {"rows": documents.total()})),
        taken=table.num_rows,
        given=documents.total(),
        figures={
            "split": split,
            "documents": dict(sorted(documents.items())),
            "text_bytes": dict(sorted(sizes.items())),
        },
    )


def _collect(bucket: int, runs: Sequence[Run]) -> pa.Table:
    """Gather a bucket's rows from all runs, with the number of the run they come from."""
    schema = SCATTERED.append(RUN)
    found = [schema.empty_table()]
    for number, run in enumerate(runs):
        with pq.ParquetFile(run.path) as file:
            groups: list[int] = json.loads(file.schema_arrow.metadata[BUCKETS])
            if bucket in groups:
                rows = file.read_row_group(groups.index(bucket)).replace_schema_metadata(None)
                column = pa.array([number] * rows.num_rows, pa.int32())
                found.append(rows.append_column(RUN, column).cast(schema))
    return pa.concat_tables(found)


def _in_order(table: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows by key, a few at a time; equal keys go by id, then by run and copy."""
    order = pa.compute.sort_indices(
        table, [(name, "ascending") for name in ("key", "id", "run", "origin", "epoch")]
    )
    for start in range(0, len(order), ROWS):
        yield table.take(order.slice(start, ROWS))


def _provenance(rows: pa.Table, sources: Sequence[str], names: Mapping[str, str]) -> pa.Table:
    columns = {
        "source": pa.array(sources, pa.string()),
        "pile_set_name": pa.array([names[source] for source in sources], pa.string()),
        **{name: rows.column(name) for name in ("id", "origin", "licence", "epoch")},
    }
    schema = corpus.PROVENANCE
    return pa.table([columns[name] for name in schema.names], schema=schema)
