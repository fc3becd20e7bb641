"""Extract: raw files of a source become documents, or rejected records with a reason.

What a raw file gave enters the parts only once the whole file has been read: a file that cannot be
read to its end is set aside with its reason, and nothing of it stays in the output. That holds for
a large file of which several tasks read a piece each, too.
"""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from pile import documents
from pile.cleaning.surrogates import mend_surrogates, replace_surrogates
from pile.config import LOCAL, SourceTable
from pile.downloads.raw_files import Located, plain
from pile.engine import Failed, Task
from pile.ledger import Quarantined, Receipt
from pile.parts import PartSeries
from pile.stages.stage import Inputs, Stage
from sources.registry import SOURCES
from sources.source import Document, Json, Options, Rejected, UnreadableFile

VERSION = 3

GROUP_BYTES = 64 << 20
"""Small raw files are read together, until a task has this much to read."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is read in one go: a file, files that make up documents together, or a piece of one."""

    files: tuple[Located, ...]
    piece: int | None = None

    @property
    def name(self) -> str:
        """Name of the first file, and how many come with it."""
        more = f" and {len(self.files) - 1} more read with it" if len(self.files) > 1 else ""
        return self.files[0].raw.name + more


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source's raw files are read: everything a task needs besides the files."""

    source: str
    reader: str
    licence: str
    options: Options


def stage(table: SourceTable, files: Collection[Located], fetched: Stage) -> Stage:
    """Return the stage that turns a source's raw files into documents."""
    reading = _reading(table)
    settings: dict[str, Json] = {
        "source": reading.source,
        "reader": reading.reader,
        "reader_version": table.source.version,
        "libraries": {name: version(name) for name in sorted(table.source.libraries)},
        "licence": reading.licence,
        "options": plain(reading.options),
        "piece_bytes": _piece_bytes(reading),
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        del inputs
        return [
            _task(f"extract.{table.name}", f"{number:06d}", folder, group, reading)
            for number, group in enumerate(_groups(_units(files, reading), reading))
        ]

    return Stage(
        f"extract.{table.name}", VERSION, settings, (fetched,), tasks, mend, settle=set_aside
    )


def _reading(table: SourceTable) -> Reading:
    options = dict(table.all_options)
    if table.reader == LOCAL:
        options["name"] = table.name
    return Reading(table.name, table.reader, table.licence, options)


def _piece_bytes(reading: Reading) -> int:
    """Return how large the pieces are in which large files are read; 0 where they are not."""
    pieces = SOURCES[reading.reader].pieces
    return pieces.size if pieces else 0


def _units(files: Collection[Located], reading: Reading) -> list[Unit]:
    """Return what is read in one go: files, pieces of one, or those that a source reads together."""
    grouping = SOURCES[reading.reader].grouping
    if grouping is None:
        return [unit for file in files for unit in _pieces(file, reading)]
    found: dict[str, list[Located]] = {}
    for file in files:
        found.setdefault(grouping.key(file.raw, reading.options), []).append(file)
    return [Unit(tuple(found[key])) for key in sorted(found)]


def _pieces(file: Located, reading: Reading) -> Iterator[Unit]:
    """Yield a file as it is, or its pieces if it is large and the source can read it so."""
    pieces = SOURCES[reading.reader].pieces
    if pieces is None or not pieces.suits(file.raw) or _size(file) <= pieces.size:
        yield Unit((file,))
        return
    yield from (Unit((file,), piece) for piece in range(-(-_size(file) // pieces.size)))


def _size(file: Located) -> int:
    """Return a file's size, which its upstream need not have stated."""
    return file.path.stat().st_size if file.raw.size is None else file.raw.size


def _weight(unit: Unit, reading: Reading) -> int:
    whole = sum(map(_size, unit.files))
    if unit.piece is None:
        return whole
    size = _piece_bytes(reading)
    return min(size, whole - unit.piece * size)


def _groups(units: Sequence[Unit], reading: Reading) -> Iterator[list[Unit]]:
    """Yield units that one task reads; a piece is alone, for all of its file may be set aside."""
    group: list[Unit] = []
    weight = 0
    for unit in units:
        heavy = weight + _weight(unit, reading) > GROUP_BYTES
        if group and (heavy or unit.piece is not None or group[-1].piece is not None):
            yield group
            group, weight = [], 0
        group.append(unit)
        weight += _weight(unit, reading)
    if group:
        yield group


def _task(stage: str, name: str, folder: Path, units: Sequence[Unit], reading: Reading) -> Task:
    arguments = {"task": name, "folder": folder, "units": list(units), "reading": reading}
    weight = sum(_weight(unit, reading) for unit in units)
    return Task(stage, name, extract, arguments, weight)


def mend(task: Task, failed: Failed) -> Sequence[Task] | Receipt | None:
    """Answer a worker's death: read the task's files one by one, and set aside what kills."""
    if not failed.crashed:
        return None
    given = task.arguments
    units: list[Unit] = given["units"]
    if len(units) > 1:
        return [
            _task(
                task.stage, f"{task.name}.{number:06d}", given["folder"], [unit], given["reading"]
            )
            for number, unit in enumerate(units)
        ]
    reason = f"reading it killed its worker: {failed.error}"
    aside = (Quarantined(units[0].name, reason),)
    return Receipt(task.name, quarantined=aside, figures=_piece_of(units))


PIECE_OF = "piece_of"
"""Figure of a receipt that says: this task read a piece of that file."""


def _piece_of(units: Sequence[Unit]) -> dict[str, Json]:
    return {PIECE_OF: units[0].name} if units[0].piece is not None else {}


def set_aside(receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """Take back what was read of a file of which another piece was set aside.

    The first receipt that says so stays as it is; those of the file's other pieces are emptied.
    """
    first: dict[Json, Receipt] = {}
    for receipt in receipts:
        if PIECE_OF in receipt.figures and receipt.quarantined:
            first.setdefault(receipt.figures[PIECE_OF], receipt)
    return [
        Receipt(receipt.task, figures={PIECE_OF: receipt.figures[PIECE_OF]})
        if first.get(receipt.figures.get(PIECE_OF), receipt) is not receipt
        else receipt
        for receipt in receipts
    ]


def extract(task: str, folder: Path, units: Sequence[Unit], reading: Reading) -> Receipt:
    """Read a group of raw files into parts of documents and of rejected records."""
    tally = Tally()
    with (
        PartSeries(folder, f"documents/{task}", documents.DOCUMENTS) as kept,
        PartSeries(folder, f"rejected/{task}", documents.REJECTED) as refused,
        tempfile.TemporaryDirectory(dir=folder, prefix=".spool-", suffix=".tmp") as spool,
    ):
        for unit in units:
            try:
                one = _read_unit(unit, reading, Path(spool), kept, refused)
            except UnreadableFile as error:
                tally.quarantined.append(Quarantined(unit.name, str(error)))
            else:
                tally.add(one)
    return Receipt(
        task,
        (*kept.parts, *refused.parts),
        taken=tally.taken,
        given=kept.rows,
        rejected=dict(sorted(tally.rejected.items())),
        quarantined=tuple(tally.quarantined),
        figures={**tally.figures(kept), **_piece_of(units)},
    )


class ChangedFileError(Exception):
    """A raw file that is not the one whose digest is in the recipe."""


@dataclass(slots=True)
class Tally:
    """What reading counted."""

    taken: int = 0
    files: int = 0
    raw_bytes: int = 0
    surrogates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    quarantined: list[Quarantined] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add what another file counted."""
        self.taken += other.taken
        self.files += other.files
        self.raw_bytes += other.raw_bytes
        self.surrogates += other.surrogates
        self.rejected.update(other.rejected)

    def figures(self, kept: PartSeries) -> dict[str, Json]:
        """Return what the report shows of these files."""
        return {
            "raw_files": self.files,
            "raw_bytes": self.raw_bytes,
            "surrogates": self.surrogates,
            "text_bytes": kept.text_bytes,
            "lengths": [int(count) for count in kept.lengths],
        }


def _read_unit(
    unit: Unit, reading: Reading, spool: Path, kept: PartSeries, refused: PartSeries
) -> Tally:
    """Read to the end, then hand on what it gave. Raises `UnreadableFile`."""
    for file in unit.files:
        if file.raw.size is not None and file.path.stat().st_size != file.raw.size:
            raise ChangedFileError(f"{file.path} changed since this run began; run again")
    tally = Tally(files=0 if unit.piece else len(unit.files), raw_bytes=_weight(unit, reading))
    with ExitStack() as stack:
        good = stack.enter_context(
            closing(documents.Spool(spool / "documents", documents.DOCUMENTS))
        )
        bad = stack.enter_context(closing(documents.Spool(spool / "rejected", documents.REJECTED)))
        for item in _items(unit, reading):
            tally.taken += 1
            found = _mended(item, reading, tally)
            if isinstance(found, Document):
                good.add(documents.document_row(found))
            else:
                tally.rejected[found.reason] += 1
                bad.add(documents.rejected_row(found))
        kept.extend(good.batches())
        refused.extend(bad.batches())
    return tally


def _items(unit: Unit, reading: Reading) -> Iterator[Document | Rejected]:
    """Read raw files; what is wrong with their content sets them aside, and never ends the run."""
    source = SOURCES[reading.reader]
    try:
        files = [(file.path, file.raw) for file in unit.files]
        if source.grouping is not None:
            yield from source.grouping.read(files, reading.options)
        elif source.pieces is not None and unit.piece is not None:
            yield from source.pieces.read(*files[0], reading.options, unit.piece)
        else:
            yield from source.read(*files[0], reading.options)
    except (UnreadableFile, OSError, MemoryError, sqlite3.Error):
        raise  # the last three are the machine's failures: the task is tried again, or fails
    except Exception as error:
        raise UnreadableFile(f"{type(error).__name__}: {error}") from error


def _mended(item: Document | Rejected, reading: Reading, tally: Tally) -> Document | Rejected:
    """Return what was read without surrogates: no file of the corpus could hold them."""
    if isinstance(item, Rejected):
        return _encodable(item)
    if reading.reader == LOCAL and reading.licence:
        item = replace(item, licence=reading.licence)
    document, surrogates = replace_surrogates(item)
    tally.surrogates += surrogates
    return document


def _encodable(rejected: Rejected) -> Rejected:
    """Replace what no format downstream can hold; the excerpt is only there to be looked at."""
    (origin, _), (excerpt, _) = mend_surrogates(rejected.origin), mend_surrogates(rejected.excerpt)
    detail, _ = mend_surrogates(rejected.detail)
    return Rejected(origin, rejected.reason, excerpt, detail)
