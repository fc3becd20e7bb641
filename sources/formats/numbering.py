"""Ids that stay unique within a file whose upstream ids repeat, in flat memory."""

import sqlite3
import weakref

from sources.formats.on_disk import CACHE_KIB, SETTINGS

HELD = 400_000
"""Ids that are counted in memory, at about 200 bytes each; those beyond it are counted on disk."""

_COUNT = (
    "INSERT INTO uses VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET number = number + 1"
    " RETURNING number"
)


class Uses:
    """How often each id was used so far.

    What goes to disk lies in an anonymous temporary file (in the folder that TMPDIR names), gone with
    the reader. Raises sqlite3.Error when the disk is full.
    """

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._disk: sqlite3.Connection | None = None

    def count(self, identifier: str) -> int:
        """Count one more use of an id; return how many there are."""
        if identifier not in self._held and len(self._held) >= HELD:
            return self._count_on_disk(identifier)
        uses = self._held[identifier] = self._held.get(identifier, 0) + 1
        return uses

    def _count_on_disk(self, identifier: str) -> int:
        if self._disk is None:
            self._disk = _opened()
            weakref.finalize(self, self._disk.close)
        # JSON can spell half a surrogate pair, which is no text to SQLite.
        key = identifier.encode("utf-8", "surrogatepass")
        ((number,),) = self._disk.execute(_COUNT, (key,)).fetchall()
        return int(number)


def _opened() -> sqlite3.Connection:
    # The empty name stands for a temporary file without a name.
    database = sqlite3.connect("", isolation_level=None)
    for setting in (*SETTINGS, f"cache_size = -{CACHE_KIB}"):
        database.execute(f"PRAGMA {setting}")
    database.execute("CREATE TABLE uses (id BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")
    database.execute("BEGIN")
    return database


def numbered(identifier: str, uses: Uses) -> str:
    """Return ``identifier``, with ``/rN`` behind it from its second use on, and count the use."""
    number = uses.count(identifier)
    return identifier if number == 1 else f"{identifier}/r{number}"
