"""Fetch: a source's raw files, on this disk and known by digest."""

from collections.abc import Sequence
from pathlib import Path

from sources.fetch import fetch

from pile import store
from pile.config import SourceTable
from pile.engine import Task
from pile.ledger import Receipt
from pile.raw_files import Located, identity
from pile.stages.stage import Inputs, Stage
from sources.source import Json, RawFile

VERSION = 1


def stage(table: SourceTable, files: tuple[Located, ...]) -> Stage:
    """Return the stage that makes sure of a source's raw files."""
    settings: dict[str, Json] = {
        "source": table.name,
        "files": [dict(identity(file)) for file in files],
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        del folder, inputs
        name = f"fetch.{table.name}"
        local = [
            _entry(file.raw, file.raw.size or 0, file.raw.checksum or "")
            for file in files
            if file.is_local
        ]
        found = [Task(name, "local", note_local, {"files": local})] if local else []
        return found + [
            Task(
                name,
                f"download {file.raw.name}",
                download,
                {"raw": file.raw, "path": file.path},
                file.raw.size or 0,
            )
            for file in files
            if not file.is_local
        ]

    return Stage(f"fetch.{table.name}", VERSION, settings, (), tasks)


def note_local(files: list[dict[str, str | int]]) -> Receipt:
    """Record the user's own files, which stay where they are."""
    return Receipt("local", taken=len(files), given=len(files), figures={"files": list(files)})


def download(raw: RawFile, path: Path) -> Receipt:
    """Download one raw file, or go on where an earlier attempt stopped, and verify it."""
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        size, sha256 = store.digest(path)
    else:
        fetched = fetch(raw, partial)
        store.adopt(partial, path)
        size, sha256 = fetched.size, fetched.sha256
    entry = _entry(raw, size, f"sha256:{sha256}")
    return Receipt(f"download {raw.name}", taken=1, given=1, figures={"files": [entry]})


def _entry(raw: RawFile, size: int, checksum: str) -> dict[str, str | int]:
    return {"name": raw.name, "url": raw.url, "size": size, "checksum": checksum}
