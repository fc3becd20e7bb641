"""How much each source has, before anything of it is here: raw bytes, what they hold, text, documents.

What was read already counts as it was read. Else sizes of raw files count where all are known, and
what the Pile published, of which its recipe downloads so much today, where they are not; text is the
published share of what is read.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from pile.config import Config, SourceTable
from pile.downloads.raw_files import Located
from pile.forecast.assumptions import (
    HOSTS,
    MEAN_BYTES,
    TAKEN,
    content_of_file,
    content_of_upstream,
    text_of_file,
)
from pile.graph import Graph
from pile.preflight import Download, downloads
from pile.stages.stage import FILTERS, Made
from pile.states import made
from sources.published import PUBLISHED
from sources.source import Published, Source


@dataclass(frozen=True, slots=True)
class Amount:
    """A source as it is reckoned with; sizes in bytes.

    ``download`` is what is not here yet of the raw bytes: at least, unless ``sized``. ``content`` is
    what all raw bytes hold unpacked, ``hours`` what its hosts' pace takes at least. ``basis`` tells
    where the figures are from.
    """

    source: str
    reader: str
    licence: str
    epochs: float
    download: int
    content: int
    text: int
    documents: int
    usd: float = 0.0
    hours: float = 0.0
    sized: bool = True
    basis: str = ""


def planned(config: Config, graph: Graph) -> list[Amount]:
    """Return the sources of a graph: as they were read, or by their raw files as far as these are known."""
    tables = {table.name: table for table in config.enabled}
    to_come = {one.source: one for one in downloads(config, graph)}
    found = []
    for name, files in graph.files.items():
        amount = _planned(tables[name], files, to_come.get(name))
        read = _documents(config, graph, name)
        found.append(amount if read is None else _as_read(amount, read))
    return found


def published(table: SourceTable) -> Amount:
    """Return a source as the Pile published it, downloaded from today's upstream."""
    source, facts = table.source, PUBLISHED.get(table.name)
    taken = TAKEN.get(table.name, 0)
    partly = f"; by default only {source.partly}" if source.partly else ""
    return replace(
        _empty(table),
        download=source.raw_bytes,
        content=_content(source, facts),
        text=facts.true_bytes if facts else 0,
        documents=facts.documents if facts else 0,
        usd=source.raw_bytes / 1e9 * source.usd_per_gb,
        hours=_hours(source, taken),
        sized=bool(source.raw_bytes) or source.access == "local",
        basis=f"published sizes of all that the Pile took{partly}",
    )


def of_files(table: SourceTable, files: Collection[Located]) -> Amount | None:
    """Return a source by the sizes of its raw files; None unless all are known."""
    sized = [(file.raw.name, size) for file in files if (size := _size(file)) is not None]
    if len(sized) < len(files):
        return None
    facts = PUBLISHED.get(table.reader)
    share = _text_share(table.source, facts)
    read = [(name, size * content_of_file(table.reader, name)) for name, size in sized]
    text = int(share * sum(content * text_of_file(name) for name, content in read))
    mean = facts.true_bytes / facts.documents if facts else MEAN_BYTES
    return replace(
        _empty(table),
        content=int(sum(content for _, content in read)),
        text=text,
        documents=max(1, round(text / mean)),
        basis="sizes of raw files",
    )


def _planned(table: SourceTable, files: Collection[Located], to_come: Download | None) -> Amount:
    known = of_files(table, files)
    amount = known or _taken(table, files, to_come)
    if to_come is None:
        return replace(amount, download=0, usd=0.0, hours=0.0, sized=True)
    hours = max(to_come.hours, _hours(table.source, to_come.files))
    if known:
        return replace(amount, download=to_come.bytes, usd=to_come.usd, hours=hours)
    download = max(amount.download, to_come.bytes)
    return replace(amount, download=download, usd=to_come.usd, hours=hours)


def _taken(table: SourceTable, files: Collection[Located], to_come: Download | None) -> Amount:
    """Return the share that files are of those that the Pile took; all of it where these are not counted."""
    whole = published(table)
    count = to_come.requests if to_come and to_come.requests else len(files)
    if table.name not in TAKEN or count >= TAKEN[table.name]:
        return whole
    share = count / TAKEN[table.name]
    return replace(
        whole,
        download=int(whole.download * share),
        content=int(whole.content * share),
        text=int(whole.text * share),
        documents=max(1, int(whole.documents * share)),
        basis=f"published sizes, {count:,} of the {TAKEN[table.name]:,} raw files or items of the Pile",
    )


def _documents(config: Config, graph: Graph, source: str) -> Made | None:
    """Return the last finished stage of a source that gives its documents on."""
    stages = {stage.name: stage for stage in graph.stages}
    names = [f"{kind}.{source}" for kind in ("extract", *FILTERS)]
    found = [made(config, stages[name]) for name in names if name in stages]
    return next((one for one in reversed(found) if one is not None), None)


def _as_read(amount: Amount, read: Made) -> Amount:
    counts = [part["counts"] for _, part in read.parts("documents/")]
    return replace(
        amount,
        text=sum(count["text_bytes"] for count in counts),
        documents=sum(count["rows"] for count in counts),
        basis="documents as read",
    )


def _empty(table: SourceTable) -> Amount:
    return Amount(table.name, table.reader, table.licence, table.epochs, 0, 0, 0, 0)


def _hours(source: Source, files: int) -> float:
    """Return what asking for so many files takes at the pace of their host, as far as it is known."""
    pace = source.paces.get(HOSTS.get(source.name, ""))
    return files / pace.per_second / 3600 if pace else 0.0


def _size(file: Located) -> int | None:
    if file.raw.size is not None or not file.is_local:
        return file.raw.size
    return Path(file.place).stat().st_size


def _content(source: Source, facts: Published | None) -> int:
    """Return what a source's raw bytes hold unpacked: at least the text that was published."""
    read = int(source.raw_bytes * content_of_upstream(source.name))
    return max(read, facts.true_bytes if facts else 0)


def _text_share(source: Source, facts: Published | None) -> float:
    """Return which share of unpacked bytes is text, by what was published; all where nothing is."""
    if facts is None or not source.raw_bytes:
        return 1.0
    return min(1.0, facts.true_bytes / _content(source, facts))
