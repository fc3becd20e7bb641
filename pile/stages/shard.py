"""Shard: the tokens of all corpus files become shards of the size wished, in the same order.

The indexes alone say which documents each shard gets, so that any number of workers write the same
shards. Shards that are just the tokens of one corpus file take no room of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np

from pile import corpus, ledger, origins, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.settings import Shards
from pile.stages import mix, tokenize
from pile.stages.side_files import Beside, Place, write
from pile.stages.stage import Inputs, Made, Stage
from shards.merge import Stretch, copy, divide
from sources.source import Json

VERSION = 1
FOLDER = "shards"


@dataclass(frozen=True, slots=True)
class Written:
    """One file of tokens: where it lies, whose documents it holds, and what is in it."""

    name: str
    split: str
    source: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """One shard to be: ``number`` of those of its split and source, and the documents it gets.

    ``facts`` are known beforehand of a shard that is one file of tokens, as it is.
    """

    split: str
    source: str
    number: int
    alone: bool
    stretches: tuple[Stretch, ...]
    facts: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Prefix of the shard, named as GPT-NeoX and Megatron name what they write themselves."""
        group = f"{self.split}-{self.source}" if self.source else self.split
        return f"{group}-{self.number:05d}_text_document"


def stage(config: Config, mixed: Stage, tokenized: Stage) -> Stage:
    """Return the stage that makes the shards."""
    keys = {"tokens", "bytes", "by", "sides"}
    settings: dict[str, Json] = config.shards.model_dump(mode="json", include=keys)

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        encoded = inputs["tokenize"]
        given = {
            "folder": folder,
            "encoded": encoded.folder,
            "corpus_folder": inputs["mix"].folder / mix.FOLDER,
            "sides": config.shards.sides,
        }
        return [
            Task("shard", plan.name, shard, {**given, "plan": plan})
            for plan in plans(config.shards, encoded)
        ]

    return Stage("shard", VERSION, settings, (mixed, tokenized), tasks)


def plans(settings: Shards, encoded: Made) -> list[Plan]:
    """Return the shards to be made of what was encoded, by split, source and number."""
    groups: dict[tuple[str, str], list[Written]] = {}
    for one in _written(encoded):
        groups.setdefault((one.split, one.source), []).append(one)
    order = sorted(groups, key=lambda key: (corpus.SPLITS.index(key[0]), key[1]))
    divided = _divided if settings.rewrites else _as_they_are
    found = chain.from_iterable(divided(settings, encoded.folder, groups[key]) for key in order)
    return list(found)


def _written(encoded: Made) -> Iterator[Written]:
    receipts = ledger.receipts(encoded.folder)
    for task in encoded.manifest["tasks"]:
        figures = cast("Mapping[str, Any]", receipts[task].figures)
        for source, facts in sorted(figures["written"].items()):
            name = f"{task}-{source}" if source else task
            yield Written(name, figures["split"], source, facts)


def _as_they_are(settings: Shards, folder: Path, group: Sequence[Written]) -> Iterator[Plan]:
    """Yield a shard for each file of tokens, by the number of its corpus file."""
    del settings
    for one in group:
        prefix = str(folder / tokenize.FOLDER / one.name)
        stretches = (Stretch(prefix, 0, one.facts["documents"]),)
        number = int(one.name.removeprefix(f"{one.split}-"))
        yield Plan(one.split, one.source, number, len(group) == 1, stretches, one.facts)


def _divided(settings: Shards, folder: Path, group: Sequence[Written]) -> Iterator[Plan]:
    prefixes = [folder / tokenize.FOLDER / one.name for one in group]
    most = settings.bytes or settings.tokens * np.dtype(group[0].facts["dtype"]).itemsize or None
    divided = divide(prefixes, most)
    for number, stretches in enumerate(divided):
        first = group[0]
        yield Plan(first.split, first.source, number, len(divided) == 1, tuple(stretches))


def shard(
    folder: Path, plan: Plan, encoded: Path, corpus_folder: Path, sides: Sequence[str]
) -> Receipt:
    """Make one shard, its table of origins, and the side files asked for."""
    paths = paths_of(folder, plan.name)
    facts: Mapping[str, Any]
    if plan.facts is None:
        facts = _copy(plan, encoded, paths)
    else:
        facts = plan.facts
        for path, same in zip(paths, _same(plan, encoded), strict=True):
            store.publish_same(path, same)
    counts = {"rows": facts["documents"], "tokens": facts["tokens"]}
    parts = [part_of(folder, path, counts) for path in paths]
    place = Place(plan.split, plan.source, plan.number, plan.alone)
    beside = Beside(paths[0], paths[2], corpus_folder)
    parts += [part_of(folder, path, {}) for path in write(folder / FOLDER, beside, place, sides)]
    return Receipt(
        plan.name,
        tuple(parts),
        taken=facts["documents"],
        given=facts["documents"],
        figures={"split": plan.split, "source": plan.source, "shard": dict(facts)},
    )


def paths_of(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of a shard's tokens, index and origins."""
    bin_path, idx_path = (folder / FOLDER / f"{name}.{kind}" for kind in ("bin", "idx"))
    return bin_path, idx_path, folder / FOLDER / "origins" / f"{name}.parquet"


def _same(plan: Plan, encoded: Path) -> tuple[Path, Path, Path]:
    return tokenize.paths_of(encoded, Path(plan.stretches[0].prefix).name)


def _copy(plan: Plan, encoded: Path, paths: tuple[Path, Path, Path]) -> dict[str, Any]:
    bin_path, idx_path, origins_path = paths
    with ExitStack() as stack:
        # Entered first, left last: the index gets its name after the tokens have theirs.
        idx, bin_, table = (
            stack.enter_context(store.publish(path)) for path in (idx_path, bin_path, origins_path)
        )
        with origins.OriginWriter(table) as writer:
            for stretch in plan.stretches:
                source = tokenize.paths_of(encoded, Path(stretch.prefix).name)[2]
                writer.copy(origins.rows(source, stretch.first, stretch.after))
        return asdict(copy(plan.stretches, bin_, idx))
