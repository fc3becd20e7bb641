"""Quality: learn to tell the documents of a source from those it is to be like, in one model.

All examples are in memory, about a kilobyte each, in the order of a keyed hash.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pile import draws, store
from pile.cleaning.quality.model import save
from pile.cleaning.quality.train import Recipe, train
from pile.cleaning.quality.words import Words
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages.quality_examples import EXAMPLES
from pile.stages.stage import Inputs, Stage

VERSION = 1
MODEL = "quality.model"


def stage(config: Config, source: str, examples: Stage) -> Stage:
    """Return the stage that trains a source's quality model."""
    table = config.quality
    names = ("dims", "buckets", "words", "min_count", "epochs", "rate")
    settings = {"seed": config.corpus.seed, **{name: getattr(table, name) for name in names}}

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = inputs[examples.name].parts()
        seed = draws.key(config.corpus.seed, "quality model", source)
        recipe = Recipe(**{**settings, "seed": seed})
        arguments = {"folder": folder, "parts": [path for path, _ in parts], "recipe": recipe}
        weight = sum(part["size"] for _, part in parts)
        return [Task(f"quality.{source}", "model", learn, arguments, weight)]

    return Stage(f"quality.{source}", VERSION, settings, (examples,), tasks)


def learn(folder: Path, parts: Sequence[Path], recipe: Recipe) -> Receipt:
    """Train on all examples; raises `pile.cleaning.quality.train.NoExamplesError`."""
    table = _in_order(parts)
    wanted = table.column("wanted").to_numpy(zero_copy_only=False)
    model = train(_words(table.column("words")), wanted, recipe)
    path = folder / MODEL
    with store.publish(path) as attempt:
        save(model, attempt)
    figures = {"wanted": int(wanted.sum()), "others": int((~wanted).sum())}
    part = part_of(folder, path, {"words": len(model.words)})
    return Receipt("model", (part,), table.num_rows, table.num_rows, figures=figures)


def _in_order(parts: Sequence[Path]) -> pa.RecordBatch:
    table = pa.concat_tables([EXAMPLES.empty_table(), *map(pq.read_table, parts)])
    order = pa.compute.sort_indices(table, [("key", "ascending"), ("id", "ascending")])
    return table.select(["wanted", "words"]).take(order).combine_chunks()


def _words(column: pa.ChunkedArray) -> Words:
    lists = pa.concat_arrays([pa.array([], column.type), *column.chunks])
    return Words(lists.flatten().to_numpy(), lists.offsets.to_numpy())
