"""Who asks an upstream: with which manners, keys, mirrors, and leave to spend."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from sources.source import Key
from sources.upstream.attempts import CHECK_URL, UpstreamError
from sources.upstream.manners import Manners


@dataclass(frozen=True, slots=True)
class Guest:
    """All that a download needs besides the raw file; the same for all files of a source.

    ``mirrors`` maps beginnings of addresses to those of a mirror or to local folders; where several
    fit, the longest counts. ``spend`` allows requests that the user pays for.
    """

    manners: Manners = field(default_factory=Manners)
    keys: tuple[Key, ...] = ()
    mirrors: tuple[tuple[str, str], ...] = ()
    spend: bool = False

    def mirrored(self, url: str) -> str:
        """Return where an address is to be asked for.

        A prefix fits up to a ``/``, ``?`` or the end of the address, so that that of one host never
        fits another. Below a local folder a file has the name that the address has, unquoted; raises
        UpstreamError for one that would lie outside. Links in that folder, which is the user's own,
        are followed.
        """
        fitting = [pair for pair in self.mirrors if _fits(url, pair[0])]
        if not fitting:
            return url
        prefix, mirror = max(fitting, key=lambda pair: len(pair[0]))
        rest = url.removeprefix(prefix)
        return mirror + rest if "://" in mirror else _below(Path(mirror), rest, url)


ALONE = Guest()
"""Asks with no one to share its manners with, and without keys."""


def _fits(url: str, prefix: str) -> bool:
    rest = url.removeprefix(prefix)
    return url.startswith(prefix) and (prefix.endswith("/") or rest[:1] in {"", "/", "?"})


def _below(folder: Path, rest: str, url: str) -> str:
    name = unquote(rest).lstrip("/")
    if ".." in Path(name).parts or "\0" in name:
        raise UpstreamError(url, f"lies outside the mirror {folder}", CHECK_URL)
    return (folder.absolute() / name).as_uri()
