"""What ``[run]`` says of upstreams: who asks them, what may stand in for them; and no secret in it."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sources.upstream.attempts import secrets_in

URL = re.compile(r"[a-z][a-z0-9+.-]*://")
CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+")

SECRETS = "holds a password; secrets come from the environment or the keyring file (see `pile sources NAME`)"


def contact(text: str) -> str:
    """Return a mail address or URL that upstreams can reach the user by; raises ValueError."""
    if text and (not CONTACT.fullmatch(text) or not text.isascii() or not text.isprintable()):
        raise ValueError('give a mail address or a URL, as "you@example.org"')
    return text


def prefix(text: str) -> str:
    """Return the beginning of the addresses that a mirror stands in for; raises ValueError."""
    if not URL.match(text) or not text.endswith("/"):
        raise ValueError('a mirror stands in for addresses that begin so: "https://host/folder/"')
    return without_password(text)


def mirror(text: str) -> str:
    """Return where a mirror is, an address or a local folder; raises ValueError."""
    if not text:
        raise ValueError('name a folder, or an address, as "https://mirror.example.org/folder/"')
    return without_password(text)


def without_password(text: str) -> str:
    """Return an address that shows no password or other secret; raises ValueError."""
    try:
        password, named = urlsplit(text).password, secrets_in(text)
    except ValueError as error:
        raise ValueError(f"is no address ({error})") from None
    if password is not None:
        raise ValueError(SECRETS)
    if URL.match(text) and named:
        raise ValueError(
            f"holds what looks like a secret ({', '.join(named)}), and addresses are written down: "
            "download the file yourself and name it here, or map the address to a mirror"
        )
    return text


def ordered(mirrors: Mapping[str, str], folder: Path) -> tuple[tuple[str, str], ...]:
    """Return the mirrors, the longest beginning first; local folders start at ``folder``."""
    longest_first = sorted(mirrors, key=lambda start: (-len(start), start))
    return tuple((start, _place(mirrors[start], folder)) for start in longest_first)


def _place(mirror: str, folder: Path) -> str:
    if not URL.match(mirror):
        return str((folder / mirror).absolute())
    return mirror if mirror.endswith("/") else f"{mirror}/"
