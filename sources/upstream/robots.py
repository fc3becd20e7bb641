"""What a site's robots.txt allows, asked for where pages are scraped (RFC 9309).

It is fetched once a day for each site, and kept beside the host's bucket for all workers. A site
without one allows everything, and one that cannot give it now allows nothing. ``Crawl-delay`` and
``Request-rate`` slow the host's bucket; a site that wants more than `LONGEST_DELAY` is not scraped.
"""

import json
import time
from collections.abc import Callable
from functools import lru_cache
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit

from sources.upstream.attempts import Patience
from sources.upstream.bucket import locked
from sources.upstream.guest import Guest
from sources.upstream.http import user_agent
from sources.upstream.manners import file_name
from sources.upstream.robots_rules import Rules, parsed

LIMIT = 500 * 1024
"""Bytes of a robots.txt that are read (RFC 9309, section 2.5)."""

KEPT = 24 * 3600.0
"""Seconds that a robots.txt is kept (section 2.4)."""

KEPT_UNREACHED = 3600.0
"""Seconds after which a site that could not give it is asked again."""

LONGEST_DELAY = 60.0
"""Most seconds between two pages that are waited for."""

NOTHING = "User-agent: *\nDisallow: /\n"


Asked = Callable[[str, Guest, Patience], str]
"""Asks for a robots.txt by its address: its text, empty if there is none, or `NOTHING`."""


def allowed(url: str, guest: Guest, patience: Patience, asked: Asked) -> bool:
    """Tell whether a site lets us fetch a page, and slow its host down to what it asks for.

    What ``asked`` raises goes through, and is not kept.
    """
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    agent = user_agent(guest.manners.contact)
    kept = guest.manners.beside(parts.netloc, f"robots-{file_name(site)}")
    text = _text(kept, lambda: asked(f"{site}/robots.txt", guest, patience))
    rules = _parsed(text, agent)
    if rules.delay > LONGEST_DELAY or not rules.allow(url):
        return False
    guest.manners.slow(parts.netloc, rules.delay)
    return True


def _text(kept: Path, fetched: Callable[[], str]) -> str:
    """Return a robots.txt, from the disk if it was fetched today; one worker at a time asks for it."""
    with locked(kept) as file:
        text = _read(file)
        if text is None:
            text = fetched()
            kept_for = KEPT if text != NOTHING else KEPT_UNREACHED
            file.seek(0)
            file.truncate()
            file.write(json.dumps({"until": time.time() + kept_for, "text": text}).encode())
        return text


def _read(file: FileIO) -> str | None:
    try:
        found = json.loads(file.read())
        text, left = str(found["text"]), float(found["until"]) - time.time()
    except (ValueError, TypeError, KeyError):
        return None
    return text if 0 < left <= KEPT else None


@lru_cache(maxsize=64)
def _parsed(text: str, agent: str) -> Rules:
    return parsed(text, agent)
