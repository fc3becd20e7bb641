"""The header of a 7z archive: which packed streams, coders and members it holds.

Written after the format's description (7zFormat.txt of the LZMA SDK). A header is untrusted: all
counts are bounded, and each is backed by bytes that must be there.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, repeat
from typing import BinaryIO, TypeAlias

from sources.archive_member import MAX_MEMBERS

MAGIC = b"7z\xbc\xaf\x27\x1c"
SIGNATURE_BYTES = 32
MAX_HEADER = 1 << 28
"""Bytes of a (decompressed) header, enough for two million members."""

MAX_FILE = 1 << 62
"""Bytes that any file may have; places behind cannot even be sought."""

MAX_FOLDERS = 1 << 20
MAX_CODERS = 8
MAX_ENCODINGS = 4
"""How often a header may itself be compressed; 7-Zip does it once."""

END, HEADER, ARCHIVE_PROPERTIES, ADDITIONAL_STREAMS, MAIN_STREAMS, FILES = range(6)
PACK, UNPACK, SUBSTREAMS, SIZE, CRC, FOLDER, CODER_SIZES, SUBSTREAM_COUNT = range(6, 14)
EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES = range(14, 18)
ATTRIBUTES = 0x15
ENCODED_HEADER = 0x17
"""Property ids; the others hold times and padding."""

WINDOWS_DIRECTORY = 0x10
WINDOWS_REPARSE_POINT = 0x400
UNIX_MODE = 0x8000
"""Attribute bits; the last says that the upper half is a Unix mode."""


class HeaderError(Exception):
    """A header that does not follow the format, or asks for what is not supported."""


@dataclass(frozen=True, slots=True)
class Coder:
    """One step of decoding: its method's id, its properties, the bytes it gives."""

    method: bytes
    properties: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Folder:
    """Members compressed as one stream.

    ``coders`` stand in decoding order: the first reads the ``packed`` bytes at ``offset`` of the
    file. ``sizes`` and ``crcs`` belong to the members in it, in order.
    """

    coders: tuple[Coder, ...]
    offset: int
    packed: int
    sizes: tuple[int, ...]
    crcs: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed member; ``stored`` ones take the contents of the folders in order."""

    name: str
    attributes: int
    stored: bool
    directory: bool

    @property
    def unix_mode(self) -> int:
        """Unix mode with the file type, 0 if unknown."""
        return self.attributes >> 16 if self.attributes & UNIX_MODE else 0


@dataclass(frozen=True, slots=True)
class Header:
    """Folders, and all members, to be gone through once; both in archive order."""

    folders: Sequence[Folder]
    entries: Iterable[Entry]


class _Cursor:
    """Takes bytes and numbers off a header."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._content):
            raise HeaderError(f"header byte {self.position:,}: ends {size:,} bytes too early")
        taken = self._content[self.position : end]
        self.position = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Read 1 to 9 bytes: the leading ones of the first say how many more there are."""
        first = self.byte()
        extra = 8 - (first ^ 0xFF).bit_length()
        low = int.from_bytes(self.take(extra), "little")
        return low | (first & (0x7F >> extra)) << (8 * extra)

    def count(self, most: int) -> int:
        found = self.number()
        if found > most:
            raise HeaderError(f"header byte {self.position:,}: a count of {found:,}")
        return found

    @property
    def left(self) -> int:
        return len(self._content) - self.position

    def bits(self, count: int) -> list[bool]:
        packed = self.take(-(-count // 8))
        return [bool(packed[index >> 3] & (0x80 >> (index & 7))) for index in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def words(self, defined: Sequence[bool]) -> list[int | None]:
        known = sum(defined)
        values = iter(struct.unpack(f"<{known}I", self.take(4 * known)))
        return [next(values) if one else None for one in defined]

    def attributes(self, count: int) -> list[int | None]:
        defined = self.defined(count)
        self.expect_inline()
        return self.words(defined)

    def crcs(self, count: int) -> list[int | None]:
        return self.words(self.defined(count))

    def expect(self, *wanted: int) -> int:
        found = self.byte()
        if found not in wanted:
            raise HeaderError(f"header byte {self.position - 1:,}: unexpected id {found:#04x}")
        return found

    def expect_inline(self) -> None:
        if self.byte():
            raise HeaderError(f"header byte {self.position - 1:,}: properties kept elsewhere")


_Contents: TypeAlias = tuple[tuple[int, ...], tuple[int | None, ...]]
"""Sizes and CRCs of the members of a folder."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """Coders of a folder as listed, before its place and members are known."""

    methods: tuple[tuple[bytes, bytes], ...]
    order: tuple[int, ...]


def read_header(file: BinaryIO, unpack: Callable[[Folder], bytes]) -> Header:
    """Read the header of an archive; ``unpack`` decodes a folder of at most `MAX_HEADER` bytes.

    Raises HeaderError.
    """
    content = _stored_header(file)
    for _ in range(MAX_ENCODINGS):
        if not content:
            return Header((), ())
        cursor = _Cursor(content)
        if cursor.expect(HEADER, ENCODED_HEADER) == HEADER:
            return _header(cursor)
        content = _decoded_header(cursor, unpack)
    raise HeaderError("the header is compressed over and over")


def _stored_header(file: BinaryIO) -> bytes:
    signature = file.read(SIGNATURE_BYTES)
    if len(signature) < SIGNATURE_BYTES or not signature.startswith(MAGIC):
        raise HeaderError("byte 0: the signature header is cut")
    start_crc, offset, size, crc = struct.unpack("<IQQI", signature[8:])
    if zlib.crc32(signature[12:]) != start_crc:
        raise HeaderError("byte 8: the signature header is damaged (CRC)")
    if size > MAX_HEADER:
        raise HeaderError(f"byte 20: a header of {size:,} bytes")
    file.seek(min(SIGNATURE_BYTES + offset, MAX_FILE))
    content = file.read(size)
    if len(content) < size:
        raise HeaderError("the archive ends before its header: the file is cut")
    if zlib.crc32(content) != crc:
        raise HeaderError("the header is damaged (CRC)")
    return content


def _decoded_header(cursor: _Cursor, unpack: Callable[[Folder], bytes]) -> bytes:
    folders = _streams(cursor)
    if len(folders) != 1 or sum(folders[0].sizes) > MAX_HEADER:
        raise HeaderError("the compressed header is not one folder of a bearable size")
    return unpack(folders[0])


def _header(cursor: _Cursor) -> Header:
    kind = cursor.expect(END, ARCHIVE_PROPERTIES, ADDITIONAL_STREAMS, MAIN_STREAMS, FILES)
    if kind == ARCHIVE_PROPERTIES:
        while cursor.number():
            cursor.take(cursor.number())
        kind = cursor.expect(END, ADDITIONAL_STREAMS, MAIN_STREAMS, FILES)
    if kind == ADDITIONAL_STREAMS:
        raise HeaderError("additional streams are not supported")
    folders: Sequence[Folder] = ()
    if kind == MAIN_STREAMS:
        folders = _streams(cursor)
        kind = cursor.expect(END, FILES)
    stored, entries = _entries(cursor) if kind == FILES else (0, iter(()))
    contents = sum(len(folder.sizes) for folder in folders)
    if stored != contents:
        raise HeaderError(f"{stored:,} members are listed for {contents:,} contents")
    return Header(folders, entries)


def _streams(cursor: _Cursor) -> list[Folder]:
    kind = cursor.expect(END, PACK)
    if kind == END:
        return []
    places = _packed_places(cursor)
    cursor.expect(UNPACK)
    chains, sizes, crcs = _chains(cursor)
    if len(chains) != len(places):
        raise HeaderError(f"{len(places):,} packed streams for {len(chains):,} folders")
    whole = [size[chain.order[-1]] for chain, size in zip(chains, sizes, strict=True)]
    if cursor.expect(END, SUBSTREAMS) == SUBSTREAMS:
        members = _substreams(cursor, whole, crcs)
        cursor.expect(END)
    else:
        members = [((size,), (crc,)) for size, crc in zip(whole, crcs, strict=True)]
    return [
        Folder(
            tuple(Coder(*chain.methods[index], size[index]) for index in chain.order),
            *place,
            *member,
        )
        for chain, size, place, member in zip(chains, sizes, places, members, strict=True)
    ]


def _packed_places(cursor: _Cursor) -> list[tuple[int, int]]:
    """Read where the packed streams lie: (offset in the file, bytes)."""
    start = SIGNATURE_BYTES + cursor.number()
    count = cursor.count(MAX_FOLDERS)
    sizes: list[int] = []
    while (kind := cursor.expect(END, SIZE, CRC)) != END:
        if kind == SIZE:
            sizes = [cursor.number() for _ in range(count)]
        else:
            cursor.crcs(count)
    if len(sizes) != count:
        raise HeaderError("packed streams without sizes")
    if start + sum(sizes) > MAX_FILE:
        raise HeaderError("packed streams behind the end of any file")
    return list(zip(accumulate(sizes[:-1], initial=start), sizes, strict=True)) if sizes else []


def _chains(cursor: _Cursor) -> tuple[list[_Chain], list[list[int]], list[int | None]]:
    """Read coders, the size each of them gives, and the CRC of what each folder gives."""
    cursor.expect(FOLDER)
    count = cursor.count(MAX_FOLDERS)
    cursor.expect_inline()
    chains = [_chain(cursor) for _ in range(count)]
    cursor.expect(CODER_SIZES)
    sizes = [[cursor.number() for _ in chain.methods] for chain in chains]
    crcs: list[int | None] = [None] * count
    if cursor.expect(END, CRC) == CRC:
        crcs = cursor.crcs(count)
        cursor.expect(END)
    return chains, sizes, crcs


def _chain(cursor: _Cursor) -> _Chain:
    count = cursor.count(MAX_CODERS)
    if not count:
        raise HeaderError(f"header byte {cursor.position:,}: a folder without coders")
    methods = tuple(_method(cursor) for _ in range(count))
    feeds = {}
    for _ in range(count - 1):
        reader, giver = cursor.number(), cursor.number()
        feeds[giver] = reader
    first = set(range(count)) - set(feeds.values())
    order = list(first)
    while len(order) < count and order[-1] in feeds:
        order.append(feeds[order[-1]])
    if sorted(order) != list(range(count)):
        raise HeaderError(f"header byte {cursor.position:,}: coders that form no chain")
    return _Chain(methods, tuple(order))


def _method(cursor: _Cursor) -> tuple[bytes, bytes]:
    flags = cursor.byte()
    method = cursor.take(flags & 0x0F)
    if flags & 0x10 and (cursor.number(), cursor.number()) != (1, 1):
        raise HeaderError(f"the method {method.hex()} of several streams is not supported")
    if flags & 0xC0:
        raise HeaderError(f"header byte {cursor.position:,}: reserved coder flags {flags:#x}")
    properties = cursor.take(cursor.number()) if flags & 0x20 else b""
    return method, properties


def _substreams(
    cursor: _Cursor, sizes: Sequence[int], crcs: Sequence[int | None]
) -> list[_Contents]:
    """Read sizes and CRCs of the members in each folder; unless told, a folder is one member."""
    counts = [1] * len(sizes)
    kind = cursor.expect(END, SUBSTREAM_COUNT, SIZE, CRC)
    if kind == SUBSTREAM_COUNT:
        counts = [cursor.count(MAX_MEMBERS) for _ in sizes]
        kind = cursor.expect(END, SIZE, CRC)
    if sum(counts) > MAX_MEMBERS:
        raise HeaderError(f"{sum(counts):,} members")
    split = [_split(cursor, *folder, kind) for folder in zip(sizes, counts, strict=True)]
    if kind == SIZE:
        kind = cursor.expect(END, CRC)
    alone = [count == 1 and crc is not None for count, crc in zip(counts, crcs, strict=True)]
    wanted = sum(count for count, known in zip(counts, alone, strict=True) if not known)
    listed = iter(cursor.crcs(wanted) if kind == CRC else [None] * wanted)
    if kind == CRC:
        cursor.expect(END)
    return [
        (parts, (crc,) if known else tuple(islice(listed, len(parts))))
        for parts, crc, known in zip(split, crcs, alone, strict=True)
    ]


def _split(cursor: _Cursor, size: int, count: int, kind: int) -> tuple[int, ...]:
    """Read the sizes of the members in a folder: all but the last are listed."""
    if count > 1 and kind != SIZE:
        raise HeaderError(f"header byte {cursor.position:,}: members without sizes")
    parts = [cursor.number() for _ in range(count - 1)]
    last = size - sum(parts)
    if last < 0:
        raise HeaderError(f"header byte {cursor.position:,}: members larger than their folder")
    return (*parts, last) if count else ()


def _entries(cursor: _Cursor) -> tuple[int, Iterator[Entry]]:
    """Read how many members are stored, and prepare the list of all."""
    count = cursor.count(min(MAX_MEMBERS, max(1, cursor.left // 2)))
    names = "\0"
    empty_stream = [False] * count
    empty_file: list[bool] | None = None
    attributes: Iterable[int | None] = repeat(None, count)
    while (kind := cursor.number()) != END:
        size = cursor.number()
        end = cursor.position + size
        if kind == EMPTY_STREAM:
            empty_stream = cursor.bits(count)
        elif kind == EMPTY_FILE:
            empty_file = cursor.bits(sum(empty_stream))
        elif kind == NAMES:
            names = _names(cursor, size)
        elif kind == ATTRIBUTES:
            attributes = cursor.attributes(count)
        else:
            cursor.take(size)
        if cursor.position != end:
            raise HeaderError(f"header byte {cursor.position:,}: a property of another length")
    if names.count("\0") != count:
        raise HeaderError(f"{names.count(chr(0)):,} names for {count:,} members")
    empty = sum(empty_stream)
    files = iter(repeat(False, empty) if empty_file is None else empty_file)
    return count - empty, (
        Entry(name, mask or 0, stored=not empty, directory=empty and not next(files))
        for name, mask, empty in zip(_split_names(names), attributes, empty_stream, strict=True)
    )


def _names(cursor: _Cursor, size: int) -> str:
    """Read UTF-16 names, each ended by NUL; lone surrogates stay as they are."""
    cursor.expect_inline()
    names = cursor.take(size - 1) if size % 2 else b""
    if names[-2:] != b"\0\0":
        raise HeaderError(f"header byte {cursor.position:,}: names that do not end")
    return names.decode("utf-16-le", "surrogatepass")


def _split_names(names: str) -> Iterator[str]:
    start = 0
    while (end := names.find("\0", start)) >= 0:
        yield names[start:end]
        start = end + 1
