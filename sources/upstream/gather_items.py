"""The answers of an API that gives one item at a time, as lines of JSON in the order of their numbers.

Many items are asked for at once, over connections that are kept, no more than the host's pace allows.
A line is an item as upstream sends it, ``null`` too; what is neither ``null`` nor a JSON object is
never written, whatever its status. A killed download goes on at a line.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit
from urllib.request import url2pathname

import orjson
import urllib3

from sources.source import RawFile
from sources.upstream import keys
from sources.upstream.attempts import CHECK_URL, Interrupted, Patience, Retries, UpstreamError
from sources.upstream.flow import flowing
from sources.upstream.guest import Guest
from sources.upstream.http import SCHEMES, piece_of, refusal, retry_after, sent, user_agent
from sources.upstream.partial import Partial
from sources.upstream.steps import noted, step

RANGE = re.compile(r"\{([0-9]{1,15})\.\.([0-9]{1,15})\}")
RUN = 16
"""Items that a thread asks for, one after the other, before it hands them over."""

BATCH = 1024
"""Items that are brought to disk together: so many are asked for again after a kill."""

LONGEST = 4 << 20
"""Bytes of one item."""

Ask = Callable[[str], bytes]
"""Asks once for an item by its address; raises UpstreamError, or Interrupted."""


def gather(raw: RawFile, part: Partial, guest: Guest, patience: Patience) -> None:
    """Bring in all items of an address with ``{first..last}``; raises `UpstreamError`."""
    address = raw.url.replace("%7B", "{").replace("%7D", "}")
    found = RANGE.search(address)
    if found is None or RANGE.search(address, found.end()) or int(found[1]) > int(found[2]):
        raise UpstreamError(raw.url, "not an address with one range, {first..last}", CHECK_URL)
    before, after = address[: found.start()], address[found.end() :]
    following = int(noted(part) or found[1])
    pace = guest.manners.pace(urlsplit(address).netloc) or guest.manners.default
    ask = _ask(address, guest, patience)
    numbers = range(following, int(found[2]) + 1)
    wanted = ((number, f"{before}{number}{after}") for number in numbers)
    _write(part, following, _runs(ask, wanted, pace.connections, patience))


def _ask(address: str, guest: Guest, patience: Patience) -> Ask:
    """Return what asks for an item; raises UpstreamError where items cannot be asked for one by one."""
    scheme = urlsplit(address).scheme
    if scheme == "file":
        return local
    if scheme not in SCHEMES:
        what = f"items are not to be had by {scheme}, but over HTTP(S) or from a folder"
        raise UpstreamError(address, what, CHECK_URL)
    return partial(asked, headers_for(address, guest), guest, patience, longest=LONGEST)


def _write(part: Partial, following: int, runs: Iterator[list[bytes]]) -> None:
    """Append lines batch by batch; those that came before a failure are kept too."""
    batch: list[bytes] = []
    try:
        for lines in runs:
            batch += lines
            if len(batch) >= BATCH:
                following += len(batch)
                content, batch = b"".join(batch), []
                step(part, content, str(following))
    finally:
        if batch:
            step(part, b"".join(batch), str(following + len(batch)))


def _runs(
    ask: Ask, wanted: Iterator[tuple[int, str]], connections: int, patience: Patience
) -> Iterator[list[bytes]]:
    """Yield the lines of all items in their order, run by run, a few runs ahead."""
    stop = Event()
    ahead: deque[Future[list[bytes]]] = deque()
    with ThreadPoolExecutor(connections) as threads:
        try:
            while run := list(islice(wanted, RUN)):
                ahead.append(threads.submit(_run, ask, run, patience, stop))
                if len(ahead) > 2 * connections:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def _run(ask: Ask, wanted: list[tuple[int, str]], patience: Patience, stop: Event) -> list[bytes]:
    return [_line(ask, *item, patience, stop) for item in wanted]


def _line(ask: Ask, number: int, url: str, patience: Patience, stop: Event) -> bytes:
    """Ask for an item until it comes; nobody waits for it once ``stop`` is set."""
    retries = Retries(url, patience)
    while not stop.is_set():
        try:
            return _checked(ask(url), number)
        except Interrupted as interrupted:
            retries.wait(interrupted, 0)
    raise UpstreamError(url, "not asked for", "run again", True)


def _checked(answer: bytes, number: int) -> bytes:
    """Return an answer as one line: where JSON has line ends, spaces do.

    Raises Interrupted if it is no item, or says of itself that it is another one.
    """
    try:
        item = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise Interrupted("the answer is no JSON") from None
    if item is not None and not isinstance(item, dict):
        raise Interrupted("the answer is neither null nor a JSON object")
    if item is not None and str(item.get("id", number)) != str(number):
        raise Interrupted("the answer is another item")
    return answer.strip().replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def asked(
    headers: Mapping[str, str], guest: Guest, patience: Patience, url: str, longest: int
) -> bytes:
    """Ask once for at most so many bytes, in the host's turn; raises UpstreamError, or Interrupted.

    A connection is kept only if all of its answer was read.
    """
    host = urlsplit(url).netloc
    with (
        guest.manners.turn(host, patience.budget),
        closing(sent("GET", url, headers, patience)) as response,
    ):
        guest.manners.hold(host, retry_after(response.headers))
        answer = _body(response, patience, longest)
    if response.status != HTTPStatus.OK:
        raise refusal(response, url)
    if len(answer) > longest:
        raise UpstreamError(url, f"an item of more than {longest:,} bytes", CHECK_URL)
    return answer


def _body(response: urllib3.BaseHTTPResponse, patience: Patience, longest: int) -> bytes:
    """Return what comes, no more than is too much, unless it comes too slowly."""
    content = bytearray()
    for piece in flowing(lambda: piece_of(response), None, patience):
        content += piece
        if len(content) > longest:
            break
    return bytes(content)


def local(url: str) -> bytes:
    """Read an item from a local mirror."""
    try:
        return Path(url2pathname(urlsplit(url).path)).read_bytes()
    except OSError as error:
        raise UpstreamError(url, f"cannot be read ({error.strerror})", CHECK_URL) from None


def headers_for(url: str, guest: Guest) -> dict[str, str]:
    """Return what each request says: who asks, and the host's key."""
    agent = user_agent(guest.manners.contact)
    return {"User-Agent": agent, "Accept-Encoding": "identity", **keys.headers(url, guest.keys)}
