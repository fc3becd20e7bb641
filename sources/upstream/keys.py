"""Keys that upstreams want: from the environment or the keyring file."""

import os
from collections.abc import Iterable

from sources.source import Key


def missing(keys: Iterable[Key]) -> list[Key]:
    """Return the required keys that are not to be had."""
    return [key for key in keys if key.required and key.name not in os.environ]
