"""An FTP server on this machine (pyftpdlib) that misbehaves as told."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


@dataclass
class FtpUpstream:
    """Takes a fault off ``faults`` for each transfer, off ``greetings`` for each connection.

    Faults: ``("drop", bytes)`` with a 426, ``("short", bytes)`` with a 226, ``("hang up",)``,
    ``("refuse", reply)``, ``("no rest",)`` sends all whatever was asked for, ``("before", function)``,
    ``("within", function)`` after the first bytes; None is none. A greeting is a reply, or None.
    """

    folder: Path
    port: int = 0
    faults: list[tuple[Any, ...] | None] = field(default_factory=list)
    greetings: list[str | None] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"ftp://127.0.0.1:{self.port}"


class _Faulty:
    """A file that breaks off, or does something, when it is read."""

    def __init__(self, file: BinaryIO, fault: tuple[Any, ...]) -> None:
        self._file = file
        self._fault = fault
        self._left = fault[1] if fault[0] in {"drop", "short"} else None
        self.closed = False
        self.name = file.name

    def seek(self, place: int) -> None:
        if self._fault[0] != "no rest":
            self._file.seek(place)

    def read(self, size: int) -> bytes:
        if self._left is None:
            piece = self._file.read(size)
            if self._fault[0] == "within":
                self._fault[1]()
            return piece
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        if not piece and self._fault[0] == "drop":
            raise OSError("dropped")
        return piece

    def close(self) -> None:
        self.closed = True
        self._file.close()


class _Files(AbstractedFS):
    """The files, the next of them with the fault of its transfer."""

    def open(self, filename: str, mode: str) -> Any:
        """Open a file."""
        file = super().open(filename, mode)
        fault = self.cmd_channel.pending
        self.cmd_channel.pending = None
        return _Faulty(file, fault) if fault else file


class _Handler(FTPHandler):
    """The control connection; ``upstream`` is set on a class derived for each server."""

    upstream: FtpUpstream
    banner = "ready"
    abstracted_fs = _Files
    use_sendfile = False
    auth_failed_timeout = 0.01
    pending: tuple[Any, ...] | None = None

    def handle(self) -> None:
        """Greet a guest."""
        greeting = self.upstream.greetings.pop(0) if self.upstream.greetings else None
        if greeting is None:
            super().handle()
        else:
            self.respond(greeting)
            self.close_when_done()

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        """Take a command."""
        self.upstream.commands.append(line)
        if cmd in self.upstream.unknown:
            self.respond("502 Not implemented.")
        else:
            super().pre_process_command(line, cmd, arg)

    def ftp_RETR(self, file: str) -> Any:  # noqa: N802 - named by pyftpdlib
        """Send a file, or do what the fault says."""
        fault = self.upstream.faults.pop(0) if self.upstream.faults else (None,)
        if fault is None or fault[0] is None:
            return super().ftp_RETR(file)
        if fault[0] == "refuse":
            return self.respond(fault[1])
        if fault[0] == "hang up":
            return self.close()
        if fault[0] == "before":
            fault[1]()
        else:
            self.pending = fault
        return super().ftp_RETR(file)


@contextmanager
def serving_ftp(folder: Path) -> Iterator[FtpUpstream]:
    """Serve a folder to anonymous guests and to ``user`` with ``word``, in a thread."""
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    upstream = FtpUpstream(folder)
    authorizer = DummyAuthorizer()
    authorizer.add_anonymous(str(folder))
    authorizer.add_user("user", "word", str(folder))
    bound = {"upstream": upstream, "authorizer": authorizer}
    server = FTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), bound))
    upstream.port = server.address[1]
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.ioloop.loop(timeout=0.005, blocking=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        stop.set()
        thread.join()
        server.close_all()
