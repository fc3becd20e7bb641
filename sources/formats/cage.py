"""A program in a cage: it answers message after message, and no message breaks more than its own turn.

Hostile documents make libraries run for hours, take all memory, or crash. So these run in a process
of their own (`cage_program`) with bounds on memory and on each message's processor time, without a
network, without the caller's environment, and with one order of sets. A message that kills the program
costs a new start; all others share one process.

Memory falls alike on every machine; time does not: a message near its limit may pass on a fast machine
and fail on a slow one. Processor time is counted, so that a busy machine decides nothing.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sources.formats.cage_program import LENGTH, NO_MEMORY, READY
from sources.source import Json

MEMORY = 448 << 20
"""Bytes of address space that a program has by default, with its libraries."""

_PROGRAM = Path(__file__).with_name("cage_program.py")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take: bytes of address space, and seconds of processor time a message."""

    seconds: float
    memory: int = MEMORY


class CageError(Exception):
    """A message that its program died of, of ``limit``: a crash passes for want of memory."""

    def __init__(self, limit: Literal["memory", "time"], message: str = "") -> None:
        super().__init__(message)
        self.limit = limit


class Cage:
    """Answers messages by functions of a file beside this one; for use in ``with``.

    The file has ``load()``, called once, and ``answer(message)``, and imports nothing of this package.
    ``folder`` is empty at first and the program's only one; it is deleted at the end.
    """

    def __init__(self, program: str, limits: Limits) -> None:
        answers = Path(__file__).with_name(f"{program}.py")
        arguments = (str(answers), str(limits.memory), str(limits.seconds))
        # -P and -s: nothing of the folder it lies in, or of the user's, is imported.
        self._command = [sys.executable, "-P", "-s", str(_PROGRAM), *arguments]
        self._name = program
        self._program: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="cage-")
        self.folder = Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._folder.cleanup()

    def ask(self, message: Mapping[str, Json]) -> dict[str, str]:
        """Return the answer to a message; raises `CageError`, and OSError if no program starts."""
        program = self._program = self._program or self._started()
        if program.stdin is None or program.stdout is None:
            raise OSError(f"{self._name} has no pipes")
        content = json.dumps(message).encode("ascii")
        try:
            program.stdin.write(LENGTH.pack(len(content)) + content)
            program.stdin.flush()
            head = program.stdout.read(LENGTH.size)
        except BrokenPipeError:
            head = b""
        if len(head) < LENGTH.size:
            raise self._death(program)
        answer: dict[str, str] = json.loads(program.stdout.read(LENGTH.unpack(head)[0]))
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=self._environment(),
            start_new_session=True,
        )
        if program.stdout is None or program.stdout.read(len(READY)) != READY:
            program.wait()
            raise OSError(
                f"{self._name} ended with {program.returncode} while it was loaded: its libraries want "
                "more memory than it has, or are not installed as they should be"
            )
        return program

    def _environment(self) -> dict[str, str]:
        own = str(self.folder)
        same = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PATH": os.defpath}
        # Each thread of a numeric library takes address space before it is ever used.
        same |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        return {"HOME": own, "TMPDIR": own, **same}

    def _death(self, program: subprocess.Popen[bytes]) -> CageError | OSError:
        self._end()
        if program.returncode == -signal.SIGPROF:
            return CageError("time")
        if program.returncode == -signal.SIGKILL:
            return OSError(f"{self._name} was killed from outside")
        if program.returncode == NO_MEMORY:
            return CageError("memory")
        if program.returncode >= 0:
            return OSError(f"{self._name} ended with {program.returncode}")
        return CageError("memory", f"signal {-program.returncode}")

    def _end(self) -> None:
        """End the program: of itself, as its input ends."""
        program, self._program = self._program, None
        if program is None:
            return
        for pipe in (program.stdin, program.stdout):
            if pipe is not None:
                pipe.close()
        program.wait()
