"""Look into the tokens of a run: every shard through and through, and a sample beside its text.

A seeded sample of each shard's documents is looked up in the corpus by the shard's origins, encoded
anew, and decoded: the same tokens, the text up to NFC, its EOD.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from pile import corpus, draws, ledger
from pile.config import Config
from pile.graph import Graph
from pile.ledger import Part
from pile.stages import mix, shard, train_tokenizer
from pile.stages.stage import Made
from pile.states import published
from shards.reader import Shard
from shards.verify import verify
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON

SAMPLE = 100
"""Documents of each shard that are decoded and compared with their text."""

Found: TypeAlias = tuple[str, str]
"""A file, and what is wrong with it."""

Wanted: TypeAlias = dict[str, dict[int, list[tuple[Shard, int]]]]
"""By corpus file and line: the documents of shards that should be what stands there."""


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Tokens, index and origins of some documents, as a receipt lists them."""

    bin: Part
    idx: Part
    origins: Part

    def prefix(self, folder: Path) -> Path:
        return folder / self.bin.name.removesuffix(".bin")


def check_tokens(config: Config, graph: Graph, finished: Made, broken: set[str]) -> Iterator[Found]:
    """Yield what is wrong with a stage's tokens; parts named in ``broken`` are passed over."""
    made = [published(config, graph.named(name)) for name in (train_tokenizer.NAME, "mix")]
    tokenizer, mixed = made
    if tokenizer is None or mixed is None:
        yield "", "its tokenizer or corpus is gone: nothing to compare tokens with"
        return
    encoder = Encoder.load(tokenizer.folder / train_tokenizer.FOLDER / TOKENIZER_JSON)
    wanted: Wanted = {}
    for tokens in _whole(finished, broken):
        # Literal special tokens, where they are wanted, may put an EOD anywhere.
        eod = encoder.eod if config.shards.literal_specials == "text" else None
        bad = list(_check(tokens, finished.folder, encoder.vocabulary_size, eod))
        yield from bad
        if not bad and finished.manifest["recipe"]["stage"] == "shard":
            _choose(config.corpus.seed, tokens, finished.folder, wanted)
    yield from _compare(wanted, mixed.folder / mix.FOLDER, encoder)
    yield from _other_tokens(finished)


def _whole(finished: Made, broken: set[str]) -> Iterator[_Tokens]:
    """Yield tokens by threes of parts, unless one of them is broken."""
    receipts = ledger.receipts(finished.folder)
    for task in finished.manifest["tasks"]:
        parts = receipts[task].parts if task in receipts else ()
        for place, part in enumerate(parts):
            if "tokens" in part.counts and part.name.endswith(".bin"):
                three = parts[place : place + 3]
                if not broken & {one.name for one in three}:
                    yield _Tokens(*three)


def _check(tokens: _Tokens, folder: Path, vocabulary: int, eod: int | None) -> Iterator[Found]:
    prefix, documents = tokens.prefix(folder), tokens.bin.counts["rows"]
    for found in verify(prefix, vocabulary=vocabulary, eod=eod, documents=documents):
        yield Path(found.path).name, found.message
    try:
        rows = pq.read_metadata(folder / tokens.origins.name).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        yield tokens.origins.name, f"is no Parquet file: {error}"
        return
    if rows != documents:
        yield tokens.origins.name, f"has {rows:,} rows, its shard {documents:,} documents"


def _choose(seed: int, tokens: _Tokens, folder: Path, wanted: Wanted) -> None:
    """Draw a shard's sample, and note where in the corpus each of its documents should stand."""
    opened = Shard.open(tokens.prefix(folder))
    name, total = tokens.prefix(folder).name, len(opened)
    numbers = sorted({draws.key(seed, "verify", name, n) * total >> 64 for n in range(SAMPLE)})
    table = pq.read_table(folder / tokens.origins.name).take(pa.array(numbers, pa.int64()))
    files, lines = table.column("file").to_pylist(), table.column("line").to_pylist()
    for number, file, line in zip(numbers, files, lines, strict=True):
        wanted.setdefault(file, {}).setdefault(line, []).append((opened, number))


def _compare(wanted: Wanted, folder: Path, encoder: Encoder) -> Iterator[Found]:
    """Read each corpus file once, and compare what was drawn."""
    for file in sorted(wanted):
        left = wanted[file]
        try:
            for number, line in enumerate(corpus.read(folder / file), start=1):
                yield from _compare_one(left.pop(number, ()), line.text, encoder)
        except (*corpus.DAMAGED, OSError) as error:
            yield file, f"its text cannot be read to compare: {error}"
            continue
        for number in sorted(left):
            yield file, f"has no line {number}, of which a shard holds the tokens"


def _compare_one(
    documents: Iterable[tuple[Shard, int]], text: str, encoder: Encoder
) -> Iterator[Found]:
    for opened, number in documents:
        what = _difference(opened[number].tolist(), text, encoder)
        if what:
            yield Path(opened.prefix).name, f"document {number} {what}"


def _difference(tokens: list[int], text: str, encoder: Encoder) -> str:
    """Say in what a document's tokens are not those of its text; nothing if they are."""
    if not tokens or tokens[-1] != encoder.eod:
        return "does not end with EOD"
    if tokens[:-1] != encoder.encode([text]).ids.tolist():
        return "has other tokens than its text"
    decoded = encoder.decode(tokens[:-1])
    if encoder.keeps_text and _composed(decoded) != _composed(text):
        return "decodes to another text"
    return ""


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _other_tokens(finished: Made) -> Iterator[Found]:
    """Yield side files that should be a shard's tokens by another name, and are not."""
    receipts = ledger.receipts(finished.folder)
    for task in finished.manifest["tasks"]:
        parts = receipts[task].parts if task in receipts else ()
        for part in parts:
            same = part.name.endswith((".ds", ".npy")) or part.name.startswith(_NANOGPT)
            if same and part.sha256 != parts[0].sha256:
                yield part.name, f"does not hold the tokens of {parts[0].name}"


_NANOGPT = f"{shard.FOLDER}/nanogpt/"
