"""Look at what is there: documents, rejected records, corpus lines and shards."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pile import corpus, documents
from pile.config import Config
from pile.graph import Graph
from pile.stages import train_tokenizer
from pile.stages.stage import FILTERS, Made
from pile.states import made
from shards.reader import Shard
from sources.source import Json
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON

WITH_DOCUMENTS = ("extract", *FILTERS)
"""Stages of a source that hold its documents and what they rejected, in their order."""


class NothingToShowError(Exception):
    """There is no such file or finished stage."""


def show(config: Config, graph: Graph, what: str, count: int) -> list[Json]:
    """Return the first ``count`` records of a file, or of a stage or source by name.

    Raises `NothingToShowError`.
    """
    paths = _paths(config, graph, what)
    records = itertools.chain.from_iterable(_records(config, graph, path) for path in paths)
    return list(itertools.islice(records, count))


def show_rejected(
    config: Config, graph: Graph, what: str, count: int, reason: str = ""
) -> list[Json]:
    """Return the first ``count`` records that a stage, or all stages of a source, rejected.

    ``reason`` asks for those of one reason. Each says its stage. Of a source's stages those that are
    made are shown. Raises `NothingToShowError`.
    """
    names = _rejecting(graph, what)
    finished = {name: made(config, graph.named(name)) for name in names}
    if not any(finished.values()):
        raise _not_made(config, names[0])
    records = (
        {"stage": name, **record}
        for name, stage in finished.items()
        if stage is not None
        for path, _ in stage.parts("rejected/")
        for record in _rows(path)
        if reason in {"", record["reason"]}
    )
    return list(itertools.islice(records, count))


def not_shown(config: Config, graph: Graph, what: str, reason: str = "") -> list[str]:
    """Return what is to be said of rejected records that are not shown: why there are none."""
    remarks = []
    counted: Counter[str] = Counter()
    for name in _rejecting(graph, what):
        stage = made(config, graph.named(name))
        if stage is None:
            remarks.append(f"{_not_made(config, name)}; what it rejects is not among these")
        else:
            counted.update(stage.manifest["rejected"])
    if reason and reason not in counted:
        others = ", ".join(f"{one} {number:,}" for one, number in sorted(counted.items()))
        remarks.append(f"nothing was rejected as {reason!r}; counted are: {others or 'none'}")
    return remarks


def _rejecting(graph: Graph, what: str) -> list[str]:
    """Return the stages meant that keep what they reject, in their order; one at least."""
    names = {stage.name for stage in graph.stages}
    of_source = [f"{kind}.{what}" for kind in WITH_DOCUMENTS]
    stages = [what] if what in names else [name for name in of_source if name in names]
    if not stages:
        raise _unknown(what, names)
    if stages[0].partition(".")[0] not in WITH_DOCUMENTS:
        raise NothingToShowError(f"{what} keeps no rejected records; those of a source are shown")
    return stages


def _paths(config: Config, graph: Graph, what: str) -> list[Path]:
    names = {stage.name for stage in graph.stages}
    name = what if what in names else f"extract.{what}"
    if name in names:
        return _parts(config, graph, name)
    if Path(what).is_file():
        return [Path(what)]
    raise _unknown(what, names)


def _unknown(what: str, names: Collection[str]) -> NothingToShowError:
    known = ", ".join(sorted(names))
    return NothingToShowError(f"{what!r} is neither a source or stage here, nor a file: {known}")


def _finished(config: Config, graph: Graph, name: str) -> Made:
    finished = made(config, graph.named(name))
    if finished is None:
        raise _not_made(config, name)
    return finished


def _not_made(config: Config, name: str) -> NothingToShowError:
    return NothingToShowError(f"{name} is not made yet; `pile run -c {config.path}` makes it")


def _parts(config: Config, graph: Graph, name: str) -> list[Path]:
    finished = _finished(config, graph, name)
    if name.partition(".")[0] in WITH_DOCUMENTS:
        return [path for path, _ in finished.parts("documents/")]
    if name in {"tokenize", "shard"}:
        return [path.with_suffix(".bin") for path, _ in finished.parts() if path.suffix == ".idx"]
    return [path for path, _ in finished.parts() if path.suffix in {".parquet", ".zst"}]


def _records(config: Config, graph: Graph, path: Path) -> Iterator[Json]:
    if path.name.endswith(".jsonl.zst"):
        return (
            {"text": line.text, "pile_set_name": line.pile_set_name} for line in corpus.read(path)
        )
    if path.suffix in {".bin", ".idx"}:
        return _tokens(config, graph, path)
    if path.suffix == ".parquet":
        return _rows(path)
    raise NothingToShowError(f"{path}: can show .parquet, .jsonl.zst, .bin and .idx files")


def _rows(path: Path) -> Iterator[dict[str, Json]]:
    schema = pq.read_schema(path)
    for batch in documents.batches(path, schema.names):
        yield from batch.to_pylist()


def _tokens(config: Config, graph: Graph, path: Path) -> Iterator[Json]:
    """Decode a shard's documents with this configuration's tokenizer."""
    finished = made(config, graph.named(train_tokenizer.NAME))
    if finished is None:
        raise NothingToShowError("there is no tokenizer yet to decode tokens with")
    encoder = Encoder.load(finished.folder / train_tokenizer.FOLDER / TOKENIZER_JSON)
    shard = Shard.open(path.with_suffix(""))
    for number in range(len(shard)):
        tokens = shard[number]
        yield {
            "document": number,
            "tokens": tokens.tolist(),
            "text": encoder.decode(tokens.tolist()),
        }
