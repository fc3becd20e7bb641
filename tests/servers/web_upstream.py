"""An HTTP upstream on this machine that keeps its connections, and misbehaves as told."""

import asyncio
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Asked:
    """A request: its path with the query, and its headers, names in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class Reply:
    """An answer; ``cut`` closes the connection after so many bytes of the body, ``delay`` waits."""

    body: bytes = b""
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay: float = 0.0


@dataclass
class WebUpstream:
    """Answers as ``answer`` says, and keeps what it was asked."""

    port: int = 0
    answer: Callable[[Asked], Reply] = lambda _: Reply(status="404 Not Found")
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._serve_one(reader, writer):
                pass
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(": ") for line in head[1:] if line)
        asked = Asked(head[0].split(" ")[1], {name.lower(): value for name, _, value in fields})
        self.asked.append(asked)
        reply = self.answer(asked)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        length = {} if "Transfer-Encoding" in reply.headers else {"Content-Length": len(reply.body)}
        lines = [f"{name}: {value}" for name, value in {**length, **reply.headers}.items()]
        sent = "\r\n".join([f"HTTP/1.1 {reply.status}", *lines, "", ""]).encode("latin-1")
        writer.write(sent + reply.body[: reply.cut])
        await writer.drain()
        return reply.cut is None


@contextmanager
def serving_web() -> Iterator[WebUpstream]:
    """Run an upstream in a thread."""
    upstream = WebUpstream()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(upstream.serve, "127.0.0.1", 0))
    upstream.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        kept = asyncio.all_tasks(loop)
        for connection in kept:
            connection.cancel()
        if kept:
            loop.run_until_complete(asyncio.wait(kept))
        loop.close()


def killed(site: WebUpstream, after: int, work: Callable[[], object]) -> bool:
    """Kill a process at its work after some more requests; tells whether it was still at it."""
    child = multiprocessing.get_context("fork").Process(target=work)
    until = len(site.asked) + after
    child.start()
    while len(site.asked) < until and child.is_alive():
        time.sleep(0.001)
    child.kill()
    child.join()
    code = child.exitcode
    child.close()
    assert code in {0, -signal.SIGKILL}
    return code != 0
