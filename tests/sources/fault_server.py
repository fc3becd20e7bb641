"""An HTTP upstream on this machine that misbehaves as told."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DATE = "Tue, 21 Oct 2025 07:28:00 GMT"

TLS_HANDSHAKE = b"\x16"
"""How a client begins that takes this server for one of HTTPS; it is hung up on."""

HUNG_UP = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""What a client that went away looks like."""


@dataclass
class Reply:
    """One answer: sent as it stands, then the connection is closed.

    ``body`` may come in pieces, with ``pause`` seconds before each. ``stall`` keeps the connection open
    so long after the last; ``reset`` ends it by a reset. ``raw`` is sent in place of the headers.
    """

    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: tuple[bytes, ...] = ()
    pause: float = 0.0
    stall: float = 0.0
    reset: bool = False
    raw: bytes | None = None


@dataclass
class Request:
    """What was asked for, and when by the server's clock."""

    path: str
    headers: dict[str, str]
    at: float = 0.0
    sent: int = 0


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


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read the head of a request."""
    begun = await reader.readexactly(1)
    if begun == TLS_HANDSHAKE:
        raise ConnectionError
    head = begun + await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name: value for name, _, value in (line.partition(": ") for line in lines) if name}
    return Request(first.split(" ")[1], fields, time.monotonic())


async def send(writer: asyncio.StreamWriter, request: Request, reply: Reply) -> None:
    """Send a reply, piece by piece, and close the connection as it wants."""
    lines = [f"HTTP/1.1 {reply.status}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    writer.write(head if reply.raw is None else reply.raw)
    for piece in reply.body:
        await writer.drain()
        if reply.pause:
            await asyncio.sleep(reply.pause)
        writer.write(piece)
        request.sent += len(piece)
    await writer.drain()
    await asyncio.sleep(reply.stall)
    if reply.reset:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def handler(
    upstream: Upstream,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None]"]:
    """Return what answers one connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(*HUNG_UP):
                request = await read_request(reader)
                await send(writer, request, upstream.answer(request))
        finally:
            writer.close()

    return serve  # type: ignore[return-value] # a coroutine function serves as well


async def serve_until(upstream: Upstream, listening: socket.socket, stop: asyncio.Event) -> None:
    """Answer whoever connects until told to stop; what is still being answered then is cut."""
    server = await asyncio.start_server(handler(upstream), sock=listening)
    await stop.wait()
    server.close()


@contextmanager
def serving() -> Iterator[Upstream]:
    """Run an upstream in a thread."""
    upstream, stop = Upstream(), asyncio.Event()
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    upstream.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    loop = asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve_until(upstream, listening, stop))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def closed_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
