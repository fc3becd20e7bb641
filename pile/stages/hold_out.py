"""Hold out: which texts or lines the training split may not have, and as published, which are held out.

By ``hash``, scatter knows what is held out, and a text that is equal to one of these leaves the training
split. As ``published`` (the Pile's pass2_shuffle_holdout.py and dedupe_train.py), the first hundredth of
the lines of each train file, in its shuffled order, is held out: validation and test are the first of
them, the rest is held back; and a line that is equal to one of them, by SHA-256, leaves the files. What
has to be known of all files for it comes from one merge of sorted runs.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dedup.external import Workspace
from dedup.runs import Rows, Run, read_run, runs_of
from pile import draws
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.mixing import arrays
from pile.mixing.targets import NOTHING, Held
from pile.parts import part_of
from pile.settings import HELD_OUT, Mix
from pile.stages.scatter import DIGEST_BYTES, HELD, cuts_of
from pile.stages.stage import Inputs, Stage

VERSION = 1
NAME = "hold_out"

DIGESTS, DOCUMENTS = "digests.npy", "documents.npy"
"""Digests of what is held out, and these documents' places among all; both sorted."""

_BLOCK = 1 << 16


def stage(config: Config, scattered: Stage) -> Stage:
    """Return the stage that gathers what is held out."""

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        given = {
            "folder": folder,
            "parts": [path for path, _ in inputs["scatter"].parts(HELD)],
            "mix": config.mix,
            "files": cuts_of(inputs["scatter"]).train.files,
            "memory": config.run.sort_memory_mb << 20,
        }
        return [Task(NAME, NAME, hold_out, given)]

    return Stage(NAME, VERSION, {}, (scattered,), tasks)


def hold_out(folder: Path, parts: Sequence[Path], mix: Mix, files: int, memory: int) -> Receipt:
    """Publish digests and places of what is held out."""
    runs = [run for path in parts for run in runs_of(path)]
    found: list[Held] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".sort-", suffix=".tmp") as scratch:
        work = Workspace(Path(scratch), memory)
        if mix.hold_out == "published":
            counts = lines_of_files(runs, files)
            rows = work.written("held", _first_lines(work.merged(runs), counts, mix, found))
        else:
            rows = runs
        digests = _publish_digests(folder, work, rows)
        documents = _publish_documents(folder, work, rows)
    total = sum(run.rows for run in rows)
    files_held = [asdict(one) for one in found]
    parts_made = tuple(part_of(folder, path, {}) for path in (digests, documents))
    return Receipt(NAME, parts_made, total, total, figures={"files": files_held})


def lines_of_files(runs: Iterable[Run], files: int) -> NDArray[np.int64]:
    """Count the lines of each train file."""
    counts = np.zeros(files, np.int64)
    for run in runs:
        for rows in read_run(run, _BLOCK):
            counts += np.bincount(draws.slots(rows[:, 0], files), minlength=files)
    return counts


def held_lines(counts: NDArray[np.int64], mix: Mix) -> NDArray[np.int64]:
    """Return how many first lines of each file are validation, that and test, and held out in all."""
    shares = (mix.val, mix.val + mix.test, HELD_OUT)
    return np.column_stack([(counts * share).astype(np.int64) for share in shares])


def _first_lines(
    merged: Iterable[Rows], counts: NDArray[np.int64], mix: Mix, found: list[Held]
) -> Iterator[Rows]:
    """Yield the rows of the first lines of each file, and append where each file's parts end.

    ``merged`` are all rows by key, which are all of one file and then all of the next.
    """
    wanted = held_lines(counts, mix).tolist()
    ends = [[NOTHING] * 3 for _ in wanted]
    seen = [0] * len(wanted)
    for file, lines in _by_file(merged, len(counts)):
        for part, count in enumerate(wanted[file]):
            if seen[file] < count <= seen[file] + len(lines):
                ends[file][part] = int(lines[count - seen[file] - 1, 0])
        seen[file] += len(lines)
        last = ends[file][-1]
        stop = len(lines) if last == NOTHING else _up_to(lines, last)
        if wanted[file][-1] and stop:
            yield lines[:stop]
    found.extend(Held(lines, *end) for lines, end in zip(seen, ends, strict=True))


def _by_file(merged: Iterable[Rows], files: int) -> Iterator[tuple[int, Rows]]:
    for rows in merged:
        numbers, starts = np.unique(draws.slots(rows[:, 0], files), return_index=True)
        edges = [*starts.tolist(), len(rows)]
        for place, file in enumerate(numbers.tolist()):
            yield file, rows[edges[place] : edges[place + 1]]


def _up_to(lines: Rows, key: int) -> int:
    return int(np.searchsorted(lines[:, 0], np.uint64(key), "right"))


def _publish_digests(folder: Path, work: Workspace, held: Sequence[Run]) -> Path:
    path = folder / DIGESTS
    blocks = (rows[:, 1:3] for run in held for rows in read_run(run, _BLOCK))
    merged = work.merged(work.sorted("digests", blocks))
    # As bytes, in the order of the bytes: that of big-endian numbers.
    arrays.publish(path, f"S{DIGEST_BYTES}", _rows(held), (rows.astype(">u8") for rows in merged))
    return path


def _publish_documents(folder: Path, work: Workspace, held: Sequence[Run]) -> Path:
    path = folder / DOCUMENTS
    blocks = (rows[:, 3:] for run in held for rows in read_run(run, _BLOCK))
    merged = work.merged(work.sorted("documents", blocks))
    arrays.publish(path, "<u8", _rows(held), (rows.astype("<u8") for rows in merged))
    return path


def _rows(held: Sequence[Run]) -> int:
    return sum(run.rows for run in held)
