"""One request to see whether an upstream still answers as it did: a file's head, or a listing."""

import importlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

import urllib3

from sources.fetch import LISTING_LIMIT, TRANSPORTS, get
from sources.upstream.answer import Ask
from sources.upstream.attempts import (
    CHECK_URL,
    Interrupted,
    Patience,
    UpstreamError,
    redacted,
)
from sources.upstream.guest import Guest
from sources.upstream.http import SCHEMES, answered, refusal, whole

NO_HEADS = {403, 405, 501}
"""How servers answer that give a file, but not its head alone."""

QUICK = Patience(attempts=1, connect_timeout=10.0, read_timeout=20.0, budget=30.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an upstream answered: a file's size if it told it, a listing's bytes if it was asked for.

    ``moved_to`` is where it says that the file lies for good now, shown without secrets.
    """

    size: int | None = None
    content: bytes = b""
    moved_to: str = ""


def look(url: str, guest: Guest, method: Literal["HEAD", "GET"]) -> Seen:
    """Ask once, following redirects, for the head of a file or for a small listing.

    Raises `sources.fetch.UpstreamError`.
    """
    url = guest.mirrored(url)
    if urlsplit(url).scheme not in SCHEMES:
        return _look_otherwise(url, guest, method)
    try:
        with answered(url, QUICK, guest, method) as reply:
            if reply.response.status == HTTPStatus.OK:
                return _seen(url, reply.response, method, redacted(reply.moved_to))
            if method == "GET" or reply.response.status not in NO_HEADS:
                raise refusal(reply.response, url)
    except Interrupted as interrupted:
        raise UpstreamError(url, str(interrupted), "ask again later", retry_later=True) from None
    return _look_otherwise(url, guest, method)


def _seen(url: str, response: urllib3.BaseHTTPResponse, method: str, moved_to: str) -> Seen:
    answer = whole(response, url, QUICK)
    if method == "HEAD":
        return Seen(answer.version.size, b"", moved_to)
    content = bytearray()
    for piece in answer.pieces:
        content += piece
        if len(content) > LISTING_LIMIT:
            raise UpstreamError(url, f"a listing of more than {LISTING_LIMIT:,} bytes", CHECK_URL)
    return Seen(len(content), bytes(content), moved_to)


def _look_otherwise(url: str, guest: Guest, method: str) -> Seen:
    """Ask by the transport that downloads: its answer is closed unread where a head would do."""
    if method == "GET":
        return Seen(content=get(url, guest=guest, patience=QUICK))
    name = TRANSPORTS.get(urlsplit(url).scheme, "filesystem")
    ask: Ask = importlib.import_module(f"sources.upstream.{name}").ask
    try:
        with ask(url, QUICK, guest=guest) as answer:
            return Seen(answer.version.size)
    except Interrupted as interrupted:
        raise UpstreamError(url, str(interrupted), "ask again later", retry_later=True) from None
