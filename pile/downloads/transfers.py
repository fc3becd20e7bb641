"""Download the raw files of one task: over a few connections, keeping whatever is finished.

A file that has its name is whole, so a second attempt goes on with the others. An upstream that is
gone does not stop the other files of the task, unless several in a row could not be had, but for such as
it does not have: then it is taken to be down, or to want no such guest, and no other task of the source
asks it again in this run.
"""

import fcntl
import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from pile import store
from pile.downloads.journals import Journal
from pile.downloads.names import Finished, Names
from pile.downloads.raw_files import Located
from pile.ledger import Part, Receipt
from sources.fetch import UpstreamError, fetch
from sources.source import Json, RawFile
from sources.upstream.attempts import PATIENT
from sources.upstream.guest import Guest

CONNECTIONS = 8
"""Small files that a task downloads at once; each host's own pace holds besides."""

DOWN_AFTER = 3
"""Files in a row that could not be had, after which a source's upstream is not asked any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a task is to download: for which stage's ``folder``, as whom, and where it tells of it.

    Files named in ``doubted`` may be those of another plan; they count only if their published
    checksum says so.
    """

    source: str
    task: str
    files: tuple[Located, ...]
    folder: Path
    guest: Guest
    journals: Path
    doubted: frozenset[str] = frozenset()

    @property
    def down(self) -> str:
        """File whose bytes count the source's failures in a row, over all its tasks."""
        return f"{self.journals}/{self.source}.down"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the threads of one attempt at an order share; ``stop`` ends them all."""

    order: Order
    journal: Journal
    names: Names
    stop: threading.Event


class _Stopped(Exception):  # noqa: N818 - what happens to the threads that still download
    """Another file failed in a way that ends the task."""


def download(order: Order) -> Receipt:
    """Download the task's files, or go on where an earlier attempt stopped, and verify them.

    Raises `sources.fetch.UpstreamError`, naming every file that could not be had; the others are
    finished then.
    """
    folders = sorted({file.path.parent for file in order.files})
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    with Journal(order.journals, order.source, order.task) as journal:
        attempt = _Attempt(order, journal, Names(journal), threading.Event())
        try:
            # What is gathered by threads waits in them, where Ctrl-C reaches it by ``stop`` alone.
            if len(order.files) == 1 and order.files[0].raw.form == "file":
                entries = [_download(attempt, order.files[0])]
            else:
                entries = _download_all(attempt)
        finally:
            attempt.names.give()
    store.settle(folders)
    parts = tuple(
        Part(os.path.relpath(file.path, order.folder), size, sha256)
        for file, (size, sha256) in zip(order.files, entries, strict=True)
    )
    return Receipt(order.task, parts, len(parts), len(parts))


def partial_of(place: str) -> str:
    """Return where a raw file lies while it is downloaded."""
    return f"{place}.partial"


def _download_all(attempt: _Attempt) -> list[tuple[int, str]]:
    files = attempt.order.files
    with ThreadPoolExecutor(min(CONNECTIONS, len(files))) as pool:
        futures = [pool.submit(_download, attempt, file) for file in files]
        try:
            for future in futures:
                if not isinstance(future.exception(), UpstreamError):
                    future.result()
        except BaseException:
            attempt.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        wait(futures)
    _raise_all(attempt.order, futures)
    return [future.result() for future in futures]


def _raise_all(order: Order, futures: Sequence[Future[tuple[int, str]]]) -> None:
    """Tell of all files that could not be had in one error."""
    failed = [
        (file.raw.name, error)
        for file, future in zip(order.files, futures, strict=True)
        if isinstance(error := future.exception(), UpstreamError)
    ]
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        names: dict[str, list[str]] = {}
        for name, error in failed:
            names.setdefault(str(error.args[1]), []).append(name)
        what = "; ".join(f"{why}: {', '.join(which)}" for why, which in names.items())
        first = failed[0][1]
        later = any(error.retry_later for _, error in failed)
        raise UpstreamError(
            first.url, f"{len(failed)} files could not be had: {what}", str(first.args[2]), later
        )


def _download(attempt: _Attempt, file: Located) -> tuple[int, str]:
    """Return size and SHA-256 of one file, which has its name or will have it with the next ones."""
    order, journal = attempt.order, attempt.journal
    _require_up(order, file.raw)
    there = _there(order, file)
    if there is None:
        with ExitStack() as lock:
            lock.enter_context(_alone(partial_of(file.place)))
            # Another attempt at this task may have had the lock until now.
            there = _there(order, file)
            if there is None:
                return _fetch(attempt, file, lock.pop_all())
    journal.grew(there[0], files=1)
    return there


def _fetch(attempt: _Attempt, file: Located, lock: ExitStack) -> tuple[int, str]:
    order, journal, stop = attempt.order, attempt.journal, attempt.stop
    raw, partial = file.raw, Path(partial_of(file.place))
    host = urlsplit(order.guest.mirrored(raw.url)).netloc.rpartition("@")[2]
    of: dict[str, Json] = {"file": raw.name, "host": host}
    started = time.monotonic()

    def grew(count: int) -> None:
        if stop.is_set():
            raise _Stopped
        journal.grew(count)
        attempt.names.tend()

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise _Stopped

    def sleep(seconds: float) -> None:
        # Called while the failure that is waited for is being handled.
        journal.say("file retried", **of, why=str(sys.exception()), wait=round(seconds, 3))
        pause(seconds)

    journal.say("file started", **of, bytes=raw.size)
    guest = replace(order.guest, manners=replace(order.guest.manners, pause=pause))
    with lock:
        try:
            patience = replace(PATIENT, sleep=sleep)
            fetched = fetch(raw, partial, guest=guest, on_bytes=grew, patience=patience)
        except UpstreamError as error:
            journal.say("file failed", **of, why=str(error), seconds=_since(started))
            if not error.missing:
                _count_failure(order)
            raise
        with suppress(FileNotFoundError):
            os.unlink(order.down)  # noqa: PTH108 - of each file, and paths take longer than calls
        told = {**of, "bytes": fetched.size, "seconds": _since(started)}
        attempt.names.add(Finished(partial, file.path, lock.pop_all(), told))
    return fetched.size, fetched.sha256


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _there(order: Order, file: Located) -> tuple[int, str] | None:
    """Return size and SHA-256 of a file that an earlier attempt finished, if it is the one meant."""
    raw = file.raw
    try:
        size = os.stat(file.place).st_size  # noqa: PTH116 - twice of each file
    except FileNotFoundError:
        return None
    if raw.size not in {None, size} or (raw.name in order.doubted and raw.checksum is None):
        return None
    algorithm, _, digits = (raw.checksum or "").lower().partition(":")
    hashes = {name: hashlib.new(name) for name in {"sha256", algorithm or "sha256"}}
    with file.path.open("rb") as stream:
        while chunk := stream.read(store.CHUNK):
            for one in hashes.values():
                one.update(chunk)
    if digits and hashes[algorithm].hexdigest() != digits:
        return None
    return size, hashes["sha256"].hexdigest()


@contextmanager
def _alone(partial: str) -> Iterator[None]:
    """Hold a download alone: a worker that is thought dead may still be writing."""
    while True:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(partial, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _is_still(partial: str, descriptor: int) -> bool:
    """Tell whether an open file was neither finished nor dropped while its lock was waited for."""
    try:
        return os.stat(partial).st_ino == os.fstat(descriptor).st_ino  # noqa: PTH116
    except FileNotFoundError:
        return False


def _require_up(order: Order, raw: RawFile) -> None:
    """Do not ask again where others found the upstream down."""
    try:
        failures = os.stat(order.down).st_size  # noqa: PTH116 - of each file
    except FileNotFoundError:
        return
    if failures >= DOWN_AFTER:
        what = f"not asked for, as {failures} other files in a row could not be had"
        raise UpstreamError(raw.url, what, "run again later", retry_later=True)


def _count_failure(order: Order) -> None:
    with Path(order.down).open("ab", buffering=0) as file:
        file.write(b".")
