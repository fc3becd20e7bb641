"""The stages of deduplication, from documents to a decision about each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pile.compared import Group, groups
from pile.config import Config
from pile.stages import buckets, decide, dedup, index, sign, spill
from pile.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class Deduplication:
    """All stages in order, and those that hold the decisions, by source."""

    stages: tuple[Stage, ...]
    decisions: Mapping[str, Stage]


def stages(config: Config, extracted: Mapping[str, Stage]) -> Deduplication:
    """Return the stages for the sources that are to be deduplicated; raises `ConfigError`."""
    made: list[Stage] = []
    decisions: dict[str, Stage] = {}
    for group in groups(config, extracted):
        made.extend(_of_group(config, group, extracted))
        decisions.update(
            {stage.name.removeprefix("dedup."): stage for stage in made if _decides(stage)}
        )
    return Deduplication(tuple(made), decisions)


def _decides(stage: Stage) -> bool:
    return stage.name.startswith("dedup.")


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
