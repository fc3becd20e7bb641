"""The one downloader: a whole file as it should be, or an error that says what to do.

HTTP and HTTPS downloads go on where they were cut, in this call or an earlier one, if upstream
gives a strong validator; otherwise they start over. Size and checksum are verified before a file
is given back, and its SHA-256 is computed on the way. ``file:`` URLs are copied the same way.
"""

import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from sources.source import RawFile
from sources.upstream.guest import ALONE, Guest
from sources.upstream.http import (
    BY_HAND,
    CHECK_URL,
    SCHEMES,
    UNKNOWN,
    Answer,
    Interrupted,
    Patience,
    Retries,
    UpstreamError,
    ask,
    redacted,
)
from sources.upstream.partial import Partial

__all__ = ["Fetched", "Patience", "UpstreamError", "fetch", "get", "sha256_of"]

CHUNK = 1 << 20
LISTING_LIMIT = 64 << 20
DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Hexadecimal digits of each kind of published checksum."""

PLAN_ANEW = "what came was deleted: upstream has changed, so plan anew"

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


class _Wrong(Exception):  # noqa: N818 - says what the file is
    """A file that is not the one that was to be had, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def fetch(
    raw: RawFile,
    partial: Path,
    *,
    guest: Guest = ALONE,
    on_bytes: Callable[[int], None] | None = None,
    patience: Patience = PATIENT,
) -> Fetched:
    """Download a raw file to ``partial``, for the caller to rename; its bytes are on disk then.

    One caller at a time may write to ``partial``.
    After an error ``partial`` holds what came so far, with a note beside it to go on with; what is
    not what it should be is deleted. ``on_bytes`` hears how many bytes the file grew by, or shrank
    by when it starts over. Raises `UpstreamError`; OSError if ``partial`` cannot be written; and
    ValueError for a checksum that is none.
    """
    raw = replace(raw, url=guest.mirrored(raw.url))
    algorithm, expected = _checksum(raw)
    _scheme(raw.url)
    with Partial(partial, redacted(raw.url), {algorithm, "sha256"}, on_bytes) as part:
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


def get(
    url: str,
    limit: int = LISTING_LIMIT,
    *,
    guest: Guest = ALONE,
    patience: Patience = PATIENT,
) -> bytes:
    """Return a small listing of at most ``limit`` bytes; raises `UpstreamError`."""
    url = guest.mirrored(url)
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


def _fill(part: Partial, raw: RawFile, patience: Patience) -> None:
    """Bring in all bytes, attempt by attempt."""
    if _scheme(raw.url) == "file":
        part.start_over(UNKNOWN)
        _append(part, raw, _local_pieces(raw.url))
        return
    retries = Retries(raw.url, patience)
    with requests.Session() as session:
        while True:
            try:
                with ask(session, raw.url, patience, part.size, part.version) as answer:
                    _accept(part, raw, answer)
                    _append(part, raw, answer.pieces)
                _require_all(part, raw)
            except Interrupted as interrupted:
                if interrupted.start_over or part.version.validator is None:
                    part.start_over(UNKNOWN)
                retries.wait(interrupted, part.size)
            else:
                return


def _accept(part: Partial, raw: RawFile, answer: Answer) -> None:
    """Make sure that an answer can give the file, and start over if it does from byte 0."""
    if raw.size is None and raw.checksum is None:
        _require_end(answer, raw.url)
    size = answer.version.size
    if raw.size is not None and size is not None and size != raw.size:
        raise _Wrong(f"it has {size:,} bytes, not {raw.size:,} as planned", PLAN_ANEW)
    if answer.start == 0:
        part.start_over(answer.version)


def _append(part: Partial, raw: RawFile, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        part.append(piece)
        if raw.size is not None and part.size > raw.size:
            raise _Wrong(f"it has more than the {raw.size:,} bytes planned", PLAN_ANEW)


def _require_all(part: Partial, raw: RawFile) -> None:
    if raw.size is not None and part.size < raw.size:
        raise Interrupted(f"{part.size:,} of {raw.size:,} bytes came")


def _verify(part: Partial, raw: RawFile, algorithm: str, expected: str | None) -> None:
    if raw.size is not None and part.size != raw.size:
        raise _Wrong(f"it has {part.size:,} bytes, not {raw.size:,} as planned", PLAN_ANEW)
    if expected is not None and part.digest(algorithm) != expected:
        raise _Wrong(
            f"its {algorithm} is {part.digest(algorithm)}, not {expected} as published"
            f" ({part.size:,} bytes)",
            "what came was deleted: run again; if it stays so, upstream has changed: plan anew",
        )


def _require_end(answer: Answer, url: str) -> None:
    if not answer.delimited:
        raise UpstreamError(url, "the answer does not say where it ends: it may be cut", BY_HAND)


def _joined(url: str, pieces: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > limit:
            raise UpstreamError(url, f"a listing of more than {limit:,} bytes", CHECK_URL)
    return bytes(content)


def _local_pieces(url: str) -> Iterator[bytes]:
    """Yield a local file; only a regular one, as others may never end."""
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    try:
        if parts.netloc not in {"", "localhost"} or not stat.S_ISREG(path.stat().st_mode):
            raise UpstreamError(url, "not a regular file of this machine", CHECK_URL)
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise UpstreamError(url, f"cannot be read ({error.strerror})", CHECK_URL) from error
    with file:
        yield from iter(lambda: file.read(CHUNK), b"")


def _scheme(url: str) -> str:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in {*SCHEMES, "file"}:
        raise UpstreamError(url, "not an http, https or file URL", CHECK_URL)
    return scheme


def _checksum(raw: RawFile) -> tuple[str, str | None]:
    """Return the algorithm of the published checksum and its digits, or SHA-256 and None."""
    if raw.checksum is None:
        return "sha256", None
    algorithm, _, digits = raw.checksum.lower().partition(":")
    if len(digits) != DIGEST_LENGTHS.get(algorithm) or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"{raw.name}: no checksum of md5, sha1 or sha256: {raw.checksum!r}")
    return algorithm, digits
