"""Whether what came is a whole file of the format that its name promises.

A checksum that upstream publishes vouches for every byte, and nothing is looked at beside it. Without:

* A page of HTML where the name promises something else is an error page, whatever its status was.
* A zip or 7z archive must end with the directory that it has there, and each member of a zip must begin
  where the directory says: a few reads, done always.
* What is compressed twice, under a name with one suffix, was compressed again on its way.
* gzip, bzip2, xz and Zstandard streams must run to their ends: all members, frames and check sums, and
  nothing after the last. Only decoding shows that (a gzip stream has no mark at its end, and a length
  that is stated with an answer is often that of what a server or a cache itself was left with), and it
  costs a core some seconds a gigabyte. It is left out if upstream's listing stated the size before and the
  file has it: two statements, made apart, that agree.

Of files of any other name, the stated length and the sniff for HTML is all there is to go by.
"""

from pathlib import Path, PurePosixPath

from sources.archive_7z import seven_zip_members
from sources.archive_7z_header import MAGIC as SEVEN_ZIP_MAGIC
from sources.archive_streams import COMPRESSIONS, Compression, compression_of, decompressed
from sources.archive_zip import MAGIC as ZIP_MAGIC
from sources.archive_zip import check_directory
from sources.source import UnreadableFile

CHUNK = 1 << 20
PEEK = 1024
"""Bytes that tell how a stream is compressed."""

PAGES = {"", ".htm", ".html", ".xhtml"}
"""Suffixes of names that promise HTML, or nothing."""

MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title")


def check(path: Path, head: bytes, name: str, media_type: str | None, size_planned: bool) -> None:
    """Refuse a file that is not whole, or not what ``name`` says; raises `UnreadableFile` or OSError.

    ``head`` is how it begins, ``media_type`` what the answer says it is, and ``size_planned`` tells
    that it has the size that was planned.
    """
    if is_page(head, name, media_type):
        raise UnreadableFile("it is a page of HTML, not the file")
    suffix = PurePosixPath(name).suffix.lower()
    compression = next((known for known in COMPRESSIONS if suffix in known.suffixes), None)
    if compression is not None:
        _require(compression.begins(head), compression.name, head)
        if not size_planned:
            _decode(path, name, compression)
    elif suffix == ".zip":
        _require(head.startswith(ZIP_MAGIC), "zip", head)
        check_directory(path)
    elif suffix == ".7z":
        _require(head.startswith(SEVEN_ZIP_MAGIC), "7z", head)
        next(seven_zip_members(path), None)


def is_page(head: bytes, name: str, media_type: str | None) -> bool:
    """Tell whether a file that begins with ``head`` is HTML, though its name promises another thing."""
    if PurePosixPath(name).suffix.lower() in PAGES:
        return False
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(MARKUP):
        return True
    stated = (media_type or "").partition(";")[0].strip().lower() in {
        "text/html",
        "application/xhtml+xml",
    }
    return stated and text.startswith(b"<") and (b"<html" in text or not text.startswith(b"<?xml"))


def _require(begins: bool, form: str, head: bytes) -> None:
    if not begins:
        raise UnreadableFile(f"it begins with {head[:16]!r}, which no {form} file does")


def _decode(path: Path, name: str, compression: Compression) -> None:
    with path.open("rb", buffering=0) as file, decompressed(file, name, compression) as stream:
        if compression is compression_of(stream.peek(PEEK)) and not PurePosixPath(
            name
        ).stem.endswith(compression.suffixes):
            raise UnreadableFile(f"it is {compression.name} twice: it was compressed on its way")
        while stream.read(CHUNK):
            pass
