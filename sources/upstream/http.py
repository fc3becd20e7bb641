"""One HTTP(S) request at a time: what may be believed of an answer, and when to ask again.

An answer counts only if its end can be told (RFC 9112, section 6.3) and its bytes are those of the
file itself. A part is asked for, and believed, only under a strong validator (RFC 9110, sections
8.8 and 14), so that the parts of two versions are never joined. No message shows credentials.
"""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from types import MappingProxyType
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import urllib3

from sources.upstream import keys
from sources.upstream.answer import UNKNOWN, Answer, Version
from sources.upstream.attempts import (
    BY_HAND,
    CHECK_URL,
    Interrupted,
    Patience,
    UpstreamError,
    redacted,
)
from sources.upstream.connections import connections_to
from sources.upstream.flow import flowing
from sources.upstream.guest import ALONE, Guest

CHUNK = 256 * 1024
"""Most bytes taken off a connection at once."""

MAX_REDIRECTS = 10
FOR_GOOD = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}
"""Redirects that say: do not ask here again."""

PASSING_STATUSES = {408, 425, 429}
"""Refusals that may pass, besides all from 500 on."""

SCHEMES = {"http", "https"}
GZIP = {"gzip", "x-gzip"}
NUMBER = re.compile(r"[0-9]{1,18}")
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")

REMEDIES = {
    401: "it wants a key: give it in the environment or the keyring, as the source's documentation says",
    403: "it refuses this client: see its terms, give a contact (PILE_CONTACT), or come back more slowly",
    404: "the file is gone or has moved: plan anew, or look for it on upstream's site",
    410: "the file was taken down: leave it out",
    451: "the file may not be given to you by law: leave it out",
}

NOT_TO_BE_HAD = {404, 410, 451}
"""What is answered for one file, and says nothing of how the guest is liked."""

CERTIFICATE = "its certificate does not hold: check the URL, this machine's clock and certificates"

DATE_DISTANCE = timedelta(seconds=60)
"""How much older than the answer a Last-Modified must be to tell two versions apart: within it, a
file can change twice and keep its date (RFC 9110, section 8.8.2.2)."""


EPOCHS_AGO = 10**9
"""Seconds beyond which a number is a time since 1970, and no wait."""

LONGEST_WINDOW = 2 * 3600.0
"""Seconds over which requests are counted, at most: what names more counts otherwise, as in milliseconds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, wherever a request was redirected to.

    ``moved_to`` is the last address at which, as was said on the way, to ask from now on.
    """

    response: urllib3.BaseHTTPResponse
    moved_to: str


def user_agent(contact: str = "") -> str:
    """Return what PILE_USER_AGENT says, or our name with a contact, or that none is given."""
    contact = contact.strip() or os.environ.get("PILE_CONTACT", "").strip() or "contact not set"
    named = os.environ.get("PILE_USER_AGENT", "").strip()
    return named or f"pile/{_release()} (+{contact})"


@cache
def _release() -> str:
    return version("pile")


@contextmanager
def ask(
    url: str,
    patience: Patience,
    start: int = 0,
    known: Version = UNKNOWN,
    guest: Guest = ALONE,
) -> Iterator[Answer]:
    """Ask for a file, or for what follows byte ``start`` of its ``known`` version.

    The answer may begin at byte 0 all the same: the file has changed, or upstream gives no parts.
    Raises UpstreamError, or Interrupted (also from ``pieces``) if asking again may help.
    """
    part = {}
    if start and known.validator is not None:
        part = {"Range": f"bytes={start}-", "If-Range": known.validator}
    with answered(url, patience, guest, headers=part) as reply:
        response = reply.response
        status = response.status
        if status == HTTPStatus.PARTIAL_CONTENT:
            yield _part(response, start, known, patience)
        elif status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            yield _nothing_more(response, start, known)
        elif status == HTTPStatus.OK:
            yield whole(response, url, patience)
        else:
            raise refusal(response, url)


@contextmanager
def answered(
    url: str,
    patience: Patience,
    guest: Guest,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Reply]:
    """Send a request, and again wherever it is redirected to, each with the keys of its host."""
    here, moved_to = url, ""
    for _ in range(MAX_REDIRECTS + 1):
        host = urlsplit(here).netloc
        asked = {**_ours(guest.manners.contact), **headers, **keys.headers(here, guest.keys)}
        with (
            guest.manners.turn(host, patience.budget),
            closing(sent(method, here, asked, patience)) as response,
        ):
            guest.manners.hold(host, retry_after(response.headers))
            location = response.get_redirect_location()
            if not location:
                yield Reply(response, moved_to)
                return
            here = redirected(here, location)
            if response.status in FOR_GOOD:
                moved_to = here
    raise UpstreamError(url, f"more than {MAX_REDIRECTS} redirects", CHECK_URL)


def _ours(contact: str) -> dict[str, str]:
    """Return the headers of each request."""
    return {"User-Agent": user_agent(contact), "Accept": "*/*", "Accept-Encoding": "identity"}


def sent(
    method: str, url: str, headers: Mapping[str, str], patience: Patience
) -> urllib3.BaseHTTPResponse:
    """Send one request, whose answer the caller closes; raises UpstreamError, or Interrupted."""
    try:
        address, own = _without_user(url)
        return connections_to(address).urlopen(
            method,
            address,
            headers={**headers, **own},
            timeout=urllib3.Timeout(connect=patience.connect_timeout, read=patience.read_timeout),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
    except ValueError as error:  # urllib3 has several of its own below it
        what = f"a URL or header that cannot be used ({type(error).__name__})"
        raise UpstreamError(url, what, CHECK_URL) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # Not chained: the messages of urllib3 show all of the URL, secrets too.
        raise unanswered(url, error) from None


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """Return an address without its user and password, and the header that gives them."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    named = unquote(user) if ":" in user else f"{unquote(user)}:"
    given = urllib3.util.make_headers(basic_auth=named)["authorization"]
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": given}


def unanswered(url: str, error: BaseException) -> UpstreamError | Interrupted:
    """Return what it means that no answer came: it may pass, unless a certificate does not hold."""
    if isinstance(_bottom(error), ssl.SSLCertVerificationError):
        return UpstreamError(url, f"no safe connection ({cause_of(error)})", CERTIFICATE)
    return Interrupted(f"no answer ({cause_of(error)})")


def redirected(here: str, target: str) -> str:
    """Return where a redirect leads; raises UpstreamError if that is not as safe as before."""
    try:
        there = urljoin(here, target)
        scheme = urlsplit(there).scheme
    except ValueError:
        there, scheme = "what is no URL", ""
    if scheme not in SCHEMES or (scheme == "http" and urlsplit(here).scheme == "https"):
        what = f"redirects to {redacted(there)}, which is not as safe"
        raise UpstreamError(here, what, CHECK_URL)
    return there


def refusal(response: urllib3.BaseHTTPResponse, url: str) -> Exception:
    """Return what it means that an answer is none: it may pass, or not."""
    status, headers = response.status, response.headers
    what = f"answers {status} {phrase(status)}".rstrip()
    wait = retry_after(headers)
    if status in PASSING_STATUSES or status >= 500 or wait or "Retry-After" in headers:
        return Interrupted(what, wait)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Interrupted(what, start_over=True)
    return UpstreamError(
        url, what, REMEDIES.get(status, CHECK_URL), missing=status in NOT_TO_BE_HAD
    )


def phrase(status: int) -> str:
    """Return our own words for a status: a server's may hold what steers a terminal."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after(headers: Mapping[str, str]) -> float:
    """Read seconds, or a date, by upstream's clock if it shows it (RFC 9110, section 10.2.3).

    An upstream that says instead that no request is left is believed too.
    """
    stated = headers.get("Retry-After", "").strip()
    if stated.isascii() and stated.isdigit():
        return float(stated[:9])
    until = _date(stated)
    now = _date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds()) if until else _used_up(headers, now)


def _used_up(headers: Mapping[str, str], now: datetime) -> float:
    """Return for how many seconds no request is left, as GitHub says it: a time, or seconds from now.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    reset = _number(headers.get("X-RateLimit-Reset")) or 0
    if headers.get("X-RateLimit-Remaining") != "0":
        return 0.0
    wait = reset - now.timestamp() if reset > EPOCHS_AGO else float(reset)
    return wait if 0 < wait <= LONGEST_WINDOW else 0.0


def whole(response: urllib3.BaseHTTPResponse, url: str, patience: Patience) -> Answer:
    """Return an answer that begins at byte 0; raises UpstreamError if it is not of the file itself."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in GZIP and urlsplit(url).path.endswith(".gz"):
        encoding = "identity"  # the stored file is the gzip file; many servers label it so
    if encoding != "identity":
        what = f"the answer is {encoding}-encoded on its way, though identity was asked for"
        raise UpstreamError(url, what, BY_HAND)
    if not _framed(response.headers):
        raise UpstreamError(url, "the answer is encoded for its way in more than chunks", BY_HAND)
    # A chunked answer ends with its last chunk, whatever length it may state too.
    chunked = "Transfer-Encoding" in response.headers
    size = None if chunked else _number(response.headers.get("Content-Length"))
    pieces = flowing(lambda: piece_of(response), size, patience)
    return Answer(_version(response.headers, size), 0, chunked or size is not None, pieces)


def _part(
    response: urllib3.BaseHTTPResponse, start: int, known: Version, patience: Patience
) -> Answer:
    headers = response.headers
    match = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    first, last, size = (int(number) for number in match.groups()) if match else (-1, -1, -1)
    fits = 0 < first == start and last + 1 == size and known.size in {None, size}
    fits = fits and _number(headers.get("Content-Length")) in {None, size - start}
    same = _same_version(headers, known) and _framed(headers)
    plain = headers.get("Content-Encoding", "identity").strip().lower() in {"identity", *GZIP}
    if not (fits and same and plain):
        stated = headers.get("Content-Range")
        raise Interrupted(
            f"a wrong part came (Content-Range: {stated!r} for bytes={start}-)", start_over=True
        )
    return Answer(known, start, True, flowing(lambda: piece_of(response), size - start, patience))


def _same_version(headers: Mapping[str, str], known: Version) -> bool:
    """Tell whether a part says that it is of the known version (RFC 9110, section 15.3.7).

    A part must bear the ETag that the whole has. That it need not bear a date again does not help
    where the date is all there is: such a part could be of any version.
    """
    modified = headers.get("Last-Modified")
    silent = {None} if known.etag is not None else set()
    dated = known.last_modified is None or modified in {known.last_modified, *silent}
    return headers.get("ETag") == known.etag and dated


def _framed(headers: Mapping[str, str]) -> bool:
    """Tell whether no more is done to a body on its way than to cut it into chunks.

    Any other coding is left in place by what reads the answer, and would end up in the file.
    """
    return headers.get("Transfer-Encoding", "chunked").strip().lower() == "chunked"


def _nothing_more(response: urllib3.BaseHTTPResponse, start: int, known: Version) -> Answer:
    """Believe that byte ``start`` is the end of the file, if it was known to be that before."""
    stated = response.headers.get("Content-Range", "")
    # A refusal need not name a version; one that does must name the known one.
    same = response.headers.get("ETag") in {None, known.etag}
    if stated != f"bytes */{start}" or known.size != start or not same:
        raise Interrupted(f"no part from byte {start} (Content-Range: {stated!r})", start_over=True)
    return Answer(known, start, True, iter(()))


def piece_of(response: urllib3.BaseHTTPResponse) -> bytes:
    """Return what is there of a body, nothing at its end; raises Interrupted if it breaks off."""
    try:
        piece: bytes = response.read1(CHUNK, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise Interrupted(f"the answer broke off ({cause_of(error)})") from None
    return piece


def _version(headers: Mapping[str, str], size: int | None) -> Version:
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    validator = None
    if etag is not None and etag.startswith('"'):
        validator = etag
    elif etag is None and modified is not None and _tells_versions_apart(modified, headers):
        validator = modified
    return Version(etag, modified, validator, size, headers.get("Content-Type"))


def _tells_versions_apart(modified: str, headers: Mapping[str, str]) -> bool:
    then, now = _date(modified), _date(headers.get("Date", ""))
    return then is not None and now is not None and now - then >= DATE_DISTANCE


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _number(text: str | None) -> int | None:
    return int(text) if text and NUMBER.fullmatch(text) else None


def cause_of(error: BaseException) -> str:
    """Name what is at the bottom of an error, without the URLs that the layers above show."""
    bottom = _bottom(error)
    shown = getattr(bottom, "verify_message", None) or getattr(bottom, "strerror", None)
    return shown or type(bottom).__name__


def _bottom(error: BaseException) -> BaseException:
    for _ in range(10):
        reason = getattr(error, "reason", None)
        inner = (
            reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        )
        if inner is None:
            break
        error = inner
    return error
