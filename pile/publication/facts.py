"""What the run knows of a corpus that it publishes."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pile import layout, ledger
from pile.config import Config, SourceTable
from pile.corpus import SPLITS
from pile.ledger import Part, Receipt
from pile.stages.stage import FILTERS, Stage
from sources.published import PILE_SET_NAMES
from sources.source import Json


@dataclass(frozen=True, slots=True)
class Amount:
    """Documents, and bytes of their texts."""

    documents: int = 0
    text_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source as published: ``documents`` and ``text_bytes`` count its lines, copies too.

    ``read`` counts the records of its raw files, ``rejected`` those left out by reason, in all stages
    before the mix, and ``set_aside`` the raw files that could not be read to their end. ``available`` are
    the documents that go into the mix, each once, and ``epochs`` says how often they are drawn; ``train``
    is what the training split has of them, of which ``document_share`` and ``byte_share`` are the
    source's. ``left_out`` counts copies that are in no split, by reason, and ``benchmarks`` the documents
    in which text of each benchmark was found, of whose texts ``too_short`` have too few words for any to
    be found. ``rules`` are those it was cleaned by, ``masked`` counts personal data by kind, and
    ``duplicates`` those removed by how they were found: None if none were looked for.
    """

    name: str
    pile_set_name: str
    licence: str
    epochs: float
    access: str
    homepage: str
    documents: int
    text_bytes: int
    read: int
    rejected: Mapping[str, int]
    rules: tuple[str, ...] = ()
    masked: Mapping[str, int] = field(default_factory=dict)
    available: Amount = Amount()
    train: Amount = Amount()
    document_share: float = 0.0
    byte_share: float = 0.0
    set_aside: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    benchmarks: Mapping[str, int] = field(default_factory=dict)
    too_short: Mapping[str, int] = field(default_factory=dict)
    duplicates: Mapping[str, int] | None = None

    @property
    def is_of_the_pile(self) -> bool:
        """Whether this is a component of the Pile of 2020 rather than files of the user's own."""
        return self.name in PILE_SET_NAMES


@dataclass(frozen=True, slots=True)
class Split:
    """A split: its documents, copies counted, and bytes of text."""

    name: str
    documents: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A corpus: its files by name below its folder, its sources, and the recipes it is made by."""

    title: str
    seed: int
    fingerprint: str
    sources: tuple[SourceFacts, ...]
    splits: tuple[Split, ...]
    files: tuple[Part, ...]
    recipes: Mapping[str, Json]
    settings: Mapping[str, Json] = field(default_factory=dict)

    @property
    def licences(self) -> list[str]:
        """The licences of all sources, each once."""
        return sorted({source.licence for source in self.sources if source.licence})

    @property
    def documents(self) -> int:
        """Lines of all splits."""
        return sum(split.documents for split in self.splits)

    @property
    def text_bytes(self) -> int:
        """Bytes of text of all splits."""
        return sum(split.text_bytes for split in self.splits)


def gather(config: Config, stage: Stage, inner: str, receipts: Sequence[Receipt]) -> Facts:
    """Gather the facts of a finished mix, whose corpus lies in the folder ``inner`` of its stage."""
    before = ancestors(stage)
    documents, sizes = _counted(receipts, "documents"), _counted(receipts, "text_bytes")
    scattered = _receipts(config.work, before["scatter"])
    sources = []
    for table in config.enabled:
        if f"extract.{table.name}" not in before:
            continue
        read, rejected = _rejections(config, before, table.name)
        extracted = _manifest(config.work, before[f"extract.{table.name}"])
        sources.append(
            SourceFacts(
                name=table.name,
                pile_set_name=table.pile_set_name,
                licence=table.licence or table.source.licence,
                epochs=_epochs(scattered, table),
                access=table.source.access,
                homepage=table.source.homepage,
                documents=documents[table.name],
                text_bytes=sizes[table.name],
                read=read,
                rejected=dict(sorted(rejected.items())),
                rules=tuple(rule.name for rule, _ in config.clean.of(table.name).chosen),
                masked=_masked(config, before, table.name),
                available=_available(scattered, table.name),
                **_in_train(receipts, table.name),
                set_aside=len(extracted["quarantined"]),
                left_out=_left_out(receipts, table.name),
                **_benchmarks(config, before, table.name),
                duplicates=_duplicates(config.work, before, table.name),
            )
        )
    return Facts(
        title=config.corpus.name,
        seed=config.corpus.seed,
        fingerprint=stage.fingerprint,
        sources=tuple(sources),
        splits=tuple(_splits(receipts)),
        files=tuple(_within(part, inner) for receipt in receipts for part in receipt.parts),
        recipes={name: one.recipe for name, one in sorted({**before, stage.name: stage}.items())},
        settings={
            "dedup": config.dedup.method,
            "scope": config.dedup.scope,
            "mix": config.mix.model_dump(mode="json"),
            "ngram": config.decontaminate.ngram,
        },
    )


def _receipts(work: Path, stage: Stage) -> list[Receipt]:
    folder = layout.stage(work, stage.name, stage.fingerprint)
    return list(ledger.receipts(folder).values())


def _epochs(scattered: Sequence[Receipt], table: SourceTable) -> float:
    """Return how often a source's documents were drawn: by its epochs, or to have its share."""
    of = [one.figures["epochs"] for one in scattered if one.figures["source"] == table.name]
    return cast("float", of[0]) if of else table.epochs


def _available(scattered: Sequence[Receipt], source: str) -> Amount:
    of = [cast("Any", one.figures) for one in scattered if one.figures["source"] == source]
    counts = ([one[f"available_{what}"] for one in of] for what in ("documents", "bytes"))
    return Amount(*map(sum, counts))


def _in_train(receipts: Sequence[Receipt], source: str) -> dict[str, Any]:
    train = [one for one in receipts if one.figures.get("split") == SPLITS[0]]
    documents, sizes = _counted(train, "documents"), _counted(train, "text_bytes")
    return {
        "train": Amount(documents[source], sizes[source]),
        "document_share": documents[source] / max(documents.total(), 1),
        "byte_share": sizes[source] / max(sizes.total(), 1),
    }


def _left_out(receipts: Sequence[Receipt], source: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for receipt in receipts:
        for reason, counts in cast("Any", receipt.figures.get("rejected", {})).items():
            total[reason] += counts.get(source, 0)
    return {reason: count for reason, count in sorted(total.items()) if count}


def _benchmarks(config: Config, before: Mapping[str, Stage], source: str) -> dict[str, Any]:
    stage = before.get(f"decontaminate.{source}")
    if stage is None:
        return {}
    receipts = _receipts(config.work, stage)
    hits, short = _counted(receipts, "hits"), _counted(receipts[:1], "too_short_to_find")
    names = sorted(config.decontaminate.benchmarks)
    return {
        "benchmarks": {name: hits[name] for name in names},
        "too_short": {name: short[name] for name in names if short[name]},
    }


def _duplicates(work: Path, before: Mapping[str, Stage], source: str) -> Mapping[str, int] | None:
    stage = before.get(f"dedup.{source}")
    return dict(sorted(_manifest(work, stage)["rejected"].items())) if stage else None


def ancestors(stage: Stage) -> dict[str, Stage]:
    """Return all that a stage is made from, by name."""
    found: dict[str, Stage] = {}
    for given in stage.inputs:
        if given.name not in found:
            found |= {given.name: given, **ancestors(given)}
    return found


def _within(part: Part, inner: str) -> Part:
    return Part(part.name.removeprefix(f"{inner}/"), part.size, part.sha256, part.counts)


def _splits(receipts: Sequence[Receipt]) -> list[Split]:
    found = []
    for name in SPLITS:
        of = [one for one in receipts if one.figures.get("split") == name]
        documents, sizes = _counted(of, "documents"), _counted(of, "text_bytes")
        if documents:
            found.append(Split(name, documents.total(), sizes.total()))
    return found


def _counted(receipts: Sequence[Receipt], figure: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for receipt in receipts:
        total.update(cast("dict[str, int]", receipt.figures.get(figure, {})))
    return total


def _rejections(
    config: Config, before: Mapping[str, Stage], source: str
) -> tuple[int, Counter[str]]:
    """Return how many records a source's raw files held, and why some of them are not here."""
    read, rejected = 0, Counter[str]()
    for kind in ("extract", *FILTERS):
        one = before.get(f"{kind}.{source}")
        if one is not None:
            manifest = _manifest(config.work, one)
            read = read or int(manifest["taken"])
            rejected.update(manifest["rejected"])
    return read, rejected


def _masked(config: Config, before: Mapping[str, Stage], source: str) -> dict[str, int]:
    cleaned = before.get(f"clean.{source}")
    if cleaned is None:
        return {}
    folder = layout.stage(config.work, cleaned.name, cleaned.fingerprint)
    found = _counted(list(ledger.receipts(folder).values()), "masked")
    return dict(sorted(found.items()))


def _manifest(work: Path, stage: Stage) -> dict[str, Any]:
    path = layout.manifest(layout.stage(work, stage.name, stage.fingerprint))
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
