"""Report: gather the figures of all stages and render them as one page and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from pile import corpus, ledger, store
from pile.compared import by_source, groups
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.gathered.ledgers import receipts_of, total
from pile.gathered.sources import sources
from pile.gathered.tokens import own_text, tokenizer
from pile.ledger import Receipt
from pile.parts import part_of
from pile.report.figures import Figures, ShardFigures, SplitFigures, to_json
from pile.report.page import render
from pile.stages.stage import Inputs, Stage
from sources.source import Json
from tokenizer.encode import Encoder

VERSION = 3
FOLDER = "report"
PAGE, FIGURES = "report.html", "figures.json"


def stage(config: Config, skipped: Sequence[str], before: Sequence[Stage]) -> Stage:
    """Return the stage that reports on all the others; raises `ConfigError`."""
    settings: dict[str, Json] = {
        "samples": config.report.samples,
        "clusters": config.report.clusters,
        "compare": [_digest(config, name) for name in config.report.compare],
        "name": config.corpus.name,
        "pile": version("pile"),
        "skipped": list(skipped),
        "sources": {table.name: [table.pile_set_name, table.epochs] for table in config.enabled},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        arguments = {
            "folder": folder,
            "config": config,
            "inputs": dict(inputs),
            "skipped": tuple(skipped),
        }
        return [Task("report", "report", write, arguments)]

    return Stage("report", VERSION, settings, tuple(before), tasks)


def _digest(config: Config, name: str) -> list[Json]:
    path = config.resolve(name)
    try:
        return [path.name, store.digest(path)[1]]
    except OSError as error:
        raise ConfigError(f"{config.path}: [report] compare: {error}") from error


def write(folder: Path, config: Config, inputs: Inputs, skipped: Sequence[str]) -> Receipt:
    """Publish the page and the figures."""
    figures = gather(config, inputs, skipped)
    page, numbers = folder / FOLDER / PAGE, folder / FOLDER / FIGURES
    store.publish_bytes(page, render(figures).encode())
    store.publish_json(numbers, cast("Json", to_json(figures)))
    return Receipt("report", (part_of(folder, page, {}), part_of(folder, numbers, {})))


def gather(config: Config, inputs: Inputs, skipped: Sequence[str]) -> Figures:
    """Collect the figures of a run from its stages' manifests, receipts and parts."""
    mixed, tokenized = receipts_of(inputs["mix"]), receipts_of(inputs["tokenize"])
    there = {name.removeprefix("dedup.") for name in inputs if name.startswith("dedup.")}
    compared = by_source(list(groups(config, there)))
    return Figures(
        title=config.corpus.name,
        seed=config.corpus.seed,
        config_digest=ledger.fingerprint(
            {name: made.manifest["fingerprint"] for name, made in sorted(inputs.items())}
        ),
        pile_version=version("pile"),
        sources=tuple(sources(config, inputs, Encoder(own_text(inputs)), compared)),
        splits=tuple(_splits(mixed, tokenized)),
        tokenizer=tokenizer(config, inputs, tokenized),
        shards=tuple(_shards(receipts_of(inputs["shard"]))),
        skipped=tuple(skipped),
        dedup=_rules(config) if there else {},
    )


def _rules(config: Config) -> dict[str, str]:
    """Return the rules by which duplicates are found, in words."""
    rules = config.dedup
    found: dict[str, str] = {"method": rules.method, "scope": rules.scope}
    if rules.method == "minhash":
        found["threshold"] = f"{rules.threshold:g}"
        found["shingles"] = f"{rules.ngram} words"
        found["permutations"] = str(rules.permutations)
    stays = rules.keep if rules.scope == "source" else dict.fromkeys(rules.priority, rules.prefer)
    return {**found, "stays": ", ".join(f"{keep} of {name}" for name, keep in stays.items())}


def _splits(mixed: Sequence[Receipt], tokenized: Sequence[Receipt]) -> Iterator[SplitFigures]:
    for split in corpus.SPLITS:
        parts = [one for one in mixed if one.figures and one.figures["split"] == split]
        tokens = [one for one in tokenized if one.figures["split"] == split]
        if parts:
            yield SplitFigures(
                split,
                sum(one.given for one in parts),
                total(one.figures["text_bytes"] for one in parts).total(),
                total(one.figures["tokens"] for one in tokens).total(),
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
