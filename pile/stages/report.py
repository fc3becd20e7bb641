"""Report: gather the figures of all stages and render them as one page and as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from pile import corpus, documents, draws, ledger, store
from pile.config import Config, SourceTable
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import HISTOGRAM, part_of
from pile.report.figures import (
    Figures,
    QuarantinedFile,
    SampleDocument,
    ShardFigures,
    SourceFigures,
    SplitFigures,
    TokenizerFigures,
    to_json,
)
from pile.report.page import render
from pile.stages import clean, decontaminate, lines, quality_filter, train_tokenizer
from pile.stages.fetch import LISTING
from pile.stages.quality_filter import BINS
from pile.stages.stage import FILTERS, Inputs, Made, Stage
from sources.published import PUBLISHED, Recognised, recognise
from sources.source import EXCERPT, Json
from tokenizer.files import TOKENIZER_JSON
from tokenizer.shape import describe

VERSION = 2
FOLDER = "report"
LONGEST_TOKENS = 20

EXCERPT_CHARACTERS = 4 * EXCERPT
"""How much of a sample document the page shows."""


def stage(config: Config, skipped: Sequence[str], before: Sequence[Stage]) -> Stage:
    """Return the stage that reports on all the others."""
    settings: dict[str, Json] = {
        "samples": config.report.samples,
        "name": config.corpus.name,
        "pile": version("pile"),
        "skipped": list(skipped),
        "sources": {table.name: [table.pile_set_name, table.epochs] for table in config.enabled},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        arguments = {"folder": folder, "config": config, "inputs": dict(inputs)}
        return [Task("report", "report", write, arguments)]

    return Stage("report", VERSION, settings, tuple(before), tasks)


def write(folder: Path, config: Config, inputs: Inputs) -> Receipt:
    """Publish report.html and figures.json."""
    figures = gather(config, inputs)
    page, numbers = folder / FOLDER / "report.html", folder / FOLDER / "figures.json"
    store.publish_bytes(page, render(figures).encode())
    store.publish_json(numbers, cast("Json", to_json(figures)))
    return Receipt("report", (part_of(folder, page, {}), part_of(folder, numbers, {})))


def gather(config: Config, inputs: Inputs) -> Figures:
    """Collect the figures of a run from its stages' manifests and receipts."""
    mixed, tokenized = _receipts(inputs["mix"]), _receipts(inputs["tokenize"])
    tokens = _total(receipt.figures["tokens"] for receipt in tokenized)
    read = [table for table in config.enabled if f"extract.{table.name}" in inputs]
    return Figures(
        title=config.corpus.name,
        seed=config.corpus.seed,
        config_digest=ledger.fingerprint(
            {name: made.manifest["fingerprint"] for name, made in sorted(inputs.items())}
        ),
        pile_version=version("pile"),
        sources=tuple(_source(config, table, inputs, mixed, tokens) for table in read),
        splits=tuple(_splits(mixed, tokenized)),
        tokenizer=_tokenizer(config, inputs, tokenized),
        shards=tuple(_shards(_receipts(inputs["shard"]))),
    )


def _receipts(made: Made) -> list[Receipt]:
    found = ledger.receipts(made.folder)
    return [found[task] for task in made.manifest["tasks"]]


def _total(counts: Iterable[object]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(cast("dict[str, int]", one))
    return total


def _sum(receipts: Iterable[Receipt], figure: str) -> int:
    return sum(cast("int", receipt.figures.get(figure, 0)) for receipt in receipts)


def _source(
    config: Config,
    table: SourceTable,
    inputs: Inputs,
    mixed: Sequence[Receipt],
    tokens: Mapping[str, int],
) -> SourceFigures:
    made = inputs[f"extract.{table.name}"]
    receipts = _receipts(made)
    filters = [inputs[name] for kind in FILTERS if (name := f"{kind}.{table.name}") in inputs]
    after = filters[-1] if filters else made
    rejected = _total(one.manifest["rejected"] for one in (made, *filters))
    reasons = {
        **table.source.reasons,
        **clean.REASONS,
        **quality_filter.REASONS,
        **lines.REASONS,
        **decontaminate.REASONS,
    }
    decided = inputs.get(f"dedup.{table.name}")
    return SourceFigures(
        name=table.name,
        pile_set_name=table.pile_set_name,
        licence=table.licence or table.source.licence,
        access=table.source.access,
        raw_files=_sum(receipts, "raw_files"),
        raw_bytes=_sum(receipts, "raw_bytes"),
        records=made.manifest["taken"],
        documents=after.manifest["given"],
        text_bytes=_sum(_receipts(after), "text_bytes"),
        rejected=rejected,
        explanations={reason: reasons.get(reason, "") for reason in rejected},
        quarantined=tuple(
            QuarantinedFile(bad["file"], bad["reason"]) for bad in made.manifest["quarantined"]
        ),
        cleaned=_cleaned(inputs.get(f"clean.{table.name}")),
        surrogates=_sum(receipts, "surrogates"),
        duplicates=decided.manifest["rejected"] if decided else {},
        epochs=table.epochs,
        corpus_documents=_by_split(mixed, "documents", table.name),
        corpus_bytes=_by_split(mixed, "text_bytes", table.name),
        tokens=tokens.get(table.pile_set_name, 0),
        published=PUBLISHED.get(table.name),
        lengths=_trimmed(_added(_receipts(after), "lengths", HISTOGRAM)),
        samples=tuple(_samples(config, table, after)),
        recognised=_recognised(inputs[f"fetch.{table.name}"]),
        **_quality(config, inputs.get(f"filter.{table.name}")),
    )


def _cleaned(made: Made | None) -> Counter[str]:
    return _total(receipt.figures["cleaned"] for receipt in _receipts(made)) if made else Counter()


def _quality(config: Config, filtered: Made | None) -> dict[str, Any]:
    if filtered is None:
        return {}
    receipts = _receipts(filtered)
    return {
        "alpha": config.quality.alpha,
        "scores": tuple(_added(receipts, "scores", BINS)),
        "kept_at": _total(receipt.figures["kept_at"] for receipt in receipts),
    }


def _recognised(fetched: Made) -> tuple[Recognised, ...]:
    """Return which of a source's raw files are those of the Pile of 2020, or called like them."""
    with (fetched.folder / LISTING).open(encoding="utf-8") as lines:
        files = map(json.loads, lines)
        found = (recognise(file["name"], file["checksum"]) for file in files)
        return tuple(one for one in found if one is not None)


def _by_split(mixed: Iterable[Receipt], figure: str, source: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for receipt in mixed:
        if receipt.figures:
            counts = cast("dict[str, int]", receipt.figures[figure])
            found[str(receipt.figures["split"])] += counts.get(source, 0)
    return {split: found[split] for split in corpus.SPLITS if found[split]}


def _added(receipts: Iterable[Receipt], figure: str, bins: int) -> list[int]:
    """Add up a histogram over receipts."""
    total = [0] * bins
    for receipt in receipts:
        for place, count in enumerate(cast("list[int]", receipt.figures.get(figure, []))):
            total[place] += count
    return total


def _trimmed(total: list[int]) -> tuple[int, ...]:
    while total and not total[-1]:
        total.pop()
    return tuple(total)


def _samples(config: Config, table: SourceTable, made: Made) -> list[SampleDocument]:
    """Draw documents to show: the same for the same seed."""
    parts = made.parts("documents/")
    total = sum(int(part["counts"]["rows"]) for _, part in parts)
    wanted = (
        {
            draws.key(config.corpus.seed, "report sample", table.name, number) * total >> 64
            for number in range(config.report.samples)
        }
        if total
        else set()
    )
    found: list[SampleDocument] = []
    start = 0
    for path, part in parts:
        rows = int(part["counts"]["rows"])
        inside = [place - start for place in wanted if start <= place < start + rows]
        for document in documents.take(path, inside) if inside else ():
            excerpt = document.text[:EXCERPT_CHARACTERS]
            found.append(SampleDocument(document.id, document.origin, document.licence, excerpt))
        start += rows
    return found


def _splits(mixed: Sequence[Receipt], tokenized: Sequence[Receipt]) -> list[SplitFigures]:
    found = []
    for split in corpus.SPLITS:
        parts = [one for one in mixed if one.figures and one.figures["split"] == split]
        if parts:
            found.append(
                SplitFigures(
                    split,
                    sum(one.given for one in parts),
                    sum(_total([one.figures["text_bytes"]]).total() for one in parts),
                    sum(
                        _total([one.figures["tokens"]]).total()
                        for one in tokenized
                        if one.figures["split"] == split
                    ),
                )
            )
    return found


def _tokenizer(config: Config, inputs: Inputs, tokenized: Sequence[Receipt]) -> TokenizerFigures:
    path = inputs[train_tokenizer.NAME].folder / train_tokenizer.FOLDER / TOKENIZER_JSON
    shape = describe(path.read_text(encoding="utf-8"), LONGEST_TOKENS)
    return TokenizerFigures(
        origin=Path(config.tokenizer.file).name if config.tokenizer.file else "trained",
        vocabulary=shape.vocabulary,
        merges=shape.merges,
        added=shape.added,
        longest=shape.longest,
        tokens=sum(_total([one.figures["tokens"]]).total() for one in tokenized),
        bytes=sum(_total([one.figures["text_bytes"]]).total() for one in tokenized),
    )


def _shards(sharded: Iterable[Receipt]) -> Iterator[ShardFigures]:
    for receipt in sharded:
        facts = cast("dict[str, Any]", receipt.figures["shard"])
        yield ShardFigures(
            receipt.task,
            str(receipt.figures["split"]),
            facts["documents"],
            facts["tokens"],
            facts["dtype"],
            facts["bin_bytes"],
            facts["sha256_bin"],
        )
