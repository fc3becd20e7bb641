"""WARC (ISO 28500, also the drafts 0.17 and 0.18): records, and the HTTP messages in them.

The usual readers take a record that is cut short, or bytes between records, in silence. Here a
record has all the bytes its ``Content-Length`` states, and another record or the end of the file
follows it, or the file is unreadable.

HTTP messages are read as warcio 1.7.3 reads them, which the Pile used: chunks or compression that
turn out not to be there, or to be broken, are taken as far as they make sense.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from sources.source import UnreadableFile

HEADER_LIMIT = 1 << 20
"""Bytes of a record's headers, or of a message's; real ones have a few thousand."""

_VERSION = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n")
_STATUS = re.compile(rb"[^ \n]* +(\d{3})\b")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\n]*)?\r\n")
_COMPRESSIONS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_PIECE = 16 * 1024
_SKIP = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a WARC file.

    ``number`` counts from 1; ``headers`` have names in lower case, the first of a name counts;
    ``block`` is None where it was not wanted or is longer than the limit, ``length`` its length.
    """

    number: int
    headers: Mapping[str, str]
    length: int
    block: bytes | None

    @property
    def kind(self) -> str:
        """The record's type: such as ``response`` or ``request``."""
        return self.headers.get("warc-type", "")


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP response: its headers, names in lower case, its body as it was sent, and its status.

    ``status`` is 0 where the status line has no number.
    """

    headers: Mapping[str, str]
    body: bytes
    status: int = 0


class OverlongError(ValueError):
    """A body decompresses to more than a limit."""


def records(stream: BinaryIO, name: str, wanted: Collection[str], limit: int) -> Iterator[Record]:
    """Yield the records of a decompressed WARC stream, with the blocks of the types wanted.

    Blocks of more than ``limit`` bytes are passed over. Raises `UnreadableFile` at the first thing
    that is no whole record.
    """
    offset = 0
    number = 0
    while line := stream.readline(HEADER_LIMIT):
        if number and not line.strip(b"\r\n"):
            offset += len(line)
            continue
        where = f"{name}: byte {offset:,} (decompressed)"
        if not _VERSION.fullmatch(line):
            raise UnreadableFile(
                f"{where}: a WARC record should begin here, not {line[:40]!r}; the record before"
                " states a wrong length, or this is no WARC file"
            )
        number += 1
        head = _read_head(stream, where)
        headers = parse_headers(head)
        length = _content_length(headers, where)
        block = None
        if headers.get("warc-type") in wanted and length <= limit:
            block = _read_block(stream, length, where)
        else:
            _skip_block(stream, length, where)
        yield Record(number, headers, length, block)
        offset += len(line) + len(head) + length


def _read_head(stream: BinaryIO, where: str) -> bytes:
    lines = []
    size = 0
    while line := stream.readline(HEADER_LIMIT):
        lines.append(line)
        size += len(line)
        if not line.strip():
            return b"".join(lines)
        if size >= HEADER_LIMIT:
            raise UnreadableFile(f"{where}: the record's headers are longer than {HEADER_LIMIT:,}")
    raise UnreadableFile(f"{where}: the file ends within the record's headers; download it again")


def _content_length(headers: Mapping[str, str], where: str) -> int:
    stated = headers.get("content-length", "")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 16):
        raise UnreadableFile(f"{where}: the record states the length {stated[:40]!r}")
    return int(stated)


def _read_block(stream: BinaryIO, length: int, where: str) -> bytes:
    block = stream.read(length)
    if len(block) < length:
        raise _cut(where, length, length - len(block))
    return block


def _skip_block(stream: BinaryIO, length: int, where: str) -> None:
    left = length
    while left:
        skipped = len(stream.read(min(left, _SKIP)))
        if not skipped:
            raise _cut(where, length, left)
        left -= skipped


def _cut(where: str, length: int, missing: int) -> UnreadableFile:
    return UnreadableFile(
        f"{where}: the record states {length:,} bytes, but the file ends {missing:,} bytes earlier:"
        " it is cut; download it again"
    )


def parse_headers(head: bytes) -> dict[str, str]:
    """Parse header lines to names in lower case and values; of equal names the first counts."""
    headers: dict[str, str] = {}
    name = ""
    for line in map(str.rstrip, _text(head).split("\n")):
        if line.startswith((" ", "\t")) and name:
            headers[name] += line
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t").lower()
        if not colon or name in headers:
            name = ""
        else:
            headers[name] = value.lstrip()
    return headers


def _text(head: bytes) -> str:
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("iso-8859-1")


def parse_response(block: bytes) -> Message | None:
    """Split a response record's block; None if it does not begin with an HTTP status line."""
    if block[:5].upper() != b"HTTP/":
        return None
    position = start = block.find(b"\n", 0, HEADER_LIMIT) + 1
    stated = _STATUS.match(block)
    status = int(stated[1]) if stated else 0
    while position < min(len(block), HEADER_LIMIT):
        end = block.find(b"\n", position) + 1 or len(block)
        if not block[position:end].strip():
            return Message(parse_headers(block[start:position]), block[end:], status)
        position = end
    if not start:
        return None
    return Message(parse_headers(block[start:position]), block[position:], status)


def decoded_body(message: Message, limit: int) -> bytes:
    """Undo a message's chunks and its compression; raises `OverlongError`."""
    body = message.body
    if message.headers.get("transfer-encoding") == "chunked":
        body = without_chunks(body)
    compression = message.headers.get("content-encoding", "").lower()
    if compression in _COMPRESSIONS:
        body = _decompressed(body, compression, limit)
    return body


def without_chunks(body: bytes) -> bytes:
    """Join the chunks of a body; from where there is no chunk, the rest is taken as it is."""
    parts = []
    position = 0
    while position < len(body):
        size_line = _CHUNK_SIZE.match(body, position, position + 64)
        if size_line is None:
            parts.append(body[position:])
            break
        end = size_line.end() + int(size_line[1], 16)
        chunk = body[size_line.end() : end]
        closed = body[end : end + 2] == b"\r\n"
        if end > len(body) or (closed and not chunk):
            parts.append(chunk)
            break
        if not closed:
            # The two bytes that should have closed the chunk were already taken off.
            parts.append(body[position:end] + body[end + 2 :])
            break
        parts.append(chunk)
        position = end + 2
    return b"".join(parts)


def _decompressed(body: bytes, compression: str, limit: int) -> bytes:
    """Decompress the first stream of a body, as far as it goes; else return the body itself."""
    for bits in (_COMPRESSIONS[compression], -zlib.MAX_WBITS):
        try:
            return _inflated(body, bits, limit)
        except zlib.error:
            if compression != "deflate":
                break
    return body


def _inflated(body: bytes, bits: int, limit: int) -> bytes:
    """Inflate a body; raises zlib.error only if not even its first piece can be."""
    inflate = zlib.decompressobj(bits)
    parts: list[bytes] = []
    left = limit
    for start in range(0, len(body), _PIECE):
        try:
            part = inflate.decompress(body[start : start + _PIECE], left + 1)
        except zlib.error:
            if not parts:
                raise
            break
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise OverlongError
        if inflate.eof:
            break
    return b"".join(parts)


def digest_holds(stated: str, content: bytes) -> bool | None:
    """Check content against ``algorithm:value``, in base 32 or 16; None if that cannot be done."""
    algorithm, _, value = stated.strip().partition(":")
    algorithm = algorithm.lower().replace("-", "")
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return None
    computed = hashlib.new(algorithm, content, usedforsecurity=False)
    if len(value) == 2 * computed.digest_size:
        return value.lower() == computed.hexdigest()
    try:
        decoded = base64.b32decode(value.upper() + "=" * (-len(value) % 8))
    except binascii.Error:
        return None
    return decoded == computed.digest() if len(decoded) == computed.digest_size else None
