"""One document through pandoc, in a cage: a program of its own, bounded in every resource.

Hostile LaTeX makes pandoc loop or eat tens of gigabytes (pandoc issues 6395, 8684, 9126, 11088), so
a document gets its own process: standard input to standard output, in an empty folder, without
access to other files (``--sandbox``) or to the caller's environment, in its own process group.
Starting it takes 10 to 20 ms, far less than an average paper, so nothing is gained by sharing a
process (pandoc's server mode) between documents that can bring each other down.

The heap bound is the run-time system's own and counts what the program asks for, so it falls alike
on every machine. Time does not: a document near ``Limits.cpu_seconds`` may pass on a fast machine
and fail on a slow one. Processor time is counted, not the clock, so that a busy machine decides
nothing; what is needed by all but runaway documents is below 2 s.

Pandoc's Markdown differs between its releases. Output here is that of the binary which the package
pypandoc-binary brings, and of no other pandoc that a machine may have; `version` says which.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "pandoc_failed": "pandoc could not parse it",
        "pandoc_timeout": "pandoc took more processor time than the source's limit",
        "pandoc_memory": "pandoc took more memory than its limit",
        "pandoc_output": "pandoc wrote more than its limit",
    }
)
"""Why pandoc may give no text, for the ``reasons`` of sources that use it."""

TO_MARKDOWN = ("--to=markdown", "--wrap=none", "--markdown-headings=setext")
"""The published form: one line a paragraph, and headings as pandoc wrote them before 2.11.2."""

STANDALONE = (*TO_MARKDOWN, "--standalone")
"""The same with title, authors, date and abstract before it, as a YAML block."""

_HEAP_OVERFLOW = 251  # exit status of GHC's run-time system
_NO_CAGE = 125
_CAGE = """
{ ulimit -c 0 && ulimit -f "$1" && ulimit -S -t "$2" && ulimit -H -t "$3"; } || exit 125
shift 3
exec "$@"
"""
_DIV_LINE = re.compile(r"^:::.*\n?", re.MULTILINE)
_MESSAGE = 400


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may take: seconds of processor time, MiB of heap, MiB of output.

    Beside its heap pandoc takes about 120 MB: with 256 MiB it was 390 MB at most, with 512 660.
    ``wall_seconds`` is no limit on the document: who needs so long without using up the processor
    time got no turn on an overloaded machine.
    """

    cpu_seconds: int = 60
    heap_mib: int = 256
    output_mib: int = 64
    wall_seconds: float = 1200


class PandocError(Exception):
    """Pandoc gave no text for a document; ``reason`` is one of `REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message or reason)
        self.reason = reason


def convert(
    source: bytes,
    from_: str,
    arguments: tuple[str, ...] = TO_MARKDOWN,
    limits: Limits = Limits(),
) -> str:
    """Return what pandoc makes of a UTF-8 document in format ``from_``; includes stay unresolved.

    ``arguments`` go to pandoc as they are. Raises `PandocError` if the document is at fault, and
    OSError if the machine is: no pandoc, no room, killed from outside, stuck without using time.
    """
    with _run(source, from_, arguments, limits) as (status, output, errors):
        if status == 0:
            return output.read().decode("utf-8")
        message = errors.read(_MESSAGE).decode("utf-8", "replace").strip()
        raise _error(status, message)


def without_div_lines(markdown: str) -> str:
    """Delete every line that begins with ``:::``, the fences of pandoc's divs, as published."""
    return _DIV_LINE.sub("", markdown)


@cache
def version() -> str:
    """Return the version of the bundled pandoc, as "3.9"."""
    command = [_binary(), "--version"]
    said = subprocess.run(command, capture_output=True, check=True, env={}, timeout=60).stdout
    return said.decode("utf-8").split(maxsplit=2)[1]


@cache
def _binary() -> str:
    found = Path(str(resources.files("pypandoc"))) / "files" / "pandoc"
    if not found.is_file():
        raise FileNotFoundError(f"no pandoc at {found}: install pypandoc-binary, not pypandoc")
    return str(found)


@contextmanager
def _run(
    source: bytes, from_: str, arguments: tuple[str, ...], limits: Limits
) -> Iterator[tuple[int, BinaryIO, BinaryIO]]:
    """Run pandoc to its end; give its status, output and messages.

    Its streams are nameless files, not pipes: nothing can block, and the system bounds their size.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pandoc-") as empty,
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        given.write(source)
        given.seek(0)
        with subprocess.Popen(
            _command(from_, arguments, limits),
            stdin=given,
            stdout=output,
            stderr=errors,
            cwd=empty,
            env=_environment(empty),
            start_new_session=True,
        ) as program:
            status = _wait(program, limits)
        output.seek(0)
        errors.seek(0)
        yield status, output, errors


def _command(from_: str, arguments: tuple[str, ...], limits: Limits) -> list[str]:
    """Let a shell set the limits and become pandoc: safe with threads, unlike code after a fork."""
    blocks, seconds = limits.output_mib * 2048, limits.cpu_seconds
    cage = ["/bin/sh", "-c", _CAGE, "sh", str(blocks), str(seconds), str(seconds + 1)]
    heap = ["+RTS", f"-M{limits.heap_mib}M", "-RTS"]
    return [*cage, _binary(), *heap, "--sandbox", f"--from={from_}", *arguments]


def _environment(home: str) -> dict[str, str]:
    return {"HOME": home, "XDG_DATA_HOME": home, "PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def _wait(program: subprocess.Popen[bytes], limits: Limits) -> int:
    """Wait for the end; whatever happens, leave nothing of the process group running."""
    try:
        return program.wait(limits.wall_seconds)
    except subprocess.TimeoutExpired as error:
        seconds = limits.wall_seconds
        raise OSError(f"pandoc got nowhere in {seconds} s: the machine is overloaded") from error
    finally:
        if program.returncode is None:
            os.killpg(program.pid, signal.SIGKILL)


def _error(status: int, message: str) -> PandocError | OSError:
    if status == -signal.SIGXCPU:
        return PandocError("pandoc_timeout", message)
    if status == -signal.SIGXFSZ:
        return PandocError("pandoc_output", message)
    if status == _HEAP_OVERFLOW:
        return PandocError("pandoc_memory", message)
    if status == -signal.SIGKILL:
        return OSError("pandoc was killed from outside, perhaps for want of memory")
    if status == _NO_CAGE:
        return OSError(f"the limits for pandoc could not be set: {message}")
    return PandocError("pandoc_failed", message or f"status {status}")
