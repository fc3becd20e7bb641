"""Fetch: a source's raw files, on this disk and known by digest.

What is downloaded lies in ``raw/<source>/``, outside the stage's folder, so that a changed plan
fetches only what is new. The user's own files stay where they are.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pile import layout, store
from pile.config import Config, SourceTable
from pile.downloads.guests import guest
from pile.downloads.raw_files import Located, identity
from pile.downloads.transfers import Order, download
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.rows import Rows
from pile.stages.stage import Inputs, Stage
from sources.source import Json

VERSION = 1
LISTING = "raw_files.jsonl"
"""Every raw file of the source, one a line, by name: name, address, size, checksum."""

GROUP_BYTES = 64 << 20
GROUP_FILES = 256
"""Small files are downloaded together, until a task has this much to download or this many files."""

FEW_TASKS = 1024
"""Files of unknown size may be large: they are grouped only where there are more of them than this."""


def stage(config: Config, table: SourceTable, files: Collection[Located]) -> Stage:
    """Return the stage that makes sure of a source's raw files."""
    settings: dict[str, Json] = {
        "source": table.name,
        "files": Rows(len(files), lambda: map(identity, files)),
    }
    name = f"fetch.{table.name}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        del inputs
        remote = [file for file in files if not file.is_local]
        local = len(files) - len(remote)
        found = [Task(name, "local", note_local, {"files": local})] if local else []
        return found + (_downloads(config, table, folder, remote) if remote else [])

    def finish(folder: Path, receipts: Sequence[Receipt]) -> Sequence[Part]:
        store.publish_lines(folder / LISTING, _listed(folder, files, receipts))
        return [part_of(folder, folder / LISTING, {"files": len(files)})]

    return Stage(name, VERSION, settings, (), tasks, finish=finish)


def note_local(files: int) -> Receipt:
    """Record how many files are the user's own."""
    return Receipt("local", taken=files, given=files)


def _listed(
    folder: Path, files: Collection[Located], receipts: Sequence[Receipt]
) -> Iterator[dict[str, Json]]:
    """Yield what the list of raw files says of each: of a download what came, by its receipt."""
    came = {part.name: part for receipt in receipts for part in receipt.parts}
    for file in files:
        raw, size, checksum = file.raw, file.raw.size or 0, file.raw.checksum
        if not file.is_local:
            part = came[os.path.relpath(file.place, folder)]
            size, checksum = part.size, checksum or f"sha256:{part.sha256}"
        # Where the user's own files lie decides nothing, and may change.
        url = "" if raw.url.startswith("file:") else raw.url
        yield {"name": raw.name, "url": url, "size": size, "checksum": checksum}


def _downloads(
    config: Config, table: SourceTable, folder: Path, files: Sequence[Located]
) -> list[Task]:
    doubted = _doubted(folder, files)
    who, journals = guest(config, table.source), layout.journals(config.work)
    tasks = []
    for number, group in enumerate(groups(files)):
        name = f"{number:06d} {group[0].raw.name}"
        unsure = doubted.intersection(file.raw.name for file in group)
        order = Order(table.name, name, group, folder, who, journals, unsure)
        weight = sum(file.raw.size or 0 for file in group)
        tasks.append(Task(f"fetch.{table.name}", name, download, {"order": order}, weight))
    return tasks


def groups(files: Sequence[Located]) -> Iterator[tuple[Located, ...]]:
    """Cut a source's files, in order of their names, into what one task downloads each."""
    unknown = sum(file.raw.size is None for file in files)
    at_most = min(GROUP_FILES, -(-unknown // FEW_TASKS)) or 1
    group: list[Located] = []
    weight = 0
    for file in files:
        size = file.raw.size
        # As many files of unknown size fill a group as may be together.
        share = GROUP_BYTES // at_most if size is None else max(size, GROUP_BYTES // GROUP_FILES)
        if group and weight + share > GROUP_BYTES:
            yield tuple(group)
            group, weight = [], 0
        group.append(file)
        weight += share
    if group:
        yield tuple(group)


def _doubted(folder: Path, files: Sequence[Located]) -> frozenset[str]:
    """Return which names stood for other files in an earlier plan; what that gave is undone.

    A file of that name may be either's, so that it counts only if its published checksum is right.
    """
    others = [one for one in sorted(folder.parent.iterdir()) if one != folder]
    others = [one for one in others if layout.recipe(one).exists()]
    wanted = {file.raw.name: identity(file) for file in files} if others else {}
    doubted: set[str] = set()
    for other in others:
        differ = _that_differ(_files_of(other), wanted)
        if differ:
            store.discard(layout.manifest(other))
            store.discard(layout.receipts(other))
        doubted |= differ
    return frozenset(doubted)


def _files_of(folder: Path) -> list[dict[str, Any]] | None:
    """Return the files of an earlier plan, or None if that cannot be told."""
    try:
        recipe = json.loads(layout.recipe(folder).read_text(encoding="utf-8"))
        files: list[dict[str, Any]] = recipe["settings"]["files"]
    except (ValueError, KeyError, TypeError):
        return None
    return files


def _that_differ(
    earlier: list[dict[str, Any]] | None, wanted: Mapping[str, Mapping[str, Json]]
) -> set[str]:
    if earlier is None:
        return set(wanted)
    downloads = [one for one in earlier if "url" in one and one["name"] in wanted]
    return {one["name"] for one in downloads if one != wanted[one["name"]]}
