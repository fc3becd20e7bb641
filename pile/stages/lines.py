"""Lines: cut from a source's documents the lines or paragraphs that came before, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dedup.lines import without_units
from dedup.runs import read_run, runs_of
from pile import documents
from pile.engine import Task
from pile.ledger import Receipt
from pile.outcomes import write_outcomes
from pile.settings import Lines
from pile.stages.line_repeats import REPEATS
from pile.stages.stage import Inputs, Stage
from sources.source import Document, Rejected, excerpt

VERSION = 2

REASON = "only_repeated_lines"
REASONS = {REASON: "All lines or paragraphs that are not short came before in the source."}


@dataclass(slots=True)
class Tally:
    """How many documents lost units, and how many characters those were."""

    cut: int = 0
    characters: int = 0


def stage(settings: Lines, source: str, read: Stage, repeats: Stage) -> Stage:
    """Return the stage that cuts what came before."""
    name = f"lines.{source}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        found: list[Task] = []
        first = 0
        shared = {
            "folder": folder,
            "repeats": inputs[repeats.name].folder / REPEATS,
            "unit": settings.unit,
        }
        for path, part in inputs[read.name].parts("documents/"):
            given = {**shared, "part": path, "first": first}
            found.append(Task(name, path.stem, cut, given, part["size"]))
            first += part["counts"]["rows"]
        return found

    return Stage(name, VERSION, {"unit": settings.unit}, (read, repeats), tasks)


def cut(folder: Path, part: Path, first: int, repeats: Path, unit: str) -> Receipt:
    """Publish the documents of one part without their repeated units."""
    gone = units_of(repeats, first, first + documents.rows(part))
    tally = Tally()
    outcomes = (
        _without(document, gone.get(number, ()), unit, tally)
        for number, document in enumerate(documents.read(part), first)
    )
    receipt = write_outcomes(folder, part.stem, outcomes)
    counted = {"documents_cut": tally.cut, "characters_cut": tally.characters}
    return replace(receipt, figures={**receipt.figures, **counted})


def units_of(repeats: Path, start: int, stop: int) -> Mapping[int, Sequence[int]]:
    """Return the repeated units of the documents from ``start`` up to ``stop``."""
    found: dict[int, list[int]] = {}
    for run in runs_of(repeats):
        for rows in read_run(run, max(run.rows, 1)):
            low, high = np.searchsorted(rows[:, 0], (start, stop))
            for document, unit in rows[low:high].tolist():
                found.setdefault(document, []).append(unit)
    return found


def _without(
    document: Document, units: Sequence[int], unit: str, tally: Tally
) -> Document | Rejected:
    if not units:
        return document
    text = without_units(document.text, units, unit)
    tally.cut += 1
    tally.characters += len(document.text) - len(text)
    if not text.strip():
        return Rejected(document.origin, REASON, excerpt(document.text))
    return replace(document, text=text)
