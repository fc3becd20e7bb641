"""Files of one kind as upstreams and users keep them: packed in an archive, or each by itself.

A file is read the same way wherever it lies; only its origin tells: ``archive:member`` or its name.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sources.archive_7z_header import MAGIC as SEVEN_ZIP_MAGIC
from sources.archive_streams import COMPRESSIONS, decompressed
from sources.archive_tar import BLOCK, is_tar
from sources.archive_zip import MAGIC as ZIP_MAGIC
from sources.archives import members, open_stream
from sources.source import RawFile

UNREADABLE = "a member with an unsafe name, encrypted, or no regular file"
"""What a reader means by the reason it gives a file with a ``problem``."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file to read: its name without any compression's suffix, and where it lies.

    ``packed`` is whether it is a member of an archive; ``problem`` is as in
    `sources.archives.Member`.
    """

    name: str
    origin: str
    packed: bool
    problem: str | None = None


def is_archive(path: Path) -> bool:
    """Tell by the first bytes whether a file is a zip, 7z or tar, the last also if compressed."""
    with path.open("rb") as file:
        head = file.read(len(SEVEN_ZIP_MAGIC))
    if head == SEVEN_ZIP_MAGIC or head.startswith(ZIP_MAGIC):
        return True
    with open_stream(path) as stream:
        return is_tar(stream.peek(BLOCK)[:BLOCK])


def files(path: Path, raw: RawFile) -> Iterator[tuple[PackedFile, BinaryIO]]:
    """Yield the members of an archive in its order, or the file itself if it is none.

    A compressed file's content comes decompressed, be it a member or not. A stream is valid until
    the next step. Raises `UnreadableFile`; so may reading a stream.
    """
    if not is_archive(path):
        with open_stream(path) as content:
            yield PackedFile(uncompressed_name(raw.name), raw.name, packed=False), content
        return
    for member, stream in members(path):
        origin = f"{raw.name}:{member.name}"
        file = PackedFile(uncompressed_name(member.name), origin, True, member.problem)
        with ExitStack() as opened:
            yield file, _content(stream, member.name, origin, opened)


def uncompressed_name(name: str) -> str:
    """Return a name without the suffix of a compression."""
    for compression in COMPRESSIONS:
        for suffix in compression.suffixes:
            if name.endswith(suffix):
                return name.removesuffix(suffix)
    return name


def _content(stream: BinaryIO, name: str, origin: str, opened: ExitStack) -> BinaryIO:
    for compression in COMPRESSIONS:
        if name.endswith(compression.suffixes):
            return opened.enter_context(decompressed(stream, origin, compression))
    return stream
