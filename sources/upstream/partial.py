"""A download on its way: the bytes so far, their digests, and the version they belong to.

Beside the file lies a note with what is needed to go on after a crash: a line for each flush, the last
whole one of which counts, so that a kill at any instant costs no more than what came since the last
flush. A line names only bytes that were already on disk when it was written, so that a file whose
tail a power cut left as zeros is not taken for more than it holds. A file that is soon there again, if
it comes to that, has no note of being whole.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sources.upstream.answer import UNKNOWN, Version

NOTE_SUFFIX = ".validator.json"
SYNC_BYTES = 64 << 20
"""Bytes after which a download is flushed to disk: at most so much is lost by a kill."""

BEHIND_BYTES = 8 << 20
"""Bytes after which the system is asked to write what it has, while the download goes on: the flush
that follows is short then, and the line is not idle for it."""

WORTH_A_NOTE = 1 << 20
"""Bytes from which on a file that is whole, but has not got its name yet, is worth a note of that: to
write one takes longer than a smaller file does."""

CHUNK = 1 << 20
HEAD = 1024
"""Bytes of a file's beginning that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the file beside a partial download says: ``flushed`` bytes of this version are there.

    With ``whole`` they are all of it, and were found to be what they should be.
    """

    url: str
    version: Version
    flushed: int
    whole: bool = False


class Partial:
    """A file being downloaded from ``url`` (shown without secrets), open for appending.

    ``size`` is how many bytes are there, ``version`` the version they belong to, ``kept`` how many of
    them an earlier call left, and ``whole`` tells whether it had finished with them. ``head`` is how it
    begins. ``on_bytes`` hears of each change of size, so that what it heard adds up to it. Raises OSError.
    """

    def __init__(
        self, path: Path, url: str, algorithms: set[str], on_bytes: Callable[[int], None] | None
    ) -> None:
        self.path = path
        self.size = self.kept = 0
        self.head = b""
        self.version = UNKNOWN
        self.whole = False
        self._note = _note_path(path)
        self._is_noted = False
        self._url = url
        self._algorithms = algorithms
        self._on_bytes = on_bytes or _say_nothing
        self._flushed = self._behind = 0
        self._writing: threading.Thread | None = None
        self._failure: OSError | None = None
        self._digests = self._none_yet()
        self._file = path.open("ab+")

    def __enter__(self) -> Self:
        try:
            self._take_up()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush, and keep the note unless the download is done."""
        with self._file:
            if kind is not None and self.path.exists() and not self.whole:
                self.flush()
            self._wait()

    def _take_up(self) -> None:
        """Go on from what an earlier call left, if it can be continued."""
        lines = _lines_of(self._note)
        self._is_noted = lines is not None
        note = _last(lines or [])
        length = os.fstat(self._file.fileno()).st_size
        if note is None or note.url != self._url or not 0 < note.flushed <= length:
            if length:
                self._file.truncate(0)
            self.start_over(UNKNOWN)
            return
        self.version, self.whole = note.version, note.whole
        self._digests = self._none_yet()
        self._file.truncate(note.flushed)
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)
        self.kept = self._flushed = self.size

    def start_over(self, version: Version) -> None:
        """Drop all bytes; the next ones belong to ``version``."""
        if self._is_noted:
            self._note.unlink()
            self._is_noted = False
        if self.size:
            self._file.truncate(0)
            self._on_bytes(-self.size)
        self.size = self.kept = self._flushed = self._behind = 0
        self.head = b""
        self.version, self.whole = version, False
        self._digests = self._none_yet()

    def _none_yet(self) -> dict[str, "hashlib._Hash"]:
        """Return the digests of no bytes: those wanted, and the one that upstream states."""
        stated = {"md5"} if self.version.md5 is not None else set()
        return {
            name: hashlib.new(name, usedforsecurity=False)
            for name in sorted(self._algorithms | stated)
        }

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end; what is not yet flushed stays below `SYNC_BYTES`."""
        if self.size + len(chunk) - self._flushed > SYNC_BYTES:
            self.flush()
        self._file.write(chunk)
        self._count(chunk)
        if self.size - max(self._flushed, self._behind) >= BEHIND_BYTES:
            self._write_behind()

    def _write_behind(self) -> None:
        """Begin to bring bytes to disk in another thread, unless it is still busy with earlier ones."""
        if self._writing is None or not self._writing.is_alive():
            self._file.flush()
            self._behind = self.size
            self._writing = threading.Thread(target=self._sync)
            self._writing.start()

    def _sync(self) -> None:
        try:
            os.fdatasync(self._file.fileno())
        except (
            OSError
        ) as error:  # the system tells it once: the next flush must not seem to succeed
            self._failure = error

    def _wait(self) -> None:
        """Wait until the other thread is done."""
        if self._writing is not None:
            self._writing.join()
        if self._failure is not None:
            raise self._failure

    def _count(self, chunk: bytes) -> None:
        for digest in self._digests.values():
            digest.update(chunk)
        if self.size < HEAD:
            self.head += chunk[: HEAD - self.size]
        self.size += len(chunk)
        self._on_bytes(len(chunk))

    def flush(self) -> None:
        """Bring all bytes to disk, then note how many they are, if they can be continued."""
        self._file.flush()
        self._wait()
        os.fsync(self._file.fileno())
        self._flushed = self.size
        if self.size and self.version.validator is not None:
            self._write_note(whole=False)

    def push(self) -> None:
        """Let others who open the file see all its bytes."""
        self._file.flush()

    def finish(self) -> None:
        """Let the caller have the file, which is whole.

        If its bytes are many, or hard to get, they are brought to disk and noted to be all: until the
        file has its name, a kill must not cost them again.
        """
        self._file.flush()
        self._wait()
        if self._is_noted or self.size >= WORTH_A_NOTE:
            os.fsync(self._file.fileno())
            self._flushed = self.size
            self._write_note(whole=True)

    def _write_note(self, *, whole: bool) -> None:
        self._is_noted = True
        _write_note(self._note, Note(self._url, self.version, self.size, whole))

    def discard(self) -> None:
        """Delete the file and its note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def digest(self, algorithm: str) -> str:
        """Return the hexadecimal digest of all bytes."""
        return self._digests[algorithm].hexdigest()


def forget(path: Path) -> None:
    """Delete the note beside a download, once its file has got its name."""
    _note_path(path).unlink(missing_ok=True)


def _note_path(path: Path) -> Path:
    return Path(f"{path}{NOTE_SUFFIX}")


def _say_nothing(grown: int) -> None:
    del grown


def _lines_of(note: Path) -> list[bytes] | None:
    try:
        return note.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return None


def _last(lines: list[bytes]) -> Note | None:
    """Read the last whole line of a note; one that was torn while it was written says nothing."""
    notes = (_read(line) for line in reversed(lines) if line.endswith(b"\n"))
    return next((note for note in notes if note is not None), None)


def _read(line: bytes) -> Note | None:
    try:
        fields = json.loads(line)
        version, flushed = Version(**fields["version"]), int(fields["flushed"])
        return Note(fields["url"], version, flushed, fields.get("whole") is True)
    except (ValueError, KeyError, TypeError):
        return None


def _write_note(path: Path, note: Note) -> None:
    """Add a line, whatever a full disk or a kill has left of the one before."""
    with path.open("ab+") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        torn = file.read(1) not in {b"", b"\n"}
        file.write((b"\n" if torn else b"") + json.dumps(asdict(note)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
