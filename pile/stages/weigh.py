"""Weigh: how much of each source goes into the mix, counted in documents, bytes and tokens.

Only a mix by shares, or of a given size, has to know. Tokens are counted, not estimated: every document
is encoded with the given tokenizer, with an end-of-document token behind it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pile import documents, ledger, store
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.ledger import Receipt
from pile.mixing.mixture import MixtureError, effective_epochs
from pile.stages import survivors
from pile.stages.stage import Inputs, Stage
from sources.source import Json
from tokenizer.encode import Encoder, warm
from tokenizer.text import UnencodableText

VERSION = 1

KERNELS_FROM = 2 << 20
"""Bytes of a part from which compiled kernels are worth their start; the counts are the same."""

UNITS: Mapping[str, str] = {"documents": "documents", "bytes": "text_bytes", "tokens": "tokens"}
"""The figure that counts each unit of ``[mix]``."""


def stages(
    config: Config, kept: Mapping[str, Stage], decisions: Mapping[str, Stage]
) -> dict[str, Stage]:
    """Return by source the stages that weigh it, if any are needed; raises `ConfigError`."""
    if not config.mix.weighs:
        return {}
    return {
        name: _stage(config, name, [kept[name], *filter(None, [decisions.get(name)])])
        for name in kept
    }


def _stage(config: Config, source: str, inputs: list[Stage]) -> Stage:
    name = f"weigh.{source}"
    tokenizer = _tokenizer(config) if config.mix.unit == "tokens" else None
    arguments: dict[str, Any] = {
        "tokenizer": tokenizer,
        "literal_specials": config.shards.literal_specials,
        "drops_empty": config.shards.empty_documents == "drop",
    }
    settings: dict[str, Json] = {}
    if tokenizer:
        settings = {
            "tokenizer": store.digest(tokenizer)[1],
            "literal_specials": config.shards.literal_specials,
            "empty_documents": config.shards.empty_documents,
            "libraries": {"tokenizers": version("tokenizers")},
        }

    def tasks(folder: Path, inputs: Inputs) -> list[Task]:
        return [
            Task(
                name,
                part.path.stem,
                weigh,
                {"folder": folder, "part": part, **arguments},
                part.bytes,
            )
            for part in survivors.parts(config, inputs)
        ]

    return Stage(name, VERSION, settings, tuple(inputs), tasks)


def _tokenizer(config: Config) -> Path:
    path = config.resolve(config.tokenizer.file)
    if not path.is_file():
        raise ConfigError(f"{config.path}: [tokenizer] file = {str(path)!r}: no such file")
    return path


def epochs(config: Config, inputs: Inputs) -> dict[str, float]:
    """Return how often each source's documents come; raises `ConfigError` for shares out of reach."""
    given = {table.name: table.epochs for table in config.enabled}
    if not config.mix.weighs:
        return given
    trained = 1 - config.mix.held
    amounts = {
        name: trained * _amount(config, inputs[f"weigh.{name}"].folder)
        for name in given
        if f"weigh.{name}" in inputs
    }
    try:
        return effective_epochs(amounts, given, config.mix.shares, config.mix.total)
    except MixtureError as error:
        raise ConfigError(f"{config.path}: [mix] {error}") from error


def _amount(config: Config, folder: Path) -> int:
    figure = UNITS[config.mix.unit]
    return sum(int(str(one.figures[figure])) for one in ledger.receipts(folder).values())


def weigh(
    folder: Path,
    part: survivors.Part,
    tokenizer: Path | None,
    literal_specials: Literal["text", "tokens"],
    drops_empty: bool,
) -> Receipt:
    """Count the documents of one part that go into the mix; nothing is written."""
    del folder
    stays = part.stays()
    counted: Counter[str] = Counter(documents=0, text_bytes=0, tokens=0)
    encoder = _encoder(tokenizer, literal_specials, part.bytes) if tokenizer else None
    for texts in _texts(part.path, stays):
        counted["documents"] += len(texts)
        counted["text_bytes"] += int(pa.compute.sum(pa.compute.binary_length(texts)).as_py() or 0)
        if encoder is not None:
            lengths = _lengths(encoder, texts)
            kept = lengths[lengths > 0] if drops_empty else lengths[lengths >= 0]
            counted["tokens"] += int(kept.sum()) + len(kept)
    given = int(stays.sum())
    rejected = {"duplicate": part.rows - given} if given < part.rows else {}
    return Receipt(part.path.stem, (), part.rows, given, rejected, figures=dict(counted))


def _texts(path: Path, stays: NDArray[np.bool_]) -> Iterator[pa.Array]:
    first = 0
    for batch in documents.batches(path, ["text"]):
        yield batch.column(0).filter(pa.array(stays[first : first + batch.num_rows]))
        first += batch.num_rows


def _encoder(path: Path, literal_specials: Literal["text", "tokens"], size: int) -> Encoder:
    if size > KERNELS_FROM:
        warm()
    return _loaded(path.read_text(encoding="utf-8"), literal_specials)


@lru_cache(maxsize=1)
def _loaded(text: str, literal_specials: Literal["text", "tokens"]) -> Encoder:
    """Load a tokenizer once a process."""
    return Encoder(text, literal_specials)


def _lengths(encoder: Encoder, texts: pa.Array) -> NDArray[np.int64]:
    """Return the tokens of each text; -1 for one that cannot be encoded, and so has none in shards."""
    try:
        return encoder.encode_column(texts).lengths
    except UnencodableText:
        if len(texts) == 1:
            return np.full(1, -1)
        halves = texts[: len(texts) // 2], texts[len(texts) // 2 :]
        return np.concatenate([_lengths(encoder, half) for half in halves])
