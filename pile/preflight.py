"""Before a run starts: whether it has room, keys and leave to spend, and on which engine it runs."""

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pile.config import Config
from pile.downloads import guests
from pile.downloads.guests import Refused, guest, priced, unpaid, usd
from pile.downloads.raw_files import Located, free_bytes
from pile.downloads.transfers import partial_of
from pile.engine import Workers
from pile.graph import Graph
from pile.states import made, state_of
from sources.source import Source
from sources.upstream.gather_items import RANGE

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


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be downloaded of a source: files and bytes that are not here yet.

    ``unknown`` of the files have a size that upstream does not tell; ``whole`` is about what all that
    the Pile took has then, if that is known. ``usd`` is about what the bytes cost whoever fetches
    them. ``requests`` counts items that are asked for one by one, for ``hours`` at the pace allowed.
    """

    source: str
    files: int
    bytes: int
    unknown: int
    usd: float
    requests: int = 0
    hours: float = 0.0
    whole: int = 0


def downloads(config: Config, graph: Graph, names: Iterable[str] | None = None) -> list[Download]:
    """Return what a run would download, by source; sources with nothing to download are left out."""
    found = []
    for name in graph.files if names is None else names:
        missing = _missing(config, graph, name)
        if missing:
            size = sum(_to_come(file) for file in missing)
            unknown = sum(file.raw.size is None for file in missing)
            source, price = _source(config, name), _usd(config, name, missing)
            requests, hours = _requests(source, missing)
            # What the Pile took says nothing where less is taken, or sizes are known in part.
            whole = 0 if source.partly or unknown < len(missing) else source.raw_bytes
            found.append(Download(name, len(missing), size, unknown, price, requests, hours, whole))
    return found


def _requests(source: Source, missing: Sequence[Located]) -> tuple[int, float]:
    """Return how many items are asked for one by one, and the hours that takes at their host's pace."""
    items = [file.raw for file in missing if file.raw.form == "items"]
    bounds = [match for raw in items if (match := RANGE.search(raw.url))]
    count = sum(int(last) - int(first) + 1 for first, last in (match.groups() for match in bounds))
    pace = source.paces.get(urlsplit(items[0].url).netloc) if items else None
    return count, count / pace.per_second / 3600 if pace else 0.0


def _missing(config: Config, graph: Graph, name: str) -> list[Located]:
    """Return the files that are not on this disk yet."""
    files = graph.files[name]
    return [file for file in files if not file.is_local and not os.path.exists(file.place)]  # noqa: PTH110


def _to_come(file: Located) -> int:
    """Return how many bytes of a file are still to be downloaded, as far as it can be told."""
    if file.raw.size is None:
        return 0
    try:
        return max(0, file.raw.size - os.stat(partial_of(file.place)).st_size)  # noqa: PTH116
    except FileNotFoundError:
        return file.raw.size


def _usd(config: Config, name: str, missing: Sequence[Located]) -> float:
    per_gb = _source(config, name).usd_per_gb
    if not per_gb:
        return 0.0
    asked = guest(config, _source(config, name))
    paid = [file for file in missing if asked.mirrored(file.raw.url) == file.raw.url]
    return usd(sum(_to_come(file) for file in paid), per_gb)


def _source(config: Config, name: str) -> Source:
    return next(table.source for table in config.enabled if table.name == name)


def check(config: Config, graph: Graph) -> None:
    """Refuse a run that cannot end well, before anything of it is started.

    Raises `Refused` for want of a key or of leave to spend, and `NoSpaceError`.
    """
    check_leave(config, graph)
    check_space(config, graph)


def check_leave(config: Config, graph: Graph) -> None:
    """Refuse a run that lacks a key, or would spend more than it may; raises `Refused`."""
    found = unmet(config, graph)
    if found:
        raise Refused("\n".join(f"{name}: {why}" if name else why for name, why in found))


def unmet(config: Config, graph: Graph) -> list[tuple[str, str]]:
    """Return what a run is refused for: the source, or an empty name for all together, and why."""
    found = [(one.source, one.why) for one in graph.skipped if one.refused]
    for name in graph.files:
        missing = _missing(config, graph, name)
        why = guests.unmet(config, _source(config, name), (file.raw.url for file in missing))
        # What files cost is known better than what their source does.
        unpaid_ = _unpaid(config, graph, name) if missing else ""
        if why or unpaid_:
            found.append((name, unpaid_ or why))
    dear = _too_dear(config, graph)
    return [*found, ("", dear)] if dear else found


def _unpaid(config: Config, graph: Graph, name: str) -> str:
    """Return why what a source downloads may not be paid for, as far as that is known beforehand."""
    per_gb = _source(config, name).usd_per_gb
    found = downloads(config, graph, [name]) if per_gb else []
    if not any(one.usd or one.unknown for one in found):
        return ""
    [one] = found
    if not config.run.spend_usd:
        return unpaid(name, one.bytes, per_gb)
    if one.unknown:
        return (
            f"{one.unknown:,} files are of unknown size, so what they cost cannot be told beforehand; "
            "give files of your own, or map its addresses to a mirror"
        )
    return ""


def _too_dear(config: Config, graph: Graph) -> str:
    """Return why all that is paid for is more than may be spent, if some may be."""
    names = [name for name in graph.files if _source(config, name).usd_per_gb]
    paid = [one for one in downloads(config, graph, names) if one.usd]
    total, limit = sum(one.usd for one in paid), config.run.spend_usd
    if not limit or total <= limit:
        return ""
    shown = "; ".join(priced(one.source, one.bytes, one.usd) for one in paid)
    return (
        f"{shown}: that is more than [run] spend_usd = {limit:g} allows; set it to at least "
        f"{math.ceil(total)}, or leave a source out with enabled = false"
    )


def check_space(config: Config, graph: Graph) -> None:
    """Refuse a run that the disk cannot hold, as far as it can be told by now."""
    needed = RESERVE_BYTES + sum(_bytes_to_come(config, graph, name) for name in graph.files)
    free = free_bytes(config.work)
    if free < needed:
        unknown = sum(one.unknown for one in downloads(config, graph))
        more = f" and room for {unknown:,} files of unknown size" if unknown else ""
        raise NoSpaceError(
            f"{config.work}: about {needed / 1e9:,.1f} GB{more} are needed, {free / 1e9:,.1f} GB are "
            "free; give [run] work a larger disk, or fewer sources"
        )


def _bytes_to_come(config: Config, graph: Graph, name: str) -> int:
    """Estimate what a source still adds: downloads, documents, and then each later stage's share."""
    files = graph.files[name]
    extracted = made(config, graph.named(f"extract.{name}"))
    if extracted is None:
        missing = sum(_to_come(file) for file in _missing(config, graph, name))
        return missing + sum(file.raw.size or 0 for file in files)
    text = sum(part["counts"]["text_bytes"] for _, part in extracted.parts("documents/"))
    epochs = next(table.epochs for table in config.enabled if table.name == name)
    later = [
        stage
        for stage in ("scatter", "mix", "tokenize", *(["shard"] if config.shards.rewrites else []))
        if state_of(config, graph.named(stage)).state != "done"
    ]
    return int(text * epochs * STORED * len(later))
