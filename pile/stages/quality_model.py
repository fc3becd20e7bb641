"""Quality: learn to tell the documents of a source from those it is to be like, in one model.

All examples are in memory, about a kilobyte each, in the order of a keyed hash.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
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
        length = sum(part["counts"]["words"] for _, part in parts)
        paths = [path for path, _ in parts]
        arguments = {"folder": folder, "parts": paths, "length": length, "recipe": recipe}
        weight = sum(part["size"] for _, part in parts)
        return [Task(f"quality.{source}", "model", learn, arguments, weight)]

    return Stage(f"quality.{source}", VERSION, settings, (examples,), tasks)


def learn(folder: Path, parts: Sequence[Path], length: int, recipe: Recipe) -> Receipt:
    """Train on all examples, of ``length`` words; raises `NoExamplesError`."""
    columns = ["key", "id", "wanted"]
    found = [pq.read_table(part, columns=columns) for part in parts]
    table = pa.concat_tables([EXAMPLES.empty_table().select(columns), *found])
    wanted = table.column("wanted").to_numpy()
    order = pa.compute.sort_indices(table, [("key", "ascending"), ("id", "ascending")])
    model = train(_words(parts, length), wanted, order.to_numpy().astype(np.int64), recipe)
    path = folder / MODEL
    with store.publish(path) as attempt:
        save(model, attempt)
    figures = {"wanted": int(wanted.sum()), "others": int((~wanted).sum())}
    part = part_of(folder, path, {"words": len(model.words)})
    return Receipt("model", (part,), table.num_rows, table.num_rows, figures=figures)


def _words(parts: Sequence[Path], length: int) -> Words:
    """Read the words of all examples, one after the other."""
    hashes, lengths = np.empty(length, np.uint32), [np.zeros(1, np.int64)]
    start = 0
    for part in parts:
        lists = pq.read_table(part, columns=["words"]).column(0).combine_chunks()
        read = lists.flatten().to_numpy()
        hashes[start : start + len(read)] = read
        lengths.append(lists.value_lengths().to_numpy())
        start += len(read)
    return Words(hashes, np.cumsum(np.concatenate(lengths)))
