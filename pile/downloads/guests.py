"""As whom a run asks its upstreams: at one pace a host, with the source's keys and the user's mirrors."""

import importlib
import math
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from pile import layout
from pile.config import Config
from sources.registry import SOURCES
from sources.source import Key, Pace, Source
from sources.upstream.guest import Guest
from sources.upstream.keys import keyring_path, missing
from sources.upstream.manners import Manners


class Refused(Exception):  # noqa: N818 - the name says what happens to the run
    """A run that is not to start: it lacks a key, or leave to spend."""


def guest(config: Config, source: Source) -> Guest:
    """Return who asks for a source's raw files; all guests of a run share their manners.

    It may spend only where a price is known: what any other upstream bills would be in no sum.
    """
    may_spend = config.run.spend_usd > 0 and source.usd_per_gb > 0
    manners = Manners(layout.manners(config.work), _paces(), contact=config.contact)
    return Guest(manners, source.keys, config.mirrors, spend=may_spend)


def _paces() -> dict[str, Pace]:
    """Return how each host wants to be asked, whichever source asks it: where two differ, the slower."""
    found: dict[str, Pace] = {}
    for source in SOURCES.values():
        for host, pace in source.paces.items():
            known = found.setdefault(host, pace)
            found[host] = min(known, pace, key=lambda one: (one.per_second, one.connections))
    return found


def lacking(source: Source) -> list[Key]:
    """Return the keys that a source's hosts require and that are not there.

    Raises `sources.upstream.keys.UnsafeKeyring`.
    """
    return missing(source.keys)


def unmet(config: Config, source: Source, urls: Iterable[str]) -> str:
    """Return what must be given before addresses of a source's upstream are asked for; empty if nothing.

    That is each required key, unless its host has a mirror and none of these addresses leads there;
    and for who is billed leave to spend, and credentials, unless all of these addresses have a mirror.
    Raises `sources.upstream.keys.UnsafeKeyring`.
    """
    lack = lacking(source)
    if not lack and not source.usd_per_gb:
        return ""
    asked = guest(config, source)
    there = [(url, asked.mirrored(url)) for url in urls]
    hosts = {host for _, url in there for host in _hosts(url)}
    keys = [key for key in lack if there and _wants(asked, key, hosts)]
    if keys:
        wanted = "; ".join(map(_how_to_give, keys))
        return f"{wanted}; or set enabled = false in [sources.{source.name}]"
    paid = source.usd_per_gb and any(url == mirrored for url, mirrored in there)
    return _leave_to_spend(config, source) if paid else ""


def unmet_by_host(config: Config, source: Source) -> str:
    """Return as `unmet` what must be given, of a source whose addresses are not known: by its first host."""
    return unmet(config, source, [f"https://{host}/" for host in list(source.paces)[:1]])


def _wants(asked: Guest, key: Key, hosts: Collection[str | None]) -> bool:
    """Tell whether a key is wanted: by these hosts, or by one of its own that has no mirror."""
    own = set(key.hosts)
    return not own.isdisjoint(hosts) or not any(own & _hosts(prefix) for prefix, _ in asked.mirrors)


def _hosts(url: str) -> set[str | None]:
    parts = urlsplit(url)
    return {parts.netloc, parts.hostname}


def _leave_to_spend(config: Config, source: Source) -> str:
    if not config.run.spend_usd:
        return unpriced(source)
    # Imported here, as boto3 takes long to load and few need it.
    s3 = importlib.import_module("sources.upstream.s3")
    if s3.has_credentials():
        return ""
    return f"what is downloaded is billed to your account there, and boto3 finds none: {s3.SET_CREDENTIALS}"


def _how_to_give(key: Key) -> str:
    return (
        f"{', '.join(key.hosts)} wants a key: get one at {key.where}, then set {key.name} in the "
        f'environment, or write {key.name} = "..." to {keyring_path()} (mode 600)'
    )


def usd(size: int, per_gb: float) -> float:
    """Return what a download costs whoever fetches it."""
    return size / 1e9 * per_gb


def priced(name: str, size: int, dollars: float) -> str:
    """Return how much a source downloads, and what that costs."""
    return f"{name}: {_priced(size, dollars)}"


def _priced(size: int, dollars: float) -> str:
    return f"{size / 1e9:,.{0 if size >= 1e9 else 3}f} GB, about {dollars:,.2f} USD"


def unpriced(source: Source) -> str:
    """Return why a source is not even planned without leave to spend: its list itself is paid for."""
    whole = usd(source.raw_bytes, source.usd_per_gb)
    return (
        f"its list of files is billed to your account there, and so are they: {_priced(source.raw_bytes, whole)}, for"
        f" all that the recipe of 2020 takes; set [run] spend_usd = {max(1, math.ceil(whole))} (or more) to allow that."
        " Your options may take far less: with any spend_usd above 0 the list is read for cents, the exact price"
        " shown, and nothing fetched that costs more. Or map its addresses to a mirror in [run.mirrors], give files"
        f" of your own, or set enabled = false in [sources.{source.name}]"
    )


def unpaid(name: str, size: int, per_gb: float) -> str:
    """Return why a source is not downloaded from without leave to spend, and how to give it."""
    least = max(1, math.ceil(usd(size, per_gb)))
    return (
        f"{_priced(size, usd(size, per_gb))}, billed to your account there: set [run] spend_usd = {least} "
        f"(or more) to allow it, map its addresses to a mirror in [run.mirrors], give files of your own, "
        f"or set enabled = false in [sources.{name}]"
    )
