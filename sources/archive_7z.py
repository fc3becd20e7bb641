"""Members of a 7z archive, read forwards in one pass and flat memory.

A 7z archive is a header (at its end) and folders: runs of members compressed as one stream. Each
folder is decoded by a chain of pull streams, so that a member of any size flows through a few
buffers (`py7zr` only pushes content at a writer, up to 128 MB at once). Supported are the methods
that dumps are packed with: copy, deflate, bzip2, LZMA, and LZMA2 with delta and x86 filters. Every
size and CRC-32 that the archive states is checked.
"""

import bz2
import io
import lzma
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from sources.archive_7z_header import (
    WINDOWS_DIRECTORY,
    WINDOWS_REPARSE_POINT,
    Coder,
    Entry,
    Folder,
    HeaderError,
    read_header,
)
from sources.archive_member import Member, judge
from sources.archive_pull import (
    CHUNK,
    DAMAGE,
    WINDOW,
    CoderStream,
    Decoder,
    ExpansionGuard,
    OneWayStream,
    Pull,
    SizedStream,
    ZlibDecoder,
    buffered,
    counted,
    over_window,
)
from sources.source import UnreadableFile

COPY = b"\x00"
LZMA2 = b"\x21"
LZMA = bytes.fromhex("030101")
DEFLATE = bytes.fromhex("040108")
BZIP2 = bytes.fromhex("040202")
AES = bytes.fromhex("06f10701")


@dataclass(frozen=True, slots=True)
class _Content:
    """A member's bytes: the next of its folder's output; none to pull if that is encrypted."""

    pull: Pull | None
    size: int
    crc: int | None


_EMPTY = _Content(None, 0, None)


def seven_zip_members(path: Path) -> Iterator[tuple[Member, BinaryIO]]:
    """Yield what is no directory, in archive order; see `sources.archives.members`."""
    guard = ExpansionGuard(path.name)
    with path.open("rb", buffering=CHUNK) as file:
        try:
            header = read_header(file, lambda folder: _open(file, folder, guard).readall())
        except HeaderError as error:
            raise UnreadableFile(f"{path.name}: 7z: {error}; download it again") from error
        contents = _contents(file, header.folders, guard)
        for entry in header.entries:
            content = next(contents) if entry.stored else _EMPTY
            yield from _member(entry, content, path.name)


def _contents(
    file: BinaryIO, folders: Iterable[Folder], guard: ExpansionGuard
) -> Iterator[_Content]:
    for folder in folders:
        encrypted = any(coder.method == AES for coder in folder.coders)
        pull = None if encrypted else counted(_open(file, folder, guard).following, guard.produce)
        for size, crc in zip(folder.sizes, folder.crcs, strict=True):
            yield _Content(pull, size, crc)


def _member(entry: Entry, content: _Content, archive: str) -> Iterator[tuple[Member, BinaryIO]]:
    name = entry.name or Path(archive).stem
    member = judge(name, content.size, _problem(entry, content))
    if content.pull is None:
        if not _is_directory(entry):
            yield member, io.BytesIO()
        return
    stream = SizedStream(content.pull, content.size, f"{archive}: {member.name}", content.crc)
    if not _is_directory(entry):
        with io.BytesIO() if member.problem else buffered(stream, content.size) as opened:
            yield member, opened
    stream.skip()


def _is_directory(entry: Entry) -> bool:
    return entry.directory or bool(entry.attributes & WINDOWS_DIRECTORY)


def _problem(entry: Entry, content: _Content) -> str | None:
    if entry.stored and content.pull is None:
        return "encrypted"
    regular = stat.S_IFMT(entry.unix_mode) in {0, stat.S_IFREG}
    if entry.attributes & WINDOWS_REPARSE_POINT or not regular:
        return "not_a_file"
    return None


def _open(file: BinaryIO, folder: Folder, guard: ExpansionGuard) -> OneWayStream:
    """Open the output of a folder; reading it moves ``file``, so one folder is read at a time."""
    file.seek(folder.offset)
    what = f"{guard.name}: the 7z folder at byte {folder.offset:,}"
    if sum(map(_dictionary, folder.coders)) > WINDOW:
        raise UnreadableFile(f"{what}: {over_window(WINDOW)}")
    stream: OneWayStream = SizedStream(counted(file.read, guard.consume), folder.packed, what)
    for coder, filters in _with_filters(folder.coders):
        stream = _decoded(stream.following, coder, filters, what)
    return stream


def _with_filters(coders: Iterable[Coder]) -> list[tuple[Coder, list[Coder]]]:
    """Put the filters that follow LZMA2 with it: liblzma undoes them in one go."""
    steps: list[tuple[Coder, list[Coder]]] = []
    for coder in coders:
        if coder.method in FILTERS and steps and steps[-1][0].method == LZMA2:
            steps[-1][1].append(coder)
        else:
            steps.append((coder, []))
    return steps


def _decoded(pull: Pull, coder: Coder, filters: Sequence[Coder], what: str) -> OneWayStream:
    if coder.method == COPY:
        return SizedStream(pull, coder.size, what)
    new_decoder = DECODERS.get(coder.method)
    if new_decoder is None:
        raise UnreadableFile(
            f"{what} is packed with method {coder.method.hex()}, which is not supported;"
            " pack it again with LZMA2"
        )
    try:
        decoder = new_decoder(coder.properties, filters)
    except (*DAMAGE, struct.error) as error:
        raise UnreadableFile(f"{what} has impossible coder properties ({error})") from error
    return CoderStream(pull, decoder, coder.size, what)


def _lzma_decoder(properties: bytes, filters: Sequence[Coder]) -> Decoder:
    packed, dictionary = struct.unpack("<BI", properties)
    rest, lc = divmod(packed, 9)
    pb, lp = divmod(rest, 5)
    lzma1 = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}
    return _raw_decoder(lzma1, filters)


def _lzma2_decoder(properties: bytes, filters: Sequence[Coder]) -> Decoder:
    (packed,) = struct.unpack("<B", properties)
    return _raw_decoder({"id": lzma.FILTER_LZMA2, "dict_size": _lzma2_size(packed)}, filters)


def _lzma2_size(packed: int) -> int:
    return (2 | packed & 1) << (packed // 2 + 11)


def _dictionary(coder: Coder) -> int:
    """Return the bytes that a coder holds back; of impossible properties none."""
    if coder.method == LZMA2 and len(coder.properties) == 1:
        return _lzma2_size(coder.properties[0])
    return int.from_bytes(coder.properties[1:5], "little") if coder.method == LZMA else 0


def _raw_decoder(compressor: Mapping[str, int], filters: Sequence[Coder]) -> Decoder:
    undone = [FILTERS[coder.method](coder.properties) for coder in reversed(filters)]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[*undone, compressor])


DECODERS: Mapping[bytes, Callable[[bytes, Sequence[Coder]], Decoder]] = MappingProxyType(
    {
        LZMA: _lzma_decoder,
        LZMA2: _lzma2_decoder,
        BZIP2: lambda _, __: bz2.BZ2Decompressor(),
        DEFLATE: lambda _, __: ZlibDecoder(-zlib.MAX_WBITS),
    }
)
"""What decodes each supported method, given the coder's properties and the filters behind it."""

FILTERS: Mapping[bytes, Callable[[bytes], dict[str, int]]] = MappingProxyType(
    {
        bytes.fromhex("03"): lambda properties: {
            "id": lzma.FILTER_DELTA,
            "dist": properties[0] + 1,
        },
        bytes.fromhex("03030103"): lambda _: {"id": lzma.FILTER_X86},
    }
)
"""Filters that are undone together with LZMA2, which py7zr and 7-Zip (for programs) put there."""
