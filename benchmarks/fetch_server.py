"""A file server on the loopback that costs little: an event loop and sendfile, optionally at a rate.

    python benchmarks/fetch_server.py FOLDER [BYTES_A_SECOND]

It prints its port, and serves until its standard input closes.
"""

import os
import selectors
import socket
import sys
import time
from email.utils import formatdate
from pathlib import Path

BURST = 1 << 20
"""Most bytes given at once: at a rate, a hundredth of a second's worth or so."""


class Line:
    """A line of limited rate that all connections share: a token bucket."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.ready = time.perf_counter()

    def wait(self) -> float:
        """Return how many seconds the line is still busy."""
        return max(0.0, self.ready - time.perf_counter())

    def spend(self, count: int) -> None:
        """Keep the line busy for as long as so many bytes take."""
        # An idle line saves nothing up but one burst, so that the rate is never exceeded.
        earliest = time.perf_counter() - BURST / self.rate
        self.ready = max(self.ready, earliest) + count / self.rate


class Connection:
    """One client: what it has asked for, and what it still gets."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.asked = b""
        self.head = b""
        self.file = -1
        self.place = self.end = 0

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self.head) or self.file >= 0

    def receive(self, folder: Path) -> bool:
        """Take in requests; returns whether the client is still there."""
        try:
            came = self.client.recv(65536)
        except BlockingIOError:
            return True
        self.asked += came
        self.start(folder)
        return bool(came)

    def start(self, folder: Path) -> None:
        """Begin the next answer, if a request is complete."""
        request, found, rest = self.asked.partition(b"\r\n\r\n")
        if self.is_busy or not found:
            return
        self.asked = rest
        name = request.split(b" ", 2)[1].decode()
        self.file = os.open(folder / name.lstrip("/"), os.O_RDONLY)
        status = os.fstat(self.file)
        self.place, self.end = 0, status.st_size
        modified = formatdate(status.st_mtime, usegmt=True)
        self.head = (
            f"HTTP/1.1 200 OK\r\nContent-Length: {self.end}\r\nLast-Modified: {modified}\r\n"
            f'ETag: "{status.st_mtime_ns:x}-{self.end:x}"\r\n\r\n'
        ).encode()

    def send(self) -> int:
        """Send some of the answer and return how many of the file's bytes that were."""
        if self.head:
            more = socket.MSG_MORE if self.place < self.end else 0
            self.head = self.head[self.client.send(self.head, more) :]
            if self.head:
                return 0
        count = 0
        if self.place < self.end:
            count = os.sendfile(
                self.client.fileno(), self.file, self.place, min(BURST, self.end - self.place)
            )
            self.place += count
        if self.place == self.end:
            os.close(self.file)
            self.file = -1
        return count


def serve(folder: Path, rate: float) -> None:
    """Serve until standard input closes; ``rate`` 0 is as fast as may be."""
    line = Line(rate) if rate else None
    poll = selectors.EpollSelector()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        poll.register(listener, selectors.EVENT_READ)
        poll.register(sys.stdin, selectors.EVENT_READ)
        print(listener.getsockname()[1], flush=True)
        while True:
            if line is not None and line.wait():
                time.sleep(line.wait())
            for key, _ in poll.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is listener:
                    client, _ = listener.accept()
                    client.setblocking(False)
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    poll.register(client, selectors.EVENT_READ, Connection(client))
                else:
                    _advance(poll, key.data, folder, line)
                    if line is not None and line.wait():
                        break


def _advance(
    poll: selectors.EpollSelector, connection: Connection, folder: Path, line: Line | None
) -> None:
    """Do what a connection is ready for, and wait for what it needs next."""
    try:
        alive = connection.is_busy or connection.receive(folder)
        if alive and connection.is_busy:
            sent = connection.send()
            if line is not None:
                line.spend(sent)
            connection.start(folder)
    except BlockingIOError:
        alive = True
    except OSError:
        alive = False
    if not alive:
        poll.unregister(connection.client)
        connection.client.close()
        return
    wanted = selectors.EVENT_WRITE if connection.is_busy else selectors.EVENT_READ
    if poll.get_key(connection.client).events != wanted:
        poll.modify(connection.client, wanted, connection)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
