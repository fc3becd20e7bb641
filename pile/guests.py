"""As whom a run asks its upstreams: at one pace a host, with the source's keys and the user's mirrors."""

import math
from collections.abc import Sequence

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
    """Return who asks for a source's raw files; all guests of a run share their manners."""
    manners = Manners(layout.manners(config.work), _paces(), contact=config.contact)
    return Guest(manners, source.keys, config.mirrors, spend=config.run.spend_usd > 0)


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


def require_keys(name: str, keys: Sequence[Key]) -> None:
    """Refuse to go on without keys, telling where they come from; raises `Refused`."""
    if keys:
        wanted = "; ".join(_how_to_give(key) for key in keys)
        raise Refused(f"{name}: {wanted}; or set enabled = false in [sources.{name}]")


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
    return f"{name}: {size / 1e9:,.{0 if size >= 1e9 else 3}f} GB, about {dollars:,.2f} USD"


def unpriced(source: Source) -> str:
    """Return why a source is not even planned without leave to spend: its list itself is paid for."""
    whole = usd(source.raw_bytes, source.usd_per_gb)
    return (
        f"its list of files is paid for by who reads it, and so are they; all that the recipe of 2020 takes has about "
        f"{source.raw_bytes / 1e9:,.0f} GB, about {whole:,.0f} USD. What your options take may be far less: with [run] "
        f"spend_usd above 0 the list is read for cents, the price shown exactly, and nothing fetched above "
        f"spend_usd. Or map its addresses to a mirror in [run.mirrors], give files of your own, or set enabled "
        f"= false in [sources.{source.name}]"
    )


def unpaid(name: str, size: int, per_gb: float) -> str:
    """Return why a source is not downloaded from without leave to spend, and how to give it."""
    least = max(1, math.ceil(usd(size, per_gb)))
    return (
        f"{priced(name, size, usd(size, per_gb))}, billed to your account there: set [run] spend_usd = {least} "
        f"(or more) to allow it, map its addresses to a mirror in [run.mirrors], give files of your own, "
        f"or set enabled = false in [sources.{name}]"
    )
