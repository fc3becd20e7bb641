"""As whom a run asks its upstreams: at one pace a host, with the source's keys and the user's mirrors."""

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


def how_to_give(key: Key) -> str:
    """Tell where a key comes from, and where to put it."""
    return (
        f"{', '.join(key.hosts)} wants a key: get one at {key.where}, then set {key.name} in the "
        f'environment, or write {key.name} = "..." to {keyring_path()} (mode 600)'
    )
