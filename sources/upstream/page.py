"""One web page as it is answered, or why it could not be had.

Every host on the way is looked up, judged, and asked for its robots.txt before it is asked for the
page, wherever redirects lead. No proxy is used: it would look hosts up by itself.
"""

import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urljoin

import requests
import urllib3
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
"""Time for the body of a page."""

TURN = 3600.0
"""Most seconds to wait for a turn at a host: a list may name one many times."""

UNREACHED = 300.0
"""Seconds for which a site that was out of reach is not asked again."""

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
        with _answered(place, address, guest, patience) as response:
            if response.status not in REDIRECTS:
                return _page(place.url, response)
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
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Ask for a page at an address, by the name of its host."""
    netloc = str(place.netloc)
    headers = {
        "Host": netloc,
        "User-Agent": user_agent(guest.manners.contact),
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.5",
        "Accept-Encoding": "gzip",
    }
    with _failures(), guest.manners.turn(netloc, TURN), _pool(place, address) as pool:
        response = pool.urlopen(
            "GET",
            place.request_uri,
            headers=headers,
            timeout=urllib3.Timeout(patience.connect_timeout, min(SECONDS, patience.read_timeout)),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        with response:
            guest.manners.hold(netloc, min(SECONDS, retry_after(response.headers)))
            yield response


def _pool(place: Url, address: str) -> urllib3.HTTPConnectionPool:
    if place.scheme == "http":
        return urllib3.HTTPConnectionPool(address, _port(place))
    return urllib3.HTTPSConnectionPool(
        address,
        _port(place),
        server_hostname=place.hostname,
        assert_hostname=place.hostname,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("REQUESTS_CA_BUNDLE") or requests.utils.DEFAULT_CA_BUNDLE_PATH,
    )


@contextmanager
def _failures() -> Iterator[None]:
    """Say why there was no answer, or not all of it."""
    try:
        yield
    except urllib3.exceptions.NewConnectionError as error:  # one of its errors of time, too
        raise Missing("unreachable", cause_of(error), passing=True) from None
    except (urllib3.exceptions.TimeoutError, TimeoutError, Interrupted) as error:
        raise Missing("timeout", cause_of(error), passing=True) from None
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Missing("unreachable", cause_of(error), passing=True) from None


def _page(url: str, response: urllib3.BaseHTTPResponse) -> Page:
    deadline = time.monotonic() + SECONDS
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
        size += len(piece)
        if size > LONGEST:
            raise Missing("too_large")
        if time.monotonic() > deadline:
            raise Missing("timeout", f"{size:,} bytes in {SECONDS:.0f} s")
        yield piece
