"""What a manifest says of a stage in short, read line by line: its parts may be a million.

A manifest is written with one value a line (`pile.store.publish_json`), in order of its keys. The form
over which its seal is taken has the same bytes but for blanks between the values, so that the seal is
checked on the way, and no part is kept.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pile import layout, ledger, store
from sources.source import Json

_KEY = re.compile(rb'("(?:[^"\\]|\\.)*":) ')
"""A key at the beginning of a line, up to the blank after it."""

_PARTS = "parts"
_SKIPPED = frozenset({"recipe", "tasks"})
_SEALED_BY = f' "{ledger.SEAL}": '.encode()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a stage took, gave and rejected, and what its parts are in bytes.

    ``whole`` tells whether all parts are there with their sizes.
    """

    taken: int
    given: int
    rejected: Mapping[str, int]
    quarantined: Sequence[Mapping[str, Json]]
    bytes: int
    whole: bool


@dataclass(slots=True)
class _Read:
    """What has been read of a manifest."""

    folder: Path
    found: dict[str, Any] = field(default_factory=dict)
    bytes: int = 0
    whole: bool = True

    def take(self, key: str, value: Any) -> None:
        if key != _PARTS:
            self.found[key] = value
            return
        self.bytes += value["size"]
        self.whole = self.whole and store.has_size(self.folder, value["name"], value["size"])


def read_summary(folder: Path) -> Summary | None:
    """Return what a stage's manifest says in short, or None while it has none, or a damaged one."""
    seal, read = hashlib.sha256(), _Read(folder)
    try:
        with layout.manifest(folder).open("rb") as lines:
            for key, value in _values(_without_blanks(lines, seal.update)):
                read.take(key, value)
        found = read.found
        if found.pop(ledger.SEAL) != seal.hexdigest():
            return None
        counts = {key: found[key] for key in ("taken", "given", "rejected", "quarantined")}
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
    return Summary(**counts, bytes=read.bytes, whole=read.whole)


def _without_blanks(lines: Iterable[bytes], seal: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield lines as they are, while the seal hears them in the form over which it is taken."""
    for line in lines:
        if not line.startswith(_SEALED_BY):
            bare = line.strip(b" \n")
            key = _KEY.match(bare)
            seal(key[1] + bare[key.end() :] if key else bare)
        yield line


def _values(lines: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield each key with its value, but of parts one after the other, and not what is skipped."""
    key, held = "", list[bytes]()
    for line in lines:
        depth = len(line) - len(line.lstrip(b" "))
        rest = line
        if depth == 1 and line.startswith(b' "'):
            name, _, rest = line.partition(b": ")
            key, held = json.loads(name), []
        level = 2 if key == _PARTS else 1
        if key in _SKIPPED or depth < level:
            continue
        held.append(rest)
        if depth == level and not line.rstrip().endswith((b"[", b"{")):
            yield key, json.loads(b"".join(held).rstrip(b",\n"))
            held = []
