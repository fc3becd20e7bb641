"""Decompressed bytes of a raw file, exact or an error: never silently short.

gzip (RFC 1952), bzip2, xz and Zstandard (RFC 8878), each with any number of streams in a row, are
told apart by their magic bytes. What the decoders of Python's libraries accept in silence (a cut
frame, trailing garbage, a bomb) raises `sources.source.UnreadableFile` here.
"""

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sources.archive_pull import (
    CHUNK,
    DAMAGE,
    WINDOW,
    Decoder,
    ExpansionGuard,
    OneWayStream,
    ZlibDecoder,
    buffered,
    is_over_window,
    over_window,
    zstd_decoder,
)
from sources.source import UnreadableFile

INPUT = 64 * 1024
"""Compressed bytes read at once: little, as each stream that ends among them has the rest copied."""

XZ_TABLES = 1 << 20
"""Bytes that an xz decoder may ask for beyond its dictionary."""


@dataclass(frozen=True, slots=True)
class Compression:
    """A compression format: how a stream begins, what decodes it, whether zeros may follow it.

    A decoder is made for windows of at most so many bytes.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]
    decoder: Callable[[int], Decoder]
    zero_padding: bool


def _begins_bzip2(head: bytes) -> bool:
    block_or_end = (b"1AY&SY", b"\x17rE8P\x90")
    return (
        head[:3] == b"BZh"
        and head[3:4] in {b"%d" % level for level in range(1, 10)}
        and any(magic.startswith(head[4:10]) for magic in block_or_end)
    )


def _begins_zstd(head: bytes) -> bool:
    skippable = head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return skippable or head.startswith(b"\x28\xb5\x2f\xfd")


BZIP2 = Compression(
    "bzip2",
    (".bz2", ".tbz2"),
    _begins_bzip2,
    lambda _: bz2.BZ2Decompressor(),
    zero_padding=False,
)

COMPRESSIONS = (
    Compression(
        "gzip",
        (".gz", ".tgz"),
        lambda head: head.startswith(b"\x1f\x8b\x08"),
        lambda _: ZlibDecoder(wbits=31),
        zero_padding=True,
    ),
    BZIP2,
    Compression(
        "xz",
        (".xz", ".txz"),
        lambda head: head.startswith(b"\xfd7zXZ\x00"),
        lambda window: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=window + XZ_TABLES),
        zero_padding=True,
    ),
    Compression(
        "Zstandard", (".zst", ".zstd", ".tzst"), _begins_zstd, zstd_decoder, zero_padding=False
    ),
)

MAGIC_BYTES = 10
"""Bytes that tell the formats apart; bzip2 takes most."""


class DecompressedStream(OneWayStream):
    """What the streams of one compression format in ``source`` decompress to.

    ``stream_start`` is the place in ``source`` at which the stream begins that the last bytes came
    from; ``source`` stands at ``start``, which begins the first.
    """

    def __init__(
        self,
        source: BinaryIO,
        name: str,
        compression: Compression,
        start: int = 0,
        window: int = WINDOW,
    ) -> None:
        self._source = source
        self._name = name
        self._compression = compression
        self._window = window
        self._decoder = compression.decoder(window)
        self._waiting = b""
        self._taken = self.stream_start = start
        self._produced = 0
        self._ended = False
        self._guard = ExpansionGuard(name)

    def close(self) -> None:
        """Close the source too."""
        self._source.close()
        super().close()

    def following(self, most: int) -> bytes:
        """Return the next bytes of output."""
        while not self._ended:
            output = self._decode(most)
            if output:
                self._produced += len(output)
                self._guard.produce(len(output))
                return output
            if self._decoder.eof:
                self._begin_next()
        return b""

    def _decode(self, most: int) -> bytes:
        if self._decoder.eof:
            return b""
        fed = b""
        if self._decoder.needs_input:
            fed = self._waiting or self._take()
            self._waiting = b""
            if not fed:
                raise self._failure("the stream ends early: the file is cut")
        try:
            return self._decoder.decompress(fed, most)
        except DAMAGE as error:
            if is_over_window(error):
                raise UnreadableFile(f"{self._name}: {over_window(self._window)}") from error
            raise self._failure(f"the stream is damaged ({error})") from error

    def _take(self) -> bytes:
        chunk = self._source.read(INPUT)
        self._taken += len(chunk)
        self._guard.consume(len(chunk))
        return chunk

    def _begin_next(self) -> None:
        """Start on the stream that follows the one just ended, if one does."""
        rest = self._decoder.unused_data
        while True:
            if self._compression.zero_padding:
                rest = rest.lstrip(b"\0")
            if len(rest) >= MAGIC_BYTES or not (more := self._take()):
                break
            rest += more
        if not rest:
            self._ended = True
        elif self._compression.begins(rest[:MAGIC_BYTES]):
            self._decoder, self._waiting = self._compression.decoder(self._window), rest
            self.stream_start = self._taken - len(rest)
        else:
            self._taken -= len(rest)
            raise self._failure("what follows the end of a stream does not begin another")

    def _failure(self, what: str) -> UnreadableFile:
        return UnreadableFile(
            f"{self._name}: {self._compression.name}: {what}, at or before byte {self._taken:,}"
            f" of the file, {self._produced:,} bytes into its content; download it again"
        )


def compression_of(head: bytes) -> Compression | None:
    """Return the compression format that the first bytes of a stream belong to, if any."""
    return next((known for known in COMPRESSIONS if known.begins(head[:MAGIC_BYTES])), None)


def open_stream(path: Path, window: int = WINDOW) -> io.BufferedReader:
    """Open the decompressed content of a file, or the file itself if it is not compressed.

    A file whose name promises a compression that its first bytes do not have is refused: a cut or
    an error page would pass for content. ``window`` is what a decoder may hold. Raises OSError if the file cannot be opened; reading
    raises `UnreadableFile` over a cut, damage, trailing garbage or an expansion bomb.
    """
    source: io.BufferedReader = io.BufferedReader(path.open("rb", buffering=0), CHUNK)
    head = source.peek(MAGIC_BYTES)[:MAGIC_BYTES]
    compression = compression_of(head)
    if compression is not None:
        return decompressed(source, path.name, compression, window)
    promised = next((known for known in COMPRESSIONS if path.suffix in known.suffixes), None)
    if promised is not None:
        source.close()
        raise UnreadableFile(
            f"{path.name}: byte 0: begins with {head!r}, which no {promised.name} file does;"
            " download it again, or drop the suffix if it is not compressed"
        )
    return source


def decompressed(
    source: BinaryIO, name: str, compression: Compression, window: int = WINDOW
) -> io.BufferedReader:
    """Return the buffered, decompressed content of an open stream; closing it closes ``source``."""
    return buffered(DecompressedStream(source, name, compression, window=window))


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line longer than a reader takes.

    ``number`` counts lines from 1, ``length`` its bytes with the newline, ``start`` is the offset
    of its first byte in the (decompressed) stream.
    """

    number: int
    length: int
    start: int


def lines(stream: BinaryIO, limit: int = 64 << 20) -> Iterator[bytes | Overlong]:
    r"""Yield each line with its ``\n``; one of more than ``limit`` bytes is passed over.

    The last line may have no newline. Memory stays below ``limit`` and a few buffers.
    """
    start = 0
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        length = len(line)
        if length > limit:
            length += _skip_line(stream) if not line.endswith(b"\n") else 0
            yield Overlong(number, length, start)
        else:
            yield line
        start += length


def _skip_line(stream: BinaryIO) -> int:
    skipped = 0
    while piece := stream.readline(CHUNK):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
