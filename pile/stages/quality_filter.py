"""Filter: keep a source's documents as their quality score and their own draw say, part by part.

What is kept has its score in ``meta.quality``; what is not is rejected as ``low_quality``, its score as
the detail.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pile import documents
from pile.cleaning.quality.model import load, score, slots_of
from pile.cleaning.quality.rule import PUBLISHED_SHARES, chance, draw
from pile.cleaning.quality.words import excerpt, words
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import PartSeries
from pile.stages.quality_model import MODEL
from pile.stages.stage import Inputs, Stage
from sources.source import EXCERPT, Json

VERSION = 2
REASON = "low_quality"
REASONS = {REASON: "The draw that its quality score makes unlikely to be won was lost."}

ROWS = 1000
"""Documents that are scored at a time."""

BINS = 20
"""Bins of the histogram of scores, of equal width."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How documents are drawn: a seed, and how much the score counts."""

    seed: int
    alpha: float


def stage(config: Config, source: str, extracted: Stage, trained: Stage) -> Stage:
    """Return the stage that filters a source's documents by its model."""
    drawing = Draw(config.corpus.seed, config.quality.alpha)
    settings: dict[str, Json] = {"seed": drawing.seed, "alpha": drawing.alpha}

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        shared = {
            "folder": folder,
            "model": inputs[trained.name].folder / MODEL,
            "drawing": drawing,
        }
        return [
            Task(f"filter.{source}", path.stem, keep, {**shared, "part": path}, part["size"])
            for path, part in inputs[extracted.name].parts("documents/")
        ]

    return Stage(f"filter.{source}", VERSION, settings, (extracted, trained), tasks)


@dataclass(slots=True)
class Tally:
    """What filtering counted: scores by bin, and what each alpha of the paper would keep."""

    seen: int = 0
    scores: Counter[int] = field(default_factory=Counter)
    kept_at: Counter[str] = field(default_factory=Counter)

    def add(self, score: float, drawn: float) -> None:
        """Count one document."""
        self.seen += 1
        self.scores[min(int(score * BINS), BINS - 1)] += 1
        for alpha in PUBLISHED_SHARES:
            self.kept_at[str(alpha)] += drawn < chance(score, alpha)

    def figures(self, kept: PartSeries) -> dict[str, Json]:
        """Return what the report shows of these documents."""
        return {
            "text_bytes": kept.text_bytes,
            "lengths": [int(count) for count in kept.lengths],
            "scores": [self.scores[place] for place in range(BINS)],
            "kept_at": dict(sorted(self.kept_at.items())),
        }


def keep(folder: Path, part: Path, model: Path, drawing: Draw) -> Receipt:
    """Score the documents of one part, and publish those kept and those rejected."""
    trained = load(model)
    slots = slots_of(trained.words)
    tally = Tally()
    with (
        PartSeries(folder, f"documents/{part.stem}", documents.DOCUMENTS) as kept,
        PartSeries(folder, f"rejected/{part.stem}", documents.REJECTED) as refused,
    ):
        for batch in _slices(part):
            texts = words([excerpt(text.as_py()) for text in batch.column("text")])
            scores = score(trained, slots, texts).tolist()
            chosen = pa.array(_draw(batch.column("id"), scores, drawing, tally), pa.bool_())
            kept.extend(_kept(batch, scores, chosen))
            refused.extend(_rejected(batch, scores, chosen))
    rejected = {REASON: refused.rows} if refused.rows else {}
    parts = (*kept.parts, *refused.parts)
    figures = tally.figures(kept)
    return Receipt(part.stem, parts, tally.seen, kept.rows, rejected, figures=figures)


def _slices(part: Path) -> Iterator[pa.RecordBatch]:
    for batch in documents.batches(part):
        for start in range(0, batch.num_rows, ROWS):
            yield batch.slice(start, ROWS)


def _draw(ids: pa.Array, scores: Sequence[float], drawing: Draw, tally: Tally) -> list[bool]:
    """Tell which documents win their draw."""
    won = []
    for identity, one in zip(ids.to_pylist(), scores, strict=True):
        drawn = draw(drawing.seed, identity)
        tally.add(one, drawn)
        won.append(drawn < chance(one, drawing.alpha))
    return won


def _kept(
    batch: pa.RecordBatch, scores: Sequence[float], chosen: pa.Array
) -> Iterator[pa.RecordBatch]:
    """Yield the documents chosen, with their scores."""
    metas = [
        _with_score(meta, one)
        for meta, one, won in zip(
            batch.column("meta").to_pylist(), scores, chosen.to_pylist(), strict=True
        )
        if won
    ]
    if metas:
        left = batch.filter(chosen)
        place = left.schema.get_field_index("meta")
        yield left.set_column(place, documents.DOCUMENTS.field("meta"), pa.array(metas))


def _with_score(meta: str, score: float) -> str:
    found = {**json.loads(meta), "quality": round(score, 4)}
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _rejected(
    batch: pa.RecordBatch, scores: Sequence[float], chosen: pa.Array
) -> Iterator[pa.RecordBatch]:
    """Yield the documents that lost as rejected records."""
    begins = pa.compute.utf8_slice_codeunits(batch.column("text"), 0, EXCERPT).to_pylist()
    lost = [
        (origin, f"score {one:.4f}", begin)
        for origin, one, begin, won in zip(
            batch.column("origin").to_pylist(), scores, begins, chosen.to_pylist(), strict=True
        )
        if not won
    ]
    if lost:
        origins, details, shown = map(pa.array, zip(*lost, strict=True))
        columns = [origins, pa.array([REASON] * len(lost)), details, shown]
        yield pa.RecordBatch.from_arrays(columns, schema=documents.REJECTED)
