"""From amounts and rates to what a run still takes: by source, by stage, and in all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pile.config import Config
from pile.forecast.amounts import Amount
from pile.forecast.assumptions import BYTES_A_TOKEN, PACKED, SIGNATURE_BYTES, token_bytes
from pile.forecast.rates import Rates
from pile.mixing.mixture import effective_epochs, effective_shares


@dataclass(frozen=True, slots=True)
class Means:
    """What a run has: rates of a core, how many workers, megabytes a second of its line.

    ``left`` says of stages that were begun before which share is still to be done.
    """

    rates: Rates
    workers: int
    line_mb_s: float
    left: Mapping[str, float] = field(default_factory=dict)

    def to_do(self, stage: str) -> float:
        """Return which share of a stage is still to be done."""
        return self.left.get(stage, 1.0)


@dataclass(frozen=True, slots=True)
class SourceForecast:
    """A source: what it downloads and holds, its share of the mix, and what reading it still takes.

    ``share`` is that of the corpus among the sources of this run, ``share_of_all`` among all that are
    enabled. ``disk`` counts downloads and documents. Unless ``sized``, more may be downloaded.
    """

    source: str
    licence: str
    download: int
    sized: bool
    text: int
    documents: int
    epochs: float
    share: float
    share_of_all: float
    core_hours: float
    disk: int
    usd: float
    hours: float
    basis: str


@dataclass(frozen=True, slots=True)
class StageForecast:
    """A kind of stage over all sources: bytes it reads, core-hours, hours with all workers, disk."""

    stage: str
    bytes: int
    core_hours: float
    hours: float
    disk: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run still takes; what is done is not counted.

    ``disk`` is what it adds to the disk: nothing that a stage made is removed while a run lasts, so
    that is most at its end. ``usd_downloads`` and ``usd_cores`` are the parts of ``usd``; the latter is
    0 where no price of a core is set. ``unknown`` are sources, and ``unreckoned`` stages, without figures.
    """

    sources: tuple[SourceForecast, ...]
    stages: tuple[StageForecast, ...]
    workers: int
    line_mb_s: float
    rates_of: str
    core_hours: float
    hours: float
    disk: int
    usd: float
    usd_downloads: float
    usd_cores: float
    unknown: tuple[str, ...]
    unreckoned: tuple[str, ...]


def forecast(
    config: Config, amounts: Sequence[Amount], left_out: Sequence[Amount], means: Means
) -> Forecast:
    """Return what a run of sources takes; ``left_out`` are those that it would have had besides."""
    here = _shares(config, amounts)
    everywhere = _shares(config, [*amounts, *left_out])
    sources = tuple(
        _source(one, here[one.source], everywhere[one.source], means) for one in amounts
    )
    stages = tuple(one for one in _stages(config, amounts, means) if one.bytes or one.core_hours)
    core_hours = sum(one.core_hours for one in stages)
    downloads, cores = sum(one.usd for one in amounts), core_hours * config.run.usd_per_core_hour
    return Forecast(
        sources,
        stages,
        means.workers,
        means.line_mb_s,
        means.rates.machine,
        core_hours,
        sum(one.hours for one in stages),
        sum(one.disk for one in stages),
        downloads + cores,
        downloads,
        cores,
        tuple(one.source for one in amounts if not one.text),
        tuple(_unreckoned(config, amounts, means)),
    )


def _shares(config: Config, amounts: Sequence[Amount]) -> Mapping[str, float]:
    names = {one.source for one in amounts}
    wanted = {name: share for name, share in config.mix.shares.items() if name in names}
    by = _BY[config.mix.unit]
    have = {one.source: by(one) for one in amounts}
    return effective_shares(have, {one.source: one.epochs for one in amounts}, wanted)


def _source(one: Amount, share: float, share_of_all: float, means: Means) -> SourceForecast:
    return SourceForecast(
        one.source,
        one.licence,
        one.download,
        one.sized,
        one.text,
        one.documents,
        one.epochs,
        share,
        share_of_all,
        _reading(one, means),
        one.download + _documents(one, means),
        one.usd,
        one.hours,
        one.basis,
    )


def _reading(one: Amount, means: Means) -> float:
    """Return the core-hours of reading a source and of writing its documents."""
    read = _hours(one.content, means.rates.reader(one.reader))
    return means.to_do(f"extract.{one.source}") * (
        read + _hours(one.text, means.rates.stages["write"])
    )


def _documents(one: Amount, means: Means) -> int:
    return int(means.to_do(f"extract.{one.source}") * one.text * PACKED)


def _stages(config: Config, amounts: Sequence[Amount], means: Means) -> Iterator[StageForecast]:
    drawn = sum(_drawn(config, amounts).values())
    tokens = token_bytes(config.tokenizer.vocabulary)

    def timed(kind: str, count: float, disk: float) -> StageForecast:
        hours = _hours(count, means.rates.stages[kind])
        return StageForecast(kind, int(count), hours, hours / means.workers, int(disk))

    yield from _to_documents(amounts, means)
    compared = _compared(config, amounts)
    left = [(means.to_do(f"dedup.{one.source}"), one) for one in compared]
    text = sum(share * one.text for share, one in left)
    yield timed("dedup", text, sum(share * one.documents for share, one in left) * SIGNATURE_BYTES)
    mixed = means.to_do("mix") * drawn
    yield timed("mix", mixed, 2 * mixed * PACKED)
    if not config.tokenizer.file:
        sampled = min(config.tokenizer.sample_bytes, drawn)
        yield timed("count", means.to_do("merge_counts") * sampled, 0.0)
        learning = means.to_do("train_tokenizer") * means.rates.learning(
            config.tokenizer.vocabulary
        )
        yield StageForecast("train_tokenizer", 0, learning / 3600, learning / 3600, 0)
    encoded = means.to_do("tokenize") * drawn
    yield timed("tokenize", encoded, encoded * tokens)
    if config.shards.rewrites:
        sharded = means.to_do("shard") * drawn
        yield timed("shard", sharded, sharded * tokens)


def _to_documents(amounts: Sequence[Amount], means: Means) -> Iterator[StageForecast]:
    come = sum(one.download for one in amounts)
    fetching = max([come / (means.line_mb_s * 1e6) / 3600, *(one.hours for one in amounts)])
    yield StageForecast("fetch", come, 0.0, fetching, come)
    read = int(sum(means.to_do(f"extract.{one.source}") * one.content for one in amounts))
    reading = sum(_reading(one, means) for one in amounts)
    disk = sum(_documents(one, means) for one in amounts)
    yield StageForecast("extract", read, reading, reading / means.workers, disk)


def _compared(config: Config, amounts: Sequence[Amount]) -> list[Amount]:
    """Return the sources whose documents are compared by what they say."""
    named = config.dedup.named if config.dedup.method == "minhash" else ()
    return [one for one in amounts if one.source in named]


def _unreckoned(config: Config, amounts: Sequence[Amount], means: Means) -> Iterator[str]:
    """Yield the stages of a run that nothing was measured of, unless they are done."""
    names = [one.source for one in amounts]
    watched = config.decontaminate.sources or tuple(names)
    asked = {
        "clean": [name for name in names if config.clean.of(name).rules],
        "filter": [name for name in names if name in config.quality.sources],
        "lines": [name for name in names if name in config.lines.sources],
        "decontaminate": [name for name in names if name in watched]
        if config.decontaminate.benchmarks
        else [],
        "dedup": [name for name in names if name in config.dedup.named]
        if config.dedup.method == "exact"
        else [],
    }
    for kind, sources in asked.items():
        yield from (f"{kind}.{name}" for name in sources if means.to_do(f"{kind}.{name}"))


def _drawn(config: Config, amounts: Sequence[Amount]) -> dict[str, float]:
    """Return the bytes of text of each source in the corpus."""
    if not config.mix.weighs:
        return {one.source: one.text * one.epochs for one in amounts}
    by = _BY[config.mix.unit]
    have = {one.source: by(one) for one in amounts}
    wanted = {name: share for name, share in config.mix.shares.items() if name in have}
    asked = {one.source: one.epochs for one in amounts}
    times = effective_epochs(have, asked, wanted, config.mix.total)
    return {one.source: one.text * times[one.source] for one in amounts}


_BY: Mapping[str, Callable[[Amount], float]] = {
    "documents": lambda one: float(one.documents),
    "bytes": lambda one: float(one.text),
    "tokens": lambda one: one.text / BYTES_A_TOKEN,
}


def _hours(count: float, rate: float) -> float:
    return count / rate / 3600
