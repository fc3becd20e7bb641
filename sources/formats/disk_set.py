"""A set of byte strings that lies on disk, so that a process's memory does not grow with it."""

import sqlite3
from types import TracebackType
from typing import Self

CACHE_KIB = 32 << 10
"""KiB of memory that one set takes at most, however large it is."""


class DiskSet:
    """Byte strings, in an anonymous temporary file that is gone with the process.

    For use in ``with``. Raises sqlite3.OperationalError if the disk is full.
    """

    def __init__(self) -> None:
        # The empty name stands for a private database in a temporary file without a name.
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in ("temp_store = FILE", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("CREATE TABLE members (key BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, key: bytes) -> bool:
        """Take a key in and tell whether it is new."""
        added = self._database.execute("INSERT OR IGNORE INTO members VALUES (?)", (key,))
        return added.rowcount == 1
