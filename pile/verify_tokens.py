"""Token shards against the corpus they were made from."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pile import corpus, draws, ledger
from pile.config import Config
from pile.graph import Graph
from pile.problems import Problem, damaged_parts
from pile.stages import mix, tokenize, train_tokenizer
from pile.stages.stage import Made
from pile.states import published
from shards import verify as shard_verify
from shards.format import BadShard
from shards.reader import Shard
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON

SAMPLE = 100
"""Documents of each shard that are decoded and compared with their text, if no share is asked for."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A corpus file, its name as a part, and the shard made from it; ``share`` is how much to compare."""

    file: Path
    part: str
    prefix: Path
    seed: int
    share: float

    def is_drawn(self, number: int, drawn: frozenset[int]) -> bool:
        """Tell whether a document is compared: one of those drawn if no share is asked for."""
        if not self.share:
            return number in drawn
        return draws.unit(self.seed, "verify", self.prefix.name, number) < self.share


def check_shards(
    config: Config, graph: Graph, finished: Made, broken: set[str], share: float
) -> Iterator[Problem]:
    """Check the shards that are not broken, and compare some of their documents with their text."""
    tokenizer = published(config, graph.named(train_tokenizer.NAME))
    mixed = published(config, graph.named("mix"))
    if tokenizer is None or mixed is None:
        what = "its tokenizer or corpus is gone: nothing to compare tokens with"
        yield Problem("tokenize", "", what)
        return
    bad = list(damaged_parts(train_tokenizer.NAME, tokenizer))
    if bad:
        yield from bad
        return
    path = tokenizer.folder / train_tokenizer.FOLDER / TOKENIZER_JSON
    encoder = Encoder.load(path, literal_specials=config.shards.literal_specials)
    receipts = ledger.receipts(finished.folder)
    for split in corpus.SPLITS:
        for file, part in mixed.parts(f"{mix.FOLDER}/{split}/"):
            name = tokenize.shard_name(file)
            receipt = receipts.get(name)
            parts = {one.name for one in receipt.parts} if receipt else set()
            if receipt is None or not parts or broken & parts:
                continue
            prefix = finished.folder / tokenize.FOLDER / name
            yield from _check_shard(config, prefix, receipt.given, encoder)
            if not receipt.rejected:
                yield from _compare(
                    _Pair(file, part["name"], prefix, config.corpus.seed, share), encoder
                )


def _check_shard(
    config: Config, prefix: Path, documents: int, encoder: Encoder
) -> Iterator[Problem]:
    # Literal special tokens, where they are wanted, may put an EOD anywhere.
    eod = encoder.eod if config.shards.literal_specials == "text" else None
    for found in shard_verify.verify(
        prefix, vocabulary=encoder.vocabulary_size, eod=eod, documents=documents
    ):
        yield Problem("tokenize", _part(Path(found.path)), found.message)


def _part(path: Path) -> str:
    return f"{tokenize.FOLDER}/{path.name}"


def _compare(pair: _Pair, encoder: Encoder) -> Iterator[Problem]:
    """Encode sampled documents anew, and decode them: the same tokens, the text up to NFC, its EOD."""
    tokens = _part(pair.prefix.with_name(f"{pair.prefix.name}.bin"))
    try:
        shard = Shard.open(pair.prefix)
    except BadShard as error:
        yield Problem("tokenize", tokens, str(error))
        return
    total, name = len(shard), pair.prefix.name
    drawn = frozenset(draws.key(pair.seed, "verify", name, n) * total >> 64 for n in range(SAMPLE))
    try:
        for number, line in enumerate(corpus.read(pair.file)):
            if number < total and pair.is_drawn(number, drawn):
                what = _difference(shard[number].tolist(), line.text, encoder)
                if what:
                    identity = _identity(pair.file, number)
                    yield Problem("tokenize", tokens, what, number, identity)
    except corpus.DAMAGED as error:
        yield Problem("mix", pair.part, f"cannot be read to compare its tokens: {error}")


def _identity(file: Path, row: int) -> str:
    """Return the id of the document at a line of a corpus file, from its provenance."""
    number = int(file.name.partition(".")[0])
    path = file.parents[1] / corpus.provenance_name(file.parent.name, number)
    try:
        return str(pq.read_table(path, columns=["id"]).column(0)[row])
    except (OSError, pa.ArrowInvalid, IndexError):
        return ""


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
