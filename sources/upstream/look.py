"""One request to see whether an upstream still answers as it did: a file's head, or a listing."""

import importlib
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import requests
import urllib3

from sources.fetch import LISTING_LIMIT, TRANSPORTS, get
from sources.upstream import keys
from sources.upstream.answer import Ask
from sources.upstream.attempts import (
    CHECK_URL,
    Interrupted,
    Patience,
    UpstreamError,
    redacted,
)
from sources.upstream.guest import Guest
from sources.upstream.http import (
    MAX_REDIRECTS,
    REMEDIES,
    SCHEMES,
    redirected,
    unanswered,
    user_agent,
)

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
    moved_to, here = "", url
    with requests.Session() as session:
        for _ in range(MAX_REDIRECTS + 1):
            response, content = _ask(session, here, guest, method)
            if not response.is_redirect:
                return _seen(url, guest, response, content, moved_to)
            here = redirected(here, response.headers["Location"])
            if response.status_code in FOR_GOOD:
                moved_to = redacted(here)
    raise UpstreamError(url, f"more than {MAX_REDIRECTS} redirects", CHECK_URL)


def _ask(
    session: requests.Session, url: str, guest: Guest, method: str
) -> tuple[requests.Response, bytes]:
    headers = {
        "User-Agent": user_agent(guest.manners.contact),
        "Accept-Encoding": "identity",
        **keys.headers(url, guest.keys),
    }
    timeout = (QUICK.connect_timeout, QUICK.read_timeout)
    failure: UpstreamError | Interrupted
    try:
        with (
            guest.manners.turn(urlsplit(url).netloc),
            session.request(
                method, url, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response,
        ):
            limited = b"" if method == "HEAD" else response.raw.read(LISTING_LIMIT)
            return response, limited
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # Not chained: the messages of requests show all of the URL, secrets too.
        failure = unanswered(url, error)
    except Interrupted as interrupted:
        failure = interrupted
    if isinstance(failure, UpstreamError):
        raise failure
    raise UpstreamError(url, str(failure), "ask again later", retry_later=True)


def _seen(
    url: str, guest: Guest, response: requests.Response, content: bytes, moved_to: str
) -> Seen:
    status = response.status_code
    if status in NO_HEADS and response.request.method == "HEAD":
        return _look_otherwise(url, guest, "HEAD")
    if status != requests.codes.ok:
        what = f"answers {status} {response.reason or ''}".rstrip()
        passing = status == requests.codes.too_many_requests or status >= 500
        raise UpstreamError(url, what, REMEDIES.get(status, CHECK_URL), retry_later=passing)
    length = response.headers.get("Content-Length", "")
    return Seen(int(length) if length.isdecimal() else None, content, moved_to)


def _look_otherwise(url: str, guest: Guest, method: str) -> Seen:
    """Ask by the transport that downloads: its answer is closed unread where a head would do."""
    if method == "GET":
        return Seen(content=get(url, guest=guest, patience=QUICK))
    name = TRANSPORTS.get(urlsplit(url).scheme, "filesystem")
    ask: Ask = importlib.import_module(f"sources.upstream.{name}").ask
    try:
        with requests.Session() as session, ask(session, url, QUICK, guest=guest) as answer:
            return Seen(answer.version.size)
    except Interrupted as interrupted:
        raise UpstreamError(url, str(interrupted), "ask again later", retry_later=True) from None
