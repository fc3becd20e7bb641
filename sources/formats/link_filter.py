"""Which linked pages OpenWebText2 left out by their address alone.

`published` follows the original to the letter, oddities included: hosts are compared as they are
spelt, so ``IMGUR.com`` passes; a fragment behind a name hides its ending (``a.pdf#page=2`` passes), and
a host may look like one (``https://cash.app`` does not). `corrected` compares hosts in lower case and
endings of the path alone.

Registered domains are told by the list of public suffixes that the installed tldextract brings; it
is never fetched.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import tldextract

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not_http": "no http or https address of a host with a domain, or with a space in it",
        "blocked_domain": "of a site of pictures, videos, posts, or one that defeats scrapers",
        "blocked_extension": "a picture, video, document, archive or program, by its name",
    }
)
"""Why an address is left out."""

# fmt: off
BLOCKED_DOMAINS = frozenset({
    "imgur.com", "redd.it", "instagram.com", "discord.gg", "gfycat.com", "giphy.com",
    "reddituploads.com", "redditmedia.com", "twimg.com", "sli.mg", "magaimg.net", "flickr.com",
    "imgflip.com", "youtube.com", "youtu.be", "youtubedoubler.com", "vimeo.com", "twitch.tv",
    "streamable.com", "bandcamp.com", "soundcloud.com", "reddit.com", "gyazo.com", "github.com",
    "xkcd.com", "twitter.com", "spotify.com", "itunes.apple.com", "facebook.com", "gunprime.com",
    "strawpoll.me", "voyagefusion.com", "rollingstone.com", "google.com", "timeanddate.com",
    "walmart.com", "roanoke.com", "spotrac.com", "wikipedia.org", "battleforthenet.com",
})

BLOCKED_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".gif", ".gifv", ".pdf", ".mp4", ".mp3", ".ogv", ".webm", ".doc",
    ".docx", ".log", ".csv", ".dat", ".iso", ".bin", ".exe", ".apk", ".jar", ".app", ".ppt",
    ".pps", ".pptx", ".xml", ".gz", ".xz", ".bz2", ".tgz", ".tar", ".zip", ".wma", ".mov", ".wmv",
    ".3gp", ".svg", ".rar", ".wav", ".avi", ".7z",
)
# fmt: on

SHORTEST = 9
"""Characters that an address has at least."""

# A line end behind all of it is overlooked, as `$` did.
_ADDRESS = re.compile(
    r"https?://"
    r"(?:(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+(?:[A-Z]{2,6}\.?|[A-Z0-9-]{2,}\.?)"
    r"|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"
    r"(?::\d+)?(?:/?|[/?]\S+)$",
    re.IGNORECASE,
)
_EXTRACT = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def published(url: str) -> str | None:
    """Return why the original left an address out, one of `REASONS`, or None if it took it."""
    if not _is_address(url):
        return "not_http"
    if _is_blocked(url):
        return "blocked_domain"
    return "blocked_extension" if _ends_blocked(url.partition("?")[0]) else None


def corrected(url: str) -> str | None:
    """Return why an address is left out, hosts and endings told as they are meant."""
    if not _is_address(url):
        return "not_http"
    parts = urlsplit(url)
    if _is_blocked(f"http://{parts.netloc.lower()}"):
        return "blocked_domain"
    return "blocked_extension" if _ends_blocked(parts.path) else None


FILTERS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"published": published, "corrected": corrected}
)


def registered_domain(url: str) -> str:
    """Return the domain and public suffix of an address, as they are spelt; either may be missing."""
    found = _EXTRACT(url)
    return ".".join(filter(None, (found.domain, found.suffix)))


def _is_address(url: str) -> bool:
    return len(url) >= SHORTEST and " " not in url and _ADDRESS.match(url) is not None


def _is_blocked(url: str) -> bool:
    found = _EXTRACT(url)
    host = ".".join(filter(None, (found.subdomain, found.domain, found.suffix)))
    return f"{found.domain}.{found.suffix}" in BLOCKED_DOMAINS or host in BLOCKED_DOMAINS


def _ends_blocked(url: str) -> bool:
    return url.lower().endswith(BLOCKED_ENDINGS)
