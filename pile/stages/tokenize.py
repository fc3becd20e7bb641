"""Tokenize: every corpus file becomes one shard, its documents in the same order."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pile import corpus, documents, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.stages import mix, train_tokenizer
from pile.stages.stage import Inputs, Stage
from shards.format import dtype_for
from shards.writer import ShardWriter
from sources.source import Json
from tokenizer.compare import space_tokens as space_tokens_of
from tokenizer.encode import Encoded, Encoder, warm
from tokenizer.files import TOKENIZER_JSON
from tokenizer.text import UnencodableText

VERSION = 2
FOLDER = "shards"

KERNELS_FROM = 32 << 20
"""Bytes of a corpus file from which compiled kernels are worth their start; the ids are the same."""

SHOWN = 20
"""Documents that cannot be encoded whose reason is kept; all are counted."""

BATCH_CHARACTERS = 4 << 20
"""Text encoded at a time."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How text becomes tokens: the tokenizer, and the rules of ``[shards]``."""

    tokenizer: Path
    literal_specials: Literal["text", "tokens"]
    empty_documents: Literal["keep", "drop"]


def stage(config: Config, mixed: Stage, tokenizer: Stage) -> Stage:
    """Return the stage that writes the shards."""
    settings: dict[str, Json] = {
        **config.shards.model_dump(mode="json"),
        "libraries": {"tokenizers": version("tokenizers")},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        path = inputs[train_tokenizer.NAME].folder / train_tokenizer.FOLDER / TOKENIZER_JSON
        encoding = Encoding(path, config.shards.literal_specials, config.shards.empty_documents)
        return [
            Task(
                "tokenize",
                shard_name(file),
                tokenize,
                {"folder": folder, "file": file, "encoding": encoding},
                part["size"],
            )
            for split in corpus.SPLITS
            for file, part in inputs["mix"].parts(f"{mix.FOLDER}/{split}/")
        ]

    return Stage("tokenize", VERSION, settings, (mixed, tokenizer), tasks)


def shard_name(file: Path) -> str:
    """Return a shard's prefix, named as GPT-NeoX and Megatron name what they write themselves."""
    return f"{file.parent.name}-{file.name.removesuffix('.jsonl.zst')}_text_document"


def tokenize(folder: Path, file: Path, encoding: Encoding) -> Receipt:
    """Encode one corpus file into one shard, and count tokens by component."""
    name = shard_name(file)
    if file.stat().st_size > KERNELS_FROM:
        warm()
    encoder = Encoder.load(encoding.tokenizer, literal_specials=encoding.literal_specials)
    bin_path, idx_path = (folder / FOLDER / f"{name}.{kind}" for kind in ("bin", "idx"))
    tally = Tally(
        encoding.empty_documents == "drop", space_tokens_of(encoding.tokenizer.read_text("utf-8"))
    )
    try:
        with ExitStack() as stack:
            # Entered first, left last: the index gets its name after the tokens have theirs.
            idx = stack.enter_context(store.publish(idx_path))
            bin_ = stack.enter_context(store.publish(bin_path))
            writer = stack.enter_context(_writer(bin_, idx, encoder, encoding))
            for batch in corpus.batches(file, BATCH_CHARACTERS):
                _add(writer, encoder, batch, tally)
            tally.left_to_hf = encoder.fallbacks
            _require_documents(tally)
            facts = writer.finish()
    except _NothingToWriteError:
        return _receipt(name, file, tally, (), {})
    counts = {"rows": facts.documents, "tokens": facts.tokens}
    parts = (part_of(folder, bin_path, counts), part_of(folder, idx_path, counts))
    return _receipt(name, file, tally, parts, asdict(facts))


class _NothingToWriteError(Exception):
    """Every document of a corpus file was left out: an empty shard is never written."""


def _require_documents(tally: "Tally") -> None:
    if tally.taken == tally.rejected.total():
        raise _NothingToWriteError


@dataclass(slots=True)
class Tally:
    """What encoding counted; ``rejected`` counts documents left out by reason.

    ``spaces`` tells of each id whether its token is all white space. ``left_to_hf`` counts documents
    that the kernels do not cover.
    """

    drops_empty: bool
    spaces: NDArray[np.bool_]
    left_to_hf: int = 0
    taken: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    text_bytes: Counter[str] = field(default_factory=Counter)
    space_tokens: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    unencodable: list[str] = field(default_factory=list)


def _writer(bin_: Path, idx: Path, encoder: Encoder, encoding: Encoding) -> ShardWriter:
    return ShardWriter(
        bin_,
        idx,
        dtype_for(encoder.vocabulary_size),
        vocabulary=encoder.vocabulary_size,
        eod=encoder.eod,
        empty=encoding.empty_documents,
    )


def _add(writer: ShardWriter, encoder: Encoder, batch: pa.RecordBatch, tally: Tally) -> None:
    """Encode and write some documents; one that cannot be encoded is counted and left out."""
    try:
        encoded = encoder.encode_column(batch.column("text"))
    except UnencodableText as error:
        if batch.num_rows > 1:
            for row in range(batch.num_rows):
                _add(writer, encoder, batch.slice(row, 1), tally)
            return
        tally.taken += 1
        tally.rejected["unencodable"] += 1
        if len(tally.unencodable) < SHOWN:
            tally.unencodable.append(str(error))
        return
    writer.add(encoded.ids, encoded.lengths)
    _count(tally, batch, encoded)


def _count(tally: Tally, batch: pa.RecordBatch, encoded: Encoded) -> None:
    """Count documents, their bytes and tokens, by component."""
    tally.taken += batch.num_rows
    sizes = documents.text_bytes(batch)
    spaces = np.concatenate([[0], np.cumsum(tally.spaces[encoded.ids], dtype=np.int64)])
    ends = np.cumsum(encoded.lengths)
    blank = spaces[ends] - spaces[ends - encoded.lengths]
    names = batch.column("pile_set_name").to_pylist()
    rows = zip(names, encoded.lengths.tolist(), sizes.tolist(), blank.tolist(), strict=True)
    for name, length, size, space_tokens in rows:
        if not length and tally.drops_empty:
            tally.rejected["empty"] += 1
            continue
        tally.tokens[name] += length + 1  # and its EOD
        tally.text_bytes[name] += size
        tally.space_tokens[name] += space_tokens


def _receipt(
    name: str, file: Path, tally: Tally, parts: tuple[Part, ...], facts: dict[str, Json]
) -> Receipt:
    return Receipt(
        name,
        parts,
        taken=tally.taken,
        given=int(str(facts.get("documents", 0))),
        rejected=dict(sorted(tally.rejected.items())),
        figures={
            "shard": facts,
            "split": file.parent.name,
            "tokens": dict(sorted(tally.tokens.items())),
            "text_bytes": dict(sorted(tally.text_bytes.items())),
            "space_tokens": dict(sorted(tally.space_tokens.items())),
            "left_to_hf": tally.left_to_hf,
            "unencodable": list(tally.unencodable),
        },
    )
