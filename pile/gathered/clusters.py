"""Clusters of duplicates to look at, found in the first parts of a source.

What is looked at is bounded, so that a report on a terabyte costs little more than one on a
gigabyte: the first `PARTS` parts of each source, and the first `DUPLICATES` duplicates in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pile.report.figures import ClusterFigures, DuplicateFigures
from pile.stages.stage import Inputs, documents_of
from pile.texts import Texts

PARTS = 4
DUPLICATES = 1000
SHOWN = 3
"""Duplicates of a cluster that are shown."""

EXCERPT = 600
"""Characters of each document that are shown."""

LEAD = 120
"""Characters before the first difference that are shown too."""


@dataclass(frozen=True, slots=True)
class _Part:
    decisions: Path
    documents: Path
    rows: int


@dataclass(frozen=True, slots=True)
class _Gone:
    """A duplicate: its position among the parts looked at, and what was decided about it."""

    position: int
    id: str
    kind: str
    similarity: float
    kept: str


def clusters(
    inputs: Inputs, source: str, compared: Sequence[str], count: int
) -> tuple[ClusterFigures, ...]:
    """Return the clusters of a source that lose most, such with near duplicates first, ties by id.

    ``compared`` are the sources that its documents may be duplicates of, itself among them.
    """
    parts = _parts(inputs, source)
    found: dict[str, list[_Gone]] = {}
    for one in _gone(parts):
        found.setdefault(one.kept, []).append(one)
    ranked = sorted(found, key=lambda kept: (_all_exact(found[kept]), -len(found[kept]), kept))
    chosen = {kept: found[kept] for kept in ranked[:count]}
    texts = _texts_of(inputs, compared, list(chosen))
    here = _at(parts, [one.position for gone in chosen.values() for one in gone[:SHOWN]])
    return tuple(
        ClusterFigures(
            kept,
            len(gone),
            tuple(_pair(one, here[one.position], texts.get(kept, "")) for one in gone[:SHOWN]),
        )
        for kept, gone in chosen.items()
    )


def _all_exact(gone: Sequence[_Gone]) -> bool:
    return all(one.kind == "exact" for one in gone)


def _parts(inputs: Inputs, source: str) -> list[_Part]:
    decided, made = inputs.get(f"dedup.{source}"), documents_of(inputs, source)
    if decided is None or made is None:
        return []
    return [
        _Part(decided.folder / f"{path.stem}.parquet", path, int(part["counts"]["rows"]))
        for path, part in made.parts("documents/")[:PARTS]
    ]


def _gone(parts: Sequence[_Part]) -> list[_Gone]:
    found: list[_Gone] = []
    start = 0
    for part in parts:
        table = pq.read_table(part.decisions)
        rows = np.flatnonzero(table.column("duplicate").to_numpy())[: DUPLICATES - len(found)]
        for row, one in zip(rows.tolist(), table.take(pa.array(rows)).to_pylist(), strict=True):
            similarity = round(one["similarity"], 4)
            found.append(_Gone(start + row, one["id"], one["kind"], similarity, one["kept"]))
        start += part.rows
    return found


def _texts_of(inputs: Inputs, sources: Sequence[str], ids: Sequence[str]) -> dict[str, str]:
    """Return texts of documents by id, as far as they lie in the parts that are looked at."""
    wanted = pa.array(ids, pa.string())
    found: dict[str, str] = {}
    for parts in (_parts(inputs, source) for source in sources):
        start = 0
        for part in parts:
            column = pq.read_table(part.decisions, columns=["id"]).column(0)
            rows = np.flatnonzero(pc.is_in(column, wanted).to_numpy())
            names = column.take(pa.array(rows)).to_pylist()
            texts = _at(parts, (start + rows).tolist())
            found.update(zip(names, texts.values(), strict=True))
            start += part.rows
    return found


def _at(parts: Sequence[_Part], positions: Sequence[int]) -> dict[int, str]:
    texts = Texts([(part.documents, part.rows) for part in parts])
    return dict(zip(positions, texts.at(np.array(positions, np.int64)), strict=True))


def _pair(gone: _Gone, here: str, there: str) -> DuplicateFigures:
    skipped = 0
    if there and here != there:
        alike = (a == b for a, b in zip(here, there, strict=False))
        skipped = max(sum(takewhile(bool, alike)) - LEAD, 0)
    stop = skipped + EXCERPT
    return DuplicateFigures(
        gone.id, gone.kind, gone.similarity, skipped, here[skipped:stop], there[skipped:stop]
    )
