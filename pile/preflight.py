"""Before a run starts: whether there is room for it, and on which engine it runs."""

import os

from pile.config import Config
from pile.engine import Workers
from pile.graph import Graph
from pile.raw_files import free_bytes
from pile.states import made, state_of

SMALL_BYTES = 32 << 20
"""Raw bytes below which ``engine = "auto"`` stays in this process and does not pay for Ray."""

RESERVE_BYTES = 64 << 20

STORED = 0.5
"""Share of a text's bytes that each stage after extraction stores, compressed or as tokens."""


class NoSpaceError(Exception):
    """The disk cannot hold what is planned; nothing was started."""


def workers(config: Config, graph: Graph) -> Workers:
    """Choose the engine: what the config says, and for ``auto`` Ray unless the job is small."""
    table = config.run
    engine, address = table.engine, table.ray_address or os.environ.get("RAY_ADDRESS", "")
    if engine == "auto":
        weight = sum(
            file.raw.size or SMALL_BYTES for files in graph.files.values() for file in files
        )
        engine = "serial" if weight < SMALL_BYTES and not address else "ray"
    return Workers(engine, table.workers, address, table.temp, table.stall_minutes)


def check_space(config: Config, graph: Graph) -> None:
    """Refuse a run that the disk cannot hold, as far as it can be told by now."""
    needed = RESERVE_BYTES + sum(_bytes_to_come(config, graph, name) for name in graph.files)
    free = free_bytes(config.work)
    if free < needed:
        raise NoSpaceError(
            f"{config.work}: about {needed / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free; "
            "give [run] work a larger disk, or fewer sources"
        )


def _bytes_to_come(config: Config, graph: Graph, name: str) -> int:
    """Estimate what a source still adds: downloads, documents, and then each later stage's share."""
    files = graph.files[name]
    extracted = made(config, graph.named(f"extract.{name}"))
    if extracted is None:
        missing = sum(file.raw.size or 0 for file in files if not file.path.exists())
        return missing + sum(file.raw.size or 0 for file in files)
    text = sum(part["counts"]["text_bytes"] for _, part in extracted.parts("documents/"))
    epochs = next(table.epochs for table in config.enabled if table.name == name)
    later = [
        stage
        for stage in ("scatter", "mix", "tokenize")
        if state_of(config, graph.named(stage)).state != "done"
    ]
    return int(text * epochs * STORED * len(later))
