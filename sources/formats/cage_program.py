"""The program in a `cage`: reads messages from standard input, writes what a file's functions answer.

Each message is four bytes of length, then JSON. What a message may take is set once for memory, and
for each anew for processor time; who takes more time is killed by the system, in C code as well.
Nothing here can reach a network.
"""

import importlib.util
import json
import resource
import signal
import socket
import struct
import sys
from types import ModuleType
from typing import BinaryIO, NoReturn

LENGTH = struct.Struct(">I")

LOAD_SECONDS = 120.0
"""Processor time that loading the libraries may take: with too little memory some try for ever."""

READY = b"ready"
"""What is written once all is loaded."""

NO_MEMORY = 3
"""Exit status where a message alone is more than there is memory for."""


def main(file: str, memory: int, seconds: float) -> None:
    """Answer messages until the input ends, each within so many bytes and seconds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    socket.getaddrinfo = _no_network
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    signal.setitimer(signal.ITIMER_PROF, LOAD_SECONDS)
    job = _job(file)
    job.load()
    signal.setitimer(signal.ITIMER_PROF, 0)
    answers.write(READY)
    answers.flush()
    try:
        while head := given.read(LENGTH.size):
            message = json.loads(given.read(LENGTH.unpack(head)[0]))
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = job.answer(message)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _send(answers, answer)
    except MemoryError:
        sys.exit(NO_MEMORY)


def _job(file: str) -> ModuleType:
    """Return the functions of a file, which belongs to no package here."""
    spec = importlib.util.spec_from_file_location("job", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no program")
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    return job


def _send(answers: BinaryIO, answer: dict[str, str]) -> None:
    # Half a surrogate pair, which some pages' references spell, goes as its escape.
    content = json.dumps(answer).encode("ascii")
    answers.write(LENGTH.pack(len(content)) + content)
    answers.flush()


def _no_network(*_arguments: object, **_more: object) -> NoReturn:
    raise OSError("no network here")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
