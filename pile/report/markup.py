"""HTML that cannot be forgotten to escape: `Html` comes only from the functions here.

Text of documents is hostile: besides the characters of markup, those that hide or reorder text
(controls, bidirectional overrides, invisible format characters) are shown as their code point.
"""

import html
import re
from typing import NewType

Html = NewType("Html", str)
"""Finished markup. The type checker refuses plain strings in its place."""

_VOID = frozenset({"br", "input", "meta"})

# Controls but tab and line feed; soft hyphen, zero-width and bidi marks; line and paragraph
# separators; tags, annotations, noncharacters, surrogates. The joiners U+200C and U+200D stay: they
# belong to the spelling of Persian and of emoji. A fixed list, the same whatever Python's tables.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)


def text(value: str) -> Html:
    """Escape text; hidden characters become marked code points."""
    return Html(_HIDDEN.sub(_marked, html.escape(value)))


def plain(value: str) -> Html:
    """Escape text for places that take no elements: attributes, titles."""
    return Html(html.escape(_HIDDEN.sub(lambda found: f"[{_code_point(found)}]", value)))


def join(*parts: Html) -> Html:
    """Put markup together."""
    return Html("".join(parts))


def element(name: str, /, *children: Html, **attributes: str) -> Html:
    """Return an element. ``class_`` gives ``class``, ``aria_label`` ``aria-label``, and so on."""
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{''.join(children)}</{name}>")


def verbatim(name: str, content: str) -> Html:
    """Return a ``style`` or ``script`` element of ours; its content is not escaped."""
    return Html(f"<{name}>{content}</{name}>")


def _attribute(key: str, value: str) -> str:
    return f' {key.rstrip("_").replace("_", "-")}="{plain(value)}"'


def _marked(found: re.Match[str]) -> str:
    return f'<span class="hidden">{_code_point(found)}</span>'


def _code_point(found: re.Match[str]) -> str:
    return f"U+{ord(found[0]):04X}"
