"""One web page as it is answered, or why it could not be had.

Every host on the way is looked up, judged, and asked for its robots.txt before it is asked for the
page, wherever redirects lead. No proxy is used: it would look hosts up by itself.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urljoin

import requests
import urllib3
from urllib3.util import Url, parse_url

from sources.upstream.attempts import Interrupted, Patience, UpstreamError
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
from sources.upstream.robots import allowed

LONGEST = 10 << 20
"""Bytes of a page, as it is sent."""

SECONDS = 60.0
"""Time for a page, from the first byte sent to the last one received, and for a turn at its host."""

ATTEMPTS = 2
PORTS = {"http": 80, "https": 443}
REDIRECTS = {301, 302, 303, 307, 308}

REASONS = {
    "bad_address": "no address of a page, or one that is not of the public web",
    "robots": "the site's robots.txt forbids it, or could not be had",
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
    for attempt in range(ATTEMPTS):
        try:
            return _followed(url, guest, patience)
        except Missing as missing:
            if not missing.passing or attempt == ATTEMPTS - 1:
                raise
            patience.sleep(patience.first_wait)
    raise AssertionError


def _followed(url: str, guest: Guest, patience: Patience) -> Page:
    """Ask for a page, and for what it redirects to."""
    here = url
    deadline = time.monotonic() + SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        place = _place(here)
        address = _address(place)
        _require_leave(place, address, guest, patience)
        with _answered(place, address, guest, patience) as response:
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


def _require_leave(place: Url, address: str, guest: Guest, patience: Patience) -> None:
    brief = replace(patience, attempts=min(ATTEMPTS, patience.attempts), budget=SECONDS)
    try:
        if allowed(place.url, guest, brief):
            return
    except Interrupted as error:
        raise Missing("timeout", str(error)) from None
    except UpstreamError as error:
        raise Missing("robots", str(error.args[1])) from None
    with _failures(), socket.create_connection((address, _port(place)), patience.connect_timeout):
        # A site that cannot be reached gives no robots.txt either, and this one can.
        raise Missing("robots")


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
    with _failures(), guest.manners.turn(netloc, SECONDS), _pool(place, address) as pool:
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
        size += len(piece)
        if size > LONGEST:
            raise Missing("too_large")
        if time.monotonic() > deadline:
            raise Missing("timeout", f"{size:,} bytes in {SECONDS:.0f} s")
        yield piece
