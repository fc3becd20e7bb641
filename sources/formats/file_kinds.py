"""Whether a file is text, told by its bytes alone, near to what libmagic says.

Text is what has none of the control characters that texts have no use for, or begins with a byte
order mark of UTF-16. JSON and a few formats of text that libmagic does not call text are told apart.
JavaScript counts as text.
"""

import codecs
import json
from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_content": "an empty file, or a single byte",
        "binary": "bytes that texts have no use for, such as NUL",
        "json": "a JSON object or array",
        "not_plain": "PostScript, PDF, or keys and messages of PGP",
    }
)
"""Every kind but ``text``, with what it is."""

MAX_JSON = 1 << 20
"""Bytes of a file that are looked at to tell JSON, as by libmagic; what is longer is text."""

_CONTROLS = bytes({*range(32), 127} - {7, 8, 9, 10, 11, 12, 13, 27})
_NO_PLAIN_TEXT = (b"%!PS", b"%PDF-", b"-----BEGIN PGP ")


def kind(content: bytes) -> str:
    """Return ``text`` or one of `REASONS`."""
    if len(content) < 2:
        return "no_content"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text" if len(content) % 2 == 0 else "binary"
    if len(content.translate(None, _CONTROLS)) < len(content):
        return "binary"
    if content.startswith(_NO_PLAIN_TEXT):
        return "not_plain"
    return "json" if _is_json(content) else "text"


def _is_json(content: bytes) -> bool:
    if len(content) > MAX_JSON or not content.lstrip().startswith((b"{", b"[")):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
