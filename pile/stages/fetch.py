"""Fetch: a source's raw files, on this disk and known by digest.

What is downloaded lies in ``raw/<source>/``, outside the stage's folder, so that a changed plan
fetches only what is new. The user's own files stay where they are.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pile import store
from pile.config import SourceTable
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.raw_files import Located, identity
from pile.stages.stage import Inputs, Stage
from sources.fetch import fetch
from sources.source import Json, RawFile

VERSION = 1
LISTING = "raw_files.json"
"""Every raw file of the source: name, address, size, checksum."""


def stage(table: SourceTable, files: tuple[Located, ...]) -> Stage:
    """Return the stage that makes sure of a source's raw files."""
    settings: dict[str, Json] = {
        "source": table.name,
        "files": [dict(identity(file)) for file in files],
    }
    name = f"fetch.{table.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        del inputs
        local = [_entry(file.raw, file.raw.size or 0) for file in files if file.is_local]
        found = [Task(name, "local", note_local, {"files": local})] if local else []
        return found + [
            Task(
                name,
                f"download {file.raw.name}",
                download,
                {"raw": file.raw, "path": file.path, "folder": folder},
                file.raw.size or 0,
            )
            for file in files
            if not file.is_local
        ]

    return Stage(name, VERSION, settings, (), tasks, finish=write_listing)


def note_local(files: list[dict[str, Json]]) -> Receipt:
    """Record the user's own files."""
    return Receipt("local", taken=len(files), given=len(files), figures={"files": files})


def download(raw: RawFile, path: Path, folder: Path) -> Receipt:
    """Download one raw file, or go on where an earlier attempt stopped, and verify it.

    Raises `sources.fetch.UpstreamError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        size, sha256 = store.digest(path)
    else:
        partial = path.with_name(path.name + ".partial")
        fetched = fetch(raw, partial)
        store.adopt(partial, path)
        size, sha256 = fetched.size, fetched.sha256
    part = Part(os.path.relpath(path, folder), size, sha256)
    found = _entry(RawFile(raw.url, raw.name, size, raw.checksum or f"sha256:{sha256}"), size)
    return Receipt(f"download {raw.name}", (part,), 1, 1, figures={"files": [found]})


def write_listing(folder: Path, receipts: Sequence[Receipt]) -> Sequence[Part]:
    """Publish the list of all raw files."""
    files: list[Json] = []
    for receipt in receipts:
        found = receipt.figures["files"]
        files.extend(found if isinstance(found, list) else [])
    store.publish_json(folder / LISTING, files)
    return [part_of(folder, folder / LISTING, {"files": len(files)})]


def _entry(raw: RawFile, size: int) -> dict[str, Json]:
    # Where the user's own files lie decides nothing, and may change.
    url = "" if raw.url.startswith("file:") else raw.url
    return {"name": raw.name, "url": url, "size": size, "checksum": raw.checksum}
