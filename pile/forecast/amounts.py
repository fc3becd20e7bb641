"""How much each source has, before anything of it is here: raw bytes, what they hold, text, documents.

Where sizes of raw files are known, they count. Where they are not, what the Pile published does, and
what its recipe downloads today; text is the published share of raw bytes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pile.config import Config, SourceTable
from pile.downloads.raw_files import Located
from pile.graph import Graph
from pile.preflight import downloads
from sources.published import PUBLISHED
from sources.source import Published, Source

UNPACKED = {".gz": 4.0, ".tgz": 4.0, ".zip": 3.5, ".bz2": 4.7, ".7z": 6.0, ".xz": 5.0, ".zst": 3.4}
"""Bytes that a packed byte of text holds, about, by the end of a file's name."""

MEAN_BYTES = 4096
"""Bytes of text of a document, where nothing better is known."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A source as it is reckoned with; sizes in bytes.

    ``download`` is what is not here yet of the ``raw`` bytes, ``content`` what they hold unpacked,
    ``hours`` what its hosts' pace takes at least. ``basis`` tells where the figures are from.
    """

    source: str
    reader: str
    licence: str
    epochs: float
    download: int
    raw: int
    content: int
    text: int
    documents: int
    usd: float
    hours: float
    basis: str


def planned(config: Config, graph: Graph) -> list[Amount]:
    """Return the sources of a graph, by the sizes of their raw files as far as these are known."""
    tables = {table.name: table for table in config.enabled}
    to_come = {one.source: one for one in downloads(config, graph)}
    found = []
    for name, files in graph.files.items():
        sized = [_size(file) for file in files]
        if None in sized:
            amount = published(tables[name])
        else:
            amount = _of_files(tables[name], files, [size or 0 for size in sized])
        one = to_come.get(name)
        download = (one.bytes if None not in sized else amount.raw) if one else 0
        usd, hours = (one.usd, one.hours) if one else (0.0, 0.0)
        found.append(replace(amount, download=download, usd=usd, hours=hours))
    return found


def published(table: SourceTable) -> Amount:
    """Return a source as the Pile published it, downloaded from today's upstream; 0 is not known."""
    source, facts = table.source, PUBLISHED.get(table.name)
    raw = source.raw_bytes
    content, text = _content(raw, facts), facts.true_bytes if facts else 0
    usd = raw / 1e9 * source.usd_per_gb
    documents = facts.documents if facts else 0
    basis = "published sizes" + (f"; by default only {source.partly}" if source.partly else "")
    return Amount(
        source=table.name,
        reader=table.reader,
        licence=table.licence,
        epochs=table.epochs,
        download=raw,
        raw=raw,
        content=content,
        text=text,
        documents=documents,
        usd=usd,
        hours=0.0,
        basis=basis,
    )


def _of_files(table: SourceTable, files: Collection[Located], sizes: Sequence[int]) -> Amount:
    facts = PUBLISHED.get(table.reader)
    raw = sum(sizes)
    content = int(
        sum(size * _unpacked(file.raw.name) for file, size in zip(files, sizes, strict=True))
    )
    share = _text_share(table.source, facts)
    text = int(content * share)
    mean = facts.true_bytes / facts.documents if facts else MEAN_BYTES
    return Amount(
        source=table.name,
        reader=table.reader,
        licence=table.licence,
        epochs=table.epochs,
        download=0,
        raw=raw,
        content=content,
        text=text,
        documents=max(1, round(text / mean)),
        usd=0.0,
        hours=0.0,
        basis="sizes of raw files",
    )


def _size(file: Located) -> int | None:
    if file.raw.size is not None or not file.is_local:
        return file.raw.size
    return Path(file.place).stat().st_size


def _unpacked(name: str) -> float:
    return UNPACKED.get(PurePosixPath(name).suffix.lower(), 1.0)


def _content(raw: int, facts: Published | None) -> int:
    """Return what a source's raw bytes hold unpacked: at least the text that was published."""
    return max(int(raw * _ALL_PACKED), facts.true_bytes if facts else 0)


_ALL_PACKED = 4.0
"""Bytes that a byte of an upstream holds, about; nearly all of them are packed."""


def _text_share(source: Source, facts: Published | None) -> float:
    """Return which share of unpacked bytes is text, by what was published; all where nothing is."""
    if facts is None or not source.raw_bytes:
        return 1.0
    return min(1.0, facts.true_bytes / _content(source.raw_bytes, facts))
