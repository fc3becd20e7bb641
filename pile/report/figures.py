"""All figures of a run as plain values: what the report page shows, and nothing else.

No time, path or host is among them, so the same run gives the same figures and the same page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass

from pydantic import TypeAdapter

from sources.published import Recognised
from sources.source import Access, Json, Published
from tokenizer.published import Tokens


@dataclass(frozen=True, slots=True)
class QuarantinedFile:
    """A raw file of which nothing was kept, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SampleDocument:
    """One document to look at; ``excerpt`` is the beginning of its text.

    ``tokens`` are the tokens of the excerpt as text: a character that several make up belongs to the
    last of them. There are none where the excerpt cannot be encoded.
    """

    id: str
    origin: str
    licence: str
    excerpt: str
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateFigures:
    """A document that went: why, how similar it is to its match, and what it says.

    ``there`` is what the document that stays says at the same place, which is ``skipped`` characters
    from the beginning of both: some way before they differ.
    """

    id: str
    kind: str
    similarity: float
    skipped: int
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """A document that stays, with how many go for it, of those looked at, and some of them."""

    kept: str
    size: int
    duplicates: tuple[DuplicateFigures, ...]


@dataclass(frozen=True, slots=True)
class FitFigures:
    """What a tokenizer makes of text (UTF-8 bytes): tokens, and those that are all white space."""

    text_bytes: int = 0
    tokens: int = 0
    space_tokens: int = 0


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What became of one source.

    ``records`` are the raw records read; each is one of ``documents`` or counted in ``rejected``.
    ``documents`` and ``text_bytes`` (UTF-8) are taken before duplicates are removed, ``lengths``
    likewise: entry i counts documents of 2^i <= bytes < 2^(i+1), entry 0 the empty ones as well
    (`length_bin`). ``explanations`` says what each reason means. ``cleaned`` counts the documents
    that each cleaning rule changed, ``surrogates`` the repairs that are always made, ``duplicates``
    the documents removed by kind ("exact", "near"), some of which ``clusters`` shows.
    ``once_documents`` and ``once_bytes`` are what is left to mix, each document once, and ``unmixed``
    those that mixing left out, by reason. ``corpus_documents`` and ``corpus_bytes`` are those of each
    split, after epochs; ``tokens`` those of all splits, an EOD for each document among them.
    ``fit`` is what the tokenizer made of the texts, without EOD, and ``densities`` counts documents by
    tokens a byte: entry i those from i / 50, the last all from 1.
    Of a source that is filtered for quality ``documents`` are those kept, ``scores`` counts all by score
    in bins of equal width from 0 to 1, and ``kept_at`` those that each alpha keeps. ``recognised`` are
    raw files that are, or are called like, those of the Pile of 2020. ``benchmarks`` counts the documents
    in which text of each was found, ``too_short`` those of its texts that have too few words to be.
    """

    name: str
    pile_set_name: str
    licence: str
    access: Access
    kind: str = ""
    raw_files: int = 0
    raw_bytes: int = 0
    records: int = 0
    documents: int = 0
    text_bytes: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    explanations: Mapping[str, str] = field(default_factory=dict)
    quarantined: tuple[QuarantinedFile, ...] = ()
    cleaned: Mapping[str, int] = field(default_factory=dict)
    surrogates: int = 0
    duplicates: Mapping[str, int] = field(default_factory=dict)
    clusters: tuple[ClusterFigures, ...] = ()
    epochs: float = 1.0
    once_documents: int = 0
    once_bytes: int = 0
    unmixed: Mapping[str, int] = field(default_factory=dict)
    corpus_documents: Mapping[str, int] = field(default_factory=dict)
    corpus_bytes: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    fit: FitFigures = FitFigures()
    densities: tuple[int, ...] = ()
    published: Published | None = None
    published_tokens: Tokens | None = None
    lengths: tuple[int, ...] = ()
    samples: tuple[SampleDocument, ...] = ()
    alpha: float = 0.0
    scores: tuple[int, ...] = ()
    kept_at: Mapping[str, int] = field(default_factory=dict)
    recognised: tuple[Recognised, ...] = ()
    benchmarks: Mapping[str, int] = field(default_factory=dict)
    too_short: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """Another tokenizer, beside the corpus's own over some of the corpus's texts.

    ``shared`` counts the entries that both vocabularies spell alike; ``fits`` is what it makes of each
    source, ``own`` what the corpus's tokenizer makes of the same texts.
    """

    name: str
    vocabulary: int
    unreachable: int
    shared: int
    fits: Mapping[str, FitFigures]
    own: Mapping[str, FitFigures]


@dataclass(frozen=True, slots=True)
class TokenizerFigures:
    """The tokenizer, and what it made of the corpus.

    ``origin`` is "trained" or the file it was read from. ``vocabulary`` counts all tokens,
    ``added`` those that no merge made. ``longest`` holds some of the longest tokens as text,
    ``unreachable`` counts entries that no text can give, ``lost`` holds some of them.
    """

    origin: str
    vocabulary: int
    merges: int
    added: int
    longest: tuple[str, ...]
    tokens: int
    bytes: int
    unreachable: int = 0
    lost: tuple[str, ...] = ()
    peers: tuple[PeerFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class ShardFigures:
    """One file of tokens."""

    name: str
    split: str
    documents: int
    tokens: int
    dtype: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SplitFigures:
    """One split of the corpus; ``tokens`` is 0 where none were made."""

    name: str
    documents: int
    text_bytes: int
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a run can say about itself.

    ``skipped`` are sources without raw files, ``dedup`` the rules by which duplicates were found.
    """

    title: str
    seed: int
    config_digest: str
    pile_version: str
    sources: tuple[SourceFigures, ...] = ()
    splits: tuple[SplitFigures, ...] = ()
    tokenizer: TokenizerFigures | None = None
    shards: tuple[ShardFigures, ...] = ()
    skipped: tuple[str, ...] = ()
    dedup: Mapping[str, str] = field(default_factory=dict)


_FIGURES: TypeAdapter[Figures] = TypeAdapter(Figures)


def length_bin(size: int) -> int:
    """Return the entry of ``lengths`` that counts a document of ``size`` UTF-8 bytes."""
    return max(size, 1).bit_length() - 1


def to_json(figures: Figures) -> dict[str, Json]:
    """Return ``figures`` as JSON values: fields in declared order, keys of mappings sorted."""
    plain = _plain(figures)
    if not isinstance(plain, dict):
        raise TypeError(f"figures expected, not {type(figures).__name__}")
    return plain


def from_json(value: Mapping[str, Json]) -> Figures:
    """Return the figures that `to_json` wrote.

    Raises ValueError (pydantic's names the field) for a missing, unknown or unfit value.
    """
    figures = _FIGURES.validate_python(value)
    if to_json(figures) != value:
        raise ValueError("not the figures of a run: they hold more or other values than those read")
    return figures


def _plain(value: object) -> Json:
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"no JSON form for a value of type {type(value).__name__}")
