"""Behaviours of broken servers, each a function from a file and a request to an answer.

Those in `CORRUPTING` send other bytes than the file's under a length that fits what they send: nothing
but a checksum, a size known before, or the format itself can tell.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from fault_server import DATE, Reply, Request, cut, file_server, whole

PAGE = b"<!DOCTYPE html>\n<html><title>We are sorry</title>The service is down for now.</html>\n"
CHUNKED = {"Transfer-Encoding": "chunked"}


@dataclass(frozen=True)
class Served:
    """A file on a server, with its ETag, an older version of it, and how to reach the server."""

    content: bytes
    etag: str
    older: bytes
    url: str

    def honest(self, request: Request) -> Reply:
        """Answer as a good server would."""
        return file_server(self.content, self.etag)(request)

    def half(self, request: Request) -> Reply:
        """Answer with the first half of what is asked for."""
        reply = self.honest(request)
        return cut(reply, len(b"".join(reply.body)) // 2)


Fault: TypeAlias = Callable[[Served, Request], Reply]


def start_of(request: Request) -> int:
    """Return the byte a request asks to start from."""
    return int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def part(served: Served, request: Request, first: int, size: int, **headers: str) -> Reply:
    """Answer with a 206 that says it starts at ``first`` of ``size``."""
    body = served.content[start_of(request) :]
    place = f"bytes {first}-{size - 1}/{size}"
    fields = {"Content-Length": str(len(body)), "Content-Range": place, "ETag": served.etag}
    return Reply("206 Partial Content", fields | headers, (body,))


def chunked(body: bytes, end: bool) -> Reply:
    """Answer in chunks, with or without the last one."""
    lines = b"%x\r\n%b\r\n" % (len(body), body)
    return Reply(headers=dict(CHUNKED), body=(lines + (b"0\r\n\r\n" if end else b""),))


def dripping(served: Served, request: Request) -> Reply:
    """Send a byte at a time."""
    body = b"".join(served.honest(request).body)
    return replace(
        served.honest(request), body=tuple(body[n : n + 1] for n in range(20)), pause=0.02
    )


def without_end(body: bytes) -> Reply:
    """Answer without a length, so that only the end of the connection ends it."""
    return Reply(body=(body,))


def older_version(served: Served, request: Request) -> Reply:
    """Begin another version of the file, under its own ETag, and break off."""
    del request
    return cut(whole(served.older, ETag='"older"'), len(served.older) // 3)


def doubled(content: bytes) -> bytes:
    """Repeat a block in the middle."""
    middle = len(content) // 2
    return content[:middle] + content[middle - 4096 :]


def flipped(content: bytes) -> bytes:
    """Change one bit in the middle."""
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    return bytes(changed)


FAULTS: dict[str, Fault] = {
    "reset mid-body": lambda s, r: replace(s.half(r), reset=True),
    "reset at once": lambda s, r: Reply(raw=b"", reset=True),
    "closed without an answer": lambda s, r: Reply(raw=b""),
    "cut mid-body": lambda s, r: s.half(r),
    "stall": lambda s, r: replace(s.half(r), stall=0.5),
    "one byte at a time": dripping,
    "200 for 206": lambda s, r: whole(s.content, ETag=s.etag),
    "206 of another start": lambda s, r: part(s, r, start_of(r) + 1, len(s.content)),
    "206 of another size": lambda s, r: part(s, r, start_of(r), len(s.content) + 1),
    "206 without Content-Range": lambda s, r: part(s, r, 0, 0, **{"Content-Range": ""}),
    "206 in several parts": lambda s, r: part(
        s, r, 0, 0, **{"Content-Type": "multipart/byteranges; boundary=x", "Content-Range": "x"}
    ),
    "ETag changed between ranges": lambda s, r: part(
        s, r, start_of(r), len(s.content), ETag='"other"'
    ),
    "older version, cut": older_version,
    "Content-Length one too large": lambda s, r: Reply(
        headers={"Content-Length": str(len(s.content) + 1), "ETag": s.etag}, body=(s.content,)
    ),
    "gzip on the fly": lambda s, r: whole(gzip.compress(s.content), Content_Encoding="gzip"),
    "brotli, it says": lambda s, r: whole(s.content, Content_Encoding="br"),
    "redirect loop": lambda s, r: Reply("302 Found", {"Location": r.path}),
    "redirect to nowhere": lambda s, r: Reply("302 Found", {"Location": "ftp://[::1"}),
    "redirect to a place that serves": lambda s, r: s.honest(r),
    "unknown host": lambda s, r: Reply("302 Found", {"Location": "http://no-such-host.invalid/"}),
    "TLS error": lambda s, r: Reply(
        "302 Found", {"Location": s.url.replace("http:", "https:") + "/x"}
    ),
    "429 with seconds": lambda s, r: Reply("429 Too Many Requests", {"Retry-After": "2"}),
    "429 with a date": lambda s, r: Reply(
        "429 Too Many", {"Retry-After": "Tue, 21 Oct 2025 07:28:03 GMT", "Date": DATE}
    ),
    "503 with seconds": lambda s, r: Reply("503 Busy", {"Retry-After": "1"}),
    "503 with a date": lambda s, r: Reply(
        "503 Busy", {"Retry-After": "Tue, 21 Oct 2025 07:28:02 GMT", "Date": DATE}
    ),
    "503 for hours": lambda s, r: Reply("503 Busy", {"Retry-After": "86400"}),
    "500": lambda s, r: Reply("500 Oops"),
    "403": lambda s, r: Reply("403 Forbidden"),
    "404": lambda s, r: Reply("404 Not Found"),
    "204": lambda s, r: Reply("204 No Content"),
    "416": lambda s, r: Reply("416 Range Not Satisfiable", {"Content-Range": "bytes */7"}),
    "chunked, whole": lambda s, r: chunked(s.content, end=True),
    "chunked, cut": lambda s, r: chunked(s.content[: len(s.content) // 2], end=False),
    "weak ETag, cut": lambda s, r: cut(whole(s.content, ETag='W/"weak"'), len(s.content) // 2),
    "no length": lambda s, r: without_end(s.content),
    "no length, cut": lambda s, r: without_end(s.content[:-1000]),
    "not HTTP": lambda s, r: Reply(raw=b"220 ftp.example.org ready\r\n"),
    "a header without end": lambda s, r: Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000),
    "HTML with 200": lambda s, r: whole(PAGE, Content_Type="text/html; charset=utf-8"),
    "HTML with 200, no type": lambda s, r: whole(PAGE),
    "Content-Length one too small": lambda s, r: whole(s.content[:-1], ETag=s.etag),
    "empty": lambda s, r: whole(b"", ETag=s.etag),
    "one byte more": lambda s, r: whole(s.content + b"\n", ETag=s.etag),
    "a block twice": lambda s, r: whole(doubled(s.content), ETag=s.etag),
    "a bit flipped": lambda s, r: whole(flipped(s.content), ETag=s.etag),
    "another part than it says": lambda s, r: replace(
        part(s, r, start_of(r), len(s.content)), body=(flipped(s.content[start_of(r) :]),)
    ),
}

SIZE_TELLS = {"Content-Length one too small", "empty", "one byte more", "a block twice"}
CORRUPTING = SIZE_TELLS | {"a bit flipped", "another part than it says"}

LONG_WAITS = {name for name in FAULTS if name.startswith(("429", "503"))}
"""Those that ask for seconds or hours of rest."""
