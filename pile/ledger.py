"""What is done: fingerprints of recipes, receipts of finished tasks, and resume.

A recipe is everything that decides a stage's bytes; its hash is the fingerprint under which the
output lies. A receipt is appended when a task's parts have their final names, so what the ledger
lists exists, and whatever it does not list is done again. Receipts and manifests carry a **seal**, the
digest of the rest, so that a changed digit is as noticeable as a torn line.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from pile import layout, store
from sources.source import Json

FINGERPRINT_DIGITS = 16

SEAL = "seal"
"""Key under which receipts and manifests hold their own digest."""

Counts: TypeAlias = dict[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a stage's output: name below the stage's folder, bytes on disk, digest, counts."""

    name: str
    size: int
    sha256: str
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A raw file set aside: what was read from it is kept out of the output."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one task did. ``taken`` must equal ``given`` plus all of ``rejected``.

    ``taken`` counts the records that came in, ``given`` those that went out, ``rejected`` the
    others by reason; ``figures`` holds whatever else the report wants.
    """

    task: str
    parts: tuple[Part, ...] = ()
    taken: int = 0
    given: int = 0
    rejected: Counts = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    figures: Mapping[str, Json] = field(default_factory=dict)


class ConservationError(Exception):
    """A task took in more or fewer records than it gave out and rejected."""


def check_conservation(stage: str, receipt: Receipt) -> None:
    """Refuse a receipt whose records do not add up."""
    rejected = sum(receipt.rejected.values())
    if receipt.taken != receipt.given + rejected:
        raise ConservationError(
            f"{stage}, task {receipt.task}: took {receipt.taken:,} records, gave {receipt.given:,} "
            f"and rejected {rejected:,}; nothing of it is published. This is a defect: please "
            f"report it with the raw files of this task."
        )


def fingerprint(recipe: Json) -> str:
    """Hash a recipe; equal recipes give equal fingerprints on every machine."""
    return _digest(recipe)[:FINGERPRINT_DIGITS]


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the digest of all its other keys."""
    rest = {key: inner for key, inner in value.items() if key != SEAL}
    return {**rest, SEAL: _digest(rest)}


def _digest(value: Json) -> str:
    """Return the SHA-256 of a value in its one form."""
    sha = hashlib.sha256()
    for piece in store.canonical_pieces(value):
        sha.update(piece.encode("utf-8", "backslashreplace"))
    return sha.hexdigest()


def append(folder: Path, receipt: Receipt) -> None:
    """Record that a task is done; its parts must have their final names by now."""
    store.append_line(layout.receipts(folder), _line(receipt))


def every(folder: Path) -> dict[str, Receipt]:
    """Return the latest receipt of every task, whether its parts are still there or not."""
    path = layout.receipts(folder)
    if not path.exists():
        return {}
    found: dict[str, Receipt] = {}
    with path.open("rb") as lines:
        for line in lines:
            receipt = _parse(line)
            if receipt is not None:
                found[receipt.task] = receipt
    return {task: found[task] for task in sorted(found)}


def receipts(folder: Path) -> dict[str, Receipt]:
    """Return the latest receipt of every task whose parts are all there with their sizes."""
    found = every(folder)
    return {task: receipt for task, receipt in found.items() if _is_there(folder, receipt)}


def content(receipts: Iterable[Receipt]) -> Iterator[str]:
    """Yield a finished stage's ledger: one line a task, in order of their names."""
    for receipt in sorted(receipts, key=lambda receipt: receipt.task):
        yield f"{_line(receipt)}\n"


def rewrite(folder: Path, receipts: Iterable[Receipt]) -> None:
    """Put these receipts in the ledger's place, in order: its bytes then tell no order of events."""
    store.publish_text(layout.receipts(folder), content(receipts))


def manifest(recipe: Json, receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Sum up a finished stage: parts, counts and quarantined files, in order of the tasks."""
    ordered = sorted(receipts, key=lambda receipt: receipt.task)
    rejected: Counts = {}
    for receipt in ordered:
        for reason, count in receipt.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    return {
        "fingerprint": fingerprint(recipe),
        "recipe": recipe,
        "tasks": [receipt.task for receipt in ordered],
        "taken": sum(receipt.taken for receipt in ordered),
        "given": sum(receipt.given for receipt in ordered),
        "rejected": rejected,
        "quarantined": [asdict(bad) for receipt in ordered for bad in receipt.quarantined],
        "parts": [plain(part) for receipt in ordered for part in receipt.parts],
    }


def plain(part: Part) -> dict[str, Any]:
    """Return a part as JSON; `dataclasses.asdict` takes ten times as long."""
    return {
        "name": part.name,
        "size": part.size,
        "sha256": part.sha256,
        "counts": part.counts,
    }


def _line(receipt: Receipt) -> str:
    plain_parts = list(map(plain, receipt.parts))
    return store.canonical(sealed({**asdict(replace(receipt, parts=())), "parts": plain_parts}))


def _parse(line: bytes) -> Receipt | None:
    """Read one line; a torn or damaged line is as if it had never been written."""
    try:
        value = json.loads(line)
        if sealed(value) != value:
            return None
        return Receipt(
            task=value["task"],
            parts=tuple(Part(**part) for part in value["parts"]),
            taken=value["taken"],
            given=value["given"],
            rejected=value["rejected"],
            quarantined=tuple(Quarantined(**bad) for bad in value["quarantined"]),
            figures=value["figures"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_there(folder: Path, receipt: Receipt) -> bool:
    return all(store.has_size(folder, part.name, part.size) for part in receipt.parts)
