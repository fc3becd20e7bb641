"""Members of a tar stream: v7, ustar, pax (POSIX.1-2001) and GNU long names, read forwards only.

`tarfile` in stream mode takes a damaged or cut header for the end of the archive, keeps every
member in memory and reads a name of any claimed length; so only its header parser is used. The
archive must end with a zero block, behind which nothing but zeros may follow.
"""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sources.archive_member import MAX_MEMBERS, Member, judge
from sources.archive_pull import CHUNK, SizedStream, buffered
from sources.source import UnreadableFile

BLOCK = 512
MAX_HEADER = 1 << 20
"""Bytes of a pax or long-name record; names are far shorter everywhere."""

LONG_NAME, LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
PAX_GLOBAL = tarfile.XGLTYPE
REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
WITHOUT_CONTENT = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
)
"""Types whose size field does not stand for blocks that follow."""

PAX_KEYS = {b"path", b"size", b"GNU.sparse.name"}
PAX_SPARSE = "GNU.sparse"
"""What is kept of pax records; the second stands for all that tell of a sparse member."""

_PAX_RECORD = re.compile(rb"(\d{1,7}) ([^=\n]+)=")


def is_tar(head: bytes) -> bool:
    """Tell whether a stream's first `BLOCK` bytes are a tar header, or the end of an empty tar."""
    if len(head) < BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "backslashreplace")
    except tarfile.HeaderError:
        return not any(head)
    return True


class _TarReader:
    """Takes blocks off a stream and knows how far it is."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream = stream
        self.name = name
        self.offset = 0
        self._header = b""

    def take(self, size: int) -> bytes:
        taken = self.stream.read(size)
        if len(taken) < size:
            raise self.failure(self.offset + len(taken), "the tar archive is cut")
        self.offset += size
        return taken

    def take_record(self, size: int) -> bytes:
        if size > MAX_HEADER:
            raise self.failure(self.offset, f"a tar name record of {size:,} bytes is a bomb")
        return self.take(_padded(size))[:size]

    def header(self) -> tarfile.TarInfo | None:
        start = self.offset
        block = self._header = self.take(BLOCK)
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
        except tarfile.HeaderError as error:
            if not any(block):
                return None
            raise self.failure(start, f"no valid tar header ({error})") from error
        if header.size < 0:
            raise self.failure(start, f"a tar header gives the size {header.size:,}")
        return header

    def skip_sparse_map(self) -> None:
        """Pass over the blocks that go on with the map of an old GNU sparse member."""
        goes_on = self._header[482]
        while goes_on:
            goes_on = self.take(BLOCK)[504]

    def expect_only_zeros(self) -> None:
        while chunk := self.stream.read(CHUNK):
            if chunk.count(0) != len(chunk):
                raise self.failure(self.offset, "something follows the end of the tar archive")
            self.offset += len(chunk)

    def failure(self, offset: int, what: str) -> UnreadableFile:
        return UnreadableFile(
            f"{self.name}: {what}, at byte {offset:,} of its (decompressed) content;"
            " download it again"
        )


def tar_members(stream: BinaryIO, name: str) -> Iterator[tuple[Member, BinaryIO]]:
    """Yield what is no directory, in archive order; see `sources.archives.members`."""
    reader = _TarReader(stream, name)
    overall: dict[str, str] = {}
    own: dict[str, str] = {}
    count = 0
    while (header := reader.header()) is not None:
        if header.type == PAX_GLOBAL:
            overall |= _pax_records(reader, header.size)
        elif header.type in PAX:
            own |= _pax_records(reader, header.size)
        elif header.type == LONG_NAME:
            own["path"] = _text(reader.take_record(header.size).partition(b"\0")[0])
        elif header.type == LONG_LINK:
            reader.take_record(header.size)
        else:
            count += 1
            if count > MAX_MEMBERS:
                raise reader.failure(reader.offset, f"more than {MAX_MEMBERS:,} members")
            yield from _member(reader, header, overall | own)
            own = {}
    if own:
        raise reader.failure(reader.offset, "a name without its member ends the tar archive")
    reader.expect_only_zeros()


def _member(
    reader: _TarReader, header: tarfile.TarInfo, records: Mapping[str, str]
) -> Iterator[tuple[Member, BinaryIO]]:
    size = _size(reader, header, records)
    if header.type == tarfile.GNUTYPE_SPARSE:
        reader.skip_sparse_map()
    name = records.get("GNU.sparse.name", records.get("path", header.name))
    member = judge(name, size, _problem(header, records))
    content = SizedStream(reader.stream.read, size, f"{reader.name}: {member.name}")
    if header.type != tarfile.DIRTYPE:
        with io.BytesIO() if member.problem else buffered(content, size) as opened:
            yield member, opened
    content.skip()
    reader.offset += size
    reader.take(_padded(size) - size)


def _problem(header: tarfile.TarInfo, records: Mapping[str, str]) -> str | None:
    if header.type == tarfile.GNUTYPE_SPARSE or PAX_SPARSE in records:
        return "sparse"
    return None if header.type in REGULAR else "not_a_file"


def _size(reader: _TarReader, header: tarfile.TarInfo, records: Mapping[str, str]) -> int:
    if header.type in WITHOUT_CONTENT:
        return 0
    stated = records.get("size")
    if stated is None:
        return header.size
    if not (stated.isascii() and stated.isdigit() and len(stated) < 20):
        raise reader.failure(reader.offset, f"a pax record gives the size {stated[:40]!r}")
    return int(stated)


def _pax_records(reader: _TarReader, size: int) -> dict[str, str]:
    r"""Parse records of the form ``length key=value\n``, the length counting all of it."""
    record = reader.take_record(size)
    found: dict[str, str] = {}
    position = 0
    while position < len(record) and record[position]:
        match = _PAX_RECORD.match(record, position)
        end = position + int(match[1]) if match else 0
        if match is None or end <= match.end() or record[end - 1 : end] != b"\n":
            raise reader.failure(reader.offset, "a pax header is damaged")
        key = match[2]
        if key in PAX_KEYS:
            found[_text(key)] = _text(record[match.end() : end - 1])
        if key.startswith(b"GNU.sparse."):
            found[PAX_SPARSE] = ""
        position = end
    return found


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
