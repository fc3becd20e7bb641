"""The configuration files of a finished run, by framework."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from pile import layout, ledger, store
from pile.config import Config
from pile.export.megatron import blend_json, data_args
from pile.export.neox import data_yml
from pile.export.shard_list import TrainingShard, Vocabulary, from_receipts
from pile.graph import Graph
from pile.stages import shard, train_tokenizer
from pile.stages.stage import Made
from pile.states import made
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON

Shards = tuple[TrainingShard, ...]


class NothingToExportError(Exception):
    """The run has no finished shards, or the framework cannot take them."""


def _neox(shards: Shards, vocabulary: Vocabulary, folder: Path) -> dict[str, str]:
    del folder
    return {"data.yml": data_yml(shards, vocabulary)}


def _megatron(shards: Shards, vocabulary: Vocabulary, folder: Path) -> dict[str, str]:
    arguments = data_args(str(folder / "blend.json"), vocabulary, str(folder / "cache"))
    return {"blend.json": blend_json(shards), "data.args": arguments}


FRAMEWORKS: Mapping[str, Callable[[Shards, Vocabulary, Path], dict[str, str]]] = MappingProxyType(
    {"neox": _neox, "megatron": _megatron}
)
"""What writes the files of each framework, by name to text."""


def export(config: Config, graph: Graph, framework: str) -> list[Path]:
    """Write a framework's configuration for the shards of a finished run; returns the files.

    Raises `NothingToExportError`.
    """
    folder = layout.export(config.work, framework)
    tokenizer = _finished(config, graph, train_tokenizer.NAME)
    sharded = _finished(config, graph, "shard")
    path = tokenizer.folder / train_tokenizer.FOLDER / TOKENIZER_JSON
    vocabulary = Vocabulary(str(path), Encoder.load(path).vocabulary_size)
    receipts = ledger.receipts(sharded.folder)
    wanted = {task: receipts[task] for task in sharded.manifest["tasks"]}
    epochs = {table.name: table.epochs for table in config.enabled}
    shards = from_receipts(sharded.folder / shard.FOLDER, wanted, epochs)
    try:
        files = FRAMEWORKS[framework](shards, vocabulary, folder)
    except ValueError as error:
        raise NothingToExportError(str(error)) from error
    for name, text in files.items():
        store.publish_bytes(folder / name, text.encode())
    return [folder / name for name in files]


def _finished(config: Config, graph: Graph, name: str) -> Made:
    found = made(config, graph.named(name))
    if found is None:
        raise NothingToExportError(f"{name} is not made yet; `pile run -c {config.path}` makes it")
    return found
