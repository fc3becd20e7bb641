"""Raw files as streams: decompressed bytes, lines, and the members of archives.

Everything is read forwards in bounded memory and nothing is ever written to disk. What cannot be
read to its end exactly as it was written raises `sources.source.UnreadableFile`, with the file,
the place and what is wrong; no reader has to check for short content itself.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sources.archive_7z import seven_zip_members
from sources.archive_7z_header import MAGIC as SEVEN_ZIP_MAGIC
from sources.archive_member import Member
from sources.archive_streams import Overlong, lines, open_stream
from sources.archive_tar import BLOCK, is_tar, tar_members
from sources.archive_zip import MAGIC as ZIP_MAGIC
from sources.archive_zip import zip_members
from sources.source import UnreadableFile

__all__ = ["SEVEN_ZIP_MAGIC", "Member", "Overlong", "lines", "members", "open_stream"]


def members(path: Path) -> Iterator[tuple[Member, BinaryIO]]:
    """Yield the members of a tar (compressed or not), zip or 7z archive, told by magic bytes.

    They come in archive order; directories are no records and are left out. A stream is valid
    until the next step; a member with a ``problem`` has an empty one and is for the reader to
    reject. Compression within a member is not followed. Raises `UnreadableFile` for what is no
    archive, is cut, damaged or a bomb.
    """
    with path.open("rb") as file:
        head = file.read(len(SEVEN_ZIP_MAGIC))
    if head == SEVEN_ZIP_MAGIC:
        yield from seven_zip_members(path)
    elif head.startswith(ZIP_MAGIC):
        yield from zip_members(path)
    else:
        with open_stream(path) as stream:
            start = stream.peek(BLOCK)[:BLOCK]
            if not is_tar(start):
                raise UnreadableFile(f"{path.name}: byte 0: neither a tar, zip nor 7z archive")
            yield from tar_members(stream, path.name)
