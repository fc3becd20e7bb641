"""A server on this machine that plays every upstream: ``http://127.0.0.1:PORT/HOST/PATH?QUERY``.

What each host answers is a function of the request. A second port is another host altogether: what
an upstream redirects to, which must not see the keys of the first.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Ask:
    """A request: the host that it is for, path without the leading slash, query, headers by name."""

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer, sent with its length."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Host = Callable[[Ask], Reply]
NOT_FOUND = Reply(b"<html>not found</html>", 404, {"Content-Type": "text/html"})


def redirect(place: str) -> Reply:
    """Send the guest elsewhere."""
    return Reply(b"", 302, {"Location": place})


def file(content: bytes, kind: str = "application/octet-stream") -> Reply:
    """Answer with a file, under a strong ETag."""
    return Reply(
        content, 200, {"Content-Type": kind, "ETag": f'"{hashlib.md5(content).hexdigest()}"'}
    )


class Standin:
    """Every upstream at one address; remembers what was asked for, and what no host knew."""

    def __init__(self, url: str, elsewhere: str) -> None:
        self.url = url
        self.elsewhere = elsewhere
        self.hosts: dict[str, Host] = {}
        self.asked: list[Ask] = []

    def answer(self, ask: Ask) -> Reply:
        """Let the host answer that the path names."""
        self.asked.append(ask)
        host = self.hosts.get(ask.host)
        return NOT_FOUND if host is None else host(ask)

    def mirrors(self) -> dict[str, str]:
        """Return the mirrors that lead every known host here; arXiv's is a bucket."""
        return {
            ("s3://arxiv/" if host == "arxiv" else f"https://{host}/"): f"{self.url}{host}/"
            for host in sorted(self.hosts)
        }

    def paths(self, host: str) -> list[str]:
        """Return what a host was asked for, in order."""
        return [ask.path for ask in self.asked if ask.host == host]


@contextmanager
def serving() -> Iterator[Standin]:
    """Serve until the block ends."""
    servers = [_Server(("127.0.0.1", 0), _Handler) for _ in range(2)]
    first, second = (f"http://127.0.0.1:{server.server_port}/" for server in servers)
    found = Standin(first, second)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for server, thread in zip(servers, threads, strict=True):
        server.standin = found
        thread.start()
    try:
        yield found
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    standin: Standin

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a guest hang up when it wants."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        host, _, path = parts.path.lstrip("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        ask = Ask(host, unquote(path), dict(parse_qsl(parts.query)), headers)
        reply = self.server.standin.answer(ask)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
