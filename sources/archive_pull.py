"""Pull streams: what the next bytes are is worked out when they are asked for, and checked.

The parts that readers of compressed files and archives are made of. Memory is a few buffers,
whatever flows through. Nothing here ends early in silence: `sources.source.UnreadableFile`.
"""

import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sources.source import UnreadableFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Pull: TypeAlias = Callable[[int], bytes]
"""Returns at most as many bytes as asked for, and none only at the end."""

CHUNK = 256 * 1024
"""Most bytes read or decoded at once."""

LEAST = 4096
"""Bytes that fill a buffer, at least: enough to peek at what a stream begins with."""

BOMB_BYTES = 1 << 30
"""Output after which its ratio to the input is looked at, over and over."""

BOMB_RATIO = 1000
"""Output bytes that an input byte may give over each `BOMB_BYTES`. Repetitive XML reaches 50 in
bzip2 and logs a few hundred in xz; deflate ends at 1,032, the other formats know no bound."""

WINDOW = 1 << 27
"""Bytes of the longest window (dictionary) that content is decoded with: they are held in memory.
So much `zstd` takes unasked; `xz -9` and 7-Zip's ultra write half of it."""

LONG_WINDOW = 1 << 31
"""The same where an upstream writes longer ones: as `zstd --long=31` does."""


DAMAGE = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError, MemoryError)
"""What decoders raise over bytes they cannot make sense of; never used around reading a file."""


class Decoder(Protocol):
    """The interface that bz2, lzma and zstd decompressors share."""

    @property
    def eof(self) -> bool:
        """The end of the stream was reached, and its checksum holds."""

    @property
    def needs_input(self) -> bool:
        """No more output can be had without more input."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take all of ``data``, return at most ``max_length`` bytes."""


class ZlibDecoder:
    """zlib's decompressor behind the interface of the others; ``wbits`` as in `zlib`."""

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
        self._filled = False

    @property
    def eof(self) -> bool:
        """The end of the stream was reached; for gzip, its CRC and length hold."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """No more output can be had without more input."""
        return not (self._filled or self._zlib.unconsumed_tail or self._zlib.eof)

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take all of ``data``, return at most ``max_length`` bytes."""
        output = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # With its output full, zlib may hold bytes back though it has taken all input.
        self._filled = len(output) == max_length
        return output


def zstd_decoder(window: int = WINDOW) -> Decoder:
    """Return a decoder of one Zstandard frame with a window of so many bytes, a power of two."""
    longest = int(zstd.DecompressionParameter.window_log_max)
    return zstd.ZstdDecompressor(options={longest: window.bit_length() - 1})


def is_over_window(error: Exception) -> bool:
    """Tell whether a decoder gave up over a window beyond its limit, by what the libraries say."""
    said = str(error)
    return "requires too much memory" in said or "Memory usage limit" in said


def over_window(window: int) -> str:
    """Say what is wrong with content whose window is longer, and what to do."""
    return (
        f"its window (dictionary) is longer than {window >> 20} MiB, which a reader would hold in"
        f" memory; pack it anew with a shorter one, as zstd --long=27, xz -9 or 7z -md=64m write"
    )


class ExpansionGuard:
    """Refuses output out of all proportion to its input, in each `BOMB_BYTES` of output."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._consumed = 0
        self._produced = 0

    def consume(self, size: int) -> None:
        """Count bytes of input."""
        self._consumed += size

    def produce(self, size: int) -> None:
        """Count bytes of output; raises UnreadableFile."""
        self._produced += size
        if self._produced < BOMB_BYTES:
            return
        if self._produced > BOMB_RATIO * self._consumed:
            raise UnreadableFile(
                f"{self.name}: {self._consumed:,} bytes in a row expand to {self._produced:,},"
                f" over {BOMB_RATIO:,} to one: taken for a bomb; leave the file out"
            )
        self._consumed = self._produced = 0


def counted(pull: Pull, count: Callable[[int], None]) -> Pull:
    """Return ``pull`` with ``count`` told the size of each piece."""

    def pull_and_count(most: int) -> bytes:
        chunk = pull(most)
        count(len(chunk))
        return chunk

    return pull_and_count


class OneWayStream(io.RawIOBase):
    """A readable raw stream whose subclasses only say what comes next."""

    def following(self, most: int) -> bytes:
        """Return between 1 and ``most`` further bytes, or none at the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Tell the io library that this stream reads."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill ``buffer`` from its beginning; return how many bytes were put there."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < min(LEAST, len(view)):
            chunk = self.following(min(len(view) - filled, CHUNK))
            if not chunk:
                break
            view[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        return filled

    def readall(self) -> bytes:
        """Return all that is left."""
        return b"".join(iter(lambda: self.following(CHUNK), b""))


class SizedStream(OneWayStream):
    """The next ``size`` bytes that ``pull`` gives; they must be there and have the CRC-32 given.

    ``what`` names the part in errors.
    """

    def __init__(self, pull: Pull, size: int, what: str, crc: int | None = None) -> None:
        self._pull = pull
        self._size = size
        self._what = what
        self._crc = crc
        self._found_crc = 0
        self._left = size

    def following(self, most: int) -> bytes:
        """Return the next bytes; raises UnreadableFile over missing ones or a wrong CRC."""
        if not self._left:
            return b""
        chunk = self._pull(min(most, self._left))
        self._left -= len(chunk)
        if not chunk:
            raise UnreadableFile(
                f"{self._what}: {self._left:,} of {self._size:,} bytes are missing:"
                " the archive is cut; download it again"
            )
        if self._crc is not None:
            self._check(chunk, self._crc)
        return chunk

    def _check(self, chunk: bytes, stated: int) -> None:
        self._found_crc = zlib.crc32(chunk, self._found_crc)
        if not self._left and self._found_crc != stated:
            raise UnreadableFile(
                f"{self._what}: its {self._size:,} bytes have the CRC {self._found_crc:08x},"
                f" not {stated:08x} as stated: the archive is damaged; download it again"
            )

    def skip(self) -> None:
        """Pull what is left, so that what lies behind comes next."""
        while self.following(CHUNK):
            pass


class CoderStream(OneWayStream):
    """The first ``size`` bytes that a decoder makes of what ``pull`` gives."""

    def __init__(self, pull: Pull, decoder: Decoder, size: int, what: str) -> None:
        self._pull = pull
        self._decoder = decoder
        self._left = size
        self._what = what
        self._taken = 0

    def following(self, most: int) -> bytes:
        """Return the next bytes; raises UnreadableFile if the decoder has fewer to give."""
        while self._left:
            output = self._decode(min(most, self._left))
            if output:
                self._left -= len(output)
                return output
        return b""

    def _decode(self, most: int) -> bytes:
        fed = b""
        if self._decoder.needs_input and not self._decoder.eof:
            fed = self._pull(CHUNK)
            self._taken += len(fed)
        if self._decoder.eof or (self._decoder.needs_input and not fed):
            raise self._failure("ends early")
        try:
            return self._decoder.decompress(fed, most)
        except DAMAGE as error:
            if is_over_window(error):
                raise UnreadableFile(f"{self._what}: {over_window(WINDOW)}") from error
            raise self._failure(f"is damaged ({error})") from error

    def _failure(self, what: str) -> UnreadableFile:
        return UnreadableFile(
            f"{self._what} {what}, at or before its packed byte {self._taken:,}"
            f" and {self._left:,} bytes before its end; download the archive again"
        )


def buffered(raw: OneWayStream, size: int = CHUNK) -> io.BufferedReader:
    """Put a buffer before a raw stream of about ``size`` bytes."""
    return io.BufferedReader(raw, min(CHUNK, size + 1))
