"""What is remembered of raw files: digests of the user's own, and plans of downloads.

Fingerprints come of both, so that one wrong digit would be another corpus: each carries a digest of
its own, and what is damaged is found out anew.
"""

import hashlib
import json
import os
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pile import ledger, store
from sources.source import Json, RawFile


class Hashes:
    """Digests of local files, remembered in a log; a changed file is read anew."""

    def __init__(self, path: Path) -> None:
        """Read what the log at ``path`` tells, if there is one."""
        self._path = path
        self._known = dict(_read_hashes(path))

    def of(self, path: Path, hear: Callable[[str], None]) -> tuple[int, str]:
        """Return size and SHA-256 of a file; ``hear`` hears of it if it must be read."""
        status = path.stat()
        key = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
        if key not in self._known:
            hear(f"reading {path}")
            _, sha256 = store.digest(path)
            self._remember(key, sha256)
            self._known[key] = sha256
        return status.st_size, self._known[key]

    def _remember(self, key: str, sha256: str) -> None:
        try:
            store.append_line(self._path, store.canonical([key, sha256, _check(key, sha256)]))
        except OSError:
            # A work directory that is only looked at: the digest is computed again next time.
            if os.access(self._path.parent, os.W_OK):
                raise


def _check(key: str, sha256: str) -> str:
    """Return what a line of the log ends with."""
    return ledger.fingerprint([key, sha256])


def _read_hashes(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            key, sha256, check = json.loads(line)
            is_whole = check == _check(key, sha256)
        except (ValueError, TypeError):  # a torn or damaged line: its file is read again
            continue
        if is_whole:
            yield key, sha256


def publish_plan(path: Path, raws: Sequence[RawFile]) -> None:
    """Remember a plan: a digest of the rest, then each file a line without what is as by default."""
    store.publish_lines(path, _sealed(raws))


def _sealed(raws: Sequence[RawFile]) -> Iterator[Json]:
    seal = hashlib.sha256()
    for line in _files_of(raws):
        seal.update(f"{store.canonical(line)}\n".encode("utf-8", "backslashreplace"))
    yield {ledger.SEAL: seal.hexdigest()}
    yield from _files_of(raws)


def _files_of(raws: Sequence[RawFile]) -> Iterator[Json]:
    for raw in raws:
        every = {name: getattr(raw, name) for name in ("url", "name", "size", "checksum", "form")}
        yield {name: value for name, value in every.items() if value not in {None, "file"}}


class Plan(Collection[RawFile]):
    """A remembered plan, whose files are read whenever they are gone through: they may be a million.

    It is read as it was when it was opened, even if it is removed or made anew since. Raises OSError if it
    cannot be read, and ValueError, TypeError or KeyError if it is damaged.
    """

    def __init__(self, path: Path) -> None:
        """Open the plan at ``path``, and go through it once."""
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        seal, self._length = hashlib.sha256(), 0
        lines = self._lines()
        wanted = json.loads(next(lines, b""))[ledger.SEAL]
        for line in lines:
            seal.update(line)
            _file_of(line)
            self._length += 1
        if seal.hexdigest() != wanted:
            raise ValueError(f"{path} is damaged")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[RawFile]:
        return map(_file_of, islice(self._lines(), 1, None))

    def __contains__(self, raw: object) -> bool:
        return any(one == raw for one in self)

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines with their ends, by a place of their own: several may go through them at once."""
        place, torn = 0, b""
        while chunk := os.pread(self._file, store.CHUNK, place):
            place += len(chunk)
            *whole, torn = (torn + chunk).split(b"\n")
            yield from (line + b"\n" for line in whole)
        if torn:
            yield torn


def _file_of(line: bytes) -> RawFile:
    return RawFile(**json.loads(line))


def read_plan(path: Path) -> Plan | None:
    """Open a remembered plan; a damaged one is made anew."""
    try:
        return Plan(path)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
