"""Examples: draw the documents that a quality model learns from, and hash their words.

Of the sources wanted a share is drawn, of the source to be filtered as many documents, as far as it has
them, both by keyed hashes of the documents' ids. A part holds one row an example.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pile import documents, draws, store
from pile.cleaning.quality.words import LEAST, excerpt, words
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.settings import Quality
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 1

EXAMPLES = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("wanted", pa.bool_(), nullable=False),
        pa.field("words", pa.large_list(pa.uint32()), nullable=False),
    ]
)
"""Schema of examples: ``key`` is the place among all, ``words`` are hashes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which documents of a part are examples: what of, and the share that is drawn."""

    seed: int
    share: float
    wanted: bool


def stage(config: Config, source: str, extracted: Stage, like: Sequence[Stage]) -> Stage:
    """Return the stage that draws examples of a source and of those it is to be like."""
    settings: dict[str, Json] = {
        "seed": config.corpus.seed,
        "sample": config.quality.sample,
        "max_examples": config.quality.max_examples,
        "like": [one.name for one in like],
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        wanted = sum(_rows(inputs, one) for one in like)
        here = _rows(inputs, extracted)
        share, unwanted = shares(config.quality, wanted, here)
        found: list[Task] = []
        for one in (*like, extracted):
            is_like = one is not extracted
            sample = Sample(config.corpus.seed, share if is_like else unwanted, is_like)
            found.extend(_tasks(f"examples.{source}", folder, inputs, one, sample))
        return found

    return Stage(f"examples.{source}", VERSION, settings, (*like, extracted), tasks)


def shares(settings: Quality, wanted: int, others: int) -> tuple[float, float]:
    """Return the shares to draw of documents that are wanted and of the others, as many of each."""
    share = min(settings.sample, settings.max_examples / max(wanted, 1))
    return share, min(1.0, share * wanted / max(others, 1))


def _rows(inputs: Inputs, stage: Stage) -> int:
    return sum(int(part["counts"]["rows"]) for _, part in inputs[stage.name].parts("documents/"))


def _tasks(name: str, folder: Path, inputs: Inputs, stage: Stage, sample: Sample) -> Iterator[Task]:
    for path, part in inputs[stage.name].parts("documents/"):
        task = f"{stage.name.partition('.')[2]}/{path.stem}"
        arguments = {"task": task, "folder": folder, "part": path, "sample": sample}
        yield Task(name, task, draw_examples, arguments, part["size"])


def draw_examples(task: str, folder: Path, part: Path, sample: Sample) -> Receipt:
    """Draw the examples of one part of documents; too short ones teach nothing."""
    taken = drawn = given = length = 0
    path = folder / f"{task}.parquet"
    with store.publish(path) as attempt, pq.ParquetWriter(attempt, EXAMPLES) as writer:
        for batch in documents.batches(part, ["id", "text"]):
            found = list(_drawn(batch, sample))
            examples = [(identity, one) for identity, one in found if len(one) > _least(sample)]
            table = _table(examples, sample)
            writer.write_table(table)
            taken += batch.num_rows
            drawn += len(found)
            given += len(examples)
            length += len(table.column("words").combine_chunks().flatten())
    rejected = {"not_drawn": taken - drawn, "too_short": drawn - given}
    return Receipt(
        task,
        (part_of(folder, path, {"rows": given, "words": length}),),
        taken,
        given,
        {reason: count for reason, count in rejected.items() if count},
    )


def _least(sample: Sample) -> int:
    """Return the characters that an excerpt must be longer than, as published."""
    return LEAST if sample.wanted else 0


def _drawn(batch: pa.RecordBatch, sample: Sample) -> Iterator[tuple[str, str]]:
    """Yield id and excerpt of the documents drawn."""
    for row, identity in enumerate(batch.column("id").to_pylist()):
        if draws.unit(sample.seed, "quality example", identity) < sample.share:
            yield identity, excerpt(batch.column("text")[row].as_py())


def _table(examples: Sequence[tuple[str, str]], sample: Sample) -> pa.Table:
    ids = [identity for identity, _ in examples]
    found = words([one for _, one in examples])
    columns = [
        pa.array([draws.key(sample.seed, "quality order", one) for one in ids], pa.uint64()),
        pa.array(ids, pa.string()),
        pa.array([sample.wanted] * len(ids), pa.bool_()),
        pa.LargeListArray.from_arrays(pa.array(found.firsts), pa.array(found.hashes)),
    ]
    return pa.table(columns, schema=EXAMPLES)
