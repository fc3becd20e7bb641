"""What a training framework is told about shards: where they lie, their split, tokens and epochs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from pile.ledger import Receipt

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class TrainingShard:
    """A shard by its prefix, and how often its tokens are to be seen: more often for more epochs.

    Shards of a mixed corpus hold each document as often as it is to be seen, so that their epochs
    are 1. Shards of one source each have the epochs of that source.
    """

    prefix: str
    split: str
    tokens: int
    epochs: float = 1.0

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"{self.prefix}: split {self.split!r} is none of {SPLITS}")
        if self.tokens < 1 or not 0 < self.epochs < float("inf"):
            raise ValueError(f"{self.prefix}: {self.tokens} tokens, {self.epochs} epochs")

    @property
    def weight(self) -> float:
        """Tokens x epochs: the share of samples with which each epoch is seen once."""
        weight = self.tokens * self.epochs
        return int(weight) if weight == int(weight) else weight


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer: its ``tokenizer.json``, and how many ids it has before any padding."""

    file: str
    ids: int


def from_receipts(
    folder: Path, receipts: Mapping[str, Receipt], epochs: Mapping[str, float]
) -> tuple[TrainingShard, ...]:
    """Return the shards that the receipts of a run's shard stage list, by name.

    ``folder`` is where the shards lie. A source's shard to train on is seen as often as its
    ``epochs`` say, but once at least, for fewer have left documents out; what is held out is seen once.
    """
    found = []
    for name, receipt in sorted(receipts.items()):
        facts = cast("Mapping[str, Any]", receipt.figures["shard"])
        split, source = str(receipt.figures["split"]), str(receipt.figures["source"])
        often = max(epochs[source], 1.0) if source and split == "train" else 1.0
        found.append(TrainingShard(str(folder / name), split, int(facts["tokens"]), often))
    return tuple(found)


def of_split(shards: Iterable[TrainingShard], split: str) -> list[TrainingShard]:
    """Return the shards of a split, by prefix; ValueError if one is named twice."""
    found = sorted((shard for shard in shards if shard.split == split), key=lambda s: s.prefix)
    for one, other in pairwise(found):
        if one.prefix == other.prefix:
            raise ValueError(f"{one.prefix} is listed twice in {split}")
    return found


def rows(ids: int, multiple: int = 128, model_parallel: int = 1) -> int:
    """Return how many rows an embedding gets: both frameworks round up, to divide it evenly.

    The rows after the last id are never looked up. GPT-NeoX-20B has 50,277 ids and, on 2
    model-parallel ranks, 50,432 rows.
    """
    step = multiple * model_parallel
    return -(-ids // step) * step


def padding_explained(ids: int) -> str:
    """Return one line that says how many rows these ids become."""
    sizes = ", ".join(f"{rows(ids, 128, ranks):,} on {ranks}" for ranks in (1, 2, 4, 8))
    return f"{ids:,} ids; rows of the embedding by model-parallel ranks: {sizes}"
