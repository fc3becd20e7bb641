"""The tables of pipeline.toml besides its sources: their keys, defaults, and what agrees with what."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dedup.decontaminate import MARGIN, WORDS
from dedup.lines import LEAST
from dedup.scheme import Scheme
from pile.downloads import addresses

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


class Settings(BaseModel):
    """Base of every table: immutable, no unknown keys, no silent conversions, no infinite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Kept = Literal["first", "last", "longest"]


class Corpus(Settings):
    """``[corpus]``: its name and the seed of every draw."""

    name: str = "corpus"
    seed: Annotated[int, Field(ge=0)] = 42


class Dedup(Settings):
    """``[dedup]``: off, exact, or MinHash-LSH with the Pile's parameters.

    Inside each source, ``keep`` names the sources and which document of duplicates stays. With
    ``scope = "all"`` the sources of ``priority`` are compared with each other: the best of a cluster
    is of the first of them, and inside it what ``prefer`` says. ``first`` and ``last`` inside a source
    take every shared bucket for a duplicate, as published; otherwise ``check`` can look again, by
    signature (estimates may lie ``margin`` below the threshold) or by shingles. ``bands`` of ``rows``
    numbers are chosen from the threshold where 0. ``earlier`` is the saved index of corpora whose
    documents all stay; ``index`` saves this one's.
    """

    method: Literal["none", "exact", "minhash"] = "none"
    scope: Literal["source", "all"] = "source"
    keep: dict[str, Kept] = Field(default_factory=dict)
    priority: tuple[str, ...] = ()
    prefer: Kept = "first"
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    permutations: Annotated[int, Field(ge=2)] = 10
    bands: Annotated[int, Field(ge=0)] = 0
    rows: Annotated[int, Field(ge=0)] = 0
    check: Literal["none", "signature", "shingles"] = "none"
    margin: Fraction = 0.04
    ngram: Annotated[int, Field(ge=1)] = 5
    words: str = "treebank"
    digest: str = "text"
    scheme: str = "datasketch-legacy"
    seed: Annotated[int, Field(ge=0)] = 1
    earlier: str = ""
    index: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """The sources that are deduplicated."""
        return self.priority if self.scope == "all" else tuple(sorted(self.keep))

    @model_validator(mode="after")
    def _scheme_exists(self) -> "Dedup":
        Scheme(self.scheme, self.words, self.ngram, self.permutations, self.seed, self.digest)
        return self

    @model_validator(mode="after")
    def _rules_agree(self) -> "Dedup":
        if self.scope == "all" and (self.keep or not self.priority):
            raise ValueError(
                "scope = 'all' wants priority = [sources, the best first], and no [dedup.keep]"
            )
        if self.scope == "source" and self.priority:
            raise ValueError(
                "priority goes with scope = 'all'; inside sources [dedup.keep] says what stays"
            )
        published = self.scope == "source" and set(self.keep.values()) & {"first", "last"}
        if self.check != "none" and published:
            raise ValueError(
                "check goes with 'longest' and scope = 'all': 'first' and 'last' check nothing, as published"
            )
        if (self.earlier or self.index) and "last" in self.keep.values():
            raise ValueError(
                "an index cannot go with 'last': documents that come later would remove its own"
            )
        if self.earlier and self.check == "shingles":
            raise ValueError(
                "check = 'shingles' needs texts, and an earlier index has none; check by 'signature'"
            )
        if bool(self.bands) != bool(self.rows) or self.bands * self.rows > self.permutations:
            raise ValueError(
                "bands and rows come together, and their product is at most permutations"
            )
        return self


HELD_OUT = 0.01
"""Share of each train file that the Pile held out; validation and test are parts of it."""


class Mix(Settings):
    """``[mix]``: how much of each source, what is held out, and into how many files it goes.

    Sources are drawn by their epochs unless ``shares`` names what share of the training split a source
    is to have, or ``total`` how large that split is to be, both counted in ``unit``. ``val`` and ``test``
    are shares of documents. ``hold_out`` draws them by a keyed hash of their ids, or as published: from
    the first hundredth of each shuffled train file, the rest of which is held back. With
    ``near_duplicates`` not only copies of what is held out leave the training split, but also what is
    like it by the signatures of ``[dedup]``. There are ``files`` of the training split, or as many as
    ``file_bytes`` of text each come to.
    """

    unit: Literal["documents", "bytes", "tokens"] = "documents"
    shares: dict[str, Annotated[float, Field(gt=0.0, le=1.0)]] = Field(default_factory=dict)
    total: Annotated[int, Field(ge=0)] = 0
    val: Fraction = 0.001
    test: Fraction = 0.001
    hold_out: Literal["hash", "published"] = "hash"
    near_duplicates: bool = False
    files: Annotated[int, Field(ge=0, le=100_000)] = 0
    file_bytes: Annotated[int, Field(ge=1 << 16)] = 256 << 20

    @property
    def weighs(self) -> bool:
        """Whether sources must be measured before it is known how often their documents come."""
        return bool(self.shares or self.total)

    @property
    def held(self) -> float:
        """The share of documents that is not in the training split."""
        return HELD_OUT if self.hold_out == "published" else self.val + self.test

    @model_validator(mode="after")
    def _rules_agree(self) -> "Mix":
        if self.val + self.test >= 1:
            raise ValueError("val and test together hold out everything")
        if self.hold_out == "published" and self.val + self.test > HELD_OUT:
            raise ValueError(
                f"val and test are {self.val + self.test:g} together, and hold_out = 'published' holds "
                f"out {HELD_OUT:g} of each file, of which they are parts: lower them, or hold out by 'hash'"
            )
        if self.unit != "documents" and not self.weighs:
            raise ValueError(
                f"unit = {self.unit!r} says what [mix.shares] and total count, and there are none; "
                "epochs alone count documents"
            )
        return self


class Tokenizer(Settings):
    """``[tokenizer]``: an existing tokenizer.json, or how to train one.

    Words are counted in about ``sample_bytes`` of the training split; those that occur fewer than
    ``min_word_count`` times are cut. ``runs`` says whether tokens for runs of up to
    ``longest_space_run`` spaces are added once merges are learned, as released, or reserved before.
    ``trainer`` learns: kernels, or HF's own, which refuses counts that would overflow; ``auto`` is
    the latter for little text. Either gives the same bytes.
    """

    file: str = ""
    vocabulary: Annotated[int, Field(ge=300)] = 50_254
    min_frequency: Annotated[int, Field(ge=1)] = 2
    alphabet: Literal["utf8", "learned", "complete"] = "utf8"
    longest_space_run: Annotated[int, Field(ge=0)] = 24
    runs: Literal["added", "reserved"] = "added"
    sample_bytes: Annotated[int, Field(gt=0)] = 4 << 30
    min_word_count: Annotated[int, Field(ge=1)] = 1
    trainer: Literal["auto", "kernels", "hf"] = "auto"


Side = Literal["datatrove", "nanogpt", "olmo"]


class Shards(Settings):
    """``[shards]``: the size of shards, what each holds, and how documents become tokens.

    A shard has at most ``tokens``, or ``bytes`` of ``.bin``, but at least one document; without
    either there is one a corpus file, or with ``by = "source"`` one a source and split. Shards of a
    source hold each document once, whatever its epochs: weights repeat it. ``sides`` are trainers
    that get their own small files over the same tokens.
    """

    empty_documents: Literal["keep", "drop"] = "keep"
    literal_specials: Literal["text", "tokens"] = "text"
    by: Literal["mix", "source"] = "mix"
    tokens: Annotated[int, Field(ge=0)] = 0
    bytes: Annotated[int, Field(ge=0)] = 0
    sides: tuple[Side, ...] = ()

    @property
    def rewrites(self) -> bool:
        """Whether tokens are written once more, in other files than those of corpus files."""
        return bool(self.tokens or self.bytes or self.by == "source")

    @model_validator(mode="after")
    def _keys_agree(self) -> "Shards":
        if self.tokens and self.bytes:
            raise ValueError("tokens and bytes both say how large a shard is: give one of them")
        if len(set(self.sides)) < len(self.sides):
            raise ValueError("sides names a trainer twice")
        return self


class Report(Settings):
    """``[report]``: how many documents and clusters of duplicates of each source to show.

    ``compare`` names files of tokenizers (tokenizer.json) to put beside the corpus's own.
    """

    samples: Annotated[int, Field(ge=0, le=1000)] = 8
    clusters: Annotated[int, Field(ge=0, le=100)] = 3
    compare: tuple[str, ...] = ()


class Run(Settings):
    """``[run]``: where and how fast; never what.

    ``sort_memory_mb`` is what sorting and merging take. ``contact`` tells upstreams who asks,
    ``spend_usd`` is the most that paid downloads may cost, ``usd_per_core_hour`` what the report reckons
    a core to cost, and ``mirrors`` gives by the beginning of
    an address where it is asked for instead.
    """

    work: str = "work"
    engine: Literal["auto", "ray", "serial"] = "auto"
    workers: Annotated[int, Field(ge=0)] = 0
    ray_address: str = ""
    temp: str = ""
    stall_minutes: Annotated[float, Field(gt=0)] = 60.0
    sort_memory_mb: Annotated[int, Field(ge=16)] = 256
    contact: Annotated[str, AfterValidator(addresses.contact)] = ""
    spend_usd: Annotated[float, Field(ge=0)] = 0.0
    usd_per_core_hour: Annotated[float, Field(ge=0)] = 0.0
    mirrors: dict[
        Annotated[str, AfterValidator(addresses.prefix)],
        Annotated[str, AfterValidator(addresses.mirror)],
    ] = Field(default_factory=dict)


class Quality(Settings):
    """``[quality]``: sources of which documents are kept the likelier the more they read like others.

    ``sources`` are filtered, each by a model of its own that learns to tell them from ``like``: off
    while it is empty. A document of score s is kept with the chance ``(2 - s) ** -alpha``. ``sample``
    is the share of the documents of ``like`` that is learnt from, ``max_examples`` how many at most;
    as many are drawn from the source. The others are fastText's: ``dims`` numbers a row, ``buckets``
    rows for pairs of words, at most ``words`` for single ones, each seen ``min_count`` times,
    ``epochs`` over the examples, and a learning rate that falls from ``rate`` to nothing.
    """

    sources: tuple[str, ...] = ()
    like: tuple[str, ...] = ("openwebtext2",)
    alpha: Annotated[float, Field(gt=0.0)] = 3.0
    sample: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    max_examples: Annotated[int, Field(ge=1)] = 200_000
    dims: Annotated[int, Field(ge=1, le=1000)] = 32
    buckets: Annotated[int, Field(ge=1, le=1 << 30)] = 1_000_000
    words: Annotated[int, Field(ge=1, le=1 << 30)] = 500_000
    min_count: Annotated[int, Field(ge=1)] = 1
    epochs: Annotated[int, Field(ge=1)] = 5
    rate: Annotated[float, Field(gt=0.0)] = 0.1

    def check(self, enabled: Collection[str]) -> None:
        """Raise ValueError unless every source named is read, and none is to be like itself."""
        if not self.sources:
            return
        for key, names in (("sources", self.sources), ("like", self.like)):
            for name in names:
                if name not in enabled:
                    raise ValueError(
                        f"[quality] {key} names {name!r}, which is no enabled source; enable it in "
                        f"[sources.{name}], or switch the filter off with sources = []"
                    )
        both = sorted(set(self.sources) & set(self.like))
        if both:
            raise ValueError(f"[quality] {both[0]!r} cannot be told from itself: it is in like too")
        if not self.like:
            raise ValueError("[quality] like is empty: name the sources whose documents are wanted")


class Lines(Settings):
    """``[lines]``: sources of which lines or paragraphs that came before in any document are cut.

    Of equal units, blanks at their ends apart, the first in each source stays; units of fewer than
    ``least`` characters are let be.
    """

    sources: tuple[str, ...] = ()
    unit: Literal["line", "paragraph"] = "line"
    least: Annotated[int, Field(ge=1)] = LEAST


class Decontaminate(Settings):
    """``[decontaminate]``: documents that share ``ngram`` words in a row with a benchmark.

    ``benchmarks`` names files by what hits are attributed to; off while it is empty. ``sources`` are
    those looked at, all if none. A hit drops its document, or is cut with ``margin`` characters on
    each side.
    """

    benchmarks: dict[str, str] = Field(default_factory=dict)
    sources: tuple[str, ...] = ()
    ngram: Annotated[int, Field(ge=1)] = WORDS
    action: Literal["drop", "cut"] = "drop"
    margin: Annotated[int, Field(ge=0)] = MARGIN
