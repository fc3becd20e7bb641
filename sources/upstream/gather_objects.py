"""The objects of a bucket as one tar: those below some prefixes whose keys have some ends.

The address is that of a listing, ``https://bucket/?prefix=a&prefix=b#.xml,.json``. Members come in the
order of their names without folders, then of keys, so that what has one name but for its end stands
together; owner, mode and time are always the same. Each object is verified against the size and MD5
that the listing states. A killed download goes on at a member, if the listing is still the same.
"""

import hashlib
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from sources.formats.listings import Listed, objects
from sources.source import RawFile
from sources.upstream.answer import UNKNOWN
from sources.upstream.attempts import (
    BY_HAND,
    CHECK_URL,
    Interrupted,
    Patience,
    Retries,
    UpstreamError,
)
from sources.upstream.gather_items import Ask, asked, headers_for
from sources.upstream.guest import Guest
from sources.upstream.http import SCHEMES
from sources.upstream.partial import Partial
from sources.upstream.steps import noted, step

BATCH = 8 << 20
"""Bytes that are brought to disk together: so many are asked for again after a kill."""

LONGEST = 256 << 20
"""Bytes of one object."""

LONGEST_PAGE = 64 << 20
"""Bytes of a page of the listing."""

AHEAD_BYTES = 256 << 20
"""Bytes of objects that are asked for, or wait for one before them; a single one may have as many."""

END = bytes(2 * tarfile.BLOCKSIZE)


def gather(raw: RawFile, part: Partial, guest: Guest, patience: Patience) -> None:
    """Bring in all objects of a listing; raises `UpstreamError`."""
    parts = urlsplit(raw.url)
    prefixes, ends = parse_qs(parts.query).get("prefix", []), tuple(parts.fragment.split(","))
    if parts.scheme not in SCHEMES or not prefixes:
        what = "not the address of a listing over HTTP(S), with ?prefix="
        raise UpstreamError(raw.url, what, CHECK_URL)
    bucket = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    pace = guest.manners.pace(parts.netloc) or guest.manners.default
    ask = partial(asked, headers_for(bucket, guest), guest, patience)
    pages, whole = partial(ask, longest=LONGEST_PAGE), partial(ask, longest=LONGEST)
    members = _listed(bucket, prefixes, ends, pages, patience)
    same = hashlib.sha256(repr(members).encode("utf-8")).hexdigest()
    before, _, count = (noted(part) or "").partition(" ")
    if before != same:
        part.start_over(UNKNOWN)
    done = int(count) if before == same else 0
    if done <= len(members):
        content = _contents(bucket, members[done:], whole, pace.connections, patience)
        _write(part, members, done, content, same)


def _listed(
    bucket: str, prefixes: list[str], ends: tuple[str, ...], ask: Ask, patience: Patience
) -> list[Listed]:
    """Return what is to be fetched, in the order of the members."""

    def get(url: str) -> bytes:
        return _patient(partial(ask, url), url, patience, Event())

    try:
        found = [
            entry
            for prefix in sorted(set(prefixes))
            for entry in objects(bucket, prefix, get)
            if entry.key.endswith(ends)
        ]
    except ValueError as error:
        raise UpstreamError(bucket, str(error), CHECK_URL) from None
    for entry in found:
        if entry.size > LONGEST:
            what = f"an object of {entry.size:,} bytes, more than the {LONGEST:,} that are held at once"
            raise UpstreamError(bucket + quote(entry.key), what, BY_HAND)
    return sorted(found, key=lambda entry: (entry.key.rpartition("/")[2], entry.key))


def _contents(
    bucket: str, members: list[Listed], ask: Ask, connections: int, patience: Patience
) -> Iterator[bytes]:
    """Yield the content of each member in their order, a few ahead."""
    stop = Event()
    ahead: deque[tuple[int, Future[bytes]]] = deque()
    held = 0
    with ThreadPoolExecutor(connections) as threads:
        try:
            for member in members:
                while ahead and (held + member.size > AHEAD_BYTES or len(ahead) > 2 * connections):
                    size, first = ahead.popleft()
                    yield first.result()
                    held -= size
                url = bucket + quote(member.key)
                once = partial(_verified, ask, url, member)
                ahead.append((member.size, threads.submit(_patient, once, url, patience, stop)))
                held += member.size
            for _, following in ahead:
                yield following.result()
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def _patient(once: partial[bytes], url: str, patience: Patience, stop: Event) -> bytes:
    """Ask until an answer comes that is one; nobody waits for it once ``stop`` is set."""
    retries = Retries(url, patience)
    while not stop.is_set():
        try:
            return once()
        except Interrupted as interrupted:
            retries.wait(interrupted, 0)
    raise UpstreamError(url, "not asked for", "run again", True)


def _verified(ask: Ask, url: str, member: Listed) -> bytes:
    content = ask(url)
    if len(content) != member.size:
        raise Interrupted(f"it has {len(content):,} bytes, not {member.size:,} as listed")
    if member.md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != member.md5:
        raise Interrupted("its MD5 is not that of the listing")
    return content


def _write(
    part: Partial, members: list[Listed], done: int, contents: Iterator[bytes], same: str
) -> None:
    """Append members batch by batch, then the archive's end; what came before a failure is kept."""
    batch = bytearray()
    try:
        for content in contents:
            batch += _member(members[done].key, content)
            done += 1
            if len(batch) >= BATCH:
                waiting, batch = bytes(batch), bytearray()
                step(part, waiting, f"{same} {done}")
    finally:
        if batch:
            step(part, bytes(batch), f"{same} {done}")
    step(part, END, f"{same} {len(members) + 1}")


def _member(key: str, content: bytes) -> bytes:
    """Return a member as tar has it, with nothing of this machine or day."""
    header = tarfile.TarInfo(key)
    header.size = len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    return header.tobuf(tarfile.PAX_FORMAT) + content + padding
