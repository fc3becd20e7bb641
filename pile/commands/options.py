"""What the commands have in common: options, and opening a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from pile.config import Config, ConfigError, load
from pile.graph import Graph, build
from pile.preflight import check_leave
from pile.terminal import say
from sources.upstream.attempts import BRIEF, Patience

ConfigPath = Annotated[Path, typer.Option("-c", "--config", help="The pipeline.toml to follow.")]
DEFAULT_CONFIG = Path("pipeline.toml")


def open_run(config: Path, patience: Patience = BRIEF) -> tuple[Config, Graph]:
    """Return the settings of a configuration and its stages; says which raw files it must read.

    ``patience`` is how long each upstream is waited for that was not asked before. Raises what says why, if a run is refused for all of its sources.
    """
    settings, graph = plan_run(config, patience)
    if not graph.stages:
        check_leave(settings, graph)
    return settings, graph


def plan_run(config: Path, patience: Patience = BRIEF) -> tuple[Config, Graph]:
    """Do as `open_run`, but a graph may be of no stages, if a run is refused for all of its sources."""
    settings = load(config)
    return settings, build(settings, say_on_terminal, patience=patience)


def say_on_terminal(text: str) -> None:
    """Narrate where somebody looks on."""
    say(text, only_on_terminal=True)


def no_stage(graph: Graph, name: str) -> ConfigError:
    """Return the error about a name that no stage has."""
    known = ", ".join(one.name for one in graph.stages)
    return ConfigError(f"there is no stage {name!r}; these are: {known}")


def share(text: str) -> float:
    """Read a share: ``5%`` or ``0.05``. Raises `pile.config.ConfigError`."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ConfigError(f"{text!r} is no share: write 5% or 0.05")
    return value
