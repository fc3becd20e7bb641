"""`pile run` in a process of its own, whose downloads are flushed often, in one task over several threads."""

from pathlib import Path

from pile.cli import app
from pile.stages import fetch
from sources.upstream import partial

CHUNK = 64 << 10
"""Bytes between two flushes here, where a real download has 64 MiB."""


def run(config: Path) -> None:
    """Run what the config says, from the command line on."""
    partial.SYNC_BYTES = partial.WORTH_A_NOTE = CHUNK
    fetch.FEW_TASKS = 1
    app(["run", "-c", str(config)])
