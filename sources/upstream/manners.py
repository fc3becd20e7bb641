"""Politeness as a property of the run: how often, and over how many connections, a host is asked.

A pace that is stated for a domain holds for it and all below it, together: they share one bucket, so
that a site is not asked more by spreading over its subdomains. Of several that fit, the longest name
counts; one with a port is for that port alone. Any other host has a bucket of its own, at the default
pace. This machine is asked at no pace, unless one is stated.
"""

import hashlib
import ipaddress
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from sources.source import Pace
from sources.upstream import bucket

DEFAULT_PACE = Pace(10.0, 8)

SHARD_DIGITS = 2
"""Hexadecimal digits that name the folders over which those of the hosts are spread."""
LONGEST_NAME = 200
"""Characters of a file's name, beyond which a digest stands for it; most systems take 255."""

_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are asked; all workers that share ``folder`` share one pace for each host.

    Without a folder, those of this process do. ``contact`` is how an upstream's people reach the user:
    an address or a page. ``pause`` is how turns are waited for.
    """

    folder: Path | None = None
    paces: Mapping[str, Pace] = field(default_factory=dict)
    default: Pace = DEFAULT_PACE
    contact: str = ""
    pause: bucket.Pause = bucket.pause

    @contextmanager
    def turn(self, host: str, longest: float = 600.0) -> Iterator[None]:
        """Wait for a turn at a host (``name`` or ``name:port``), and hold a connection meanwhile.

        Raises Interrupted if the host asked to be left alone for more than ``longest`` seconds.
        """
        pace = self.pace(host)
        if pace is None:
            yield
            return
        tokens = self.beside(host, "bucket")
        with bucket.slot(tokens.parent, pace.connections, self.pause):
            bucket.take(tokens, 1 / pace.per_second, longest, self.pause)
            yield

    def hold(self, host: str, seconds: float) -> None:
        """Let no worker ask a host for so long: it said so."""
        if seconds > 0 and self.pace(host) is not None:
            bucket.hold(self.beside(host, "bucket"), seconds)

    def slow(self, host: str, delay: float) -> None:
        """Let so many seconds pass between two requests to a host: it said so."""
        if self.pace(host) is not None:
            bucket.slow(self.beside(host, "bucket"), delay)

    def pace(self, host: str) -> Pace | None:
        """Return the pace that is stated for a host, or the default; None for this machine."""
        stated = self._stated(host)
        if stated is not None:
            return self.paces[stated]
        return None if is_loopback(_bare(host)) else self.default

    def beside(self, host: str, name: str) -> Path:
        """Return the place of a file beside a host's bucket, its folder made."""
        whose = file_name(self._stated(host) or _bare(host))
        # Lists of pages name a million hosts, which are too many for one folder.
        shard = hashlib.sha256(whose.encode()).hexdigest()[:SHARD_DIGITS]
        folder = (self.folder or Path(_own_folder().name)) / shard / whose
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def _stated(self, host: str) -> str | None:
        labels = _bare(host).split(".")
        domains = (".".join(labels[first:]) for first in range(len(labels)))
        return next((name for name in (_address(host), *domains) if name in self.paces), None)


def _address(host: str) -> str:
    return host.rpartition("@")[2].lower()


def _bare(host: str) -> str:
    return (urlsplit(f"//{_address(host)}").hostname or "").rstrip(".")


def file_name(text: str) -> str:
    """Return the name of a file for a host or a site, whatever upstream calls it."""
    name = quote(text, safe="") or "unnamed"
    return name if len(name) <= LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is that of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of this process, which goes with it."""
    with _MAKING:  # or each of the threads that ask first would have one, and lose it again
        return _made_folder()


@cache
def _made_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pile-manners-")
