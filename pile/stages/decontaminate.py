"""Decontaminate: drop or cut a source's documents that share word n-grams with benchmarks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from dedup.decontaminate import Grams, Hit, cut_hits, find_hits, grams_of
from pile import documents, store
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.ledger import Receipt
from pile.outcomes import write_outcomes
from pile.settings import Decontaminate
from pile.stages.stage import Inputs, Stage
from sources import local
from sources.source import Document, Json, RawFile, Rejected, UnreadableFile, excerpt

VERSION = 2

REASON = "contaminated"
REASONS = {REASON: "It shares a run of words with a benchmark, or was cut into too many pieces."}

BREAK = "\n\n"
"""What stands between the pieces of a text that hits were cut from."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A file of texts, the name that hits are attributed to, and the digest it is to have."""

    name: str
    path: Path
    sha256: str


class BadBenchmarkError(Exception):
    """A benchmark's file that is another than planned with, or holds what is no text."""


@dataclass(slots=True)
class Tally:
    """How many documents were cut, and how many hold runs of each benchmark."""

    cut: int = 0
    hits: Counter[str] = field(default_factory=Counter)


def stage(config: Config, source: str, read: Stage) -> Stage:
    """Return the stage that decontaminates a source; raises `ConfigError` for a missing file."""
    settings = config.decontaminate
    benchmarks = tuple(_benchmark(config, name) for name in sorted(settings.benchmarks))
    name = f"decontaminate.{source}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        shared = {"folder": folder, "benchmarks": benchmarks, "settings": settings}
        return [
            Task(name, path.stem, decontaminate, {**shared, "part": path}, part["size"])
            for path, part in inputs[read.name].parts("documents/")
        ]

    decisive = {
        "benchmarks": {one.name: one.sha256 for one in benchmarks},
        "ngram": settings.ngram,
        "action": settings.action,
        **({"margin": settings.margin} if settings.action == "cut" else {}),
    }
    return Stage(name, VERSION, decisive, (read,), tasks)


def decontaminate(
    folder: Path, part: Path, benchmarks: tuple[Benchmark, ...], settings: Decontaminate
) -> Receipt:
    """Publish the documents of one part that are clean, or what is left of them."""
    grams = _grams(benchmarks, settings.ngram)
    tally = Tally()
    receipt = write_outcomes(folder, part.stem, _outcomes(part, grams, settings, tally))
    counted: dict[str, Json] = {
        "documents_cut": tally.cut,
        "hits": dict(sorted(tally.hits.items())),
        "too_short_to_find": dict(grams.short),
    }
    return replace(receipt, figures={**receipt.figures, **counted})


def _outcomes(
    part: Path, grams: Grams, settings: Decontaminate, tally: Tally
) -> Iterator[Document | Rejected]:
    for batch in documents.batches(part):
        hits = find_hits(batch.column("text"), grams)
        for document, found in zip(documents.batch_documents(batch), hits, strict=True):
            yield _clean(document, found, settings, tally)


def _clean(
    document: Document, hits: Sequence[Hit], settings: Decontaminate, tally: Tally
) -> Document | Rejected:
    if not hits:
        return document
    names = sorted({name for hit in hits for name in hit.benchmarks})
    tally.hits.update(names)
    pieces = cut_hits(document.text, hits, settings.margin) if settings.action == "cut" else []
    if not pieces:
        shown = excerpt(document.text[hits[0].start : hits[0].stop])
        return Rejected(document.origin, REASON, shown, ", ".join(names))
    tally.cut += 1
    meta = {**document.meta, "cut_for": names}
    return replace(document, text=BREAK.join(pieces), meta=meta)


def _benchmark(config: Config, name: str) -> Benchmark:
    path = config.resolve(config.decontaminate.benchmarks[name])
    if not path.is_file():
        raise ConfigError(
            f"{config.path}: [decontaminate.benchmarks] {name} = {str(path)!r}: no such file; "
            "give texts as .txt, .jsonl or any other form that your own files may have"
        )
    return Benchmark(name, path, store.digest(path)[1])


@lru_cache(maxsize=1)
def _grams(benchmarks: tuple[Benchmark, ...], ngram: int) -> Grams:
    """Read the benchmarks once a process; raises `BadBenchmarkError`."""
    return grams_of({one.name: _texts(one) for one in benchmarks}, ngram)


def _texts(benchmark: Benchmark) -> Iterator[str]:
    path = benchmark.path
    where = f"[decontaminate.benchmarks] {benchmark.name} = {str(path)!r}"
    if store.digest(path)[1] != benchmark.sha256:
        raise BadBenchmarkError(f"{where}: changed since this run began; run again")
    raw = RawFile(path.as_uri(), path.name)
    empty = True
    try:
        for item in local.SOURCE.read(path, raw, local.SOURCE.defaults):
            if isinstance(item, Rejected):
                told = f"{item.origin}: {item.reason} {item.excerpt}".rstrip()
                raise BadBenchmarkError(f"{where}: {told}; leave out what is no text")
            empty = False
            yield item.text
    except UnreadableFile as error:
        raise BadBenchmarkError(f"{where}: {error}") from error
    if empty:
        raise BadBenchmarkError(f"{where}: holds no text; give another file, or leave it out")
