"""Give finished downloads their names, several at once: a disk takes hardly longer for many than for one.

A name is given only when the bytes are on disk, so that a file that has it is whole after a power cut too.
Until then a kill costs files that are finished and wait for others, no more than `AT_ONCE` of them; those
for which that would be much are noted to be whole (`sources.upstream.partial`).
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pile import store
from pile.downloads.journals import Journal
from sources.fetch import forget
from sources.source import Json

AT_ONCE = 64
"""Files that are given their names together, at most."""

LONGEST = 0.5
"""Seconds since names were last given, after which a file does not wait for others."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A download that is whole and verified, and locked until it has its name; then ``told`` of it."""

    partial: Path
    path: Path
    lock: ExitStack
    told: Mapping[str, Json]


class Names:
    """Those that are finished and wait for their names; for several threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[Finished] = []
        self._lock = threading.Lock()
        self._given = time.monotonic()

    def add(self, finished: Finished) -> None:
        """Give a file its name, now or together with others."""
        with self._lock:
            self._waiting.append(finished)
            late = time.monotonic() - self._given > LONGEST
            full = len(self._waiting) >= AT_ONCE
        if late or full:
            self.give()

    def tend(self) -> None:
        """Give names to files that others, which are still on their way, let wait for too long."""
        if self._waiting and time.monotonic() - self._given > LONGEST:
            self.give()

    def give(self) -> None:
        """Give all that wait their names; the caller settles the folders in the end."""
        with self._lock:
            due, self._waiting = self._waiting, []
            self._given = time.monotonic()
        with ExitStack() as locks:
            for one in due:
                locks.push(one.lock)
            store.adopt((one.partial, one.path) for one in due)
            for one in due:
                forget(one.partial)
                self._journal.grew(0, files=1)
                self._journal.say("file finished", **one.told)
