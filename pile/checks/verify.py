"""Trust nothing: check what a run published, from its bytes up.

Every part is re-hashed and its rows counted, the user's own raw files too, and nothing like a part may
lie beside them; receipts are summed anew, recipes, ledgers and manifests must be byte for byte what they
say; `pile.checks.counts` counts from stage to stage and in corpus files, and `pile.checks.tokens` looks
into tokens and shards. With a share to sample, that share of the tasks between raw files and corpus is
run once more, and what comes out is compared.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pile import layout, ledger, store
from pile.checks.again import remake
from pile.checks.counts import check_corpus, check_taken
from pile.checks.problems import Problem, damaged_parts
from pile.checks.tokens import check_tokens
from pile.config import Config
from pile.downloads.raw_files import Located
from pile.graph import Graph
from pile.stages.stage import Made, Stage
from pile.states import published, states


@dataclass(frozen=True, slots=True)
class Verified:
    """One stage that was checked: its files and bytes, tasks run once more, and problems found."""

    stage: str
    files: int
    size: int
    problems: tuple[Problem, ...]
    again: int = 0


def verify(
    config: Config, graph: Graph, names: Sequence[str] = (), share: float = 0.0
) -> Iterator[Verified]:
    """Check finished stages (all, or those named), yielding each as it is done.

    ``share`` is how much is made anew and compared. A stage that is not finished is a problem too.
    Raises KeyError for an unknown name.
    """
    wanted = [graph.named(name).name for name in names] or [stage.name for stage in graph.stages]
    for state in states(config, graph):
        if state.stage.name in wanted:
            yield _verify(config, graph, state.stage, share)


def _verify(config: Config, graph: Graph, stage: Stage, share: float) -> Verified:
    finished = published(config, stage)
    if finished is None:
        return Verified(stage.name, 0, 0, tuple(_check_unfinished(config, graph, stage)))
    problems = list(_check(config, graph, stage, finished, share))
    again = 0
    if share and not problems:
        again, found = remake(config, graph, stage, finished, share)
        problems.extend(found)
    parts = finished.manifest["parts"]
    size = sum(part["size"] for part in parts)
    return Verified(stage.name, len(parts), size, tuple(problems), again)


def _check_unfinished(config: Config, graph: Graph, stage: Stage) -> Iterator[Problem]:
    """Check what there is of a stage without a whole manifest, by its ledger."""
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    manifest = layout.manifest(folder)
    if not manifest.exists():
        yield Problem(stage.name, "", "not made yet; `pile run` makes it")
        return
    yield Problem(stage.name, manifest.name, "is damaged; `pile repair` makes it again")
    told = Made(folder, ledger.manifest(stage.recipe, ledger.every(folder).values()))
    yield from damaged_parts(stage.name, told)
    yield from _check_books(stage, told)
    books = {layout.recipe(folder), layout.receipts(folder), manifest}
    known = books | {path for path, _ in told.parts()}
    downloads = [file.path for file in _files(graph, stage.name) if not file.is_local]
    whole = {path.resolve() for path in known}
    for path in sorted((*folder.rglob("*"), *downloads)):
        if path.is_file() and path.resolve() not in whole:
            name = Path(os.path.relpath(path, folder)).as_posix()
            yield Problem(stage.name, name, "is in no whole record; `pile repair` makes it again")


def _check(
    config: Config, graph: Graph, stage: Stage, finished: Made, share: float
) -> Iterator[Problem]:
    name = stage.name
    bad = [*damaged_parts(name, finished), *_check_own_files(graph, name)]
    yield from bad
    yield from _check_strangers(name, finished)
    books = list(_check_books(stage, finished))
    yield from books
    broken = {problem.file for problem in bad}
    if not books:  # of damaged receipts and manifests no sum is right
        yield from _check_sums(name, finished)
        yield from check_taken(config, stage, finished)
    yield from _check_tables(name, finished, broken)
    if name == "mix":
        yield from check_corpus(finished, broken)
    if name in {"tokenize", "shard"}:
        yield from check_tokens(config, graph, finished, broken, share)


def _check_strangers(name: str, finished: Made) -> Iterator[Problem]:
    """Yield files that are no part, but lie where whoever reads a folder of parts takes them for one."""
    parts = finished.parts()
    known = {path for path, _ in parts}
    read = {(path.parent, path.suffix) for path, part in parts if "rows" in part["counts"]}
    for folder in sorted({folder for folder, _ in read}):
        for path in sorted(folder.iterdir() if folder.exists() else ()):
            is_read = (folder, path.suffix) in read and not path.name.startswith(".")
            if is_read and path not in known:
                what = "is not of this run, but lies among its files; take it away"
                yield Problem(name, str(path), what, is_users=True)


def _files(graph: Graph, name: str) -> Collection[Located]:
    """Return the raw files that a stage fetches."""
    return graph.files.get(name.removeprefix("fetch."), ()) if name.startswith("fetch.") else ()


def _check_own_files(graph: Graph, name: str) -> Iterator[Problem]:
    """Yield the user's own raw files that are no longer those that were read."""
    for file in _files(graph, name):
        if not file.is_local:
            continue
        try:
            _, sha256 = store.digest(file.path)
        except OSError as error:
            yield Problem(name, str(file.path), f"{error.strerror}; put it back", is_users=True)
            continue
        if f"sha256:{sha256}" != file.raw.checksum:
            what = "is not the file that was read, though its size and time are; put it back"
            yield Problem(name, str(file.path), what, is_users=True)


def _check_books(stage: Stage, finished: Made) -> Iterator[Problem]:
    """Yield recipe and ledger, and a sealed manifest, unless they are byte for byte as written."""
    found = [
        (layout.recipe(finished.folder), store.json_pieces(stage.recipe)),
        (layout.receipts(finished.folder), ledger.content(ledger.every(finished.folder).values())),
    ]
    if ledger.SEAL in finished.manifest:
        manifest = store.json_pieces(dict(finished.manifest))
        found.append((layout.manifest(finished.folder), manifest))
    for path, wanted in found:
        if not store.has_text(path, wanted):
            yield Problem(stage.name, path.name, "is damaged; `pile repair` makes it again")


def _check_sums(name: str, finished: Made) -> Iterator[Problem]:
    manifest = finished.manifest
    receipts = ledger.every(finished.folder)
    missing = [task for task in manifest["tasks"] if task not in receipts]
    if missing:
        yield Problem(name, layout.receipts(Path()).name, f"no receipt of {missing[0]}")
        return
    yield from _check_manifest(name, manifest, [receipts[task] for task in manifest["tasks"]])
    taken, given = manifest["taken"], manifest["given"]
    rejected = sum(manifest["rejected"].values())
    if taken != given + rejected:
        yield Problem(name, "manifest.json", f"{taken:,} in, {given:,} out, {rejected:,} rejected")


def _check_tables(name: str, finished: Made, broken: set[str]) -> Iterator[Problem]:
    """Yield tables that have not the rows they were published with."""
    for path, part in finished.parts():
        counted = path.suffix == ".parquet" and "rows" in part["counts"]
        if counted and part["name"] not in broken:
            yield from _check_rows(name, path, part)


def _check_manifest(
    name: str, manifest: Mapping[str, Any], receipts: Sequence[ledger.Receipt]
) -> Iterator[Problem]:
    summed = ledger.manifest(manifest["recipe"], receipts)
    for key in ("taken", "given", "rejected", "quarantined", "fingerprint"):
        if summed[key] != manifest[key]:
            yield Problem(name, "manifest.json", f"{key} is not what the receipts add up to")
    listed = {part["name"] for part in manifest["parts"]}
    missing = sorted({part["name"] for part in summed["parts"]} - listed)
    if missing:
        yield Problem(name, "manifest.json", f"does not list the part {missing[0]}")


def _check_rows(name: str, path: Path, part: Any) -> Iterator[Problem]:
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        yield Problem(name, part["name"], f"is no Parquet file: {error}")
        return
    if rows != part["counts"]["rows"]:
        yield Problem(name, part["name"], f"has {rows:,} rows, not {part['counts']['rows']:,}")
