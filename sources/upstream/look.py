"""One request to see whether an upstream still answers as it did: a file's head, or a listing."""

import importlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

import requests

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
from sources.upstream.http import SCHEMES, answered, new_session, redirected, refusal, whole

FOR_GOOD = {301, 308}
"""Redirects that say: do not ask here again."""

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
        with new_session() as session, answered(session, url, QUICK, guest, method) as response:
            if response.status_code == HTTPStatus.OK:
                return _seen(url, response)
            if method == "GET" or response.status_code not in NO_HEADS:
                raise refusal(response, url)
    except Interrupted as interrupted:
        raise UpstreamError(url, str(interrupted), "ask again later", retry_later=True) from None
    return _look_otherwise(url, guest, method)


def _seen(url: str, response: requests.Response) -> Seen:
    answer = whole(response, url, QUICK)
    if response.request.method == "HEAD":
        return Seen(answer.version.size, b"", _moved_to(response))
    content = bytearray()
    for piece in answer.pieces:
        content += piece
        if len(content) > LISTING_LIMIT:
            raise UpstreamError(url, f"a listing of more than {LISTING_LIMIT:,} bytes", CHECK_URL)
    return Seen(len(content), bytes(content), _moved_to(response))


def _moved_to(response: requests.Response) -> str:
    """Return where a file lies for good now, if it was said on the way."""
    moved = [passed for passed in response.history if passed.status_code in FOR_GOOD]
    if not moved:
        return ""
    return redacted(redirected(moved[-1].url, moved[-1].headers["Location"]))


def _look_otherwise(url: str, guest: Guest, method: str) -> Seen:
    """Ask by the transport that downloads: its answer is closed unread where a head would do."""
    if method == "GET":
        return Seen(content=get(url, guest=guest, patience=QUICK))
    name = TRANSPORTS.get(urlsplit(url).scheme, "filesystem")
    ask: Ask = importlib.import_module(f"sources.upstream.{name}").ask
    try:
        with new_session() as session, ask(session, url, QUICK, guest=guest) as answer:
            return Seen(answer.version.size)
    except Interrupted as interrupted:
        raise UpstreamError(url, str(interrupted), "ask again later", retry_later=True) from None
