"""Line units: the digests of a source's lines or paragraphs, sorted, part by part."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dedup.lines import unit_rows
from dedup.runs import Rows, spool
from pile import documents, store
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.settings import Lines
from pile.stages.stage import Inputs, Stage

VERSION = 1

SORTED_BYTES = 256 << 20
"""Memory in which the digests of a part are sorted."""


def stage(settings: Lines, source: str, read: Stage) -> Stage:
    """Return the stage that digests the units of a source's documents."""
    name = f"line_units.{source}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        found: list[Task] = []
        first = 0
        for path, part in inputs[read.name].parts("documents/"):
            given = {"folder": folder, "part": path, "first": first, "settings": settings}
            found.append(Task(name, path.stem, digest_units, given, part["size"]))
            first += part["counts"]["rows"]
        return found

    decisive = {"unit": settings.unit, "least": settings.least}
    return Stage(name, VERSION, decisive, (read,), tasks)


def digest_units(folder: Path, part: Path, first: int, settings: Lines) -> Receipt:
    """Write the sorted units of one part, whose first document is number ``first`` of the source."""
    path = folder / f"{part.stem}.run"
    with store.publish(path) as attempt:
        spool(_rows(part, first, settings), SORTED_BYTES, attempt)
    rows = documents.rows(part)
    return Receipt(part.stem, (part_of(folder, path, {"rows": rows}),), rows, rows)


def _rows(part: Path, first: int, settings: Lines) -> Iterator[Rows]:
    for batch in documents.batches(part, ["text"]):
        yield unit_rows(batch.column(0).to_pylist(), first, settings.unit, settings.least)
        first += batch.num_rows
