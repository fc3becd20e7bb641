"""Where in a TOML text a key stands, and which word another may have been meant for."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path


def place_of(path: Path, text: str, table: tuple[str, ...], key: str) -> str:
    """Return ``file:line`` of a key, or of its table, or the file."""
    line = _line(text, ".".join(table), key)
    return f"{path}:{line}" if line else str(path)


def _line(text: str, table: str, key: str) -> int:
    current, heading = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*\[\s*([\w.\"-]+)\s*\]", line):
            current = match[1].replace('"', "")
            if current in (table, f"{table}.{key}".strip(".")):
                heading = number
        elif current == table and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return heading


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the end of a message: the valid word that is meant, or all that there are."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; valid are: {', '.join(sorted(valid))}"
