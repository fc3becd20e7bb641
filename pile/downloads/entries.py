"""What an entry of a plan may be: listings are written by others, who may err or be taken over.

An address of this machine, for one, would make a corpus of its files.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pile import layout
from sources.fetch import checksum_of
from sources.source import RawFile

REMOTE = ("http://", "https://", "s3://", "ftp://")
"""How addresses begin that a plan, or a config, may name."""

LONGEST_NAME = 200
"""Bytes of each part of a name; most file systems take 255, and a download's own files have longer names."""


def require_sound(source: str, raws: Sequence[RawFile]) -> None:
    """Raise ValueError unless files of a source, sorted by name, can be had, each under a name of its own."""
    name = ""
    for raw in raws:
        require_one(source, raw)
        before, name = name, raw.name
        if name == before:
            raise ValueError(f"the plan of {source} names two raw files {name!r}")


def require_one(source: str, raw: RawFile) -> None:
    """Raise ValueError unless a file has an address elsewhere, a name here, and a true checksum."""
    if not raw.url.startswith(REMOTE) or not urlsplit(raw.url).netloc:
        raise ValueError(f"{raw.url[:200]!r} is no address of a file elsewhere")
    name = layout.inside(source, raw.name)
    longest = max(len(part.encode()) for part in name.split("/"))
    if name != raw.name or "\0" in name or longest > LONGEST_NAME:
        raise ValueError(f"{raw.name[:200]!r} is no name that a file can have")
    if raw.size is not None and raw.size < 0:
        raise ValueError(f"{raw.name} has {raw.size} bytes")
    checksum_of(raw)
