"""What became of each source, from the manifests and receipts of the stages that it passed."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pile import corpus
from pile.compared import Group
from pile.config import Config, SourceTable
from pile.gathered.clusters import clusters
from pile.gathered.ledgers import (
    by_name,
    histogram,
    histograms,
    receipts_of,
    sum_of,
    total,
    trimmed,
)
from pile.gathered.samples import samples
from pile.gathered.tokens import fits
from pile.ledger import Receipt
from pile.parts import HISTOGRAM
from pile.report.figures import FitFigures, QuarantinedFile, SourceFigures
from pile.stages import clean, decontaminate, lines, quality_filter
from pile.stages.fetch import LISTING
from pile.stages.quality_filter import BINS
from pile.stages.stage import FILTERS, Inputs, Made, documents_of
from sources.published import KINDS, PUBLISHED, Recognised, recognise
from tokenizer.encode import Encoder
from tokenizer.published import PUBLISHED_TOKENS

OWN = "your own"
"""The kind of text of what is no component of the Pile."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What sources have in common: receipts by stage, sums by component, and how to look inside."""

    config: Config
    inputs: Inputs
    mixed: Sequence[Receipt]
    scattered: Mapping[str, Sequence[Receipt]]
    tokens: Mapping[str, int]
    fits: Mapping[str, FitFigures]
    densities: Mapping[str, list[int]]
    groups: Mapping[str, Group]
    encoder: Encoder


def sources(
    config: Config, inputs: Inputs, encoder: Encoder, groups: Mapping[str, Group]
) -> Iterator[SourceFigures]:
    """Yield the figures of every source that was read."""
    tokenized = receipts_of(inputs["tokenize"])
    read = [table for table in config.enabled if f"extract.{table.name}" in inputs]
    whole = Whole(
        config,
        inputs,
        receipts_of(inputs["mix"]),
        _scattered(inputs, {table.name for table in read}),
        by_name(tokenized, "tokens"),
        fits(tokenized),
        histograms(tokenized, "densities"),
        groups,
        encoder,
    )
    for table in read:
        yield _source(whole, table)


def _scattered(inputs: Inputs, names: Collection[str]) -> dict[str, list[Receipt]]:
    """Return the receipts of scattering by source."""
    found: dict[str, list[Receipt]] = {name: [] for name in names}
    for receipt in receipts_of(inputs["scatter"]):
        found[str(receipt.figures["source"])].append(receipt)
    return found


def _source(whole: Whole, table: SourceTable) -> SourceFigures:
    made, after = whole.inputs[f"extract.{table.name}"], documents_of(whole.inputs, table.name)
    if after is None:
        raise ValueError(f"{table.name} was read, and has no documents")
    receipts, kept = receipts_of(made), receipts_of(after)
    report, seed = whole.config.report, whole.config.corpus.seed
    return SourceFigures(
        name=table.name,
        pile_set_name=table.pile_set_name,
        licence=table.licence or table.source.licence,
        access=table.source.access,
        kind=KINDS.get(table.name, OWN),
        raw_files=sum_of(receipts, "raw_files"),
        raw_bytes=sum_of(receipts, "raw_bytes"),
        records=made.manifest["taken"],
        documents=after.manifest["given"],
        text_bytes=sum_of(kept, "text_bytes"),
        quarantined=tuple(
            QuarantinedFile(bad["file"], bad["reason"]) for bad in made.manifest["quarantined"]
        ),
        cleaned=_cleaned(whole.inputs.get(f"clean.{table.name}")),
        surrogates=sum_of(receipts, "surrogates"),
        published=PUBLISHED.get(table.name),
        lengths=trimmed(histogram(kept, "lengths", HISTOGRAM)),
        samples=samples(after, whole.encoder, seed, table.name, report.samples),
        recognised=_recognised(whole.inputs[f"fetch.{table.name}"]),
        **_rejected(whole.inputs, table),
        **_benchmarks(whole, table),
        **_duplicates(whole, table),
        **_mixed(whole, table),
        **_tokenized(whole, table.pile_set_name),
        **_quality(whole.config, whole.inputs.get(f"filter.{table.name}")),
    )


def _cleaned(made: Made | None) -> Counter[str]:
    return by_name(receipts_of(made), "cleaned") if made else Counter()


def _rejected(inputs: Inputs, table: SourceTable) -> dict[str, Any]:
    steps = [
        inputs[name] for kind in ("extract", *FILTERS) if (name := f"{kind}.{table.name}") in inputs
    ]
    rejected = total(one.manifest["rejected"] for one in steps)
    reasons = {
        **table.source.reasons,
        **clean.REASONS,
        **quality_filter.REASONS,
        **lines.REASONS,
        **decontaminate.REASONS,
    }
    explanations = {reason: reasons.get(reason, "") for reason in rejected}
    return {"rejected": rejected, "explanations": explanations}


def _benchmarks(whole: Whole, table: SourceTable) -> dict[str, Any]:
    made = whole.inputs.get(f"decontaminate.{table.name}")
    if made is None:
        return {}
    receipts = receipts_of(made)
    hits, short = by_name(receipts, "hits"), by_name(receipts[:1], "too_short_to_find")
    names = sorted(whole.config.decontaminate.benchmarks)
    return {"benchmarks": {name: hits[name] for name in names}, "too_short": dict(short)}


def _duplicates(whole: Whole, table: SourceTable) -> dict[str, Any]:
    decided = whole.inputs.get(f"dedup.{table.name}")
    if decided is None or not decided.manifest["rejected"]:
        return {"duplicates": decided.manifest["rejected"] if decided else {}}
    group = whole.groups.get(table.name)
    compared = group.sources if group else (table.name,)
    found = clusters(whole.inputs, table.name, compared, whole.config.report.clusters)
    return {"duplicates": decided.manifest["rejected"], "clusters": found}


def _mixed(whole: Whole, table: SourceTable) -> dict[str, Any]:
    scattered = whole.scattered[table.name]
    unmixed = total(receipt.rejected for receipt in scattered)
    del unmixed["duplicate"]  # counted by kind already
    unmixed.update(_left_out(whole.mixed, table.name))
    # Shares, or a total, may have asked for other epochs than the table names.
    epochs = {cast("float", receipt.figures["epochs"]) for receipt in scattered}
    return {
        "epochs": max(epochs, default=table.epochs),
        "once_documents": sum_of(scattered, "available_documents"),
        "once_bytes": sum_of(scattered, "available_bytes"),
        "unmixed": unmixed,
        "corpus_documents": _by_split(whole.mixed, "documents", table.name),
        "corpus_bytes": _by_split(whole.mixed, "text_bytes", table.name),
    }


def _left_out(mixed: Iterable[Receipt], source: str) -> Counter[str]:
    """Count a source's copies that are in no split, by reason."""
    found: Counter[str] = Counter()
    for receipt in mixed:
        reasons = cast("dict[str, dict[str, int]]", receipt.figures.get("rejected", {}))
        found.update({reason: by[source] for reason, by in reasons.items() if by.get(source)})
    return found


def _tokenized(whole: Whole, name: str) -> dict[str, Any]:
    return {
        "tokens": whole.tokens.get(name, 0),
        "fit": whole.fits.get(name, FitFigures()),
        "densities": trimmed(list(whole.densities.get(name, ()))),
        "published_tokens": PUBLISHED_TOKENS.get(name),
    }


def _by_split(mixed: Iterable[Receipt], figure: str, source: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for receipt in mixed:
        if receipt.figures:
            counts = cast("dict[str, int]", receipt.figures[figure])
            found[str(receipt.figures["split"])] += counts.get(source, 0)
    return {split: found[split] for split in corpus.SPLITS if found[split]}


def _quality(config: Config, filtered: Made | None) -> dict[str, Any]:
    if filtered is None:
        return {}
    receipts = receipts_of(filtered)
    return {
        "alpha": config.quality.alpha,
        "scores": tuple(histogram(receipts, "scores", BINS)),
        "kept_at": total(receipt.figures["kept_at"] for receipt in receipts),
    }


def _recognised(fetched: Made) -> tuple[Recognised, ...]:
    """Return which of a source's raw files are those of the Pile of 2020, or called like them."""
    with (fetched.folder / LISTING).open(encoding="utf-8") as listed:
        files = map(json.loads, listed)
        found = (recognise(file["name"], file["checksum"]) for file in files)
        return tuple(one for one in found if one is not None)
