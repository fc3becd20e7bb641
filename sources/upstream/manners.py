"""Politeness as a property of the run: how often, and over how many connections, a host is asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sources.source import Pace

DEFAULT_PACE = Pace(10.0, 8)


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are asked; all workers that share ``folder`` share one pace for each host.

    ``contact`` is how an upstream's people reach the user: an address or a page.
    """

    folder: Path | None = None
    paces: Mapping[str, Pace] = field(default_factory=dict)
    default: Pace = DEFAULT_PACE
    contact: str = ""

    @contextmanager
    def turn(self, host: str, longest: float = 600.0) -> Iterator[None]:
        """Wait for a turn at a host (``name`` or ``name:port``), and hold a connection meanwhile.

        Raises Interrupted if that would take more than ``longest`` seconds.
        """
        del host, longest
        yield

    def hold(self, host: str, seconds: float) -> None:
        """Let no worker ask a host for so long: it said so."""
        del host, seconds
