"""Why a stage runs again: the field-level difference between the recipe wanted and those on disk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pile import layout
from pile.config import Config
from pile.states import State
from sources.source import Json


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a recipe that differs: its path, the value on disk and the value wanted."""

    field: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Why:
    """A stage's state, and how its recipe differs from the newest other one on disk."""

    stage: str
    fingerprint: str
    state: str
    reason: str
    compared_with: str
    changes: tuple[Change, ...]


def why(config: Config, state: State) -> Why:
    """Explain the state of one stage."""
    stage = state.stage
    older = _newest_other(config, state)
    if older is None:
        return Why(stage.name, stage.fingerprint, state.state, _reason(state, ()), "", ())
    before = json.loads(layout.recipe(older).read_text(encoding="utf-8"))
    changes = tuple(differences(before, stage.recipe))
    reason = _reason(state, changes)
    return Why(stage.name, stage.fingerprint, state.state, reason, older.name, changes)


def _newest_other(config: Config, state: State) -> Path | None:
    folder = layout.stage_folders(config.work, state.stage.name)
    if not folder.exists():
        return None
    found = [one for one in folder.iterdir() if one != state.folder and layout.recipe(one).exists()]
    return max(
        found, key=lambda one: (layout.recipe(one).stat().st_mtime_ns, one.name), default=None
    )


def _reason(state: State, changes: tuple[Change, ...]) -> str:
    if state.state == "done":
        return "up to date"
    if state.state == "partial":
        return "some of its tasks or parts are missing: only these are made"
    if not changes:
        return "never made here"
    return "; ".join(f"{change.field} changed" for change in changes[:3])


def differences(before: Json, after: Json, path: str = "") -> Iterator[Change]:
    """Yield the fields in which two JSON values differ, in order of their paths."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            inner = f"{path}.{key}" if path else key
            yield from differences(before.get(key), after.get(key), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    else:
        yield Change(path, before, after)
