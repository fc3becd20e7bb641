"""Politeness as a property of the run: how often, and over how many connections, a host is asked.

A pace that is stated for a domain holds for it and all below it, together: they share one bucket, so
that a site is not asked more by spreading over its subdomains. Of several that fit, the longest name
counts; one with a port is for that port alone. Any other host has a bucket of its own, at the default
pace. This machine is asked at no pace, unless one is stated.
"""

import ipaddress
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from sources.source import Pace
from sources.upstream import bucket

DEFAULT_PACE = Pace(10.0, 8)


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are asked; all workers that share ``folder`` share one pace for each host.

    Without a folder, those of this process do. ``contact`` is how an upstream's people reach the user:
    an address or a page.
    """

    folder: Path | None = None
    paces: Mapping[str, Pace] = field(default_factory=dict)
    default: Pace = DEFAULT_PACE
    contact: str = ""

    @contextmanager
    def turn(self, host: str, longest: float = 600.0) -> Iterator[None]:
        """Wait for a turn at a host (``name`` or ``name:port``), and hold a connection meanwhile.

        Raises Interrupted if the host asked to be left alone for more than ``longest`` seconds, or if
        no connection is free so long.
        """
        paced = self._paced(host)
        if paced is None:
            yield
            return
        folder, pace = paced
        with bucket.slot(folder, pace.connections, longest):
            bucket.take(folder / "bucket", 1 / pace.per_second, longest)
            yield

    def hold(self, host: str, seconds: float) -> None:
        """Let no worker ask a host for so long: it said so."""
        paced = self._paced(host)
        if paced is not None and seconds > 0:
            bucket.hold(paced[0] / "bucket", seconds)

    def slow(self, host: str, delay: float) -> None:
        """Let so many seconds pass between two requests to a host: it said so."""
        paced = self._paced(host)
        if paced is not None:
            bucket.slow(paced[0] / "bucket", delay)

    def connections(self, host: str) -> int:
        """Return how many connections to a host there may be at a time."""
        paced = self._paced(host)
        return (self.default if paced is None else paced[1]).connections

    def _paced(self, host: str) -> tuple[Path, Pace] | None:
        """Return the folder of a host's bucket, and its pace, if it has one."""
        address = host.rpartition("@")[2].lower()
        bare = (urlsplit(f"//{address}").hostname or "").rstrip(".")
        labels = bare.split(".")
        domains = (".".join(labels[first:]) for first in range(len(labels)))
        stated = next((name for name in (address, *domains) if name in self.paces), None)
        if stated is None and is_loopback(bare):
            return None
        folder = (self.folder or _own_folder()) / quote(stated or bare, safe="")
        folder.mkdir(parents=True, exist_ok=True)
        return folder, self.paces.get(stated or "", self.default)


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is that of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def _own_folder() -> Path:
    """Return a folder of this process, which goes with it."""
    return Path(_own().name)


@cache
def _own() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pile-manners-")
