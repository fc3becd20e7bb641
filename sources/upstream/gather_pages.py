"""The web pages that a list names, as a WARC in the order of the list.

A line of the list is an address, or JSON with ``url``; blank lines are none. Each line becomes one
record: the page, or why it could not be had, for one of `sources.upstream.page.REASONS`. Hosts are
asked at once, each at its own pace, and any other once a second. If many hosts in a row are out of reach, our own network is taken
for broken, and those pages are asked for again next time. A killed download goes on at a record.
"""

import hashlib
import itertools
import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from urllib3.util import parse_url

from sources.archives import Overlong, lines, open_stream
from sources.source import Pace, RawFile, UnreadableFile
from sources.upstream.answer import UNKNOWN
from sources.upstream.attempts import CHECK_URL, Patience, UpstreamError
from sources.upstream.guest import Guest
from sources.upstream.page import OUT_OF_REACH, Missing, page
from sources.upstream.partial import Partial
from sources.upstream.steps import noted, step
from sources.upstream.warc_records import Line, missing_record, response_record

UNASKED = Pace(1.0, 2)
"""How a host is asked whose pace nobody states: those who put up these pages offered no downloads."""

THREADS = 32
OF_A_HOST = 4
"""Threads that wait for one host, which may be asked slowly."""

AHEAD = 1024
"""Lines that are worked on, or wait for a turn, or for one before them."""

HELD_BYTES = 256 << 20
"""Bytes of pages that wait for one before them, beyond which no more are asked for."""

BATCH = 32
"""Records that are brought to disk together."""

LONGEST_LINE = 64 * 1024
OUTAGE = 100
"""Pages in a row, of `OUTAGE_HOSTS` hosts or more, that are out of reach if our own network is."""

OUTAGE_HOSTS = 10

RUN_AGAIN = "run again, and leave the list alone meanwhile"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record of a line, and the host that was out of reach, if one was."""

    line: int
    record: bytes
    unreached: str | None


def gather(raw: RawFile, part: Partial, guest: Guest, patience: Patience) -> None:
    """Bring in the pages of the list at a ``file:`` URL; raises `UpstreamError`.

    With ``#sha256=…`` behind it, that digest must be the list's: the WARC stands for that very list.
    """
    parts = urlsplit(raw.url)
    if parts.scheme != "file":
        raise UpstreamError(raw.url, "not a file: URL of a list of pages", CHECK_URL)
    path = Path(url2pathname(parts.path))
    guest = replace(guest, manners=replace(guest.manners, default=UNASKED))
    try:
        listed = _digest(path)
        if parts.fragment not in {"", f"sha256={listed}"}:
            raise UpstreamError(raw.url, "the list is not the one that was planned", RUN_AGAIN)
        following = _following(part, listed)
        outcomes = _outcomes(path, listed, following, guest, patience)
        _write(part, raw.url, listed, outcomes)
        if _digest(path) != listed:
            part.start_over(UNKNOWN)
            raise UpstreamError(raw.url, "the list changed while its pages came", RUN_AGAIN)
    except OSError as error:
        if error.filename != str(path):
            raise
        raise UpstreamError(raw.url, f"cannot be read ({error.strerror})", CHECK_URL) from None
    except UnreadableFile as error:
        raise UpstreamError(raw.url, str(error), CHECK_URL) from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _following(part: Partial, listed: str) -> int:
    """Return the line to go on with, the first unless what is there is of this very list."""
    digest, _, line = (noted(part) or "").partition(" ")
    if digest == listed:
        return int(line)
    part.start_over(UNKNOWN)
    return 1


def _write(part: Partial, url: str, listed: str, outcomes: Iterator[Outcome]) -> None:
    """Append records, but those of the pages out of reach only when one behind them was not."""
    settled: list[Outcome] = []
    doubtful: list[Outcome] = []
    try:
        for outcome in outcomes:
            doubtful.append(outcome)
            if outcome.unreached is None:
                settled += doubtful
                doubtful.clear()
            elif len(doubtful) >= OUTAGE:
                _require_network(url, doubtful)
                settled += doubtful
                doubtful.clear()
            if len(settled) >= BATCH:
                writing, settled = settled, []
                _step(part, listed, writing)
        _require_network(url, doubtful)
        settled += doubtful
    finally:
        if settled:
            _step(part, listed, settled)


def _step(part: Partial, listed: str, outcomes: list[Outcome]) -> None:
    records = b"".join(outcome.record for outcome in outcomes)
    step(part, records, f"{listed} {outcomes[-1].line + 1}")


def _require_network(url: str, outcomes: list[Outcome]) -> None:
    hosts = len({outcome.unreached for outcome in outcomes})
    if hosts >= OUTAGE_HOSTS:
        what = f"the last {len(outcomes)} pages, on {hosts} hosts, were all out of reach"
        raise UpstreamError(url, what, "see that this machine is online, then run again", True)


def _outcomes(
    path: Path, listed: str, following: int, guest: Guest, patience: Patience
) -> Iterator[Outcome]:
    """Yield what became of each line from ``following`` on, in their order.

    Neighbours in a list are often pages of one host, which may be asked slowly: no more than
    `OF_A_HOST` threads wait for one, and the others go on with pages of other hosts behind them.
    """
    wanted_lines = _wanted(path, listed, following)
    ahead: deque[_Wanted] = deque()
    running: set[Future[Outcome]] = set()
    threads = ThreadPoolExecutor(THREADS)

    def ask(wanted: _Wanted) -> Outcome:
        return _outcome(wanted.asked, wanted.number, guest, patience)

    try:
        while True:
            ahead.extend(itertools.islice(wanted_lines, AHEAD - len(ahead)))
            if not ahead:
                return
            for wanted in _next(ahead):
                wanted.outcome = threads.submit(ask, wanted)
                running.add(wanted.outcome)
            while ahead and ahead[0].outcome is not None and ahead[0].outcome.done():
                yield ahead.popleft().outcome.result()  # type: ignore[union-attr] # it was seen
            if running:  # those too that have come since `_next`: their threads are free
                running = wait(running, return_when=FIRST_COMPLETED).not_done
    finally:
        threads.shutdown(cancel_futures=True)


@dataclass(slots=True)
class _Wanted:
    """A line that is ahead, and what becomes of it once it is asked for."""

    number: int
    asked: Line
    host: str
    outcome: Future[Outcome] | None = None


def _wanted(path: Path, listed: str, following: int) -> Iterator[_Wanted]:
    for number, line in _listed(path, following):
        asked = _asked(line, listed, number)
        yield _Wanted(number, asked, _host(asked))


def _host(asked: Line) -> str:
    """Return the host that is asked; an address that has none is refused without asking."""
    try:
        return urlsplit(asked.url).hostname or ""
    except ValueError:
        return ""


def _next(ahead: Sequence[_Wanted]) -> Iterator[_Wanted]:
    """Yield the lines to ask for now; only the first while the pages that wait for it fill memory."""
    busy: Counter[str] = Counter()
    held = 0
    for one in ahead:
        if one.outcome is not None and one.outcome.done():
            held += 0 if one.outcome.exception() else len(one.outcome.result().record)
        elif one.outcome is not None:
            busy[one.host] += 1
    free = THREADS - busy.total()
    for one in itertools.islice(ahead, None if held < HELD_BYTES else 1):
        if free and one.outcome is None and busy[one.host] < OF_A_HOST:
            busy[one.host] += 1
            free -= 1
            yield one


def _listed(path: Path, following: int) -> Iterator[tuple[int, bytes | Overlong]]:
    with open_stream(path) as stream:
        for number, line in enumerate(lines(stream, LONGEST_LINE), 1):
            if number >= following and (isinstance(line, Overlong) or line.strip()):
                yield number, line


def _outcome(asked: Line, number: int, guest: Guest, patience: Patience) -> Outcome:
    try:
        found = page(asked.url, guest, patience)
    except Missing as missing:
        record = missing_record(missing, asked, datetime.now(UTC))
        unreached = parse_url(asked.url).host if missing.reason in OUT_OF_REACH else None
        return Outcome(number, record, unreached)
    return Outcome(number, response_record(found, asked), None)


def _asked(line: bytes | Overlong, listed: str, number: int) -> Line:
    """Return what a line asks for; its address is empty if it holds none."""
    if isinstance(line, Overlong):
        return Line(listed, number, "")
    text = line.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    if not text.startswith("{"):
        return Line(listed, number, text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Line(listed, number, "")
    url = found.get("url")
    entry = json.dumps(found, separators=(",", ":"))
    return Line(listed, number, url.strip() if isinstance(url, str) else "", entry)
