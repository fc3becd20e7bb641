"""Ids that stay unique within a file whose upstream ids repeat."""

from typing import Protocol

from sources.formats.on_disk import DiskPlaces

IN_MEMORY = 1 << 20
"""Ids that `Uses` counts in memory: about 100 MB of them."""


class Counts(Protocol):
    """How often each id was used: a dict, or `Uses` where a file may hold millions of records."""

    def get(self, identifier: str, none: int, /) -> int:
        """Return the uses of an id, or ``none``."""

    def __setitem__(self, identifier: str, uses: int, /) -> None:
        """Note the uses of an id."""


class Uses:
    """Counts uses of ids, however many: the first so many in memory, the others on disk."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._first: dict[str, int] = {}
        self._others: DiskPlaces | None = None

    def get(self, identifier: str, none: int, /) -> int:
        """Return the uses of an id, or ``none``."""
        uses = self._first.get(identifier)
        if uses is None and self._others is not None:
            uses = self._others.get(identifier)
        return none if uses is None else uses

    def __setitem__(self, identifier: str, uses: int, /) -> None:
        """Note the uses of an id."""
        if identifier in self._first or len(self._first) < self._in_memory:
            self._first[identifier] = uses
            return
        if self._others is None:
            self._others = DiskPlaces()
        self._others.put([(identifier, uses)])


def numbered(identifier: str, taken: Counts) -> str:
    """Return ``identifier``, with ``/rN`` behind it from its second use on.

    ``taken`` counts the uses so far and is brought up to date.
    """
    uses = taken.get(identifier, 0) + 1
    taken[identifier] = uses
    return identifier if uses == 1 else f"{identifier}/r{uses}"
