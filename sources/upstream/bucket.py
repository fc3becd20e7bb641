"""One host's bucket and its connection slots: files in a folder that all workers of all nodes see.

The bucket holds one token. Who takes it keeps the file locked until a whole gap has passed since it was
last taken, so that two requests never leave closer together than a gap, whoever sends them; there is no
burst to save up for. The wait is measured on the clock of this boot of this machine, which never jumps.
A token last taken elsewhere (another node, an earlier boot, a file that was torn) tells nothing on that
clock, and costs a whole gap from now: no clocks are compared, so none can be wrong. The kernel frees the
lock of a killed worker, and queues those who wait for it.

Locks are those of flock(2), in the same process between threads too. The folder may be on NFS or another
shared file system that carries them from node to node; one that does not raises OSError.
"""

import fcntl
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from io import FileIO
from pathlib import Path

from sources.upstream.attempts import Interrupted

LONGEST_HOLD = 24 * 3600.0
"""Most seconds that a host is left alone on its word: it may not stop next year's run."""

POLL = 0.02
"""Seconds between two looks for a free slot, or at a host that is being left alone, at least."""

LENGTH = 512
"""Bytes of a bucket's file."""

_IN_PROCESS: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
"""Where flock(2) is made of the process's locks, as over NFS, it does not part its threads."""


@dataclass(frozen=True, slots=True)
class Token:
    """What the file of a bucket says.

    The token was last taken at ``taken``, in seconds on the clock of ``boot``. ``delay`` is a gap that
    the host itself asks for. It is left alone until ``free`` on the clock of ``held_by``, or
    ``free_wall`` on that of the wall, for ``held`` seconds in all.
    """

    boot: str = ""
    taken: float = 0.0
    delay: float = 0.0
    held_by: str = ""
    free: float = 0.0
    free_wall: float = 0.0
    held: float = 0.0

    def wait(self, gap: float) -> float:
        """Return how many seconds to wait before the token can be taken again."""
        gap = max(gap, self.delay)
        since = time.monotonic() - self.taken if self.boot == _boot() else 0.0
        return min(gap, max(0.0, gap - since))

    def left_alone(self) -> float:
        """Return for how many seconds the host wants to be left alone."""
        here = self.held_by == _boot()
        left = self.free - time.monotonic() if here else self.free_wall - time.time()
        return min(self.held, max(0.0, left))


Pause = Callable[[float], None]
"""Waits so many seconds; what it raises ends the wait, and goes through."""


def pause(seconds: float) -> None:
    """Wait, whatever happens meanwhile."""
    time.sleep(seconds)


def take(bucket: Path, gap: float, longest: float, pause: Pause = pause) -> None:
    """Wait for the token and take it; raises Interrupted if that must be more than ``longest``."""
    deadline = time.monotonic() + longest
    while True:
        with locked(bucket) as file:
            token = _read(file)
            left = token.left_alone()
            if not left:
                pause(token.wait(gap))
                _write(file, replace(token, boot=_boot(), taken=time.monotonic()))
                return
        if time.monotonic() + left > deadline:
            raise Interrupted("the host asked to be left alone", left)
        pause(min(left, 1.0) + POLL)


def hold(bucket: Path, seconds: float) -> None:
    """Let nobody take the token for so long."""
    seconds = min(seconds, LONGEST_HOLD)
    with locked(bucket) as file:
        token = _read(file)
        if seconds > token.left_alone():
            free, wall = time.monotonic() + seconds, time.time() + seconds
            _write(file, replace(token, held_by=_boot(), free=free, free_wall=wall, held=seconds))


def slow(bucket: Path, delay: float) -> None:
    """Widen the gap to what the host asks for."""
    with locked(bucket) as file:
        token = _read(file)
        if delay != token.delay:
            _write(file, replace(token, delay=delay))


@contextmanager
def slot(folder: Path, connections: int, pause: Pause = pause) -> Iterator[None]:
    """Hold one of the host's connections, once one is free.

    Those who hold one are workers of our own, each of which ends or is given up: to wait for them is
    no failure, however long it takes.
    """
    seconds = POLL
    with ExitStack() as held:
        while not any(_free(folder / f"slot-{number}", held) for number in range(connections)):
            pause(seconds)
            seconds = min(2 * seconds, 0.5)
        yield


def _free(path: Path, held: ExitStack) -> bool:
    """Lock a slot until ``held`` is closed, unless another has it."""
    in_process = _IN_PROCESS[path]
    if not in_process.acquire(blocking=False):
        return False
    with ExitStack() as undo:
        undo.callback(in_process.release)
        file = undo.enter_context(_opened(path))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        held.push(undo.pop_all())
        return True


@contextmanager
def locked(path: Path) -> Iterator[FileIO]:
    """Open a file, created if need be, that nobody else has locked; waits until it is free."""
    with _IN_PROCESS[path], _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _opened(path: Path) -> FileIO:
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+")


def _read(file: FileIO) -> Token:
    """Read a bucket; one that is new or torn tells nothing."""
    try:
        return Token(**json.loads(file.read()))
    except (ValueError, TypeError):
        return Token()


def _write(file: FileIO, token: Token) -> None:
    """Write a bucket over what it was: always the same length, in one call, so that a kill tears nothing."""
    file.seek(0)
    file.write(json.dumps(asdict(token)).encode().ljust(LENGTH))


@cache
def _boot() -> str:
    """Name this boot of this machine: what its monotonic clock counts from."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:  # no Linux: no name, so that the clock says nothing to others
        return f"process {os.getpid()}"
