"""An HTTP upstream on this machine that misbehaves as told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATE = "Tue, 21 Oct 2025 07:28:00 GMT"


@dataclass
class Reply:
    """One answer: sent as it stands, then the connection is closed.

    ``body`` may come in pieces, with ``pause`` seconds before each.
    """

    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: tuple[bytes, ...] = ()
    pause: float = 0.0


@dataclass
class Request:
    """What was asked for."""

    path: str
    headers: dict[str, str]


@dataclass
class Upstream:
    """Answers with ``replies`` in turn, then with ``otherwise``; keeps what it was asked."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    otherwise: Callable[[Request], Reply] = lambda _: Reply("404 Not Found")
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        """Choose the reply."""
        self.requests.append(request)
        return self.replies.pop(0) if self.replies else self.otherwise(request)


def whole(content: bytes, **headers: str) -> Reply:
    """Answer with all of a file."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply("200 OK", {"Content-Length": str(len(content)), **fields}, (content,))


def cut(reply: Reply, at: int) -> Reply:
    """Close the connection after ``at`` bytes of the body."""
    return Reply(reply.status, reply.headers, (b"".join(reply.body)[:at],))


def file_server(content: bytes, etag: str = '"one"') -> Callable[[Request], Reply]:
    """Serve a file as RFC 9110 wants it, with parts under If-Range."""

    def reply(request: Request) -> Reply:
        asked = request.headers.get("Range")
        if asked is None or request.headers.get("If-Range") != etag:
            return whole(content, ETag=etag)
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return Reply("416 Range Not Satisfiable", {"Content-Range": f"bytes */{len(content)}"})
        part = whole(content[start:], ETag=etag)
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Reply("206 Partial Content", {**part.headers, "Content-Range": place}, part.body)

    return reply


@contextmanager
def serving() -> Iterator[Upstream]:
    """Run an upstream in a thread."""
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = upstream.answer(Request(self.path, dict(self.headers)))
            lines = [f"HTTP/1.1 {reply.status}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in reply.headers.items()]
            self.wfile.write("\r\n".join([*lines, "", ""]).encode())
            for piece in reply.body:
                self.wfile.flush()
                time.sleep(reply.pause)
                self.wfile.write(piece)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that hang up are expected."""

    with Server(("127.0.0.1", 0), Handler) as server:
        upstream.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
