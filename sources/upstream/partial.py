"""A download on its way: the bytes so far, their digests, and the version they belong to.

Beside the file lies a note with what is needed to go on after a crash: a line for each flush, the last
whole one of which counts, so that a kill at any instant costs no more than what came since the last
flush. A line names only bytes that were already on disk when it was written, so that a file whose
tail a power cut left as zeros is not taken for more than it holds.
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

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """What the file beside a partial download says: ``flushed`` bytes of this version are there."""

    url: str
    version: Version
    flushed: int


class Partial:
    """A file being downloaded from ``url`` (shown without secrets), open for appending.

    ``size`` is how many bytes are there, ``version`` the version they belong to, and ``kept`` how
    many of them an earlier call left. ``on_bytes`` hears of each change of size, so that what it
    heard adds up to it. Raises OSError.
    """

    def __init__(
        self, path: Path, url: str, algorithms: set[str], on_bytes: Callable[[int], None] | None
    ) -> None:
        self.path = path
        self.note_path = path.with_name(path.name + NOTE_SUFFIX)
        self.size = self.kept = 0
        self.version = UNKNOWN
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
            if kind is not None and self.path.exists():
                self.flush()
            self._wait()

    def _take_up(self) -> None:
        """Go on from what an earlier call left, if it can be continued."""
        note = _read_note(self.note_path)
        length = os.fstat(self._file.fileno()).st_size
        if note is None or note.url != self._url or not 0 < note.flushed <= length:
            self.start_over(UNKNOWN)
            return
        self.version = note.version
        self._digests = self._none_yet()
        self._file.truncate(note.flushed)
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)
        self.kept = self._flushed = self.size

    def start_over(self, version: Version) -> None:
        """Drop all bytes; the next ones belong to ``version``."""
        self._file.truncate(0)
        self.note_path.unlink(missing_ok=True)
        if self.size:
            self._on_bytes(-self.size)
        self.size = self.kept = self._flushed = self._behind = 0
        self.version = version
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
        self.size += len(chunk)
        self._on_bytes(len(chunk))

    def flush(self) -> None:
        """Bring all bytes to disk, then note how many they are, if they can be continued."""
        self._file.flush()
        self._wait()
        os.fsync(self._file.fileno())
        self._flushed = self.size
        if self.size and self.version.validator is not None:
            _write_note(self.note_path, Note(self._url, self.version, self.size))

    def push(self) -> None:
        """Let others who open the file see all its bytes."""
        self._file.flush()

    def finish(self) -> None:
        """Bring all bytes to disk and drop the note: there is nothing to go on with."""
        self._file.flush()
        self._wait()
        os.fsync(self._file.fileno())
        self.note_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the file and its note."""
        self.path.unlink(missing_ok=True)
        self.note_path.unlink(missing_ok=True)

    def digest(self, algorithm: str) -> str:
        """Return the hexadecimal digest of all bytes."""
        return self._digests[algorithm].hexdigest()


def _say_nothing(grown: int) -> None:
    del grown


def _read_note(path: Path) -> Note | None:
    """Read the last line of a note; one that was cut while it was written says nothing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, ValueError):
        return None
    lines = text[: text.rfind("\n") + 1].splitlines()
    try:
        fields = json.loads(lines[-1])
        return Note(fields["url"], Version(**fields["version"]), int(fields["flushed"]))
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def _write_note(path: Path, note: Note) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(note)) + "\n")
        file.flush()
        os.fsync(file.fileno())
