"""A harvest by OAI-PMH 2.0: one line of JSON for each answer, ``{"url": ..., "answer": ...}``.

The resumption token of the last answer on disk is noted beside the file, so that a killed harvest goes
on with it; a token that the repository no longer takes means to start over. An answer is parsed before
it is written, without entities and without network: what is no OAI-PMH counts as a failed request.
The URL of a line does not show the token.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from sources.formats.xml_records import tree
from sources.source import RawFile, UnreadableFile
from sources.upstream.answer import UNKNOWN
from sources.upstream.attempts import (
    CHECK_URL,
    Interrupted,
    Patience,
    Retries,
    UpstreamError,
    redacted,
)
from sources.upstream.guest import Guest
from sources.upstream.http import ask
from sources.upstream.partial import Partial
from sources.upstream.steps import noted, step

NAMESPACE = "{http://www.openarchives.org/OAI/2.0/}"
LONGEST = 64 << 20
"""Bytes of one answer."""

RESTARTS = 3
"""Times that a harvest starts over because the repository forgot its token."""

SHORT = 0.99
"""Share of the stated size of a list that must come; it may be an estimate (section 3.5)."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a harvest is: how many records came, and the token to go on with.

    The token is empty before the first answer, and None behind the last. ``seen`` is how many answers
    came, and ``cycle`` the digest of an earlier token, the last whose number was a power of two:
    a repository that gives its tokens in a circle comes by it again (Brent's way to find cycles).
    """

    token: str | None = ""
    records: int = 0
    seen: int = 0
    cycle: str = ""


@dataclass(frozen=True, slots=True)
class Harvested:
    """An answer: its text, its records, the next token if there is one, and the size it states."""

    text: str
    records: int
    token: str
    size: int | None
    error: str


def gather(raw: RawFile, part: Partial, guest: Guest, patience: Patience) -> None:
    """Bring in all answers to a request for a list; raises `UpstreamError`."""
    verb = parse_qs(urlsplit(raw.url).query).get("verb", [""])[0]
    if not verb.startswith("List"):
        raise UpstreamError(raw.url, "not a request for a list, as verb=ListRecords", CHECK_URL)
    for _ in range(RESTARTS):
        if _harvest(raw.url, verb, part, lambda url: _answer(url, guest, patience)):
            return
        part.start_over(UNKNOWN)
    what = f"it forgot where the harvest was, {RESTARTS} times"
    raise UpstreamError(raw.url, what, "run again later", True)


def _harvest(first: str, verb: str, part: Partial, answer: Callable[[str], Harvested]) -> bool:
    """Go on to the end of the list; returns False if the repository no longer takes the token."""
    place = _noted(part)
    while place.token is not None:
        url = _following(first, verb, place.token) if place.token else first
        found = answer(url)
        if found.error == "badResumptionToken" and place.token:
            return False
        if found.error == "noRecordsMatch" and not place.token:
            return True
        if found.error:
            raise UpstreamError(url, f"answers with the error {found.error}", CHECK_URL)
        following = _next(place, found)
        if following is None:
            part.start_over(UNKNOWN)
            what = "it gives a token for the second time: the list would never end"
            raise UpstreamError(first, what, "run again; if it stays so, ask the repository", True)
        place = following
        if place.token is None:
            _require_all(first, place.records, found.size, part)
        line = json.dumps({"url": redacted(url), "answer": found.text}, ensure_ascii=False)
        step(part, line.encode() + b"\n", json.dumps(asdict(place)))
    return True


def _next(place: Place, found: Harvested) -> Place | None:
    """Return the place behind an answer; None if that was reached before."""
    seen, cycle = place.seen + 1, place.cycle
    if found.token:
        digest = hashlib.sha256(found.token.encode()).hexdigest()[:32]
        if digest == cycle:
            return None
        cycle = digest if seen & (seen - 1) == 0 else cycle
    return Place(found.token or None, place.records + found.records, seen, cycle)


def _noted(part: Partial) -> Place:
    noted_place = noted(part)
    return Place(**json.loads(noted_place)) if noted_place else Place()


def _following(first: str, verb: str, token: str) -> str:
    """Return the request for what follows: the token stands for all other arguments."""
    query = f"verb={verb}&resumptionToken={quote(token, safe='')}"
    return urlunsplit(urlsplit(first)._replace(query=query))


def _require_all(url: str, records: int, size: int | None, part: Partial) -> None:
    if size is not None and records < size * SHORT:
        part.start_over(UNKNOWN)
        what = f"the list ended after {records:,} of {size:,} records"
        raise UpstreamError(url, what, "run again; if it stays so, ask the repository", True)


def _answer(url: str, guest: Guest, patience: Patience) -> Harvested:
    """Ask until an answer comes that is one."""
    retries = Retries(url, patience)
    while True:
        try:
            with ask(url, patience, guest=guest) as answer:
                content = b"".join(_within(answer.pieces, url))
            return _read(content)
        except Interrupted as interrupted:
            retries.wait(interrupted, 0)


def _within(pieces: Iterator[bytes], url: str) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LONGEST:
            raise UpstreamError(url, f"an answer of more than {LONGEST:,} bytes", CHECK_URL)
        yield piece


def _read(content: bytes) -> Harvested:
    """Read an answer; raises Interrupted if it is none."""
    try:
        root = tree(content, "the answer")
        text = content.decode("utf-8")
    except (UnreadableFile, UnicodeDecodeError):
        raise Interrupted("the answer is no XML in UTF-8") from None
    listed = [child for child in root if str(child.tag).startswith(f"{NAMESPACE}List")]
    error = root.find(f"{NAMESPACE}error")
    if root.tag != f"{NAMESPACE}OAI-PMH" or (error is None) != (len(listed) == 1):
        raise Interrupted("the answer is no list of OAI-PMH")
    if error is not None:
        return Harvested(text, 0, "", None, error.get("code", "unknown"))
    token = listed[0].find(f"{NAMESPACE}resumptionToken")
    records = len(listed[0]) - (token is not None)
    if token is None:
        return Harvested(text, records, "", None, "")
    size = token.get("completeListSize", "")
    stated = int(size) if size.isascii() and size.isdigit() else None
    return Harvested(text, records, (token.text or "").strip(), stated, "")
