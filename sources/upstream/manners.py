"""Politeness as a property of the run: how often, and over how many connections, a host is asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sources.source import Pace

DEFAULT_PACE = Pace(10.0, 8)


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are asked; all workers that share ``folder`` share one pace for each host."""

    folder: Path | None = None
    paces: Mapping[str, Pace] = field(default_factory=dict)
    default: Pace = DEFAULT_PACE
    contact: str = ""

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for a turn at a host, and hold one of its connections meanwhile."""
        del host
        yield
