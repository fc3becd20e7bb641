"""Who asks an upstream: with which manners, keys, mirrors, and leave to spend."""

from dataclasses import dataclass

from sources.source import Key
from sources.upstream.manners import Manners


@dataclass(frozen=True, slots=True)
class Guest:
    """All that a download needs besides the raw file; the same for all files of a source.

    ``mirrors`` maps the beginning of an address to that of a mirror or a local folder, the longest
    first; ``spend`` allows requests that the user pays for.
    """

    manners: Manners = Manners()
    keys: tuple[Key, ...] = ()
    mirrors: tuple[tuple[str, str], ...] = ()
    spend: bool = False

    def mirrored(self, url: str) -> str:
        """Return where an address is to be asked for."""
        for prefix, mirror in self.mirrors:
            if url.startswith(prefix):
                return mirror + url.removeprefix(prefix)
        return url


ALONE = Guest()
