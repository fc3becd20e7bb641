"""Members of a zip archive (APPNOTE.TXT 6.3, with ZIP64), each checked against its size and CRC-32.

`zipfile` keeps all of the central directory as objects, 0.7 GB for a million members; here it is
read along with the members. Supported are stored, deflated, bzip2 and Zstandard members.
"""

import bz2
import io
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from sources.archive_member import MAX_MEMBERS, Member, judge
from sources.archive_pull import (
    CHUNK,
    CoderStream,
    Decoder,
    ExpansionGuard,
    OneWayStream,
    SizedStream,
    ZlibDecoder,
    buffered,
    counted,
    zstd_decoder,
)
from sources.source import UnreadableFile

LOCAL_MAGIC, CENTRAL_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
MAGIC = (LOCAL_MAGIC, END_MAGIC)
"""How an archive begins: with a member, or with the end of an empty one."""

LOCAL = struct.Struct("<4s22xHH")
"""Local header: signature, lengths of name and extra field."""

CENTRAL = struct.Struct("<4sxBxxHHxxxxIIIHHHxxxxII")
"""Central header: signature, system, flags, method, CRC, packed and full size, lengths of name,
extra field and comment, attributes, offset of the local header."""

END = struct.Struct("<4sHHHHIIH")
"""End of central directory: signature, four disk and entry counts, size, offset, comment length."""

END64_LOCATOR = struct.Struct("<4sIQI")
END64 = struct.Struct("<4sQHHIIQQQQ")
MAX_COMMENT = 0xFFFF
IN_EXTRA = 0xFFFFFFFF
"""A 32-bit field whose value stands in the ZIP64 extra field."""

ZIP64_EXTRA = 1
ENCRYPTED, UTF8 = 0x0001, 0x0800
UNIX_SYSTEMS = {3, 19}
"""Makers whose attributes hold a Unix mode: Unix and macOS."""

STORED = 0
DECODERS: Mapping[int, Callable[[], Decoder]] = MappingProxyType(
    {
        8: lambda: ZlibDecoder(-zlib.MAX_WBITS),
        12: bz2.BZ2Decompressor,
        93: zstd_decoder,
    }
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the central directory says of a member."""

    name: str
    raw_name: bytes
    encrypted: bool
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int


class _Damaged(Exception):  # noqa: N818 - caught where the file's name is known
    """Something the format rules out."""


def zip_members(path: Path) -> Iterator[tuple[Member, BinaryIO]]:
    """Yield what is no directory, in the order of the central directory; see `members`."""
    guard = ExpansionGuard(path.name)
    with path.open("rb", buffering=CHUNK) as directory, path.open("rb", buffering=CHUNK) as file:
        try:
            for entry in _entries(directory):
                _seek_content(file, entry)
                if entry.size or not entry.name.endswith("/"):
                    yield from _member(file, entry, guard)
        except (_Damaged, struct.error) as error:
            raise UnreadableFile(f"{path.name}: zip: {error}; download it again") from error


def check_directory(path: Path) -> None:
    """Make sure that the central directory and all local headers are there, and what they should be.

    Raises `UnreadableFile`; no member is decoded.
    """
    with path.open("rb", buffering=CHUNK) as directory, path.open("rb") as file:
        try:
            for entry in _entries(directory):
                _seek_content(file, entry)
        except (_Damaged, struct.error) as error:
            raise UnreadableFile(f"{path.name}: zip: {error}; download it again") from error


def _member(
    file: BinaryIO, entry: _Entry, guard: ExpansionGuard
) -> Iterator[tuple[Member, BinaryIO]]:
    member = judge(entry.name, entry.size, _problem(entry))
    if member.problem is not None:
        yield member, io.BytesIO()
        return
    what = f"{guard.name}: {member.name}"
    unpacked = counted(_unpacked(file, entry, guard, what).following, guard.produce)
    with buffered(SizedStream(unpacked, entry.size, what, entry.crc), entry.size) as opened:
        yield member, opened


def _problem(entry: _Entry) -> str | None:
    if entry.encrypted:
        return "encrypted"
    return None if stat.S_IFMT(entry.mode) in {0, stat.S_IFREG} else "not_a_file"


def _seek_content(file: BinaryIO, entry: _Entry) -> None:
    """Pass over the local header, which must name the same member."""
    file.seek(entry.offset)
    signature, name_length, extra_length = LOCAL.unpack(_take(file, LOCAL.size))
    if signature != LOCAL_MAGIC or _take(file, name_length) != entry.raw_name:
        raise _Damaged(f"byte {entry.offset:,} does not begin the member {entry.name[:200]!r}")
    _take(file, extra_length)


def _unpacked(file: BinaryIO, entry: _Entry, guard: ExpansionGuard, what: str) -> OneWayStream:
    packed = SizedStream(counted(file.read, guard.consume), entry.packed, what)
    if entry.method == STORED:
        return packed
    if entry.method not in DECODERS:
        raise UnreadableFile(
            f"{what}: its compression method {entry.method} is not supported; pack it as deflate"
        )
    return CoderStream(packed.following, DECODERS[entry.method](), entry.size, what)


def _entries(file: BinaryIO) -> Iterator[_Entry]:
    """Read the central directory, entry by entry."""
    offset, left, stated = _directory_place(file)
    file.seek(offset)
    room = offset
    count = 0
    while left > 0:
        entry, length = _entry(file)
        left -= length
        count += 1
        if count > MAX_MEMBERS:
            raise _Damaged(f"more than {MAX_MEMBERS:,} members")
        # Members that share bytes make a bomb that no member's own ratio gives away.
        room -= LOCAL.size + entry.packed
        if room < 0:
            raise _Damaged("its members overlap: taken for a bomb")
        if entry.offset + LOCAL.size + entry.packed > offset:
            raise _Damaged(f"the member {entry.name[:200]!r} lies behind the members' end")
        yield entry
    # Writers without ZIP64 count modulo 65,536.
    if left or (count - stated) % (1 << 16):
        raise _Damaged(f"{count:,} members where {stated:,} are stated")


def _entry(file: BinaryIO) -> tuple[_Entry, int]:
    """Read one entry; return it and its length in the central directory."""
    fields = CENTRAL.unpack(_take(file, CENTRAL.size))
    signature, system, flags, method, crc, packed, size, *lengths, attributes, offset = fields
    if signature != CENTRAL_MAGIC:
        raise _Damaged(f"no central header before byte {file.tell():,}")
    raw_name, extra, _ = [_take(file, length) for length in lengths]
    size, packed, offset = _wide([size, packed, offset], extra)
    entry = _Entry(
        name=raw_name.decode("utf-8" if flags & UTF8 else "cp437", "backslashreplace"),
        raw_name=raw_name,
        encrypted=bool(flags & ENCRYPTED),
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        mode=attributes >> 16 if system in UNIX_SYSTEMS else 0,
        offset=offset,
    )
    return entry, CENTRAL.size + sum(lengths)


def _wide(fields: list[int], extra: bytes) -> list[int]:
    """Replace fields that did not fit 32 bits by those of the ZIP64 extra field, in order."""
    position = 0
    while IN_EXTRA in fields and position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4
        if kind == ZIP64_EXTRA:
            wide = iter(
                struct.unpack_from(f"<{min(fields.count(IN_EXTRA), length // 8)}Q", extra, position)
            )
            return [next(wide, field) if field == IN_EXTRA else field for field in fields]
        position += length
    return fields


def _directory_place(file: BinaryIO) -> tuple[int, int, int]:
    """Find the central directory: (offset, size, number of entries)."""
    end_offset, end = _end_record(file)
    _, disk, first_disk, _, count, size, offset, _ = end
    if end_offset >= END64_LOCATOR.size:
        file.seek(end_offset - END64_LOCATOR.size)
        signature, _, end64_offset, _ = END64_LOCATOR.unpack(_take(file, END64_LOCATOR.size))
        if signature == b"PK\x06\x07":
            file.seek(min(end64_offset, end_offset))
            end64 = END64.unpack(_take(file, END64.size))
            signature, _, _, _, disk, first_disk, _, count, size, offset = end64
            if signature != b"PK\x06\x06":
                raise _Damaged(f"byte {end64_offset:,} does not begin the ZIP64 end record")
    if disk or first_disk:
        raise _Damaged("archives in several volumes are not supported")
    if offset + size > end_offset:
        raise _Damaged(f"its central directory at byte {offset:,} does not fit the file")
    return offset, size, count


def _end_record(file: BinaryIO) -> tuple[int, tuple[int, ...]]:
    """Find the record whose comment reaches just to the end of the file."""
    length = file.seek(0, os.SEEK_END)
    start = max(0, length - END.size - MAX_COMMENT)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(END_MAGIC)
    while at >= 0:
        if at + END.size <= len(tail):
            fields = END.unpack_from(tail, at)
            if at + END.size + fields[-1] == len(tail):
                return start + at, fields
        at = tail.rfind(END_MAGIC, 0, at + len(END_MAGIC) - 1)
    raise _Damaged("no end of a central directory: the file is cut, or something follows it")


def _take(file: BinaryIO, size: int) -> bytes:
    taken = file.read(size)
    if len(taken) < size:
        raise _Damaged(f"it ends at byte {file.tell():,}, within a header")
    return taken
