"""Side files: the same tokens under the names that other trainers look for, and what they read beside.

- ``datatrove/<split>/[<source>/]<number>.ds`` with ``.ds.index`` and ``.ds.metadata``, for datatrove
  and nanotron, which mix by folder;
- ``nanogpt/[<source>/]<split>.bin``, numbered where a split has several shards; uint16 alone;
- ``olmo/<split>/[<source>/]part-<number>.npy`` with ``.csv.gz``: id, corpus file and line of each
  document.

Tokens are the shard's own file by another name, so they take no room.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pile import corpus, origins, store
from shards.format import CODES
from shards.reader import Shard
from shards.sides import write_datatrove, write_olmo
from tokenizer.files import TOKENIZER_JSON


@dataclass(frozen=True, slots=True)
class Place:
    """A shard's split, source and number; ``alone`` if its split, or source in it, has no other."""

    split: str
    source: str
    number: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What side files are written from: a shard, its origins, and the corpus these name."""

    bin_path: Path
    origins: Path
    corpus_folder: Path

    @property
    def shard(self) -> Shard:
        """The shard, open."""
        return Shard.open(self.bin_path.with_suffix(""))


def write(folder: Path, beside: Beside, place: Place, sides: Sequence[str]) -> list[Path]:
    """Publish a shard's side files below a folder; returns them. Raises `WrongDtypeError`."""
    return [path for side in sides for path in WRITERS[side](folder / side, beside, place)]


class WrongDtypeError(Exception):
    """A trainer cannot read tokens of so many bytes."""


def _datatrove(folder: Path, beside: Beside, place: Place) -> list[Path]:
    tokens = folder / place.split / place.source / f"{place.number:05d}.ds"
    index, metadata = tokens.with_suffix(".ds.index"), tokens.with_suffix(".ds.metadata")
    store.publish_same(tokens, beside.bin_path)
    with store.publish(index) as one, store.publish(metadata) as other:
        write_datatrove(beside.shard, one, other, TOKENIZER_JSON)
    return [tokens, index, metadata]


def _nanogpt(folder: Path, beside: Beside, place: Place) -> list[Path]:
    if beside.shard.tokens.dtype != CODES[8]:
        raise WrongDtypeError(
            "nanoGPT reads uint16 tokens alone, and this vocabulary needs int32: "
            "take 'nanogpt' out of [shards] sides, or a vocabulary below 65,500"
        )
    name = place.split if place.alone else f"{place.split}-{place.number:05d}"
    tokens = folder / place.source / f"{name}.bin"
    store.publish_same(tokens, beside.bin_path)
    return [tokens]


def _olmo(folder: Path, beside: Beside, place: Place) -> list[Path]:
    tokens = folder / place.split / place.source / f"part-{place.number:05d}.npy"
    table = tokens.with_suffix(".csv.gz")
    store.publish_same(tokens, beside.bin_path)
    with store.publish(table) as attempt:
        write_olmo(beside.shard, attempt, _described(beside))
    return [tokens, table]


def _described(beside: Beside) -> Iterator[tuple[str, str, int]]:
    """Yield id, corpus file and line of a shard's documents; lines of a file are in order."""
    current, reached = "", 0
    ids: Iterator[str] = iter(())
    for file, line in origins.pairs(beside.origins):
        if file != current:
            current, ids, reached = file, _ids(beside.corpus_folder / file), 0
        for _ in range(line - reached - 1):
            next(ids)
        reached = line
        yield next(ids), file, line


def _ids(file: Path) -> Iterator[str]:
    return (identity for (identity,) in corpus.provenance(file, ("id",)))


WRITERS: Mapping[str, Callable[[Path, Beside, Place], list[Path]]] = MappingProxyType(
    {"datatrove": _datatrove, "nanogpt": _nanogpt, "olmo": _olmo}
)
"""What publishes the side files of each trainer; by the names of ``[shards] sides``."""
