"""Dedup: decide which documents of a source are duplicates, from all their signatures at once.

The decisions of each document part lie in a part of the same name, row by row.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq

from dedup.bands import Bands, choose_bands
from dedup.clusters import decide
from dedup.decisions import Decisions
from dedup.signatures import Signatures
from pile import store
from pile.config import ConfigError, Dedup
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 1


def stage(settings: Dedup, source: str, signed: Stage) -> Stage:
    """Return the stage that decides about one source's documents, in their order."""
    keep = settings.keep[source]

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = [path for path, _ in inputs[signed.name].parts()]
        arguments = {"folder": folder, "parts": parts, "bands": _bands(settings), "keep": keep}
        return [Task(f"dedup.{source}", "decide", decide_all, arguments)] if parts else []

    named: dict[str, Json] = {"method": settings.method, "keep": keep}
    if settings.method == "minhash":
        named["threshold"] = settings.threshold
    return Stage(f"dedup.{source}", VERSION, named, (signed,), tasks)


def _bands(settings: Dedup) -> Bands:
    if settings.method == "minhash":
        try:
            return choose_bands(settings.threshold, settings.permutations)
        except ValueError as error:
            raise ConfigError(
                f"[dedup] threshold = {settings.threshold} cannot be told with "
                f"permutations = {settings.permutations}: {error}; give more permutations"
            ) from error
    return Bands(1, 1)  # without signatures there is nothing to cut into bands


def decide_all(
    folder: Path, parts: Sequence[Path], bands: Bands, keep: Literal["first", "last"]
) -> Receipt:
    """Decide about all documents and publish the decisions part by part."""
    decisions = decide(_read(parts), bands, keep)
    counts = decisions.counts()
    published = tuple(_publish(folder, parts, decisions))
    rejected = {kind: counts[kind] for kind in ("exact", "near") if counts[kind]}
    return Receipt("decide", published, counts["documents"], counts["survivors"], rejected)


def _read(parts: Sequence[Path]) -> Iterator[Signatures]:
    return (Signatures.from_table(pq.read_table(part)) for part in parts)


def _publish(folder: Path, parts: Sequence[Path], decisions: Decisions) -> Iterator[Part]:
    start = 0
    for part in parts:
        stop = start + pq.read_metadata(part).num_rows
        path = folder / part.name
        with store.publish(path) as attempt:
            pq.write_table(decisions.to_table(start, stop), attempt, compression="zstd")
        yield part_of(folder, path, {"rows": stop - start})
        start = stop
