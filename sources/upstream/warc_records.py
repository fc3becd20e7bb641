"""Records of a WARC 1.1 file (ISO 28500:2017), each a gzip member of its own.

Written are pages as ``response`` records and, for those that could not be had, ``metadata`` records
that say why. Either names the line of the list that asked for it in ``X-List-Line``, and holds the line
itself, if it is a JSON object, in ``X-List-Entry``, in ASCII. An id is a hash of
list and line; but for the date, a record depends on nothing but what was answered.
"""

import base64
import gzip
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sources.upstream.page import Missing, Page

SAFE = "%/:?#[]@!$&'()*+,;=~"
"""What an address may hold besides letters, digits and ``-._``; all else is quoted."""

NOT_AS_SENT = {"transfer-encoding", "content-length", "connection", "keep-alive", "trailer"}
"""Headers that tell of the connection, and not of the body as it stands in the record."""


@dataclass(frozen=True, slots=True)
class Line:
    """What asks for a page: the list's digest, the line's number, its address, and the line itself.

    ``entry`` is JSON in ASCII, or empty if the line holds an address alone.
    """

    listed: str
    number: int
    url: str
    entry: str = ""


def response_record(page: Page, line: Line) -> bytes:
    """Return the record of a page that a line asked for."""
    head = _lines(
        f"HTTP/1.1 {page.status}",
        *(f"{name}: {value}" for name, value in page.headers if name.lower() not in NOT_AS_SENT),
        f"Content-Length: {len(page.body)}",
    )
    block = head.encode("latin-1", "replace") + page.body
    fields = (
        ("Content-Type", "application/http; msgtype=response"),
        ("WARC-Payload-Digest", _digest(page.body)),
        ("WARC-Block-Digest", _digest(block)),
        ("X-Final-URI", _quoted(page.url)),
    )
    return _record(_common("response", line, page.date), fields, block)


def missing_record(missing: Missing, line: Line, date: datetime) -> bytes:
    """Return the record that says why a page could not be had."""
    block = _lines(f"reason: {missing.reason}", f"detail: {missing.detail}").encode()
    fields = (
        ("Content-Type", "application/warc-fields"),
        ("WARC-Block-Digest", _digest(block)),
    )
    return _record(_common("metadata", line, date), fields, block)


def _common(kind: str, line: Line, date: datetime) -> tuple[tuple[str, str], ...]:
    name = hashlib.sha256(f"{line.listed} {line.number}".encode()).digest()[:16]
    return (
        ("WARC-Type", kind),
        ("WARC-Record-ID", f"<urn:uuid:{uuid.UUID(bytes=name, version=5)}>"),
        ("WARC-Date", date.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("WARC-Target-URI", _quoted(line.url)),
        ("X-List-Line", str(line.number)),
        *([("X-List-Entry", line.entry)] if line.entry else []),
    )


def _record(
    common: Sequence[tuple[str, str]], fields: Sequence[tuple[str, str]], block: bytes
) -> bytes:
    stated = (*common, *fields, ("Content-Length", str(len(block))))
    head = _lines("WARC/1.1", *(f"{name}: {value}" for name, value in stated))
    return gzip.compress(head.encode() + block + b"\r\n\r\n", mtime=0)


def _lines(*lines: str) -> str:
    """Join lines to a head and its end; a line that holds a line end becomes one."""
    return "".join(" ".join(line.splitlines()) + "\r\n" for line in lines) + "\r\n"


def _digest(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()


def _quoted(url: str) -> str:
    # JSON may hold halves of surrogate pairs, which no encoding has: they are quoted as they would be.
    return quote(url, safe=SAFE, errors="surrogatepass")
