"""However a server misbehaves: the file is exact, or the failure clear; and a kill costs one chunk."""

import gzip
import hashlib
import socket
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from sources.fetch import Patience, UpstreamError, fetch
from sources.source import Pace, RawFile
from sources.upstream.guest import ALONE, Guest
from sources.upstream.manners import Manners

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import DATE, Reply, Request, Upstream, serving, whole
from faults import CORRUPTING, FAULTS, LONG_WAITS, SIZE_TELLS, Served

RESOLVE = socket.getaddrinfo
SESSIONS = 500
RATE = 200.0
"""Requests a second that the server wants at most."""

CALLS = 3
"""How often a session tries again what may pass."""

PATIENCE = Patience(attempts=4, budget=60.0, read_timeout=0.15, sleep=lambda _: None)


@dataclass(frozen=True)
class Session:
    """One file to be had over a series of faults, after which the server is honest."""

    number: int
    known: str
    faults: tuple[str, ...]
    content: bytes
    dated: bool = False

    @property
    def name(self) -> str:
        """Return the name, which promises gzip if that is what vouches for the file."""
        return f"{self.number}.txt.gz" if self.known == "format" else f"{self.number}.txt"

    def raw(self, url: str) -> RawFile:
        """Plan the file with what is known of it beforehand."""
        size = len(self.content) if self.known == "size" else None
        digest = f"sha256:{hashlib.sha256(self.content).hexdigest()}"
        return RawFile(
            f"{url}/{self.name}", self.name, size, digest if self.known == "checksum" else None
        )


def session(number: int) -> Session:
    """Draw a session: what is known of the file, and the faults that could be told by it."""
    draw = Random(number)
    known = ("checksum", "format", "size", "nothing")[number % 4]
    told = {"checksum": CORRUPTING, "format": CORRUPTING, "size": SIZE_TELLS, "nothing": {"empty"}}
    names = [name for name in FAULTS if name not in CORRUPTING or name in told[known]]
    lines = b"".join(b"%d %d\n" % (number, draw.getrandbits(60)) for _ in range(3000))
    return Session(
        number,
        known,
        tuple(draw.choices(names, k=draw.randint(1, 6))),
        gzip.compress(lines, 1) if known == "format" else lines,
        dated=number % 5 == 0,
    )


def by_date(reply: Reply) -> Reply:
    """Take the ETag off an answer, and tell its versions apart by date alone."""
    etag = reply.headers.get("ETag")
    if etag is None:
        return reply
    rest = {name: value for name, value in reply.headers.items() if name != "ETag"}
    year = 2000 + int(hashlib.sha256(etag.encode()).hexdigest(), 16) % 25
    date = f"Sat, 01 Jan {year} 07:28:00 GMT"
    return replace(reply, headers=rest | {"Last-Modified": date, "Date": DATE})


def resolved_here(host: str, *rest: object, **more: object) -> object:
    """Resolve the names of this machine, and no others: a resolver may take its time to say no."""
    if str(host).endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return RESOLVE(host, *rest, **more)  # type: ignore[arg-type] # as it was called


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """One server for all sessions, reached without any proxy."""
    with pytest.MonkeyPatch.context() as patch, serving() as server:
        patch.setenv("NO_PROXY", "*")
        patch.delenv("PILE_USER_AGENT", raising=False)
        patch.setattr(socket, "getaddrinfo", resolved_here)
        yield server


def outcome(upstream: Upstream, one: Session, partial: Path, guest: Guest) -> str:
    """Run a session; return ``exact`` or what failed, having made sure that it is one of both."""
    served = Served(one.content, f'"{one.number}"', one.content[::-1], upstream.url)
    left = list(one.faults)

    def answer(request: Request) -> object:
        if one.dated and "If-Range" in request.headers:
            # What by_date said of the file, and of no other version.
            fits = (
                request.headers["If-Range"]
                == by_date(whole(b"", ETag=served.etag)).headers["Last-Modified"]
            )
            request.headers["If-Range"] = served.etag if fits else "another"
        reply = chosen(request)
        return by_date(reply) if one.dated else reply

    def chosen(request: Request) -> Reply:
        return FAULTS[left.pop(0)](served, request) if left else served.honest(request)

    upstream.otherwise = answer  # type: ignore[assignment] # replies come from the table of faults
    for _ in range(CALLS):
        try:
            found = fetch(one.raw(upstream.url), partial, guest=guest, patience=PATIENCE)
        except UpstreamError as error:
            failed = error
            url, what, remedy, retry_later, *_ = error.args
            assert url.startswith("http")
            assert len(what) > 5
            assert len(remedy) > 5
            assert str(error) == f"{url}: {what}; {remedy}"
            if not retry_later:
                break
        else:
            assert partial.read_bytes() == one.content, one
            assert found.sha256 == hashlib.sha256(one.content).hexdigest()
            return "exact"
    return str(failed)


def test_a_session_over_any_faults_ends_with_the_exact_file_or_a_clear_failure(
    upstream: Upstream, tmp_path: Path
) -> None:
    """500 seeded mixes of more than 40 faults: never a wrong file, and never more than the pace.

    A quarter of the files have a published checksum, a quarter a format that shows its end, a quarter
    a size in the plan. Every fifth server has no ETags, but dates. Where nothing is known beforehand, no fault but an empty answer forges length and
    bytes together: no client can tell those.
    """
    paced = Guest(Manners(tmp_path / "manners", {"127.0.0.1": Pace(RATE)}, contact="paced"))
    ends: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for number in range(SESSIONS):
        one = session(number)
        # What is to be waited for is waited for: those who are told to do so keep no pace here.
        guest = ALONE if LONG_WAITS.intersection(one.faults) else paced
        end = outcome(upstream, one, tmp_path / "raw.partial", guest)
        ends["exact" if end == "exact" else "failed"] += 1
        met.update(one.faults)
        for left in tmp_path.glob("raw*"):
            left.unlink()
    assert ends["exact"] > SESSIONS // 4, ends
    assert ends["failed"] > SESSIONS // 10, ends
    assert set(met) == set(FAULTS)
    at_a_pace = [r.at for r in upstream.requests if "paced" in r.headers["User-Agent"]]
    assert len(at_a_pace) > SESSIONS
    assert most_within(at_a_pace, 0.5) <= RATE / 2 + 2


def most_within(moments: list[float], seconds: float) -> int:
    """Return the most of some rising moments that lie in any window of a length."""
    return max(
        bisect_left(moments, first + seconds) - number for number, first in enumerate(moments)
    )
