"""A download is refused if it is an error page, or ends before its format does."""

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import py7zr
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.fetch import UpstreamError, fetch
from sources.source import RawFile, UnreadableFile
from sources.upstream import ends
from sources.upstream.partial import HEAD

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import Upstream, serving, whole

LINES = b"".join(b"line %d of a raw file\n" % n for n in range(3000))
PAGE = b"<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>\n"


def zipped(content: bytes) -> bytes:
    """Pack content as the member of a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("raw.txt", content)
    return packed.getvalue()


def seven_zipped(content: bytes) -> bytes:
    """Pack content as the member of a 7z archive."""
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        archive.writestr(content, "raw.txt")
    return packed.getvalue()


FORMATS: dict[str, bytes] = {
    ".gz": gzip.compress(LINES) + gzip.compress(b"a second member\n"),
    ".tgz": gzip.compress(LINES),
    ".bz2": bz2.compress(LINES),
    ".xz": lzma.compress(LINES),
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress(LINES),
    ".zip": zipped(LINES),
    ".7z": seven_zipped(LINES),
}


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a server that is reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        yield server


def judged(folder: Path, name: str, content: bytes, *, size_planned: bool = False) -> None:
    """Judge a file with that content."""
    path = folder / "raw.partial"
    path.write_bytes(content)
    ends.check(path, content[:HEAD], name, None, size_planned)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_whole_file_is_taken(tmp_path: Path, suffix: str) -> None:
    """Of each format, in capitals too."""
    judged(tmp_path, f"raw{suffix}", FORMATS[suffix])
    judged(tmp_path, f"RAW{suffix.upper()}", FORMATS[suffix])


@pytest.mark.parametrize("suffix", FORMATS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_ends_early_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    """Wherever it is cut, short of the place between two members, which is an end like any other."""
    whole_file = FORMATS[suffix]
    at = int(share * len(whole_file))
    if at == len(gzip.compress(LINES)):
        at -= 1
    with pytest.raises(UnreadableFile):
        judged(tmp_path, f"raw{suffix}", whole_file[:at])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: b"x" + c, lambda _: PAGE])
def test_a_byte_too_few_or_another_file_is_refused(
    tmp_path: Path, suffix: str, change: Callable[[bytes], bytes]
) -> None:
    """A length that was off by one, and a page of HTML under its name."""
    with pytest.raises(UnreadableFile):
        judged(tmp_path, f"raw{suffix}", change(FORMATS[suffix]))


@pytest.mark.parametrize("suffix", [".gz", ".tgz", ".bz2", ".xz", ".zst"])
def test_what_follows_the_last_stream_is_refused(tmp_path: Path, suffix: str) -> None:
    """A length that was one too many; an archive names the places of its members, and bears it."""
    with pytest.raises(UnreadableFile):
        judged(tmp_path, f"raw{suffix}", FORMATS[suffix] + b"x")


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_size_that_was_planned_spares_the_decoding(tmp_path: Path, suffix: str) -> None:
    """Two statements of upstream that agree vouch for the end; the beginning is looked at still."""
    broken = FORMATS[suffix][:-1]
    judged(tmp_path, f"raw{suffix}", broken, size_planned=True)
    with pytest.raises(UnreadableFile):
        judged(tmp_path, f"raw{suffix}", b"x" + broken, size_planned=True)


def test_what_was_compressed_on_its_way_is_refused(tmp_path: Path) -> None:
    """A gzip file in a gzip stream is not the file, unless its name says so."""
    twice = gzip.compress(gzip.compress(LINES))
    with pytest.raises(UnreadableFile, match="gzip twice"):
        judged(tmp_path, "raw.txt.gz", twice)
    judged(tmp_path, "raw.txt.gz.gz", twice)


@pytest.mark.parametrize(
    ("head", "name", "media_type", "page"),
    [
        (PAGE, "raw.txt", None, True),
        (b"\xef\xbb\xbf\n <HTML lang='en'>", "raw.xml", None, True),
        (PAGE, "page.html", "text/html", False),
        (PAGE, "page", "text/html", False),
        (b"<h1>404</h1>", "raw.json", "text/html; charset=utf-8", True),
        (b"<h1>404</h1>", "raw.json", "text/plain", False),
        (b'<?xml version="1.0"?><article>', "raw.xml", "text/html", False),
        (b'<?xml version="1.0"?><html>', "raw.xml", "Text/HTML", True),
        (b"[07:28] <ann> <html> is a tag", "#html.txt", "text/html", False),
        (b"", "raw.txt", "text/html", False),
    ],
)
def test_a_page_is_known_by_its_beginning_and_its_type(
    head: bytes, name: str, media_type: str | None, page: bool
) -> None:
    """Where the name promises something else than HTML."""
    assert ends.is_page(head, name, media_type) is page


def test_an_error_page_with_status_200_is_not_kept(upstream: Upstream, tmp_path: Path) -> None:
    """The failure says what came in place of the file, and nothing stays on disk."""
    upstream.otherwise = lambda _: whole(PAGE, Content_Type="text/html")
    for name in ("raw.warc.gz", "raw.jsonl", "raw.txt"):
        with pytest.raises(UpstreamError, match=r"page of HTML, not the file.*run again"):
            fetch(RawFile(f"{upstream.url}/{name}", name), tmp_path / "raw.partial")
        assert not list(tmp_path.iterdir())


def test_a_checksum_vouches_for_a_file_of_any_form(upstream: Upstream, tmp_path: Path) -> None:
    """What upstream publishes is what is wanted, whatever its name promises."""
    upstream.otherwise = lambda _: whole(b"no zip")
    raw = RawFile(
        f"{upstream.url}/raw.zip", "raw.zip", checksum="md5:11a98032b79122dad88724b142c5b753"
    )
    assert fetch(raw, tmp_path / "raw.partial").size == 6
    with pytest.raises(UpstreamError, match="no zip file does"):
        fetch(replace(raw, checksum=None), tmp_path / "raw.partial")


def test_an_etag_counts_as_md5_where_upstream_documents_it(
    upstream: Upstream, tmp_path: Path
) -> None:
    """That of an upload in parts is no digest, and vouches for nothing."""
    raw = RawFile(f"{upstream.url}/raw.txt", "raw.txt", checksum="md5:etag")
    digest = hashlib.md5(LINES).hexdigest()
    for etag in (f'"{digest}"', f'"{digest[:30]}-7"', f'W/"{digest}"'):
        upstream.replies = [whole(LINES, ETag=etag)]
        partial = tmp_path / f"{len(etag)}.partial"
        assert fetch(raw, partial).size == len(LINES)
    upstream.replies = [whole(LINES[1:], ETag=f'"{digest}"')]
    with pytest.raises(UpstreamError, match=f"not {digest} as published"):
        fetch(raw, tmp_path / "other.partial")
