"""Sets and maps that lie on disk, so that a process's memory does not grow with them.

Each is an anonymous temporary file (in the folder that TMPDIR names), gone with its object or the
process. They raise sqlite3.Error when the disk is full.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

CACHE_KIB = 32 << 10
"""KiB of memory that each takes at most, however large it is."""

SETTINGS = ("temp_store = FILE", "journal_mode = OFF", "synchronous = OFF")


class _OnDisk:
    """A private database with one table."""

    def __init__(self, table: str) -> None:
        # The empty name stands for a temporary file without a name.
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in (*SETTINGS, f"cache_size = -{CACHE_KIB}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(table)
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __del__(self) -> None:
        self._database.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()


class DiskSet(_OnDisk):
    """A set of byte strings."""

    def __init__(self) -> None:
        super().__init__("CREATE TABLE members (key BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, key: bytes) -> bool:
        """Take a key in and tell whether it is new."""
        added = self._database.execute("INSERT OR IGNORE INTO members VALUES (?)", (key,))
        return added.rowcount == 1


class DiskMap(_OnDisk):
    """A map from whole numbers of 64 bits to byte strings; what is in it stays."""

    def __init__(self) -> None:
        super().__init__("CREATE TABLE entries (key INTEGER PRIMARY KEY, value BLOB)")

    def add(self, key: int, value: bytes) -> bool:
        """Take an entry in and tell whether its key is new; if it is not, the first stays."""
        added = self._database.execute("INSERT OR IGNORE INTO entries VALUES (?, ?)", (key, value))
        return added.rowcount == 1

    def get(self, key: int) -> bytes | None:
        """Return a key's value, or None if there is none."""
        found = self._database.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def items(self) -> Iterator[tuple[int, bytes]]:
        """Yield all entries, in order of keys."""
        yield from self._database.execute("SELECT key, value FROM entries ORDER BY key")


class DiskPlaces(_OnDisk):
    """A map from texts to whole numbers of 64 bits; what comes last counts."""

    def __init__(self) -> None:
        super().__init__("CREATE TABLE places (key TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID")

    def put(self, places: Iterable[tuple[str, int]]) -> None:
        """Take entries in, in their order."""
        self._database.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", places)

    def get(self, key: str) -> int | None:
        """Return what was last put for a key, or None if nothing was."""
        found = self._database.execute("SELECT place FROM places WHERE key = ?", (key,)).fetchone()
        return None if found is None else int(found[0])
