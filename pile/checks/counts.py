"""Count anew: from stage to stage nothing is lost, and corpus files hold what is published of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pile import corpus, ledger
from pile.checks.problems import Problem
from pile.config import Config
from pile.ledger import Receipt
from pile.stages.stage import FILTERS, Made, Stage, documents_of
from pile.states import published

_MIX = "mix"

_DOCUMENTS = ("extract", *FILTERS)
"""Stages that give a source's documents, by the first word of their names."""


def check_taken(config: Config, stage: Stage, finished: Made) -> Iterator[Problem]:
    """Yield a stage that did not take as many records as those before it gave."""
    inputs = {given.name: published(config, given) for given in stage.inputs}
    whole = {name: made for name, made in inputs.items() if made is not None}
    if len(whole) < len(inputs):
        return  # that is told of there
    given = _given(stage.name, whole)
    taken = finished.manifest["taken"]
    if given is not None and taken != given:
        yield Problem(
            stage.name,
            "manifest.json",
            f"{taken:,} taken in, of {given:,} given by the stage before",
        )


def _given(name: str, inputs: Mapping[str, Made]) -> int | None:
    """Return what a stage's inputs give it; nothing for stages that take other things than documents."""
    kind, _, source = name.partition(".")
    if kind in FILTERS or kind == "sign":
        before = documents_of(inputs, source)
        return int(before.manifest["given"]) if before else None
    if name == "scatter":
        sources = {one.partition(".")[2] for one in inputs if one.partition(".")[0] in _DOCUMENTS}
        last = (documents_of(inputs, one) for one in sorted(sources))
        return sum(int(one.manifest["given"]) for one in last if one)
    if name == _MIX:
        return _copies(inputs["scatter"])
    if name == "tokenize":
        return int(inputs[_MIX].manifest["given"])
    if name == "shard":
        return int(inputs["tokenize"].manifest["given"])
    return None


def _copies(scattered: Made) -> int | None:
    """Return how many copies of documents were drawn; nothing if a receipt is damaged."""
    receipts = ledger.every(scattered.folder)
    tasks = scattered.manifest["tasks"]
    if not receipts.keys() >= set(tasks):
        return None
    return sum(sum(cast("Any", receipts[task].figures["copies"]).values()) for task in tasks)


def check_corpus(finished: Made, broken: set[str]) -> Iterator[Problem]:
    """Read each corpus file to its end, and yield what is not as its receipt and provenance say."""
    for receipt in ledger.receipts(finished.folder).values():
        names = {part.name for part in receipt.parts}
        if names and not names & broken:
            yield from _check_file(finished.folder, receipt)


def _check_file(folder: Path, receipt: Receipt) -> Iterator[Problem]:
    import lm_dataformat  # noqa: PLC0415 - brings pandas along, and only this needs it

    part = receipt.parts[0]
    path = folder / part.name
    documents, text_bytes = Counter[str](), Counter[str]()
    rows = zip(corpus.provenance(path, ["source", "pile_set_name"]), corpus.read(path), strict=True)
    try:
        for row, ((source, called), line) in enumerate(rows):
            documents[source] += 1
            text_bytes[source] += len(line.text.encode())
            if called != line.pile_set_name:
                what = f"is of {line.pile_set_name}, and of {called} by its provenance"
                yield Problem(_MIX, part.name, what, row)
    except corpus.DAMAGED as error:
        yield Problem(_MIX, part.name, f"cannot be read beside its provenance: {error}")
        return
    counted = {"documents": documents, "text_bytes": text_bytes}
    for what, found in counted.items():
        if receipt.figures.get(what) != found:
            yield Problem(
                _MIX,
                part.name,
                f"{what} by source are {_plain(found)}, not {_plain(receipt.figures.get(what))}",
            )
    theirs = sum(1 for _ in lm_dataformat.Reader(str(path)).stream_data())
    if not documents.total() == theirs == part.counts["rows"]:
        yield Problem(
            _MIX,
            part.name,
            f"{part.counts['rows']:,} documents by the manifest, {documents.total():,} read, "
            f"{theirs:,} by lm_dataformat",
        )


def _plain(counts: Any) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted((counts or {}).items()))
