"""The articles of web pages by newspaper4k, in a cage: a program that reads page after page.

Hostile HTML makes extractors run for hours, or takes all memory. So they run in a process of their
own (`article_program`) with bounds on memory and on each page's processor time, without a network,
without the caller's environment, and with one order of sets. A page that kills it costs a new start,
about a second; all others share one process.

Memory falls alike on every machine; time does not: a page near ``SECONDS`` may pass on a fast machine
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
from types import MappingProxyType, TracebackType
from typing import Self

from sources.formats.article_program import LENGTH, NO_MEMORY

MEMORY = 448 << 20
"""Bytes of address space of the program; its libraries take 65 MB of it, a page of 8 MB 100 to 250."""

SECONDS = 20.0
"""Seconds of processor time for a page; real ones of a MB take four."""

MAX_HTML = 8 << 20
"""Characters of a page that are read."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "article_failed": "newspaper raised an exception, as it does without a language's own library",
        "article_memory": f"newspaper took more than {MEMORY >> 20} MiB of memory, or died",
        "article_time": f"newspaper took more than {SECONDS:g} s of processor time",
        "too_large": f"a page of more than {MAX_HTML >> 20} Mi characters",
    }
)
"""Why a page may give no article."""

_PROGRAM = Path(__file__).with_name("article_program.py")


@dataclass(frozen=True, slots=True)
class Article:
    """A page's main text, its title, and the language it declares, if any."""

    text: str
    title: str
    language: str


class ArticleError(Exception):
    """A page that gives no article; ``reason`` is one of `REASONS`."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Extractor:
    """Takes the articles out of pages; for use in ``with``, which ends its program."""

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self._limits = (str(memory), str(seconds))
        self._program: subprocess.Popen[bytes] | None = None
        self._empty = tempfile.TemporaryDirectory(prefix="articles-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._empty.cleanup()

    def article(self, url: str, html: str) -> Article:
        """Return the article of a page; raises `ArticleError`, and OSError if no program starts."""
        if len(html) > MAX_HTML:
            raise ArticleError("too_large")
        answer = self._asked({"url": url, "html": html})
        if "problem" in answer:
            raise ArticleError(answer["problem"], answer["message"])
        return Article(answer["text"], answer["title"], answer["lang"])

    def _asked(self, page: Mapping[str, str]) -> dict[str, str]:
        program = self._program = self._program or self._started()
        if program.stdin is None or program.stdout is None:
            raise OSError("the program for articles has no pipes")
        content = json.dumps(page).encode("ascii")
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
        # -P and -s: nothing of the folder it lies in, or of the user's, is imported.
        command = [sys.executable, "-P", "-s", str(_PROGRAM), *self._limits]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._empty.name,
            env=self._environment(),
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        empty = self._empty.name
        same = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PATH": os.defpath}
        return {"HOME": empty, "TMPDIR": empty, **same}

    def _death(self, program: subprocess.Popen[bytes]) -> ArticleError | OSError:
        self._end()
        if program.returncode == -signal.SIGPROF:
            return ArticleError("article_time")
        if program.returncode == -signal.SIGKILL:
            return OSError("the program for articles was killed from outside")
        if program.returncode == NO_MEMORY:
            return ArticleError("article_memory")
        if program.returncode >= 0:
            return OSError(f"the program for articles ended with {program.returncode}")
        return ArticleError("article_memory", f"signal {-program.returncode}")

    def _end(self) -> None:
        """End the program: of itself, as its input ends."""
        program, self._program = self._program, None
        if program is None:
            return
        for pipe in (program.stdin, program.stdout):
            if pipe is not None:
                pipe.close()
        program.wait()
