"""Pages of a bzip2 export, of all of it or of those that begin in a part of the file.

A dump is bzip2 of many streams, each of which can be decoded by itself. Those that Wikimedia writes
hold whole pages; those of pbzip2 and the like are cut anywhere. A page belongs to where the stream
begins that holds its first byte, so several readers can share a file: each decodes the streams that
begin in its part, and reads on until its last page ends and the next one has begun.

A place is the stream's first byte in the file and the page's first byte in what the stream holds,
whoever reads. Every byte of content is parsed by a reader that knows what it is in, for the reader
of the page before reads past it. Comments and the like could hide a ``<page>`` and are refused in a
part; so are page ids that do not ascend from one part to the next, as ids of documents rest on that.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.archive_streams import BZIP2, DecompressedStream
from sources.formats.mediawiki import CHUNK, Export, Page, Place
from sources.source import UnreadableFile

MAX_HEAD = 4 << 20
"""Bytes of content in which the first page begins, or the file is not cut."""

VERIFIED = 16 << 20
"""Bytes of content after which what looks like a stream's beginning is believed to be one."""

WINDOW = 1 << 20
"""Bytes of a file that are searched at once."""

NUMBER = re.compile(r"[0-9]{1,18}")

_PAGE = re.compile(rb"<page[\s/>]")
_STREAM = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_STREAM_BYTES = 10
_DECLARATION = re.compile(rb"\s*<\?xml[^?]*\?>")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Content of the stream that begins at byte ``stream`` of the file, from its byte ``offset``."""

    stream: int
    offset: int
    content: bytes


def pages(path: Path, name: str) -> Iterator[Page]:
    """Yield the pages of a bzip2 export in file order; raises `UnreadableFile`."""
    feed = _Feed(name)
    for chunk in _chunks(path, name, 0):
        yield from feed.take(chunk)
    feed.export.end()


def pages_between(path: Path, name: str, begin: int, end: int) -> Iterator[Page]:
    """Yield the pages that begin in streams which begin at bytes ``begin`` to ``end`` of a file.

    A file without a page near its beginning, or in an encoding whose bytes do not show one, is not
    cut: all its pages belong to its beginning. Raises `UnreadableFile`.
    """
    head = _head(path, name)
    if head is None:
        if begin == 0:
            yield from pages(path, name)
        return
    start = first_stream(path, name, begin, end)
    if start is None:
        return
    chunks = _chunks(path, name, start)
    feed = _Feed(name)
    feed.export.refuse_hiding_places()
    if begin:
        feed.lead(head)
        chunks = _from_first_page(chunks)
    yield from _own_pages(feed, chunks, end)


def _own_pages(feed: "_Feed", chunks: Iterator[Chunk], end: int) -> Iterator[Page]:
    highest = 0
    for chunk in chunks:
        if not feed.fed_pages and chunk.stream >= end:
            return  # the first page of these streams begins behind them
        for page in feed.take(chunk):
            number = number_of(page)
            if page.place[0] < end:
                highest = max(highest, number)
                yield page
            elif number:
                _check_ascent(feed.export.name, highest, number)
                return
    if feed.fed_pages:
        feed.export.end()


def number_of(page: Page) -> int:
    """Return a page's id, or 0 if it is no number."""
    return int(page.id) if NUMBER.fullmatch(page.id) else 0


def _check_ascent(name: str, highest: int, following: int) -> None:
    if following <= highest:
        raise UnreadableFile(
            f"{name}: page {following:,} follows page {highest:,}: so large a file can only be read"
            " in pieces if ids ascend, as in a dump; decompress the file, and it is read in one go"
        )


class _Feed:
    """An export that is fed from streams and says where in them its pages begin."""

    def __init__(self, name: str) -> None:
        self.export = Export(name, self._place_of)
        self.fed_pages = False
        self._marks: deque[tuple[int, int, int]] = deque()

    def lead(self, head: bytes) -> None:
        """Take what comes before all pages of the file."""
        self._marks.append((0, 0, 0))
        self.export.feed(head)

    def take(self, chunk: Chunk) -> list[Page]:
        """Read on, and return the pages that are whole now."""
        self.fed_pages = True
        self._marks.append((self.export.fed, chunk.stream, chunk.offset))
        found = self.export.feed(chunk.content)
        while len(self._marks) > 1 and self._marks[1][0] <= self.export.unparsed:
            self._marks.popleft()
        return found

    def _place_of(self, byte: int) -> Place:
        fed, stream, offset = next(
            (mark for mark in reversed(self._marks) if mark[0] <= byte), (0, 0, 0)
        )
        return stream, offset + byte - fed


def _chunks(path: Path, name: str, start: int) -> Iterator[Chunk]:
    """Yield the content of all streams from the one that begins at ``start``; never two at once."""
    with path.open("rb") as file:
        file.seek(start)
        stream = DecompressedStream(file, name, BZIP2, start)
        offset, last = 0, start
        while content := stream.following(CHUNK):
            if stream.stream_start != last:
                offset, last = 0, stream.stream_start
            yield Chunk(last, offset, content)
            offset += len(content)


def _head(path: Path, name: str) -> bytes | None:
    """Return what comes before the first page, or None if the file cannot be cut."""
    content, found = bytearray(), None
    for chunk in _chunks(path, name, 0):
        content += chunk.content
        found = _PAGE.search(content)
        if found or len(content) > MAX_HEAD:
            break
    if not found:
        return None
    head = bytes(content[: found.start()])
    declared = _DECLARATION.match(head)
    rest = head[declared.end() :] if declared else head
    return None if b"<!" in rest or b"<?" in rest else head


def _from_first_page(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Pass over the rest of a page that began before, and yield from where the next one begins."""
    held: list[Chunk] = []
    for chunk in chunks:
        held = [*_last_bytes(held, len(b"<page")), chunk]
        content = b"".join(one.content for one in held)
        if found := _PAGE.search(content):
            yield from _last_bytes(held, len(content) - found.start())
            yield from chunks
            return


def _last_bytes(chunks: list[Chunk], count: int) -> list[Chunk]:
    """Return the last so many bytes of chunks, as chunks."""
    kept: list[Chunk] = []
    for chunk in reversed(chunks):
        cut = max(0, len(chunk.content) - count)
        kept.append(Chunk(chunk.stream, chunk.offset + cut, chunk.content[cut:]))
        count -= len(chunk.content) - cut
        if not count:
            break
    return kept[::-1]


def first_stream(path: Path, name: str, begin: int, end: int) -> int | None:
    """Return where the first stream begins of those that begin at bytes ``begin`` to ``end``.

    A beginning is known by its magic numbers, and believed if its content can be decoded; if not,
    all streams before it are decoded to tell a damaged stream from bytes that look like one.
    """
    if begin == 0:
        return 0
    found = _first_candidate(path, begin, end)
    if found is None or _is_decodable(path, name, found):
        return found
    starts = (chunk.stream for chunk in _chunks(path, name, 0))
    start = next((start for start in starts if start >= begin), None)
    return start if start is not None and start < end else None


def _first_candidate(path: Path, begin: int, end: int) -> int | None:
    with path.open("rb") as file:
        for place in range(begin, end, WINDOW):
            file.seek(place)
            window = file.read(min(WINDOW, end - place) + _STREAM_BYTES - 1)
            if found := _STREAM.search(window):
                return place + found.start()
            if len(window) < WINDOW:
                break
    return None


def _is_decodable(path: Path, name: str, start: int) -> bool:
    decoded = 0
    try:
        for chunk in _chunks(path, name, start):
            decoded += len(chunk.content)
            if chunk.stream != start or decoded > VERIFIED:
                break
    except UnreadableFile:
        return False
    return True
