"""How far a run is: which stages are done, from their manifests and parts alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pile import layout, ledger, store
from pile.config import Config
from pile.graph import Graph
from pile.stages.stage import Made, Stage
from pile.summaries import Summary, read_summary

MANIFEST_KEYS = {
    "fingerprint",
    "given",
    "parts",
    "quarantined",
    "recipe",
    "rejected",
    "seal",
    "taken",
    "tasks",
}
"""What `pile.ledger.manifest` gives, and the seal on it."""


@dataclass(frozen=True, slots=True)
class State:
    """How far a stage is: ``done``, ``partial`` (some tasks or parts missing), or ``to do``.

    ``summary`` is of the manifest that it published, if any, even where parts are gone since.
    """

    stage: Stage
    folder: Path
    state: Literal["done", "partial", "to do"]
    summary: Summary | None


def states(config: Config, graph: Graph) -> list[State]:
    """Return how far each stage is."""
    return [state_of(config, stage) for stage in graph.stages]


def state_of(config: Config, stage: Stage) -> State:
    """Return how far one stage is."""
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    found = read_summary(folder)
    if found is not None and found.whole:
        return State(stage, folder, "done", found)
    begun = layout.receipts(folder).exists()
    return State(stage, folder, "partial" if begun else "to do", found)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a stage's manifest, or None while it has none, or a damaged one: it is made again."""
    path = layout.manifest(folder)
    if not path.exists():
        return None
    try:
        found: Any = json.loads(path.read_bytes())
        whole = found.keys() >= MANIFEST_KEYS and ledger.sealed(found) == found
    except (ValueError, AttributeError):
        return None
    return dict(found) if whole else None


def made(config: Config, stage: Stage) -> Made | None:
    """Return a stage that is done, its parts all there, or None."""
    found = published(config, stage)
    if found is None or not all(
        store.has_size(found.folder, part["name"], part["size"]) for part in found.manifest["parts"]
    ):
        return None
    return found


def published(config: Config, stage: Stage) -> Made | None:
    """Return what a stage has published, even if parts of it are gone since; None without manifest."""
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    found = read_manifest(folder)
    return Made(folder, found) if found is not None else None
