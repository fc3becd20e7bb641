"""Clusters of duplicates, to be read side by side."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pile import documents
from pile.commands.show import NothingToShowError
from pile.compared import groups
from pile.config import Config
from pile.graph import Graph
from pile.states import made


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document that goes: why ("exact" or "near"), and how similar it is to what it matched."""

    id: str
    kind: str
    similarity: float
    matched: str
    text: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A document that stays, with duplicates of it; its text is empty if an earlier corpus has it."""

    kept: str
    text: str
    duplicates: tuple[Duplicate, ...]


MOST = 8
"""Duplicates of a cluster that are shown."""


def clusters(config: Config, graph: Graph, source: str, count: int) -> list[Cluster]:
    """Return the first clusters that lose a document of a source.

    Raises `NothingToShowError` for a source without decisions.
    """
    rows = list(_first(_decisions(config, graph, source), count))
    wanted = {row[key] for row in rows for key in ("id", "kept")}
    texts = dict(_texts(config, graph, source, wanted))
    found: dict[str, list[Duplicate]] = {}
    for row in rows:
        one = Duplicate(row["id"], row["kind"], row["similarity"], row["matched"], texts[row["id"]])
        found.setdefault(row["kept"], []).append(one)
    return [
        Cluster(kept, texts.get(kept, ""), tuple(duplicates)) for kept, duplicates in found.items()
    ]


def _decisions(config: Config, graph: Graph, source: str) -> Sequence[Path]:
    name = f"dedup.{source}"
    if name not in {stage.name for stage in graph.stages}:
        raise NothingToShowError(
            f"{source!r} is not deduplicated here; see [dedup] in {config.path}"
        )
    finished = made(config, graph.named(name))
    if finished is None:
        raise NothingToShowError(f"{name} is not made yet; `pile run -c {config.path}` makes it")
    return [path for path, _ in finished.parts()]


def _first(paths: Sequence[Path], count: int) -> Iterator[dict[str, Any]]:
    """Yield the decisions about the first clusters, at most `MOST` duplicates of each."""
    shown: dict[str, int] = {}
    for path in paths:
        table = pq.read_table(path)
        for row in table.filter(table.column("duplicate")).to_pylist():
            if row["kept"] not in shown and len(shown) == count:
                continue
            shown[row["kept"]] = shown.get(row["kept"], 0) + 1
            if shown[row["kept"]] <= MOST:
                yield row
        if len(shown) == count:
            return


def _texts(
    config: Config, graph: Graph, source: str, wanted: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield id and text of documents, wherever in the sources compared with this one they are."""
    there = {stage.name.removeprefix("dedup.") for stage in graph.stages}
    group = next(one for one in groups(config, there) if source in one.sources)
    ids = pa.array(sorted(wanted), pa.string())
    for name in group.sources:
        finished = made(config, graph.named(f"extract.{name}"))
        for path, _ in finished.parts("documents/") if finished else ():
            for batch in documents.batches(path, ["id", "text"]):
                inside = batch.filter(pc.is_in(batch.column("id"), ids))
                yield from zip(*(column.to_pylist() for column in inside.columns), strict=True)
