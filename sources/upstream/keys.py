"""Keys that upstreams want: from the environment or the keyring, sent to their hosts alone.

The keyring is a TOML file of ``NAME = "secret"``, at PILE_KEYRING or ``~/.config/pile/keyring.toml``,
which nobody but its owner may read. A key goes over HTTPS only, and over HTTP to this machine.
"""

import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sources.source import Key
from sources.upstream.attempts import UpstreamError
from sources.upstream.manners import is_loopback


class UnsafeKeyring(Exception):  # noqa: N818 - the name says what is wrong with the file
    """A keyring that others may read, or that cannot be read; the message shows none of it."""


def headers(url: str, keys: Iterable[Key]) -> Mapping[str, str]:
    """Return the headers that show a URL's host its keys; raises `UpstreamError`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" and not is_loopback(host):
        return {}
    meant = [key for key in keys if host in key.hosts or parts.netloc in key.hosts]
    try:
        found = {key.header: (key.prefix, secret(key.name)) for key in meant}
    except UnsafeKeyring as error:
        raise UpstreamError(url, "its key cannot be had", str(error)) from None
    return {header: prefix + value for header, (prefix, value) in found.items() if value}


def missing(keys: Iterable[Key]) -> list[Key]:
    """Return the keys that are required and not there; raises `UnsafeKeyring`."""
    return [key for key in keys if key.required and not secret(key.name)]


def secret(name: str) -> str:
    """Return a key's value, or an empty text; the environment counts before the keyring."""
    return os.environ.get(name, "").strip() or _keyring().get(name, "").strip()


def keyring_path() -> Path:
    """Return where the keyring lies."""
    named = os.environ.get("PILE_KEYRING")
    return Path(named) if named else Path.home() / ".config/pile/keyring.toml"


def _keyring() -> Mapping[str, str]:
    path = keyring_path()
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise UnsafeKeyring(f"{path}: others may read it (mode {mode:o}); chmod 600 {path}")
            read = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        # Not chained, and not shown: the message of a parser may quote a line.
        why = error.strerror if isinstance(error, OSError) else "no TOML"
        raise UnsafeKeyring(f"{path}: cannot be read ({why})") from None
    return {name: value for name, value in read.items() if isinstance(value, str)}
