"""What the tokenizer is, what it makes of each source, and how others compare with it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pile import corpus
from pile.config import Config
from pile.gathered.ledgers import by_name
from pile.ledger import Receipt
from pile.report.figures import FitFigures, PeerFigures, TokenizerFigures
from pile.stages import mix, train_tokenizer
from pile.stages.stage import Inputs
from tokenizer.compare import Vocabulary, fit, shared, vocabulary
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON
from tokenizer.shape import describe

SHOWN = 24
"""Tokens that are shown: the longest, and such as no text can give."""

COMPARED_BYTES = 8_000_000
"""Text of the corpus that other tokenizers are compared on."""


def own_text(inputs: Inputs) -> str:
    """Return the tokenizer.json of the corpus."""
    path = inputs[train_tokenizer.NAME].folder / train_tokenizer.FOLDER / TOKENIZER_JSON
    return path.read_text(encoding="utf-8")


def tokenizer(config: Config, inputs: Inputs, tokenized: Sequence[Receipt]) -> TokenizerFigures:
    """Return the tokenizer's figures, beside those of ``[report] compare``."""
    text = own_text(inputs)
    shape, entries = describe(text, SHOWN), vocabulary(text)
    return TokenizerFigures(
        origin=Path(config.tokenizer.file).name if config.tokenizer.file else "trained",
        vocabulary=shape.vocabulary,
        merges=shape.merges,
        added=shape.added,
        longest=shape.longest,
        tokens=by_name(tokenized, "tokens").total(),
        bytes=by_name(tokenized, "text_bytes").total(),
        unreachable=len(entries.unreachable),
        lost=tuple(entries.tokens[number] for number in entries.unreachable[:SHOWN]),
        peers=tuple(_peers(config, inputs, text, entries)),
    )


def fits(tokenized: Sequence[Receipt]) -> dict[str, FitFigures]:
    """Return what the tokenizer made of the whole corpus, by component, without EOD."""
    documents = by_name(tokenized, "documents")
    text_bytes, spaces = by_name(tokenized, "text_bytes"), by_name(tokenized, "space_tokens")
    tokens = by_name(tokenized, "tokens")
    return {
        name: FitFigures(text_bytes[name], tokens[name] - documents[name], spaces[name])
        for name in sorted(tokens)
    }


def _peers(config: Config, inputs: Inputs, text: str, entries: Vocabulary) -> Iterator[PeerFigures]:
    if not config.report.compare:
        return
    texts = _texts(inputs)
    own = _fits(text, texts)
    for name in config.report.compare:
        other = _checked(config.resolve(name))
        theirs = vocabulary(other)
        yield PeerFigures(
            Path(name).name,
            len(theirs.tokens),
            len(theirs.unreachable),
            shared(entries, theirs),
            _fits(other, texts),
            own,
        )


def _checked(path: Path) -> str:
    """Return the text of a tokenizer.json that loads; raises ValueError."""
    try:
        text = path.read_text(encoding="utf-8")
        Encoder(text)
    except Exception as error:
        # HF tokenizers raises plain Exception for a file that it cannot read.
        raise ValueError(f"[report] compare: {path} is no tokenizer.json: {error}") from error
    return text


def _texts(inputs: Inputs) -> dict[str, list[str]]:
    """Return the first texts of the corpus by component, what is held out before the rest."""
    files = [
        path
        for split in ("val", "test", "train")
        for path, _ in inputs["mix"].parts(f"{mix.FOLDER}/{split}/")
    ]
    found: dict[str, list[str]] = {}
    left = COMPARED_BYTES
    for line in (line for path in files for line in corpus.read(path)):
        if left <= 0:
            break
        found.setdefault(line.pile_set_name, []).append(line.text)
        left -= len(line.text.encode())
    return dict(sorted(found.items()))


def _fits(text: str, texts: dict[str, list[str]]) -> dict[str, FitFigures]:
    return {
        name: FitFigures(one.text_bytes, one.tokens, one.space_tokens)
        for name, one in fit(text, texts).items()
    }
