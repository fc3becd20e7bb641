"""HTML as libxml2 read it until its release 2.13, as a stream of events, by whichever lxml is there.

What the Pile's extractors saw of a page is what libxml2 2.9 made of it. Release 2.14 reads the way
HTML5 says, which changes the text of pages:

* ``&copy`` without a semicolon, and names HTML 4 did not know, now are characters; they were text.
  ``&lang;`` and ``&rang;`` now are other characters.
* ``&#146;`` now is what Windows means by it; it was U+0092. References to what is no character of
  XML 1.0, and such characters themselves, now are U+FFFD or kept; they were nothing, and NUL a space.
* The content of ``iframe``, ``noembed`` and ``noframes`` now is text, tags and all; it was markup.
* A name with a colon now stays whole; in trees, of ``o:p``, which Word writes, ``p`` was kept.
* What follows ``</html>`` now is a second root, which a reader of the tree never sees.
* A line end of CR LF now is LF; it was kept.

Rewriting a page before it is parsed, and `local_name` after, bring the old text back. Not brought
back: markup inside ``textarea``, ``title`` and ``xmp``; scripts that write a comment with a script in
it; tags that are broken off; text before the first tag, which was a paragraph; pages garbled because
their XML declaration and their meta element name different charsets.
"""

import re
from html.entities import html5, name2codepoint
from typing import Protocol, cast

from lxml import etree

MAX_DEPTH = 2048
"""Elements that may be open at once: the parser's time grows with their number."""

_RENAMED = "raw-"
# Those passed over at once are most of all there are, and mean the same to both.
_REFERENCE = re.compile(
    r"&(?!(?:amp|nbsp|lt|gt|quot|#1[6-9][0-9]|#[2-9][0-9]{2}|#[1-9][0-9]{3});)(?:#(?:[xX](?P<hex>[0-9a-fA-F]*)|(?P<decimal>[0-9]*));?"
    r"|(?P<name>[A-Za-z_:][\w.:-]*)(?P<end>;?))"
)
_RAW = re.compile(r"<(/?)(?=[iInN])(?=(?i:iframe|noembed|noframes)[\s/>])")
_NO_CHARACTER = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TAG_OR_RETURN = re.compile(r"<[A-Za-z/!?][^<>]*>|\r")
_STRETCH = re.compile(
    r"(?P<pre><pre[\s>](?:(?!</pre).)*)|<[A-Za-z/!?][^<>]*>|(?P<text>[^<]+)",
    re.IGNORECASE | re.DOTALL,
)
_NAMED = {name: chr(number) for name, number in name2codepoint.items()} | {"apos": "'"}


class TooDeepError(ValueError):
    """A page has more elements open at once than whoever reads it takes."""


class Target(Protocol):
    """What takes a page's events: lxml's parser target interface, of which more may be there.

    Starts and ends come in pairs, inside out; text comes in pieces.
    """

    def start(self, tag: str, attributes: object) -> None:
        """Take the start of an element; raises `TooDeepError` at its own limit."""

    def end(self, tag: str) -> None:
        """Take the end of an element."""

    def data(self, text: str) -> None:
        """Take a piece of text."""

    def close(self) -> None:
        """Take the end of the page; also called when an exception ended it."""


def feed(markup: str, target: Target) -> None:
    """Parse a page by the rules of the libxml2 at hand, straight into a target.

    Half a surrogate pair, which JSON can spell and parsers refuse, becomes U+FFFD.
    """
    if not markup:
        # lxml would raise: it takes no page for a mistake.
        target.close()
        return
    if not markup.isascii():
        markup = markup.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    # The stubs say bytes may come, which do not from str, and that all methods must be there.
    parser = etree.HTMLParser(target=cast("etree.ParserTarget", target))
    parser.feed(markup)
    parser.close()


def as_before(markup: str) -> str:
    """Rewrite a page so that libxml2 2.14 makes of it what 2.9 made of it; line ends aside."""
    markup = _NO_CHARACTER.sub(lambda match: " " if match[0] == "\0" else "", markup)
    return _RAW.sub(rf"<\1{_RENAMED}", _REFERENCE.sub(_reference_as_before, markup))


def _reference_as_before(match: re.Match[str]) -> str:
    whole = match[0]
    if match["name"]:
        character = _NAMED.get(match["name"]) if match["end"] else None
        if character is None:
            return "&amp;" + whole[1:]
        return whole if html5[whole[1:]] == character else character
    digits, base = (match["decimal"], 10) if match["hex"] is None else (match["hex"], 16)
    return _referred(whole, int(digits.lstrip("0")[:9] or "0", base))


def _referred(reference: str, number: int) -> str:
    if 0x80 <= number <= 0x9F:
        return chr(number)
    in_xml = number in {9, 10, 13} or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return reference if in_xml or 0x10000 <= number <= 0x10FFFF else ""


def keep_carriage_returns(markup: str) -> str:
    """Write CR in text as references, which parsers leave alone.

    White space between tags is left as it is, outside ``pre``: parsers tell by it what it means.
    """
    return _STRETCH.sub(_with_returns, markup) if "\r" in markup else markup


def _with_returns(match: re.Match[str]) -> str:
    whole = match[0]
    if match["pre"]:
        return _TAG_OR_RETURN.sub(lambda part: "&#13;" if part[0] == "\r" else part[0], whole)
    if match["text"] and not whole.isspace():
        return whole.replace("\r", "&#13;")
    return whole


def local_name(tag: str) -> str:
    """Return the name that libxml2 2.9 gave an element of this tag in a tree."""
    if ":" in tag:
        tag = tag.partition(":")[2] or tag
    return tag.removeprefix(_RENAMED)
