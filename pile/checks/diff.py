"""Two corpora compared by source and document, in bounded memory.

Each line of a corpus becomes a record of its document's source and id, its split, the length and a
digest of its text. The records of both corpora are sorted on disk and merged: equal documents meet.
"""

import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import orjson
import pyarrow as pa

from pile import corpus, documents
from pile.commands.show import NothingToShowError
from sources.formats.sorted_runs import merged, write_runs

ROOM = 256 << 20
"""Bytes of memory in which the records of one corpus are sorted at a time."""

Kind: TypeAlias = Literal["only in A", "only in B", "text", "split", "copies"]
"""How a document differs: there is none in the other; another text; in another split; other copies."""


class Record(NamedTuple):
    """One line of a corpus; equal documents have equal source and id."""

    source: str
    id: str
    split: str
    digest: str
    size: int


@dataclass(slots=True)
class Side:
    """What one corpus holds of a source: documents, their copies, and bytes of all copies' texts."""

    documents: int = 0
    copies: int = 0
    text_bytes: int = 0

    def add(self, records: list[Record]) -> None:
        """Count a document by its copies."""
        self.documents += bool(records)
        self.copies += len(records)
        self.text_bytes += sum(record.size for record in records)


@dataclass(slots=True)
class SourceDiff:
    """A source in both corpora; ``differ`` counts documents by how they do, each once."""

    source: str
    a: Side = field(default_factory=Side)
    b: Side = field(default_factory=Side)
    differ: dict[Kind, int] = field(default_factory=dict)
    examples: dict[Kind, list[str]] = field(default_factory=dict)


def corpus_folder(path: Path) -> Path:
    """Return the corpus at a path: its own folder, or that of a work directory's last run.

    Raises `NothingToShowError`.
    """
    for folder in (path, path / "latest" / "corpus"):
        if (folder / "provenance").is_dir():
            return folder
    raise NothingToShowError(
        f"{path} is neither a corpus, with provenance tables, nor a work directory with a finished one"
    )


def diff(
    a: Path, b: Path, shown: int, room: int = ROOM, say: Callable[[str], None] = lambda _: None
) -> list[SourceDiff]:
    """Compare two corpora; returns their sources by name, each with up to ``shown`` ids of a kind.

    Raises `NothingToShowError`, also for a corpus that is damaged: `pile verify` says where.
    """
    folders = corpus_folder(a), corpus_folder(b)
    found: dict[str, SourceDiff] = {}
    with tempfile.TemporaryDirectory(prefix="pile-diff-") as temp:
        sides = []
        for name, folder in zip("ab", folders, strict=True):
            say(f"reading {folder}")
            place = Path(temp) / name
            place.mkdir()
            sides.append(merged(write_runs(_lines(folder), place, "run", room), place))
        for ours, theirs in _paired(*map(_groups, sides)):
            source = (ours or theirs)[0].source
            one = found.setdefault(source, SourceDiff(source))
            _count(one, ours, theirs, shown)
    return [found[source] for source in sorted(found)]


def _count(one: SourceDiff, ours: list[Record], theirs: list[Record], shown: int) -> None:
    one.a.add(ours)
    one.b.add(theirs)
    kind = _kind(ours, theirs)
    if kind is not None:
        one.differ[kind] = one.differ.get(kind, 0) + 1
        examples = one.examples.setdefault(kind, [])
        if len(examples) < shown:
            examples.append((ours or theirs)[0].id)


def _kind(ours: list[Record], theirs: list[Record]) -> Kind | None:
    """Say how a document differs; of several ways the first of `Kind`."""
    if ours == theirs:
        return None
    if not theirs:
        return "only in A"
    if not ours:
        return "only in B"
    if {record.digest for record in ours} != {record.digest for record in theirs}:
        return "text"
    if {record.split for record in ours} != {record.split for record in theirs}:
        return "split"
    return "copies"


def _paired(
    ours: Iterator[list[Record]], theirs: Iterator[list[Record]]
) -> Iterator[tuple[list[Record], list[Record]]]:
    """Yield the records of each document of either corpus; a document that is in one is alone."""
    one, other = next(ours, []), next(theirs, [])
    while one or other:
        left, right = _order(one), _order(other)
        yield (one if left <= right else []), (other if right <= left else [])
        if left <= right:
            one = next(ours, [])
        if right <= left:
            other = next(theirs, [])


def _order(records: list[Record]) -> tuple[bool, bytes]:
    """Return the place of a document in the order of lines; after all others if there is none left."""
    return (not records, orjson.dumps(records[0][:2]) if records else b"")


def _groups(lines: Iterator[bytes]) -> Iterator[list[Record]]:
    records = (Record(*orjson.loads(line)) for line in lines)
    for _, group in itertools.groupby(records, key=lambda record: record[:2]):
        yield list(group)


def _lines(folder: Path) -> Iterator[bytes]:
    """Yield a record for each line of a corpus, as JSON: no string in it is the beginning of another."""
    for split in corpus.SPLITS:
        for file in corpus.files(folder, split):
            try:
                yield from _lines_of(folder, split, file)
            except (*corpus.DAMAGED, OSError, pa.ArrowInvalid) as error:
                raise NothingToShowError(f"{file} cannot be read to compare it: {error}") from error


def _lines_of(folder: Path, split: str, file: Path) -> Iterator[bytes]:
    number = int(file.name.partition(".")[0])
    table = folder / corpus.provenance_name(split, number)
    rows = (
        pair
        for batch in documents.batches(table, ["source", "id"])
        for pair in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    for (source, identity), line in zip(rows, corpus.read(file), strict=True):
        text = line.text.encode()
        digest = hashlib.blake2b(text, digest_size=16).hexdigest()
        record = (source, identity, split, digest, len(text))
        yield orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
