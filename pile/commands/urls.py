"""``pile urls``: lists of the pages that Reddit's submissions link to, from the user's own dumps.

The folder of lists is published whole or not at all. How many workers sort the dumps decides nothing.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from tqdm import tqdm

from pile import store
from pile.config import ConfigError
from sources.formats.reddit_links import (
    FIDELITIES,
    Choice,
    Page,
    SortedDump,
    Tally,
    pages,
    sort_dump,
)
from sources.source import Json

SUFFIX = ".urls.jsonl"
"""End of a list's name: whoever reads it gets the pages it names."""

COUNTS = "counts.json"

Progress: TypeAlias = Callable[[int], object]
"""Hears how many bytes of dumps are sorted, or submissions taken from the runs."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What was made of the dumps: ``submissions`` is ``given`` plus all of ``rejected``."""

    folder: str
    files: int
    pages: int
    submissions: int
    given: int
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Lists:
    """Where lists go, which pages they hold, and how many each."""

    folder: Path
    min_score: int = 3
    fidelity: str = "published"
    pages_per_file: int = 1000


def list_urls(dumps: Sequence[Path], lists: Lists, workers: int = 0) -> Listed:
    """Write lists as `write_lists` does, on all cores if ``workers`` is 0, with bars on a terminal."""
    total = sum(dump.stat().st_size for dump in dumps if dump.is_file())
    with (
        tqdm(total=total, desc="sort", unit="B", unit_scale=True, disable=None) as sorting,
        tqdm(desc="list", unit=" submissions", unit_scale=True, disable=None) as listing,
    ):
        count = workers or os.cpu_count() or 1
        return write_lists(dumps, lists, count, sorting.update, listing.update)


def write_lists(
    dumps: Sequence[Path], lists: Lists, workers: int, on_dump: Progress, on_page: Progress
) -> Listed:
    """Write the lists of the pages that dumps link to; the dumps' order decides nothing.

    ``on_dump`` hears of the compressed bytes of each dump that is sorted, ``on_page`` of the
    submissions of each page. Raises `ConfigError` for a folder that is there already or a dump that
    is not, and `sources.source.UnreadableFile` for a dump that is cut or damaged.
    """
    _check(dumps, lists)
    lists.folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    with tempfile.TemporaryDirectory(
        dir=lists.folder.absolute().parent, prefix=".urls-", suffix=".tmp"
    ) as runs_folder:
        runs: list[Path] = []
        for dump in _sorted(_in_order(dumps), Path(runs_folder), workers, on_dump):
            tally.add(dump)
            runs.extend(dump.runs)
        choice = Choice(lists.min_score, lists.fidelity)
        found = pages(sorted(runs), Path(runs_folder), choice, tally)
        with store.publish(lists.folder) as attempt:
            attempt.mkdir()
            files = _write(_heard(found, on_page), attempt, lists.pages_per_file)
            listed = _listed(lists.folder, files, tally)
            _write_counts(attempt / COUNTS, listed)
    return listed


def _check(dumps: Sequence[Path], lists: Lists) -> None:
    if lists.fidelity not in FIDELITIES:
        raise ConfigError(f"fidelity {lists.fidelity!r} is none of {', '.join(FIDELITIES)}")
    if os.path.lexists(lists.folder):
        raise ConfigError(f"{lists.folder} is there already; remove it, or name another with -o")
    for dump in dumps:
        if not dump.is_file():
            raise ConfigError(f"{dump}: there is no such file; name dumps as RS_2019-05.zst")


def _in_order(dumps: Iterable[Path]) -> list[Path]:
    """Return each dump once, in order of names: of equal submissions the first's counts."""
    return sorted({dump.resolve() for dump in dumps}, key=lambda dump: (dump.name, str(dump)))


def _sorted(
    dumps: Sequence[Path], folder: Path, workers: int, on_dump: Progress
) -> Iterator[SortedDump]:
    if workers == 1 or len(dumps) == 1:
        for number, path in enumerate(dumps):
            yield sort_dump(path, number, folder)
            on_dump(path.stat().st_size)
        return
    with ProcessPoolExecutor(min(workers, len(dumps)), get_context("spawn")) as pool:
        sizes: dict[Future[SortedDump], int] = {
            pool.submit(sort_dump, path, number, folder): path.stat().st_size
            for number, path in enumerate(dumps)
        }
        try:
            for done in as_completed(sizes):
                yield done.result()
                on_dump(sizes[done])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _heard(found: Iterable[Page], on_page: Progress) -> Iterator[Page]:
    for page in found:
        yield page
        on_page(page.submissions)


def _write(found: Iterable[Page], folder: Path, pages_per_file: int) -> int:
    """Write the lists, so many pages each; returns how many lists."""
    waiting: list[bytes] = []
    files = 0
    for page in found:
        waiting.append(page.line())
        if len(waiting) == pages_per_file:
            files = _write_one(waiting, folder, files)
            waiting.clear()
    return _write_one(waiting, folder, files) if waiting else files


def _write_one(lines: Sequence[bytes], folder: Path, number: int) -> int:
    (folder / f"{number:05d}{SUFFIX}").write_bytes(b"".join(lines))
    return number + 1


def _listed(folder: Path, files: int, tally: Tally) -> Listed:
    return Listed(
        folder=str(folder),
        files=files,
        pages=tally.pages,
        submissions=tally.submissions,
        given=tally.given,
        rejected=dict(sorted(tally.rejected.items())),
    )


def _write_counts(path: Path, listed: Listed) -> None:
    counts: dict[str, Json] = {
        "submissions": listed.submissions,
        "given": listed.given,
        "pages": listed.pages,
        "rejected": dict(listed.rejected),
    }
    path.write_text(store.canonical(counts) + "\n", encoding="utf-8")
