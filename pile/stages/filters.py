"""The stages that a source's documents pass before they are compared with each other."""

from collections.abc import Iterator, Mapping

from pile.config import Config, ConfigError
from pile.stages import (
    clean,
    decontaminate,
    line_repeats,
    line_units,
    lines,
    quality_examples,
    quality_filter,
    quality_model,
)
from pile.stages.stage import Stage


def chains(config: Config, extracted: Mapping[str, Stage]) -> dict[str, tuple[Stage, ...]]:
    """Return by source the stages that filter it; the documents that go on are the last one's.

    Raises `ConfigError`.
    """
    cleaned = {
        name: clean.stage(config, name, stage) if config.clean.of(name).rules else stage
        for name, stage in extracted.items()
    }
    found = {name: tuple(_chain(config, name, extracted, cleaned)) for name in sorted(extracted)}
    return {name: steps for name, steps in found.items() if steps}


def _chain(
    config: Config, name: str, extracted: Mapping[str, Stage], cleaned: Mapping[str, Stage]
) -> Iterator[Stage]:
    documents = cleaned[name]
    if documents is not extracted[name]:
        yield documents
    if name in config.quality.sources:
        drawn, trained, documents = _quality(config, name, cleaned)
        yield from (drawn, trained, documents)
    if name in config.lines.sources:
        units = line_units.stage(config.lines, name, documents)
        repeats = line_repeats.stage(config, name, units)
        documents = lines.stage(config.lines, name, documents, repeats)
        yield from (units, repeats, documents)
    wanted = config.decontaminate.sources or tuple(extracted)
    if config.decontaminate.benchmarks and name in wanted:
        yield decontaminate.stage(config, name, documents)


def _quality(config: Config, name: str, cleaned: Mapping[str, Stage]) -> tuple[Stage, Stage, Stage]:
    for wanted in config.quality.like:
        if wanted not in cleaned:
            raise ConfigError(
                f"{config.path}: [quality] wants {name} to be like {wanted}, which has no raw "
                f"files here: give [sources.{wanted}] files, or switch off with sources = []"
            )
    like = [cleaned[wanted] for wanted in sorted(set(config.quality.like))]
    drawn = quality_examples.stage(config, name, cleaned[name], like)
    trained = quality_model.stage(config, name, drawn)
    return drawn, trained, quality_filter.stage(config, name, cleaned[name], trained)
