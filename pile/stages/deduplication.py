"""The stages of deduplication, from documents to a decision about each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pile.compared import Group, groups
from pile.config import Config
from pile.stages import buckets, decide, dedup, index, sign, spill
from pile.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class Deduplication:
    """All stages in order, and those that hold signatures and decisions, by source."""

    stages: tuple[Stage, ...]

    @property
    def signed(self) -> Mapping[str, Stage]:
        """The stages that hold the signatures of sources."""
        return self._named("sign")

    @property
    def decisions(self) -> Mapping[str, Stage]:
        """The stages that hold the decisions about sources."""
        return self._named("dedup")

    def _named(self, kind: str) -> Mapping[str, Stage]:
        pairs = ((stage.name.partition("."), stage) for stage in self.stages)
        return {source: stage for (first, _, source), stage in pairs if first == kind}


def stages(config: Config, extracted: Mapping[str, Stage]) -> Deduplication:
    """Return the stages for the sources that are to be deduplicated; raises `ConfigError`."""
    found = (_of_group(config, group, extracted) for group in groups(config, extracted))
    return Deduplication(tuple(stage for stages in found for stage in stages))


def _of_group(config: Config, group: Group, extracted: Mapping[str, Stage]) -> Iterator[Stage]:
    memory = config.run.sort_memory_mb << 20
    texts = [extracted[source] for source in group.sources]
    signed = [sign.stage(config.dedup, source, extracted[source]) for source in group.sources]
    spilled = spill.stage(group, signed)
    found = buckets.stage(group, spilled, memory)
    decided = decide.stage(group, found, spilled, texts, memory)
    written = [dedup.stage(group, source, decided, spilled, signed) for source in group.sources]
    yield from (*signed, spilled, found, decided, *written)
    if config.dedup.index:
        yield index.stage(group, signed, written)
