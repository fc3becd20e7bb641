"""The text of an HTML fragment as Beautiful Soup 4.9 over html.parser gives it, without its tree.

``BeautifulSoup(markup, "html.parser").get_text()`` joins all text and CDATA but that of scripts,
styles, templates, comments and declarations. A text node is what stands between two tags, comments
or declarations; one of nothing but ASCII white space becomes a newline if it holds one, else a
space, except inside ``pre`` and ``textarea``. Tags need not match: an end tag closes all that is
open inside what it ends, or everything if nothing of that name is open. Named references are those
of HTML 4; any other stays as ``&name``, its semicolon lost. Numbers below 256 mean Windows-1252.

Three things differ. Half a character (``&#xD800;``) becomes U+FFFD, as text can hold no such thing.
html.parser is Python's: how it takes broken comments and declarations depends on Python's release.
And it takes quadratic time over tags that do not end, so a fragment of too many is refused.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from html.entities import name2codepoint
from html.parser import HTMLParser

SILENT = frozenset({"script", "style", "template"})
"""Elements whose text is none of the fragment's."""

PREFORMATTED = frozenset({"pre", "textarea"})
"""Elements in which white space is kept as it is."""

EMPTY = frozenset(
    {
        *("area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr"),
        *("image", "img", "input", "isindex", "keygen", "link", "menuitem", "meta", "nextid"),
        *("param", "source", "spacer", "track", "wbr"),
    }
)
"""Elements that end where they begin."""

ASCII_SPACE = " \n\t\f\r"
NAMED = {name: chr(number) for name, number in name2codepoint.items()} | {"apos": "'"}

PATIENCE = 50_000_000
"""Broken tags times characters: html.parser may read on to the end from each of them."""

_WELL_FORMED = re.compile(
    r"""(?P<text>[^<&]+)
    | <(?P<tag>(?!(?:script|style)\b)[a-z][a-z0-9]*)(?:[ ][a-z]+="[^"]*")*>
    | </(?P<end>[a-z][a-z0-9]*)>
    | &(?P<name>[a-z][a-z0-9]*);
    | &\#(?P<number>[0-9]+|x[0-9a-f]+);""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_WHOLE_TAG = re.compile(r"""</?[a-z](?:[^<>"']|"[^"<>]*"|'[^'<>]*')*>""", re.IGNORECASE)
_NUMBER = re.compile(r"(?:(?P<decimal>[0-9]+)|[xX](?P<hex>[0-9a-fA-F]+))")


class BrokenMarkupError(ValueError):
    """A fragment that html.parser gives up on."""


def fragment_text(markup: str) -> str:
    """Return the text of a fragment; raises `BrokenMarkupError`."""
    fragment = _Fragment()
    if not _take_well_formed(markup, fragment):
        fragment = _Fragment()
        _take(markup, fragment)
    fragment.settle()
    return "".join(fragment.nodes)


def _take_well_formed(markup: str, fragment: "_Fragment") -> bool:
    """Take a fragment in which all tags and references are whole; return False for any other."""
    place = 0
    for match in _WELL_FORMED.finditer(markup):
        if match.start() != place:
            return False
        place = match.end()
        kind = match.lastgroup
        if kind == "text":
            fragment.pieces.append(match[0])
        elif kind == "tag":
            fragment.handle_starttag(match["tag"].lower())
        elif kind == "end":
            fragment.handle_endtag(match["end"].lower())
        elif kind == "name":
            fragment.handle_entityref(match["name"])
        else:
            fragment.handle_charref(match["number"])
    return place == len(markup)


def _take(markup: str, fragment: "_Fragment") -> None:
    broken = markup.count("<") - len(_WHOLE_TAG.findall(markup))
    if broken * len(markup) > PATIENCE:
        raise BrokenMarkupError(f"{broken} broken tags in {len(markup)} characters")
    try:
        fragment.feed(markup)
        fragment.close()
    except AssertionError as error:
        raise BrokenMarkupError(str(error)) from error


def _node(pieces: Iterable[str], *, preformatted: bool) -> str:
    node = "".join(pieces)
    if preformatted or node.strip(ASCII_SPACE):
        return node
    return "\n" if "\n" in node else " "


class _Fragment(HTMLParser):
    """Joins pieces of text into nodes, and keeps account of what is open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.nodes: list[str] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.ended: Counter[str] = Counter()
        self.silent = 0
        self.preformatted = 0

    def settle(self) -> None:
        """End a text node."""
        if self.pieces:
            if not self.silent:
                self.nodes.append(_node(self.pieces, preformatted=self.preformatted > 0))
            self.pieces.clear()

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: object = None) -> None:
        self._open(tag)
        if tag in EMPTY:
            self._close(tag)
            # An end tag that comes later will be taken for this one's.
            self.ended[tag] += 1

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self._open(tag)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.ended[tag]:
            self.ended[tag] -= 1
        else:
            self._close(tag)

    def _open(self, tag: str) -> None:
        self.settle()
        self.open.append(tag)
        self.silent += tag in SILENT
        self.preformatted += tag in PREFORMATTED

    def _close(self, tag: str) -> None:
        self.settle()
        closed = ""
        while self.open and closed != tag:
            closed = self.open.pop()
            self.silent -= closed in SILENT
            self.preformatted -= closed in PREFORMATTED

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(NAMED.get(name) or f"&{name}")

    def handle_charref(self, name: str) -> None:
        match = _NUMBER.match(name)
        if match is None:
            self.pieces.append(f"&#{name}")
        else:
            digits, base = (match["decimal"], 10) if match["decimal"] else (match["hex"], 16)
            self.pieces.append(_character(int(digits.lstrip("0")[:8] or "0", base)))
            self.pieces.append(name[match.end() :])

    def handle_comment(self, data: str) -> None:
        self.settle()

    def handle_decl(self, decl: str) -> None:
        self.settle()

    def handle_pi(self, data: str) -> None:
        self.settle()

    def unknown_decl(self, data: str) -> None:
        self.settle()
        if data.upper().startswith("CDATA["):
            self.pieces.append(data[len("CDATA[") :])
            self.settle()


def _character(number: int) -> str:
    if number < 256:
        return bytes([number]).decode("cp1252", "replace").replace("\ufffd", chr(number))
    if number > sys.maxunicode or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return chr(number)
