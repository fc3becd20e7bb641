"""Trust nothing: check what a run published, from its bytes up.

Every part is re-hashed and its rows counted, receipts are summed anew, corpus files are read to their
end by our reader and by `lm_dataformat`'s, and `pile.verify_tokens` looks into tokens and shards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pile import corpus, layout, ledger, store
from pile.config import Config
from pile.graph import Graph
from pile.stages import mix
from pile.stages.stage import Made
from pile.states import published, states
from pile.verify_tokens import check_tokens


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was published: where, what, and what would mend it."""

    stage: str
    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """One stage that was checked: bytes read and problems found."""

    stage: str
    files: int
    size: int
    problems: tuple[Problem, ...]


def verify(config: Config, graph: Graph, names: Sequence[str] = ()) -> Iterator[Verified]:
    """Check finished stages (all, or those named), yielding each as it is done.

    A stage that is not finished is a problem too. Raises KeyError for an unknown name.
    """
    wanted = [graph.named(name).name for name in names] or [stage.name for stage in graph.stages]
    for state in states(config, graph):
        if state.stage.name not in wanted:
            continue
        finished = published(config, state.stage)
        if finished is None:
            problem = Problem(state.stage.name, "", "not made yet; `pile run` makes it")
            yield Verified(state.stage.name, 0, 0, (problem,))
            continue
        problems = tuple(_check(config, graph, state.stage.name, finished))
        parts = finished.manifest["parts"]
        yield Verified(state.stage.name, len(parts), sum(part["size"] for part in parts), problems)


def _check(config: Config, graph: Graph, name: str, finished: Made) -> Iterator[Problem]:
    bad = list(_check_parts(name, finished))
    yield from bad
    yield from _check_counts(name, finished)
    broken = {problem.file for problem in bad}
    if name == "mix":
        yield from _check_corpus(finished, broken)
    if name in {"tokenize", "shard"}:
        for file, what in check_tokens(config, graph, finished, broken):
            yield Problem(name, file, what)


def _check_parts(name: str, finished: Made) -> Iterator[Problem]:
    for path, part in finished.parts():
        try:
            size, sha256 = store.digest(path)
        except OSError as error:
            yield Problem(name, part["name"], f"{error.strerror}; `pile run` makes it again")
            continue
        if (size, sha256) != (part["size"], part["sha256"]):
            yield Problem(
                name,
                part["name"],
                f"has {size:,} bytes and digest {sha256[:12]}, not {part['size']:,} and "
                f"{part['sha256'][:12]}; delete it, and `pile run` makes it again",
            )


def _check_counts(name: str, finished: Made) -> Iterator[Problem]:
    manifest = finished.manifest
    receipts = ledger.receipts(finished.folder)
    missing = [task for task in manifest["tasks"] if task not in receipts]
    if missing:
        yield Problem(name, layout.receipts(Path()).name, f"no receipt of task {missing[0]}")
    yield from _check_sums(
        name, manifest, [receipts[task] for task in manifest["tasks"] if task in receipts]
    )
    taken, given = manifest["taken"], manifest["given"]
    rejected = sum(manifest["rejected"].values())
    if taken != given + rejected:
        yield Problem(name, "manifest.json", f"{taken:,} in, {given:,} out, {rejected:,} rejected")
    for path, part in finished.parts():
        if path.suffix == ".parquet" and path.exists() and "rows" in part["counts"]:
            yield from _check_rows(name, path, part)


def _check_sums(
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


def _check_corpus(finished: Made, broken: set[str]) -> Iterator[Problem]:
    for split in corpus.SPLITS:
        for path, part in finished.parts(f"{mix.FOLDER}/{split}/"):
            if part["name"] not in broken:
                yield from _check_corpus_file(path, part["name"], part["counts"]["rows"])


def _check_corpus_file(path: Path, name: str, rows: int) -> Iterator[Problem]:
    import lm_dataformat  # noqa: PLC0415 - brings pandas along, and only this needs it

    try:
        ours = sum(1 for _ in corpus.read(path))
    except corpus.DAMAGED as error:
        yield Problem("mix", name, f"cannot be read: {error}")
        return
    theirs = sum(1 for _ in lm_dataformat.Reader(str(path)).stream_data())
    if not ours == theirs == rows:
        yield Problem(
            "mix",
            name,
            f"{rows:,} documents by the manifest, {ours:,} read, {theirs:,} by lm_dataformat",
        )
