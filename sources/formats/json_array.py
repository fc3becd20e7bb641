"""The elements of one long array of JSON, cut apart while they stream; parsing them is for others."""

import re
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 256 * 1024

_STRUCTURE, _IN_STRING = re.compile(rb'["\[\]{},]'), re.compile(rb'["\\]')


class BrokenArrayError(ValueError):
    """What is no array: it ends early, closes what was not open, or something follows it."""


def begins_array(head: bytes) -> bool:
    """Tell by the first bytes of a file whether it holds an array."""
    return head.lstrip(b" \t\r\n").startswith(b"[")


def elements(stream: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Yield the bytes of each element, or None for one of more than ``limit``.

    Only strings and brackets are looked at, and those only as far as it takes to tell where an
    element ends. Raises `BrokenArrayError` behind the last whole one.
    """
    cutter = _Cutter(limit)
    while chunk := stream.read(CHUNK):
        yield from cutter.feed(chunk)
    if not cutter.ended:
        raise BrokenArrayError("the array is not closed")


class _Cutter:
    """Where in the array the stream is: open brackets, within a string, and the element so far."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.depth = 0
        self.in_string = self.escaped = self.ended = False
        self.pieces: list[bytes] = []
        self.size = 0
        self.count = 0

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """Yield the elements that end in a chunk."""
        start = position = 0
        while (found := self._next(chunk, position)) is not None:
            position = found.end()
            sign = found[0]
            if self.in_string or sign == b'"':
                self._in_string(sign)
                continue
            self._expect_open(sign)
            before = self.depth
            self.depth += (sign in b"[{") - (sign in b"]}")
            if before == 0:
                self._take(chunk[start : position - 1])
                self._expect_blank()
                start = position
            elif self.depth == 0 and sign == b"}":
                raise BrokenArrayError("the array is closed as an object")
            elif self.depth == 0 or (before == 1 and sign == b","):
                self._take(chunk[start : position - 1])
                yield from self._element(last=self.depth == 0)
                start = position
        self._take(chunk[start:])
        if self.depth == 0:
            self._expect_blank()

    def _next(self, chunk: bytes, position: int) -> re.Match[bytes] | None:
        if self.escaped and position < len(chunk):
            self.escaped = False
            position += 1
        return (_IN_STRING if self.in_string else _STRUCTURE).search(chunk, position)

    def _in_string(self, sign: bytes) -> None:
        self.escaped = sign == b"\\"
        self.in_string = not self.in_string or self.escaped

    def _expect_open(self, sign: bytes) -> None:
        if self.ended or (self.depth == 0 and sign != b"["):
            raise BrokenArrayError(f"{sign!r} stands outside the array")

    def _expect_blank(self) -> None:
        """Raise for anything but white space outside the array."""
        if b"".join(self.pieces).strip(b" \t\r\n"):
            raise BrokenArrayError("something stands outside the array")
        self.pieces.clear()
        self.size = 0

    def _take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self.limit:
            self.pieces.append(piece)

    def _element(self, *, last: bool) -> Iterator[bytes | None]:
        self.ended = last
        whole = b"".join(self.pieces) if self.size <= self.limit else None
        self.pieces.clear()
        self.size = 0
        # An empty array has no element, where any other has one behind its last comma.
        if not last or self.count or whole is None or whole.strip():
            self.count += 1
            yield whole
