"""The one downloader: a whole file as it should be, or an error that says what to do.

HTTP and HTTPS downloads go on where they were cut, in this call or an earlier one, if upstream
gives a strong validator; otherwise they start over. Size and checksum are verified before a file
is given back, and its SHA-256 is computed on the way. ``file:`` URLs are copied the same way.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from sources.fetch_http import (
    BY_HAND,
    CHECK_URL,
    SCHEMES,
    Answer,
    Interrupted,
    Patience,
    Retries,
    UpstreamError,
    ask,
    redacted,
)
from sources.fetch_partial import Partial
from sources.source import RawFile

__all__ = ["Fetched", "Patience", "UpstreamError", "fetch", "get", "sha256_of"]

CHUNK = 1 << 20
LISTING_LIMIT = 64 << 20
DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Hexadecimal digits of each kind of published checksum."""

PATIENT = Patience()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was downloaded and verified.

    ``etag`` and ``last_modified`` are as upstream sent them; ``resumed_from`` is how many bytes of
    an earlier call were kept.
    """

    size: int
    sha256: str
    etag: str | None
    last_modified: str | None
    resumed_from: int


def fetch(
    raw: RawFile,
    partial: Path,
    *,
    on_bytes: Callable[[int], None] | None = None,
    patience: Patience = PATIENT,
) -> Fetched:
    """Download a raw file to ``partial``, for the caller to rename; its bytes are on disk then.

    After an error ``partial`` holds what came so far, with a note beside it to go on with; what is
    not what it should be is deleted. ``on_bytes`` hears how many bytes the file grew by, or shrank
    by when it starts over. Raises `UpstreamError`; OSError if ``partial`` cannot be written; and
    ValueError for a checksum that is none.
    """
    algorithm, expected = _checksum(raw)
    _scheme(raw.url)
    count = on_bytes or _ignore
    with Partial(partial, redacted(raw.url), {algorithm, "sha256"}, count) as part:
        try:
            _fill(part, raw, patience)
            _verify(part, raw, algorithm, expected)
        except _Wrong as wrong:
            part.discard()
            raise UpstreamError(raw.url, str(wrong), wrong.remedy) from None
        part.finish()
        version = part.version
        return Fetched(
            part.size, part.digest("sha256"), version.etag, version.last_modified, part.kept
        )


def get(url: str, limit: int = LISTING_LIMIT, *, patience: Patience = PATIENT) -> bytes:
    """Return a small listing of at most ``limit`` bytes; raises `UpstreamError`."""
    if _scheme(url) == "file":
        return _joined(url, _local_pieces(url), limit)
    retries = Retries(url, patience)
    with requests.Session() as session:
        while True:
            try:
                with ask(session, url, patience) as answer:
                    _require_end(answer, url)
                    return _joined(url, answer.pieces, limit)
            except Interrupted as interrupted:
                retries.wait(interrupted, 0)


def sha256_of(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
