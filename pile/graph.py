"""The stage graph of a configuration: which stages there are, and what each is made from."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pile.config import Config, ConfigError, SourceTable
from pile.downloads.guests import Refused
from pile.downloads.raw_files import Located, locate
from pile.stages import (
    deduplication,
    extract,
    fetch,
    filters,
    hold_out,
    mix,
    near,
    report,
    scatter,
    shard,
    tokenize,
    train_tokenizer,
    weigh,
)
from pile.stages.stage import Stage
from sources.fetch import UpstreamError
from sources.published import Recognised, recognise
from sources.upstream.attempts import PATIENT, Patience

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_FILES = "no raw files are given or planned"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that has no raw files in this run, and why.

    ``upstream_gone``: it may be worth trying again later. ``refused``: a run without it is not to
    start unasked, as a key or leave to spend is all that it lacks.
    """

    source: str
    why: str
    upstream_gone: bool = False
    refused: bool = False


class UpstreamsGoneError(Exception):
    """No source is left to run with, and some may be back later."""


@dataclass(frozen=True, slots=True)
class Graph:
    """All stages, each after its inputs; sources left out; raw files by source."""

    stages: tuple[Stage, ...]
    skipped: tuple[Skipped, ...]
    files: dict[str, Collection[Located]]

    def named(self, name: str) -> Stage:
        """Return a stage by name; raises KeyError."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def recognised(self) -> dict[str, list[Recognised]]:
        """Return by source the user's files that are, or are called like, files of the Pile of 2020."""
        found = {
            name: [recognise(file.raw.name, file.raw.checksum) for file in files if file.is_local]
            for name, files in self.files.items()
        }
        return {name: [one for one in some if one] for name, some in found.items() if any(some)}

    def waves(self) -> list[list[Stage]]:
        """Group the stages so that each one's inputs lie in earlier groups."""
        depth: dict[str, int] = {}
        for stage in self.stages:
            depth[stage.name] = 1 + max((depth[given.name] for given in stage.inputs), default=0)
        last = max(depth.values(), default=0)
        return [
            [stage for stage in self.stages if depth[stage.name] == level]
            for level in range(1, last + 1)
        ]


def build(
    config: Config,
    hear: Callable[[str], None],
    gone: Mapping[str, str] = NOTHING,
    patience: Patience = PATIENT,
) -> Graph:
    """Return the graph of a configuration.

    ``hear`` hears of raw files that must be read for it and of upstreams that are asked, ``patience`` is
    how long each of these is waited for. ``gone`` names sources whose upstream failed while fetching, and
    how: they are left out. Without any source but such as a run is refused for, there are no stages.
    Raises `ConfigError` when not even that is left, `UpstreamsGoneError` if it may pass.
    """
    files: dict[str, Collection[Located]] = {}
    skipped: list[Skipped] = []
    for table in config.enabled:
        if table.name in gone:
            skipped.append(Skipped(table.name, gone[table.name], upstream_gone=True))
            continue
        found = _locate(config, table, hear, patience)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            files[table.name] = found
    if not files and not any(one.refused for one in skipped):
        kind = UpstreamsGoneError if any(one.upstream_gone for one in skipped) else ConfigError
        raise kind(_nothing(config, skipped))
    stages = _stages(config, files, skipped) if files else []
    return Graph(tuple(stages), tuple(skipped), files)


def _locate(
    config: Config, table: SourceTable, hear: Callable[[str], None], patience: Patience
) -> Collection[Located] | Skipped:
    try:
        found = locate(config, table, hear, patience)
    except UpstreamError as error:
        return Skipped(table.name, str(error), upstream_gone=True)
    except Refused as error:
        return Skipped(table.name, str(error), refused=True)
    return found or Skipped(table.name, table.source.manual or NO_FILES)


def _nothing(config: Config, skipped: Iterable[Skipped]) -> str:
    reasons = "".join(f"\n  {one.source}: {one.why}" for one in skipped)
    return f"{config.path}: no source has raw files{reasons or '; enable one in [sources]'}"


def _stages(
    config: Config, files: dict[str, Collection[Located]], skipped: Iterable[Skipped]
) -> list[Stage]:
    tables = [table for table in config.enabled if table.name in files]
    fetched = {table.name: fetch.stage(config, table, files[table.name]) for table in tables}
    extracted = {
        table.name: extract.stage(table, files[table.name], fetched[table.name]) for table in tables
    }
    chains = filters.chains(config, extracted)
    kept = {**extracted, **{name: steps[-1] for name, steps in chains.items()}}
    duplicates = deduplication.stages(config, kept)
    weighed = weigh.stages(config, kept, duplicates.decisions)
    scattered = scatter.stage(config, kept, duplicates.decisions, weighed)
    held = hold_out.stage(config, scattered)
    alike = near.stages(config, kept, duplicates.signed, held)
    mixed = mix.stage(config, scattered, list(kept.values()), held, alike[-1:])
    *counts, tokenizer = train_tokenizer.stages(config, mixed)
    tokenized = tokenize.stage(config, mixed, tokenizer)
    sharded = shard.stage(config, mixed, tokenized)
    before = [
        *fetched.values(),
        *extracted.values(),
        *(step for steps in chains.values() for step in steps),
        *duplicates.stages,
        *weighed.values(),
        scattered,
        held,
        *alike,
        mixed,
        *counts,
        tokenizer,
        tokenized,
        sharded,
    ]
    return [*before, report.stage(config, [one.source for one in skipped], before)]
