"""The one downloader: a whole file as it should be, or an error that says what to do.

Downloads go on where they were cut, in this call or an earlier one, if upstream gives a strong
validator; otherwise they start over. Size and checksum are verified before a file is given back,
and its SHA-256 is computed on the way.

How bytes come is a transport's business, chosen by the scheme of the address: each is a module of
`sources.upstream` with the function that `sources.upstream.answer` describes. A raw file made of the
answers to many requests is written by the module of its form, ``gather_items``, ``gather_oai``,
``gather_pages`` or ``gather_objects``, each with one function, ``gather(raw, part, guest, patience)``.
"""

import hashlib
import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sources.source import RawFile, UnreadableFile
from sources.upstream import ends
from sources.upstream.answer import UNKNOWN, Answer, Ask
from sources.upstream.attempts import (
    BY_HAND,
    CHECK_URL,
    PATIENT,
    Interrupted,
    Patience,
    Retries,
    UpstreamError,
    redacted,
)
from sources.upstream.guest import ALONE, Guest
from sources.upstream.partial import Partial, forget

__all__ = ["Fetched", "Patience", "UpstreamError", "checksum_of", "fetch", "forget", "get"]

LISTING_LIMIT = 64 << 20
DIGEST_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Hexadecimal digits of each kind of published checksum."""

ETAG = "etag"
"""Stands for the digits of a checksum that is the ETag of the answer."""

MD5 = re.compile("[0-9a-f]{32}")
ONCE_MORE = "what came was deleted: run again; if it stays so,"
PLAN_ANEW = "what came was deleted: upstream has changed, so plan anew"

TRANSPORTS = {"http": "http", "https": "http", "file": "local", "s3": "s3", "ftp": "ftp"}
"""Modules by scheme; any other that fsspec knows goes by ``filesystem``."""


class Gather(Protocol):
    """Writes a raw file that is made of many answers: appends to ``part`` until it is whole."""

    def __call__(self, raw: RawFile, part: Partial, guest: Guest, patience: Patience) -> None:
        """Bring in all answers. Raises `UpstreamError`."""


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
    """Download a raw file to ``partial``, for the caller to bring to disk and rename.

    A note beside a large one says that it is whole, so that a kill before it is renamed does not cost it
    again: call `forget` afterwards. One caller at a time may write to ``partial``.
    After an error ``partial`` holds what came so far, with a note beside it to go on with; what is
    not what it should be is deleted. ``on_bytes`` hears how many bytes the file grew by, or shrank
    by when it starts over. Raises `UpstreamError`; OSError if ``partial`` cannot be written; and
    ValueError for a checksum that is none.
    """
    algorithm, expected = checksum_of(raw)
    url = guest.mirrored(raw.url)
    raw = raw if url == raw.url else replace(raw, url=url)
    ask = _transport(raw.url)
    with Partial(partial, redacted(raw.url), {algorithm, "sha256"}, on_bytes) as part:
        try:
            if not _is_there(part, raw, algorithm, expected):
                if raw.form == "file":
                    _fill(part, raw, guest, patience, ask)
                else:
                    _gatherer(raw.form)(raw, part, guest, patience)
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
    ask = _transport(url)
    retries = Retries(url, patience)
    while True:
        try:
            with ask(url, patience, guest=guest) as answer:
                _require_end(answer, url)
                content = _joined(url, answer.pieces, limit)
                digest = hashlib.md5(content, usedforsecurity=False)
                _require_md5(answer.version.md5, digest.hexdigest)
                return content
        except Interrupted as interrupted:
            retries.wait(interrupted, 0)


def _is_there(part: Partial, raw: RawFile, algorithm: str, expected: str | None) -> bool:
    """Tell whether an earlier call finished with this very file; another one is dropped."""
    if part.whole:
        try:
            _verify(part, raw, algorithm, expected)
        except _Wrong:
            part.start_over(UNKNOWN)
    return part.whole


def _fill(part: Partial, raw: RawFile, guest: Guest, patience: Patience, ask: Ask) -> None:
    """Bring in all bytes, attempt by attempt."""
    retries = Retries(raw.url, patience)
    while True:
        try:
            with ask(raw.url, patience, part.size, part.version, guest) as answer:
                _accept(part, raw, answer)
                _append(part, raw, answer.pieces)
            _require_all(part, raw)
        except Interrupted as interrupted:
            in_vain = False
            if interrupted.start_over or part.version.validator is None:
                in_vain = part.size > 0
                part.start_over(UNKNOWN)
            retries.wait(interrupted, part.size, in_vain=in_vain)
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
    _require_md5(part.version.md5, lambda: part.digest("md5"))


def _require_md5(stated: str | None, found: Callable[[], str]) -> None:
    """Make sure of the MD5 that upstream states with the bytes, over all of them."""
    if stated is not None and stated != found():
        raise Interrupted("what came has not the MD5 that its ETag says", start_over=True)


def _verify(part: Partial, raw: RawFile, algorithm: str, expected: str | None) -> None:
    if raw.size is not None and part.size != raw.size:
        raise _Wrong(f"it has {part.size:,} bytes, not {raw.size:,} as planned", PLAN_ANEW)
    if expected == ETAG:
        expected = _etag_digest(part.version.etag)
    found = part.digest(algorithm)
    if found == expected:
        return
    if part.size == 0 and raw.size is None and raw.form == "file":
        raise _Wrong("it is empty, which nothing says it should be", PLAN_ANEW)
    _require_whole(part, raw)
    if expected is not None:
        raise _Wrong(
            f"its {algorithm} is {found}, not {expected} as published ({part.size:,} bytes)",
            f"{ONCE_MORE} upstream has changed: plan anew",
        )


def _etag_digest(etag: str | None) -> str | None:
    """Return the MD5 that an ETag is, unless it is that of an upload in parts, or a weak one."""
    digits = (etag or "").strip('"').lower()
    return digits if MD5.fullmatch(digits) else None


def _require_whole(part: Partial, raw: RawFile) -> None:
    part.push()
    try:
        ends.check(part.path, part.head, raw.name, part.version.media_type, raw.size is not None)
    except UnreadableFile as error:
        raise _Wrong(
            f"{str(error).removesuffix('; download it again')} ({part.size:,} bytes)",
            f"{ONCE_MORE} the file is damaged upstream",
        ) from None


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


def _transport(url: str) -> Ask:
    """Return the function of the transport of a URL's scheme, its libraries loaded only now."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if not scheme:
        raise UpstreamError(url, "not a URL", CHECK_URL)
    name = TRANSPORTS.get(scheme, "filesystem")
    ask: Ask = importlib.import_module(f"sources.upstream.{name}").ask
    return ask


def _gatherer(form: str) -> Gather:
    gather: Gather = importlib.import_module(f"sources.upstream.gather_{form}").gather
    return gather


def checksum_of(raw: RawFile) -> tuple[str, str | None]:
    """Return the algorithm of the published checksum and its digits, or SHA-256 and None.

    Raises ValueError for a checksum that is none.
    """
    if raw.checksum is None:
        return "sha256", None
    algorithm, _, digits = raw.checksum.lower().partition(":")
    if (algorithm, digits) == ("md5", ETAG):
        return algorithm, ETAG
    if len(digits) != DIGEST_LENGTHS.get(algorithm) or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"{raw.name}: no checksum of md5, sha1 or sha256: {raw.checksum!r}")
    return algorithm, digits
