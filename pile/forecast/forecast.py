"""From amounts and rates to what a run takes: by source, by stage, and in all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pile.config import Config
from pile.forecast.amounts import Amount
from pile.forecast.rates import Rates
from pile.mixing.mixture import effective_epochs, effective_shares

PACKED = 0.36
"""Bytes that a byte of text takes packed, as documents and as corpus files are."""

TOKEN_BYTES = 0.47
"""Bytes of a shard that a byte of text takes: 4.3 bytes a token of two bytes."""

SIGNATURE_BYTES = 120
"""Bytes a document of signatures, digests and sorted runs."""


@dataclass(frozen=True, slots=True)
class SourceForecast:
    """A source: what it downloads and holds, its share of the mix, and what reading it takes.

    ``share`` is that of the corpus among the sources of this run, ``share_of_all`` among all that are
    enabled. ``disk`` counts raw files and documents.
    """

    source: str
    licence: str
    download: int
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
    """What a run takes. ``disk`` is its peak, as nothing that a stage made is removed while it runs."""

    sources: tuple[SourceForecast, ...]
    stages: tuple[StageForecast, ...]
    workers: int
    line_mb_s: float
    rates_of: str
    core_hours: float
    hours: float
    disk: int
    usd: float
    unknown: tuple[str, ...]


def forecast(
    config: Config,
    amounts: Sequence[Amount],
    left_out: Sequence[Amount],
    rates: Rates,
    workers: int,
    line_mb_s: float,
) -> Forecast:
    """Return what a run of sources takes; ``left_out`` are those that it would have had besides.

    ``line_mb_s`` is how many megabytes a second are downloaded, all workers together.
    """
    here = _shares(config, amounts)
    everywhere = _shares(config, [*amounts, *left_out])
    sources = tuple(_source(one, here, everywhere, rates) for one in amounts)
    stages = tuple(_stages(config, amounts, rates, workers, line_mb_s))
    core_hours = sum(one.core_hours for one in stages)
    usd = sum(one.usd for one in amounts) + core_hours * config.run.usd_per_core_hour
    return Forecast(
        sources,
        stages,
        workers,
        line_mb_s,
        rates.machine,
        core_hours,
        sum(one.hours for one in stages),
        sum(one.disk for one in stages),
        usd,
        tuple(one.source for one in amounts if not one.text),
    )


def _shares(config: Config, amounts: Sequence[Amount]) -> Mapping[str, float]:
    names = {one.source for one in amounts}
    wanted = {name: share for name, share in config.mix.shares.items() if name in names}
    counted = config.mix.unit == "documents"
    have = {one.source: float(one.documents if counted else one.text) for one in amounts}
    return effective_shares(have, {one.source: one.epochs for one in amounts}, wanted)


def _source(
    one: Amount, here: Mapping[str, float], everywhere: Mapping[str, float], rates: Rates
) -> SourceForecast:
    return SourceForecast(
        one.source,
        one.licence,
        one.download,
        one.text,
        one.documents,
        one.epochs,
        here[one.source],
        everywhere[one.source],
        _hours(one.content, rates.reader(one.reader)),
        one.raw + int(one.text * PACKED),
        one.usd,
        one.hours,
        one.basis,
    )


def _stages(
    config: Config, amounts: Sequence[Amount], rates: Rates, workers: int, line_mb_s: float
) -> list[StageForecast]:
    text = sum(one.text for one in amounts)
    drawn = int(sum(_drawn(config, amounts).values()))
    compared = [one for one in amounts if one.source in config.dedup.named]
    compared = compared if config.dedup.method == "minhash" else []
    read = sum(one.content for one in amounts)
    reading = sum(_hours(one.content, rates.reader(one.reader)) for one in amounts)
    come = sum(one.download for one in amounts)
    fetching = max([come / (line_mb_s * 1e6) / 3600, *(one.hours for one in amounts)])

    def timed(kind: str, count: int, disk: float) -> StageForecast:
        hours = _hours(count, rates.stages[kind])
        return StageForecast(kind, count, hours, hours / workers, int(disk))

    sampled = min(config.tokenizer.sample_bytes, drawn) if not config.tokenizer.file else 0
    learning = rates.learn_seconds * config.tokenizer.vocabulary / 50_254 / 3600 if sampled else 0.0
    compared_text = sum(one.text for one in compared)
    compared_documents = sum(one.documents for one in compared)
    found = [
        StageForecast("fetch", come, 0.0, fetching, come),
        StageForecast("extract", read, reading, reading / workers, int(text * PACKED)),
        timed("dedup", compared_text, compared_documents * SIGNATURE_BYTES),
        timed("mix", drawn, 2 * drawn * PACKED),
        timed("count", sampled, 0.0),
        StageForecast("train_tokenizer", 0, learning, learning, 0),
        timed("tokenize", drawn, drawn * TOKEN_BYTES),
    ]
    if config.shards.rewrites:
        found.append(timed("shard", drawn, drawn * TOKEN_BYTES))
    return [one for one in found if one.bytes or one.core_hours]


def _drawn(config: Config, amounts: Sequence[Amount]) -> dict[str, float]:
    """Return the bytes of text of each source in the corpus."""
    if not config.mix.weighs:
        return {one.source: one.text * one.epochs for one in amounts}
    by: Callable[[Amount], float] = _BY[config.mix.unit]
    have = {one.source: by(one) for one in amounts}
    names = have.keys()
    wanted = {name: share for name, share in config.mix.shares.items() if name in names}
    asked = {one.source: one.epochs for one in amounts}
    times = effective_epochs(have, asked, wanted, config.mix.total)
    return {one.source: one.text * times[one.source] for one in amounts}


BYTES_A_TOKEN = 4.3
_BY: Mapping[str, Callable[[Amount], float]] = {
    "documents": lambda one: float(one.documents),
    "bytes": lambda one: float(one.text),
    "tokens": lambda one: one.text / BYTES_A_TOKEN,
}


def _hours(count: float, rate: float) -> float:
    return count / rate / 3600
