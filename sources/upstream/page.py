"""One web page as it is answered, or why it could not be had.

Every host on the way is looked up, judged, and asked for its robots.txt before it is asked for the
page, wherever redirects lead. No proxy is used: it would look hosts up by itself.
"""

import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import urljoin

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

from sources.upstream.attempts import Interrupted, Patience
from sources.upstream.guest import Guest
from sources.upstream.http import (
    CHUNK,
    MAX_REDIRECTS,
    PASSING_STATUSES,
    cause_of,
    retry_after,
    user_agent,
)
from sources.upstream.public_address import PrivateHost, UnknownHost, public_address
from sources.upstream.robots import LIMIT, NOTHING, allowed

LONGEST = 10 << 20
"""Bytes of a page, as it is sent."""

SECONDS = 60.0
"""Time for a page once there is a connection."""

GRACE = 1.0
"""Seconds that hanging up comes later than a page is given up, so that no cut page passes for one."""

TURN = 600.0
"""Most seconds to wait for a host that asked to be left alone; for longer its pages are not had."""

UNREACHED = 300.0
"""Seconds for which a site that was out of reach is not asked again."""

MOST_UNREACHED = 100_000
"""Sites out of reach that are remembered."""

GZIP = 16 + zlib.MAX_WBITS
ATTEMPTS = 2
PORTS = {"http": 80, "https": 443}
REDIRECTS = {301, 302, 303, 307, 308}

REASONS = {
    "bad_address": "no address of a page, or one that is not of the public web",
    "robots": "the site's robots.txt forbids it, or cannot be had now",
    "gone": "the page is not there (404, 410)",
    "refused": "any other answer than a page",
    "too_large": f"more than {LONGEST >> 20} MiB",
    "redirects": f"more than {MAX_REDIRECTS} redirects, or one without an aim",
    "unknown_host": "its host has no address",
    "unreachable": "no connection, or one that broke off",
    "timeout": f"it did not come within {SECONDS:.0f} seconds",
}
"""Why a page could not be had."""

OUT_OF_REACH = {"unknown_host", "unreachable", "timeout"}
"""Reasons that also a broken network of our own would give."""


Require = Callable[[Url, Guest, Patience], None]
"""Raises `Missing` for a page that we have no leave to ask for."""

_unreached: dict[str, float] = {}
"""Addresses of robots.txt that were out of reach, and until when they are not asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: where it came from at last, when, its status line, headers, and body as sent."""

    url: str
    date: datetime
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Missing(Exception):  # noqa: N818 - says what the page is
    """A page that cannot be had, for one of `REASONS`; ``passing`` if asking again may help."""

    def __init__(self, reason: str, detail: str = "", *, passing: bool = False) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.passing = passing


def page(url: str, guest: Guest, patience: Patience) -> Page:
    """Return a page; raises `Missing`."""
    return _tried(url, guest, patience, _require_leave)


def _tried(url: str, guest: Guest, patience: Patience, require: Require) -> Page:
    """Ask for a page, and once more if that may help."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _followed(url, guest, patience, require)
        except Missing as missing:
            if not missing.passing:
                raise
            patience.sleep(patience.first_wait)
    return _followed(url, guest, patience, require)


def _followed(url: str, guest: Guest, patience: Patience, require: Require) -> Page:
    """Ask for a page, and for what it redirects to."""
    here = url
    for _ in range(MAX_REDIRECTS + 1):
        place = _place(here)
        address = _address(place)
        require(place, guest, patience)
        with _answered(place, address, guest, patience) as (response, deadline):
            if response.status not in REDIRECTS:
                return _page(place.url, response, deadline)
            here = urljoin(place.url, response.headers.get("Location", ""))
            if here == place.url:
                raise Missing("redirects", "to itself")
    raise Missing("redirects")


def _place(url: str) -> Url:
    """Return an address in its normal form; raises `Missing` if it is none of a page."""
    try:
        place = parse_url(url)
        port = place.port
    except (urllib3.exceptions.LocationParseError, ValueError, UnicodeError):
        raise Missing("bad_address", "not a URL") from None
    if place.scheme not in PORTS or not place.host:
        raise Missing("bad_address", "not an http or https URL")
    return place._replace(auth=None, fragment=None, port=port, path=place.path or "/")


def _address(place: Url) -> str:
    try:
        return public_address(str(place.hostname), _port(place))
    except UnknownHost as error:
        raise Missing("unknown_host", str(error), passing=error.passing) from None
    except PrivateHost as error:
        raise Missing("bad_address", str(error)) from None


def _port(place: Url) -> int:
    return place.port or PORTS[str(place.scheme)]


def _require_leave(place: Url, guest: Guest, patience: Patience) -> None:
    """Raise `Missing` unless the site's robots.txt lets us have a page."""
    if not allowed(place.url, guest, patience, _robots_txt):
        raise Missing("robots")


def _require_nothing(place: Url, guest: Guest, patience: Patience) -> None:
    """Leave to ask for a robots.txt is not needed."""


def _robots_txt(url: str, guest: Guest, patience: Patience) -> str:
    """Return a robots.txt, had with all the care that a page is; raises `Missing` if out of reach.

    A site that was out of reach is not asked again for some minutes: a list may hold thousands of its
    pages.
    """
    if time.monotonic() < _unreached.get(url, 0.0):
        raise Missing("unreachable", "nor was its robots.txt a short while ago")
    try:
        found = _tried(url, guest, patience, _require_nothing)
    except Missing as missing:
        if missing.reason in OUT_OF_REACH:
            if len(_unreached) >= MOST_UNREACHED:
                _unreached.clear()
            _unreached[url] = time.monotonic() + UNREACHED
            raise Missing(missing.reason, missing.detail) from None
        return NOTHING if missing.passing or missing.reason == "too_large" else ""
    zipped = dict(found.headers).get("Content-Encoding", "").lower() == "gzip"
    try:
        content = zlib.decompressobj(GZIP).decompress(found.body, LIMIT) if zipped else found.body
    except zlib.error:
        return NOTHING
    return content[:LIMIT].decode("utf-8", "replace")


@contextmanager
def _answered(
    place: Url, address: str, guest: Guest, patience: Patience
) -> Iterator[tuple[urllib3.BaseHTTPResponse, float]]:
    """Ask for a page at an address, by the name of its host; the time it must be there by is given."""
    netloc = str(place.netloc)
    headers = {
        "Host": netloc,
        "User-Agent": user_agent(guest.manners.contact),
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.5",
        "Accept-Encoding": "gzip",
    }
    with (
        _failures(),
        guest.manners.turn(netloc, TURN),
        closing(_connection(place, address, patience)) as connection,
        _hung_up_in_time(connection) as deadline,
    ):
        connection.request(
            "GET", place.request_uri, headers=headers, preload_content=False, decode_content=False
        )
        with connection.getresponse() as response:
            guest.manners.hold(netloc, retry_after(response.headers))
            yield response, deadline


def _connection(place: Url, address: str, patience: Patience) -> HTTPConnection:
    port, timeout = _port(place), min(patience.connect_timeout, patience.read_timeout)
    if place.scheme == "http":
        return HTTPConnection(address, port, timeout=timeout)
    return HTTPSConnection(
        address,
        port,
        timeout=timeout,
        server_hostname=place.hostname,
        assert_hostname=place.hostname,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("REQUESTS_CA_BUNDLE") or requests.utils.DEFAULT_CA_BUNDLE_PATH,
    )


@contextmanager
def _hung_up_in_time(connection: HTTPConnection) -> Iterator[float]:
    """Connect, and hang up when time is over: no timeout ends headers that come byte by byte."""
    connection.connect()
    deadline = time.monotonic() + SECONDS
    watch = threading.Timer(SECONDS + GRACE, _hang_up, (connection.sock,))
    watch.daemon = True
    watch.start()
    try:
        yield deadline
    except (urllib3.exceptions.HTTPError, HTTPException, OSError):
        _require_time(deadline)
        raise
    finally:
        watch.cancel()


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


@contextmanager
def _failures() -> Iterator[None]:
    """Say why there was no answer, or not all of it."""
    try:
        yield
    except urllib3.exceptions.NewConnectionError as error:  # one of its errors of time, too
        raise Missing("unreachable", cause_of(error), passing=True) from None
    except Interrupted as error:
        raise Missing("refused", str(error), passing=True) from None
    except (urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise Missing("timeout", cause_of(error), passing=True) from None
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        raise Missing("unreachable", cause_of(error), passing=True) from None


def _page(url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> Page:
    status = response.status
    said = f"{status} {response.reason or ''}".strip()
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise Missing("gone", said)
    if status != HTTPStatus.OK:
        passing = status in PASSING_STATUSES or status >= 500
        raise Missing("refused", said, passing=passing)
    body = b"".join(_body(response, deadline))
    return Page(url, datetime.now(UTC), said, tuple(response.headers.items()), body)


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
    """Yield a body as it is sent, within the limits of size and time."""
    size = 0
    while piece := response.read1(CHUNK, decode_content=False):
        _require_time(deadline)
        size += len(piece)
        if size > LONGEST:
            raise Missing("too_large")
        yield piece
    # An end that comes later may be that of our hanging up.
    _require_time(deadline)


def _require_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise Missing("timeout", f"not all there in {SECONDS:.0f} s", passing=True)
