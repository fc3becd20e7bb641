"""Look into the tokens of a run: every shard through and through, and a sample beside its text.

A seeded sample of the documents of each file of tokens, and of each shard, is looked up in the corpus
by its origins, encoded anew, and decoded: the same tokens, the text up to NFC, its EOD.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pile import corpus, draws, ledger
from pile.checks.problems import Problem, damaged_parts
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
"""Documents of each shard that are decoded and compared with their text, if no share is asked for."""

OPEN = 8
"""Shards that are open at a time: each takes four of a process's files, often 1,024 at most."""

_NANOGPT = f"{shard.FOLDER}/nanogpt/"


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Tokens, index and origins of some documents, as a receipt of a stage lists them."""

    stage: str
    folder: Path
    bin: Part
    idx: Part
    origins: Part

    @property
    def prefix(self) -> Path:
        return self.folder / self.bin.name.removesuffix(".bin")

    def part(self, path: str) -> str:
        """Return the name of tokens or index as a part."""
        return self.idx.name if path.endswith(".idx") else self.bin.name


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Documents of a shard by number, and the lines of one corpus file that they should be."""

    tokens: _Tokens
    numbers: NDArray[np.int64]
    lines: NDArray[np.int64]


_Wanted: TypeAlias = dict[str, list[_Drawn]]
"""By corpus file: what was drawn of it."""


def check_tokens(
    config: Config, graph: Graph, finished: Made, broken: set[str], share: float
) -> Iterator[Problem]:
    """Yield what is wrong with a stage's tokens; parts named in ``broken`` are passed over.

    ``share`` is how many of the documents are compared with their text; 0 is `SAMPLE` of each shard.
    """
    stage = str(finished.manifest["recipe"]["stage"])
    tokenizer = published(config, graph.named(train_tokenizer.NAME))
    mixed = published(config, graph.named("mix"))
    if tokenizer is None or mixed is None:
        yield Problem(stage, "", "its tokenizer or corpus is gone: nothing to compare tokens with")
        return
    bad = list(damaged_parts(train_tokenizer.NAME, tokenizer))
    if bad:
        yield from bad
        return
    path = tokenizer.folder / train_tokenizer.FOLDER / TOKENIZER_JSON
    encoder = Encoder.load(path, literal_specials=config.shards.literal_specials)
    # Literal special tokens, where they are wanted, may put an EOD anywhere.
    eod = encoder.eod if config.shards.literal_specials == "text" else None
    wanted: _Wanted = {}
    for tokens in _whole(stage, finished, broken):
        wrong = list(_check(tokens, encoder.vocabulary_size, eod))
        yield from wrong
        if not wrong:
            _choose(config.corpus.seed, share, tokens, wanted)
    yield from _compare(wanted, mixed.folder / mix.FOLDER, encoder)
    yield from _other_tokens(stage, finished, broken)


def _whole(stage: str, finished: Made, broken: set[str]) -> Iterator[_Tokens]:
    """Yield tokens by threes of parts, unless one of them is broken."""
    receipts = ledger.receipts(finished.folder)
    for task in finished.manifest["tasks"]:
        parts = receipts[task].parts if task in receipts else ()
        for place, part in enumerate(parts):
            if "tokens" in part.counts and part.name.endswith(".bin"):
                three = parts[place : place + 3]
                if not broken & {one.name for one in three}:
                    yield _Tokens(stage, finished.folder, *three)


def _check(tokens: _Tokens, vocabulary: int, eod: int | None) -> Iterator[Problem]:
    stage, origins, documents = tokens.stage, tokens.origins.name, tokens.bin.counts["rows"]
    for found in verify(tokens.prefix, vocabulary=vocabulary, eod=eod, documents=documents):
        yield Problem(stage, tokens.part(found.path), found.message)
    try:
        rows = pq.read_metadata(tokens.folder / origins).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        yield Problem(stage, origins, f"is no Parquet file: {error}")
        return
    if rows != documents:
        yield Problem(stage, origins, f"has {rows:,} rows, its shard {documents:,} documents")


def _choose(seed: int, share: float, tokens: _Tokens, wanted: _Wanted) -> None:
    """Draw a shard's sample, and note where in the corpus each of its documents should stand."""
    numbers = _draw(seed, share, tokens.prefix.name, tokens.bin.counts["rows"])
    table = pq.read_table(tokens.folder / tokens.origins.name).take(pa.array(numbers))
    files = np.array(table.column("file").to_pylist())
    lines = table.column("line").to_numpy()
    for file in sorted(set(files.tolist())):
        its = files == file
        wanted.setdefault(file, []).append(_Drawn(tokens, numbers[its], lines[its]))


def _draw(seed: int, share: float, name: str, total: int) -> NDArray[np.int64]:
    if share:
        drawn = (n for n in range(total) if draws.unit(seed, "verify", name, n) < share)
        return np.fromiter(drawn, np.int64)
    some = {draws.key(seed, "verify", name, n) * total >> 64 for n in range(SAMPLE)}
    return np.array(sorted(some), np.int64)


def _compare(wanted: _Wanted, folder: Path, encoder: Encoder) -> Iterator[Problem]:
    """Read each corpus file once, and compare what was drawn."""
    opened = lru_cache(OPEN)(Shard.open)
    for file in sorted(wanted):
        left = _by_line(wanted[file])
        try:
            for line, document in enumerate(corpus.read(folder / file), start=1):
                for drawn, number in left.pop(line, ()):
                    what = _difference(
                        opened(drawn.tokens.prefix)[number].tolist(), document.text, encoder
                    )
                    if what:
                        identity = _identity(folder / file, line)
                        tokens = drawn.tokens
                        yield Problem(tokens.stage, tokens.bin.name, what, number, identity)
        except (*corpus.DAMAGED, OSError) as error:
            what = f"cannot be read to compare its tokens: {error}"
            yield Problem("mix", f"{mix.FOLDER}/{file}", what)
            continue
        for line in sorted(left):
            for drawn, number in left[line]:
                what = f"names line {line} of {file}, which has fewer"
                yield Problem(drawn.tokens.stage, drawn.tokens.origins.name, what, number)


def _by_line(found: list[_Drawn]) -> dict[int, list[tuple[_Drawn, int]]]:
    by_line: dict[int, list[tuple[_Drawn, int]]] = {}
    for drawn in found:
        for line, number in zip(drawn.lines.tolist(), drawn.numbers.tolist(), strict=True):
            by_line.setdefault(line, []).append((drawn, number))
    return by_line


def _identity(file: Path, line: int) -> str:
    """Return the id of the document at a line of a corpus file, from its provenance."""
    number = int(file.name.partition(".")[0])
    path = file.parents[1] / corpus.provenance_name(file.parent.name, number)
    try:
        return str(pq.read_table(path, columns=["id"]).column(0)[line - 1])
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


def _other_tokens(stage: str, finished: Made, broken: set[str]) -> Iterator[Problem]:
    """Yield side files that should be a shard's tokens by another name, and are not."""
    receipts = ledger.receipts(finished.folder)
    for task in finished.manifest["tasks"]:
        parts = receipts[task].parts if task in receipts else ()
        for part in parts:
            same = part.name.endswith((".ds", ".npy")) or part.name.startswith(_NANOGPT)
            if same and part.name not in broken and part.sha256 != parts[0].sha256:
                yield Problem(stage, part.name, f"does not hold the tokens of {parts[0].name}")
