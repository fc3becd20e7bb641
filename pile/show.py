"""Look at what is there: documents, rejected records, corpus lines and shards."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pile import corpus, documents
from pile.config import Config
from pile.graph import Graph
from pile.stages import train_tokenizer
from pile.stages.stage import FILTERS
from pile.states import made
from shards.reader import Shard
from sources.source import Json
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON


class NothingToShowError(Exception):
    """There is no such file or finished stage."""


def show(config: Config, graph: Graph, what: str, count: int, *, rejected: bool) -> list[Json]:
    """Return the first ``count`` records of a file, or of a stage or source by name.

    ``rejected`` asks for what a source rejected instead of its documents. Raises
    `NothingToShowError`.
    """
    paths = _paths(config, graph, what, rejected=rejected)
    records = itertools.chain.from_iterable(_records(config, graph, path) for path in paths)
    return list(itertools.islice(records, count))


def _paths(config: Config, graph: Graph, what: str, *, rejected: bool) -> list[Path]:
    names = {stage.name for stage in graph.stages}
    name = what if what in names else f"extract.{what}"
    if name in names:
        return _parts(config, graph, name, rejected=rejected)
    if Path(what).is_file():
        return [Path(what)]
    raise NothingToShowError(
        f"{what!r} is neither a source or stage here, nor a file: {', '.join(sorted(names))}"
    )


def _parts(config: Config, graph: Graph, name: str, *, rejected: bool) -> list[Path]:
    has_documents = name.partition(".")[0] in {"extract", *FILTERS}
    if rejected and not has_documents:
        raise NothingToShowError(f"{name} keeps no rejected records; those of a source are shown")
    finished = made(config, graph.named(name))
    if finished is None:
        raise NothingToShowError(f"{name} is not made yet; `pile run -c {config.path}` makes it")
    if has_documents:
        return [path for path, _ in finished.parts("rejected/" if rejected else "documents/")]
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


def _rows(path: Path) -> Iterator[Json]:
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
