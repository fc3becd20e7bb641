"""WARC records and the HTTP messages in them."""

import base64
import gzip
import hashlib
import io
import zlib

import pytest
from fastwarc import ArchiveIterator
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.warc import (
    HEADER_LIMIT,
    Message,
    OverlongError,
    Record,
    decoded_body,
    digest_holds,
    parse_headers,
    parse_response,
    records,
    without_chunks,
)
from sources.source import UnreadableFile

LIMIT = 1 << 20


def record(block: bytes, kind: str = "response", version: str = "1.0", length: str = "") -> bytes:
    """Make a WARC record as crawlers write it."""
    head = f"WARC/{version}\r\nWARC-Type: {kind}\r\nContent-Length: {length or len(block)}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def read(content: bytes, limit: int = LIMIT) -> list[Record]:
    """Read all records of a file's content."""
    return list(records(io.BytesIO(content), "x.warc", {"response"}, limit))


def test_records_come_with_their_wanted_blocks() -> None:
    """The blocks of one type are given, those of others passed over, and all are numbered."""
    first, second = read(record(b"GET /", "request") + record(b"HTTP/1.1 200 OK"))
    assert (first.number, first.kind, first.length, first.block) == (1, "request", 5, None)
    assert (second.number, second.kind, second.block) == (2, "response", b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("version", ["0.17", "0.18", "1.0", "1.1"])
def test_all_versions_are_read(version: str) -> None:
    """The drafts have the same form as the standard."""
    assert read(record(b"x", version=version))[0].block == b"x"


def test_line_ends_of_linux_are_taken() -> None:
    """Some writers end header lines with LF alone."""
    content = b"WARC/1.0\nWARC-Type: response\nContent-Length: 3\n\nabc\n\n"
    assert [found.block for found in read(content * 2)] == [b"abc", b"abc"]


def test_a_block_over_the_limit_is_passed_over() -> None:
    """A long record is named with its length, and the next one is read."""
    long, after = read(record(b"y" * 3_000_000) + record(b"z"))
    assert (long.length, long.block, after.block) == (3_000_000, None, b"z")


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=50)
def test_fastwarc_finds_the_same_records(blocks: list[bytes]) -> None:
    """An independent reader agrees, whatever bytes the blocks hold."""
    content = b"".join(map(record, blocks))
    theirs = [
        found.reader.read() for found in ArchiveIterator(io.BytesIO(content), parse_http=False)
    ]
    assert [found.block for found in read(content)] == theirs == blocks


@given(st.data())
@settings(max_examples=100)
def test_no_cut_passes_for_a_whole_record(data: st.DataObject) -> None:
    """A file cut anywhere within a record raises; cut between records it is shorter."""
    content = record(b"first") + record(b"second, which is longer", "request")
    end = data.draw(st.integers(0, len(content)))
    within = [i for i, (a, b) in enumerate(_blocks(content)) if a < end < b]
    if within:
        with pytest.raises(UnreadableFile, match=r"x\.warc"):
            read(content[:end])
    else:
        assert len(read(content[:end])) <= 2


def _blocks(content: bytes) -> list[tuple[int, int]]:
    """Return where each record begins and where its block ends."""
    second = content.index(b"WARC/", 1)
    return [(0, second - 4), (second, len(content) - 4)]


@pytest.mark.parametrize(
    "content",
    [
        b"hello world\n",
        record(b"x") + b"garbage" + record(b"y"),
        record(b"abcdef", length="3") + record(b"y"),
        record(b"abc", length="-1"),
        record(b"abc", length="3x"),
        b"WARC/1.0\r\nWARC-Type: response\r\n\r\nabc",
        b"WARC/1.0\r\n" + b"A: b\r\n" * (HEADER_LIMIT // 6 + 2),
        b"WARC/1.0" + b" " * (2 * HEADER_LIMIT),
        b"\0" * 1000,
    ],
    ids=["text", "garbage between", "short length", "negative", "no number", "none", "long head",
         "long line", "zeros"],
)  # fmt: skip
def test_what_is_no_whole_record_is_refused(content: bytes) -> None:
    """Reading never goes on at a guess."""
    with pytest.raises(UnreadableFile, match=r"x\.warc: byte \d"):
        read(content)


def test_headers_are_found_by_any_case_and_the_first_counts() -> None:
    """Continuation lines belong to the value before; bytes that are not UTF-8 are Latin-1."""
    head = (
        b"Content-Type : text/html\r\nX: one\r\n\ttwo\r\nx: three\r\nno colon\r\nY: caf\xe9\r\n\r\n"
    )
    assert parse_headers(head) == {"content-type": "text/html", "x": "one\ttwo", "y": "caf\u00e9"}


def test_a_response_is_split_at_its_first_blank_line() -> None:
    """Status line, headers, body; the body is not touched."""
    message = parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\nbody\r\n")
    assert message == Message({"a": "b"}, b"\r\nbody\r\n", 200)


@pytest.mark.parametrize(
    "block", [b"", b"dns stuff", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK"]
)
def test_what_is_no_response_is_none(block: bytes) -> None:
    """A block that does not begin with a whole status line is no HTTP response."""
    assert parse_response(block) is None


def test_a_response_without_a_body_has_an_empty_one() -> None:
    """Headers that end the block are headers."""
    assert parse_response(b"HTTP/1.0 404 Not Found\r\nA: b\r\n") == Message({"a": "b"}, b"", 404)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
@settings(max_examples=50)
def test_chunks_are_joined(chunks: list[bytes]) -> None:
    """Chunks, whatever they hold, give back what was chunked."""
    body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert without_chunks(body) == b"".join(chunks)


@pytest.mark.parametrize(
    ("body", "joined"),
    [
        (b"<html>not chunked", b"<html>not chunked"),
        (b"5\r\nhello\r\n<rest>", b"hello<rest>"),
        (b"ff\r\nshort", b"short"),
        (b"5\r\nhelloXX<rest>", b"5\r\nhello<rest>"),
        (b"-5\r\nhello", b"-5\r\nhello"),
        (b"", b""),
    ],
)
def test_broken_chunks_are_taken_as_warcio_takes_them(body: bytes, joined: bytes) -> None:
    """From where there is no chunk, the rest is taken as it stands."""
    assert without_chunks(body) == joined


def body_of(content: bytes, **headers: str) -> bytes:
    """Decode a body sent with headers."""
    return decoded_body(
        Message({k.replace("_", "-"): v for k, v in headers.items()}, content), 9999
    )


def test_compression_is_undone() -> None:
    """gzip, and deflate in both the forms that servers send."""
    raw = zlib.compressobj(wbits=-15)
    bare = raw.compress(b"page") + raw.flush()
    assert body_of(gzip.compress(b"page"), content_encoding="gzip") == b"page"
    assert body_of(zlib.compress(b"page"), content_encoding="Deflate") == b"page"
    assert body_of(bare, content_encoding="deflate") == b"page"
    assert body_of(b"page", content_encoding="br") == b"page"


def test_compression_that_is_not_there_is_ignored() -> None:
    """Crawlers undo compression and leave the header that tells of it."""
    assert body_of(b"<html>plain", content_encoding="gzip") == b"<html>plain"
    assert body_of(b"<html>plain", content_encoding="deflate") == b"<html>plain"


def test_a_cut_body_gives_what_it_has() -> None:
    """The crawler cuts long bodies; the page before the cut is kept."""
    page = bytes(range(256)) * 20
    cut = gzip.compress(page)[:-20]
    assert page.startswith(body_of(cut, content_encoding="gzip"))


def test_a_bomb_is_stopped_at_the_limit() -> None:
    """A body that decompresses to more than the limit raises."""
    with pytest.raises(OverlongError):
        body_of(gzip.compress(b"\0" * 100_000), content_encoding="gzip")
    assert len(body_of(gzip.compress(b"\0" * 9999), content_encoding="gzip")) == 9999


def test_digests_are_checked_in_either_base() -> None:
    """Base 32 is usual, base 16 occurs; an unknown algorithm or form says nothing."""
    sha1 = hashlib.sha1(b"block").digest()
    assert digest_holds("sha1:" + base64.b32encode(sha1).decode(), b"block") is True
    assert digest_holds("SHA-1:" + sha1.hex(), b"block") is True
    assert digest_holds("sha1:" + sha1.hex(), b"other") is False
    assert digest_holds("sha256:" + base64.b32encode(hashlib.sha256(b"a").digest()).decode(), b"a")
    for unknown in ("", "crc32:1234", "sha1:!!!", "sha1"):
        assert digest_holds(unknown, b"block") is None
