"""Whether the upstreams still answer as expected: one request each, and what has moved.

The request is the first that a source's plan makes, and its answer must be one that the plan can read;
a plan that asks nothing is made of fixed addresses, and the head of the first file is asked for.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from pile.config import Config, SourceTable
from pile.downloads.guests import guest, unmet
from pile.downloads.raw_files import NOT_AS_EXPECTED, remote
from sources.fetch import UpstreamError
from sources.registry import SOURCES
from sources.source import RawFile, Source
from sources.upstream.look import Seen, look

AT_ONCE = 8
"""Upstreams asked at a time."""

State: TypeAlias = Literal["ok", "moved", "down", "local", "not asked"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request: how the upstream of a source is, and what to know about it."""

    source: str
    host: str
    state: State
    what: str


class _EnoughError(Exception):
    """The plan understood its first listing, and wants another."""


class _NotAskedError(Exception):
    """An upstream that wants a key or leave to spend; with the address, and what is wanted."""


def check(config: Config, tables: Sequence[SourceTable]) -> list[Answered]:
    """Ask the upstream of each source once, in the order given."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda table: _check(config, table), tables))


def default_table(name: str) -> SourceTable:
    """Return a source's table as it is with no key in it."""
    source = SOURCES[name]
    return SourceTable(
        name=name, reader=name, pile_set_name=source.pile_set_name, licence=source.licence
    )


def _check(config: Config, table: SourceTable) -> Answered:
    source = table.source
    given = remote(config, table)
    if not given and (table.files or source.access == "local"):
        return Answered(table.name, "", "local", "read from files of your own")
    try:
        return _ask(config, table, given)
    except _NotAskedError as error:
        url, why = error.args
        return Answered(table.name, urlsplit(url).netloc, "not asked", why)
    except UpstreamError as error:
        host = urlsplit(error.url).netloc
        state: State = "down" if error.retry_later else "moved"
        return Answered(table.name, host, state, str(error))


def _ask(config: Config, table: SourceTable, given: Sequence[RawFile]) -> Answered:
    source, listed = table.source, list[tuple[str, Seen]]()

    def get(url: str) -> bytes:
        if listed:
            raise _EnoughError
        listed.append((url, _look(config, source, url, "GET")))
        return listed[0][1].content

    raw: RawFile | None = None
    try:
        raw = next(iter(given or source.plan(table.all_options, get)), None)
    except _EnoughError:
        pass
    except NOT_AS_EXPECTED as error:
        url = listed[0][0] if listed else source.homepage
        return _moved(table, url, f"its listing has another form ({type(error).__name__}: {error})")
    if listed:
        url, seen = listed[0]
        return _judged(table, url, seen, "its listing reads as expected")
    if raw is None:
        return _moved(table, source.homepage, "its plan names no file")
    seen = _look(config, source, _first_address(raw), "HEAD")
    if None not in {raw.size, seen.size} and raw.size != seen.size and raw.form == "file":
        return _moved(table, raw.url, f"it has {seen.size:,} bytes now, not {raw.size:,}")
    return _judged(table, raw.url, seen, f"{raw.name} is there")


def _look(config: Config, source: Source, url: str, method: Literal["HEAD", "GET"]) -> Seen:
    """Ask once, unless the upstream wants what it is not given."""
    if why := unmet(config, source, [url]):
        raise _NotAskedError(url, why)
    return look(url, guest(config, source), method)


def _first_address(raw: RawFile) -> str:
    """Return the first address that is asked for a raw file."""
    if raw.form != "items":
        return raw.url
    start, _, rest = raw.url.partition("{")
    numbers, _, end = rest.partition("}")
    return f"{start}{numbers.partition('..')[0]}{end}"


def _judged(table: SourceTable, url: str, seen: Seen, well: str) -> Answered:
    if seen.moved_to:
        return _moved(table, url, f"{url} has moved for good to {seen.moved_to}")
    return Answered(table.name, urlsplit(url).netloc, "ok", well)


def _moved(table: SourceTable, url: str, what: str) -> Answered:
    return Answered(table.name, urlsplit(url).netloc, "moved", what)
