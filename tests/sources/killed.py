"""A download in a process of its own, flushed often, that may kill itself at a chosen instant."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from sources.fetch import fetch, forget
from sources.source import RawFile
from sources.upstream import partial as partial_module

CHUNK = 256 << 10
"""Bytes between two flushes here, where a real download has 64 MiB."""


def download(raw: RawFile, partial: Path, die_at: int = -1) -> None:
    """Download a file, and rename it when it is done; with ``die_at``, be killed around that flush.

    Instants are counted over all calls of fsync: two for each, before and after.
    """
    partial_module.SYNC_BYTES = CHUNK
    if die_at >= 0:
        os.fsync = deadly(os.fsync, die_at)
    fetch(raw, partial)
    partial.rename(partial.with_suffix(".done"))
    forget(partial)


def deadly(fsync: Callable[[int], None], die_at: int) -> Callable[[int], None]:
    """Return an fsync that kills this process at an instant."""
    left = [die_at]

    def instant() -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def flush(file: int) -> None:
        instant()
        fsync(file)
        instant()

    return flush
