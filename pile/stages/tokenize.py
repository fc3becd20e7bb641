"""Tokenize: the documents of every corpus file become tokens, in the same order.

A task writes one file of tokens, or one a source; `pile.stages.shard` makes the shards of them. Where
each source has its own, copies of a document after the first are left out: weights repeat them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import compress, islice, repeat
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pile import corpus, documents, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.origins import OriginWriter
from pile.parts import part_of
from pile.stages import mix, train_tokenizer
from pile.stages.stage import Inputs, Stage
from shards.format import dtype_for
from shards.writer import ShardFacts, ShardWriter
from sources.source import Json
from tokenizer.compare import space_tokens as space_tokens_of
from tokenizer.encode import Encoded, Encoder, warm
from tokenizer.files import TOKENIZER_JSON
from tokenizer.text import UnencodableText

VERSION = 5
FOLDER = "tokens"

KERNELS_FROM = 2 << 20
"""Bytes of a corpus file from which compiled kernels are worth their start; the ids are the same.

They start in 2 seconds, or 15 the first time on a machine, and HF ``tokenizers`` needs some 5 for
the text of such a file.
"""

DENSITIES = 51
"""Bins of the tokens a byte that documents have: each a fiftieth wide, the last for 1 and more."""

SHOWN = 20
"""Documents that cannot be encoded whose reason is kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How text becomes tokens: the tokenizer, and the rules of ``[shards]``."""

    tokenizer: Path
    literal_specials: Literal["text", "tokens"]
    empty_documents: Literal["keep", "drop"]
    by: Literal["mix", "source"] = "mix"


DOCUMENTS = pa.schema(
    [
        pa.field("number", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("pile_set_name", pa.string()),
    ]
)
"""Documents to encode: the line in the corpus file, whose tokens it goes to, the text, the component."""


def stage(config: Config, mixed: Stage, tokenizer: Stage) -> Stage:
    """Return the stage that encodes the corpus."""
    rules = config.shards.model_dump(
        mode="json", include={"empty_documents", "literal_specials", "by"}
    )
    settings: dict[str, Json] = {**rules, "libraries": {"tokenizers": version("tokenizers")}}

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        path = inputs[train_tokenizer.NAME].folder / train_tokenizer.FOLDER / TOKENIZER_JSON
        encoding = Encoding(path, **rules)
        return [
            Task(
                "tokenize",
                name_of(file),
                tokenize,
                {"folder": folder, "file": file, "encoding": encoding},
                part["size"],
            )
            for split in corpus.SPLITS
            for file, part in inputs["mix"].parts(f"{mix.FOLDER}/{split}/")
        ]

    return Stage("tokenize", VERSION, settings, (mixed, tokenizer), tasks)


def name_of(file: Path, source: str = "") -> str:
    """Return what the tokens of a corpus file, or of a source in it, are called."""
    name = f"{file.parent.name}-{file.name.removesuffix('.jsonl.zst')}"
    return f"{name}-{source}" if source else name


def paths_of(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of tokens, index and origins."""
    bin_path, idx_path = (folder / FOLDER / f"{name}.{kind}" for kind in ("bin", "idx"))
    return bin_path, idx_path, folder / FOLDER / "origins" / f"{name}.parquet"


def tokenize(folder: Path, file: Path, encoding: Encoding) -> Receipt:
    """Encode one corpus file, and count tokens by component."""
    if file.stat().st_size > KERNELS_FROM:
        warm()
    text = encoding.tokenizer.read_text(encoding="utf-8")
    encoder, spaces = _loaded(text, encoding.literal_specials)
    tally = Tally(encoding.empty_documents == "drop", spaces)
    with ExitStack() as stack:
        outputs = _Outputs(folder, file, encoder, stack)
        for batch in _batches(file, encoding, tally):
            _add(outputs, batch, tally)
        facts = outputs.finish()
    parts = tuple(
        part_of(folder, path, {"rows": one.documents, "tokens": one.tokens})
        for source, one in facts.items()
        for path in paths_of(folder, name_of(file, source))
    )
    return _receipt(file, tally, parts, facts)


@lru_cache(maxsize=1)
def _loaded(
    text: str, literal_specials: Literal["text", "tokens"]
) -> tuple[Encoder, NDArray[np.bool_]]:
    """Load a tokenizer once a process: it takes as long as encoding some megabytes.

    Beside it, tell of each id whether its token is all white space.
    """
    return Encoder(text, literal_specials), space_tokens_of(text)


@dataclass(slots=True)
class Tally:
    """What encoding counted; ``rejected`` counts documents left out by reason.

    ``spaces`` tells of each id whether its token is all white space. ``left_to_hf`` counts documents
    that the kernels do not cover, ``densities`` documents by tokens a byte, see `DENSITIES`.
    """

    drops_empty: bool
    spaces: NDArray[np.bool_]
    left_to_hf: int = 0
    taken: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    text_bytes: Counter[str] = field(default_factory=Counter)
    space_tokens: Counter[str] = field(default_factory=Counter)
    densities: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    unencodable: list[str] = field(default_factory=list)


class _Outputs:
    """The files of tokens of one corpus file, by source; each is begun with its first document."""

    def __init__(self, folder: Path, file: Path, encoder: Encoder, stack: ExitStack) -> None:
        self.encoder = encoder
        self._folder, self._file, self._stack = folder, file, stack
        self._open: dict[str, tuple[ShardWriter, OriginWriter]] = {}

    def add(
        self, source: str, ids: NDArray[np.uint32], lengths: NDArray[np.int64], numbers: list[int]
    ) -> None:
        """Add documents of a source, of which there is at least one, by their lines."""
        if source not in self._open:
            self._open[source] = self._begin(source)
        writer, origins = self._open[source]
        writer.add(ids, lengths)
        origins.add(f"{self._file.parent.name}/{self._file.name}", numbers)

    def finish(self) -> dict[str, ShardFacts]:
        """Complete all; what was written, by source."""
        return {source: self._open[source][0].finish() for source in sorted(self._open)}

    def _begin(self, source: str) -> tuple[ShardWriter, OriginWriter]:
        enter, ids = self._stack.enter_context, self.encoder.vocabulary_size
        # Entered first, left last: the index gets its name after the tokens have theirs.
        bin_path, idx_path, origins_path = paths_of(self._folder, name_of(self._file, source))
        idx, bin_, origins = map(enter, map(store.publish, (idx_path, bin_path, origins_path)))
        writer = ShardWriter(bin_, idx, dtype_for(ids), vocabulary=ids, eod=self.encoder.eod)
        return enter(writer), enter(OriginWriter(origins))


def _batches(file: Path, encoding: Encoding, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield what is to be encoded of a corpus file, of the schema `DOCUMENTS`."""
    by_source = encoding.by == "source"
    table: Iterator[tuple[str, int]] = repeat(("", 0))
    if by_source:
        table = corpus.provenance(file, ("source", "epoch"))
    taken = 0
    for lines in corpus.batches(file):
        rows = list(islice(table, lines.num_rows))
        if len(rows) < lines.num_rows:
            raise ValueError(f"{file}: its provenance ends after line {taken + len(rows)}")
        numbers = np.arange(taken + 1, taken + 1 + len(rows))
        names = pa.array([source for source, _ in rows], pa.string())
        batch = pa.record_batch([pa.array(numbers), names, *lines.columns], schema=DOCUMENTS)
        taken += len(rows)
        if repeated := sum(epoch > 0 for _, epoch in rows):
            tally.rejected["repeated"] += repeated
            batch = batch.filter(pa.array([epoch == 0 for _, epoch in rows]))
        yield batch
    if by_source and next(table, None) is not None:
        raise ValueError(f"{file}: its provenance goes on after line {taken}, the last")
    tally.taken = taken


def _add(outputs: _Outputs, batch: pa.RecordBatch, tally: Tally) -> None:
    """Encode and write some documents; one that cannot be encoded is counted and left out."""
    encoder = outputs.encoder
    before = encoder.fallbacks
    try:
        encoded = encoder.encode_column(batch.column("text"))
    except UnencodableText as error:
        _add_singly(outputs, batch, tally, error)
        return
    # The encoder serves all files of a process, and counts on.
    tally.left_to_hf += encoder.fallbacks - before
    kept = encoded.lengths > 0 if tally.drops_empty else np.ones(batch.num_rows, dtype=np.bool_)
    _write(outputs, batch, encoded, kept)
    _count(tally, batch, encoded, kept)


def _add_singly(
    outputs: _Outputs, batch: pa.RecordBatch, tally: Tally, error: UnencodableText
) -> None:
    """Add the documents of a batch one by one, all but those that cannot be encoded."""
    if batch.num_rows > 1:
        for row in range(batch.num_rows):
            _add(outputs, batch.slice(row, 1), tally)
        return
    tally.rejected["unencodable"] += 1
    if len(tally.unencodable) < SHOWN:
        line = batch.column("number")[0].as_py()
        tally.unencodable.append(str(error).replace("document 0", f"line {line}", 1))


def _write(
    outputs: _Outputs, batch: pa.RecordBatch, encoded: Encoded, kept: NDArray[np.bool_]
) -> None:
    """Write the documents kept, each to the tokens of its source."""
    numbers = batch.column("number").to_numpy()
    sources = batch.column("source")
    for source in sorted(sources.filter(pa.array(kept)).unique().to_pylist()):
        its = kept & pc.equal(sources, source).to_numpy(zero_copy_only=False)
        ids = encoded.ids if its.all() else encoded.ids[np.repeat(its, encoded.lengths)]
        outputs.add(source, ids, encoded.lengths[its], numbers[its].tolist())


def _count(tally: Tally, batch: pa.RecordBatch, encoded: Encoded, kept: NDArray[np.bool_]) -> None:
    """Count the documents kept, their bytes and tokens, by component."""
    if not kept.all():
        tally.rejected["empty"] += int((~kept).sum())
    places = np.flatnonzero(tally.spaces[encoded.ids])
    ends = np.searchsorted(places, np.cumsum(encoded.lengths))
    blank = np.diff(ends, prepend=0)
    names = list(compress(batch.column("pile_set_name").to_pylist(), kept))
    counts = (encoded.lengths, documents.text_bytes(batch), blank)
    rows = [column[kept] for column in counts]
    for name, length, size, space_tokens in zip(
        names, *(row.tolist() for row in rows), strict=True
    ):
        tally.documents[name] += 1
        tally.tokens[name] += length + 1  # and its EOD
        tally.text_bytes[name] += size
        tally.space_tokens[name] += space_tokens
    _count_densities(tally, names, rows[0], rows[1])


def _count_densities(
    tally: Tally, names: list[str], lengths: NDArray[np.int64], sizes: NDArray[np.int64]
) -> None:
    """Count documents that have text by their tokens a byte, by component."""
    bins = np.minimum(lengths * (DENSITIES - 1) // np.maximum(sizes, 1), DENSITIES - 1)
    every = np.array(names)
    for name in sorted(set(names)):
        found = np.bincount(bins[(every == name) & (sizes > 0)], minlength=DENSITIES)
        tally.densities[name] = tally.densities.get(name, 0) + found


def _receipt(
    file: Path, tally: Tally, parts: tuple[Part, ...], facts: dict[str, ShardFacts]
) -> Receipt:
    return Receipt(
        name_of(file),
        parts,
        taken=tally.taken,
        given=sum(one.documents for one in facts.values()),
        rejected=dict(sorted(tally.rejected.items())),
        figures={
            "split": file.parent.name,
            "written": {source: asdict(one) for source, one in facts.items()},
            "documents": dict(sorted(tally.documents.items())),
            "tokens": dict(sorted(tally.tokens.items())),
            "text_bytes": dict(sorted(tally.text_bytes.items())),
            "space_tokens": dict(sorted(tally.space_tokens.items())),
            "densities": {name: tally.densities[name].tolist() for name in sorted(tally.densities)},
            "left_to_hf": tally.left_to_hf,
            "unencodable": list(tally.unencodable),
        },
    )
