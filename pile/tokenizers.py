"""Compare tokenizers over texts of a corpus or of files, and take a text apart into tokens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from pile import corpus
from pile.commands.show import NothingToShowError
from pile.config import Config
from pile.graph import Graph
from pile.stages import mix, train_tokenizer
from pile.states import made
from sources.source import Json
from tokenizer.compare import Fit, Vocabulary, fit, pieces_of, shared, vocabulary
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON
from tokenizer.published import PUBLISHED_TOKENS, Tokens

CORPUS = ".jsonl.zst"
"""How names of corpus files end; other files are one text each."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A tokenizer: what it is called here, the text of its file, its vocabulary."""

    name: str
    text: str
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Compared:
    """Tokenizers beside each other; ``fits`` has what each makes of each source, in their order."""

    tokenizers: tuple[Loaded, ...]
    fits: Mapping[str, tuple[Fit, ...]]
    longest: int

    @property
    def overlaps(self) -> list[tuple[str, str, int]]:
        """Entries that the first has in common with each other, added tokens apart."""
        first, *others = self.tokenizers
        return [
            (first.name, other.name, shared(first.vocabulary, other.vocabulary)) for other in others
        ]

    def published(self, source: str) -> Tokens | None:
        """Return the published counts of a source, if it is a component of the Pile."""
        return PUBLISHED_TOKENS.get(source)


def load(path: Path) -> Loaded:
    """Load a tokenizer.json, or the one in a folder; raises `NothingToShowError` if it is none."""
    file = path / TOKENIZER_JSON if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
        Encoder(text)
        return Loaded(str(path), text, vocabulary(text))
    except Exception as error:
        # HF tokenizers raises plain Exception for a file that it cannot read.
        raise NothingToShowError(f"{file} is no tokenizer.json: {error}") from error


def trained(config: Config, graph: Graph) -> Path:
    """Return the tokenizer of a finished run; raises `NothingToShowError`."""
    finished = made(config, graph.named(train_tokenizer.NAME))
    if finished is None:
        raise NothingToShowError(f"no tokenizer yet; `pile run -c {config.path}` makes it")
    return finished.folder / train_tokenizer.FOLDER


def corpus_files(config: Config, graph: Graph) -> list[Path]:
    """Return the corpus of a finished run, what is held out first; raises `NothingToShowError`."""
    finished = made(config, graph.named("mix"))
    if finished is None:
        raise NothingToShowError(f"no corpus yet; `pile run -c {config.path}` makes it")
    splits = sorted(corpus.SPLITS, key=("val", "test", "train").index)
    return [path for split in splits for path, _ in finished.parts(f"{mix.FOLDER}/{split}/")]


def texts(files: Sequence[Path], most: int) -> dict[str, list[str]]:
    """Return texts by source, in the order of files, until there are ``most`` bytes of them."""
    found: dict[str, list[str]] = {}
    for source, text in chain.from_iterable(map(_texts, files)):
        if most <= 0:
            break
        found.setdefault(source, []).append(text)
        most -= len(text.encode("utf-8", "surrogatepass"))
    return dict(sorted(found.items()))


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.name.endswith(CORPUS):
            yield from ((line.pile_set_name, line.text) for line in corpus.read(path))
        else:
            yield path.name, path.read_text(encoding="utf-8")
    except (OSError, *corpus.DAMAGED) as error:
        raise NothingToShowError(f"{path} cannot be read: {error}") from error


def compare(
    tokenizers: Iterable[Path], sources: Mapping[str, Sequence[str]], longest: int
) -> Compared:
    """Return what each tokenizer makes of each source's texts."""
    loaded = tuple(map(load, tokenizers))
    found = [fit(one.text, sources) for one in loaded]
    fits = {source: tuple(one[source] for one in found) for source in sources}
    return Compared(loaded, fits, longest)


def to_json(compared: Compared) -> Json:
    """Return a comparison as JSON values."""
    return {
        "tokenizers": [_described(one, compared.longest) for one in compared.tokenizers],
        "overlap": [
            {"first": first, "second": second, "shared": count}
            for first, second, count in compared.overlaps
        ],
        "sources": {source: _source(compared, source) for source in compared.fits},
    }


def _described(one: Loaded, longest: int) -> Json:
    return {
        "name": one.name,
        "entries": len(one.vocabulary.tokens),
        "unreachable": len(one.vocabulary.unreachable),
        "longest": list(one.vocabulary.longest(longest)),
    }


def _source(compared: Compared, source: str) -> Json:
    rows: list[Json] = [
        {
            "tokenizer": one.name,
            "text_bytes": fit.text_bytes,
            "tokens": fit.tokens,
            "space_tokens": fit.space_tokens,
            "tokens_per_byte": fit.tokens_per_byte,
            "space_share": fit.space_share,
        }
        for one, fit in zip(compared.tokenizers, compared.fits[source], strict=True)
    ]
    published = compared.published(source)
    return {"fits": rows, "published": asdict(published) if published else None}


def tokens_of(tokenizer: Loaded, text: str) -> list[tuple[int, str]]:
    """Return the tokens of a text: id, and the text that each completes."""
    return list(pieces_of(Encoder(tokenizer.text), text))


def read_or_take(what: str) -> str:
    """Return the text of a file of this name, or the words themselves if there is none."""
    try:
        if Path(what).is_file():
            return Path(what).read_text(encoding="utf-8")
    except OSError:  # a text too long for a name
        return what
    except UnicodeDecodeError as error:
        raise NothingToShowError(f"{what} is no UTF-8 text: {error}") from error
    return what
