"""HTML as libxml2 read it until its release 2.13, parsed by whichever release lxml brings.

What the Pile's extractors saw of a page is what libxml2 2.9 made of it. Release 2.14 reads the way
HTML5 says, which changes the text of pages:

* ``&copy`` without a semicolon, and names HTML 4 did not know, now are characters; they were text.
* ``&#146;`` now is what Windows means by it; it was U+0092. References to what is no character of
  XML 1.0, and such characters themselves, now are U+FFFD or kept; they were nothing, and NUL a space.
* The content of ``iframe``, ``noembed`` and ``noframes`` now is text, tags and all; it was markup.
* A name with a colon now stays whole; of ``o:p``, which Word writes, ``p`` was kept.
* What follows ``</html>`` now is a second root, which a reader of the first never sees.
* A line end of CR LF now is LF; it was kept.

Rewriting a page before it is parsed, and `local_name` after, bring the old text back.
Not brought back: markup inside ``textarea``, ``title`` and ``xmp``, and tags that are broken off.
"""

import re
from collections.abc import Callable, Iterator
from html.entities import name2codepoint
from typing import TypeAlias

from lxml import etree, html
from lxml.html import HtmlElement

Parse: TypeAlias = Callable[..., HtmlElement]
"""A function of `lxml.html` that takes a page and ``parser``, and returns an element."""

DEPTH = 257
"""Elements that libxml2 2.9 kept open at once, ``html`` and ``body`` among them; at one more it left
the page, and whatever came after was lost to every extractor on top of it."""

MAX_DEPTH = 2048
"""Elements that libxml2 2.14 keeps open at once when asked for more than usual."""


class TooDeepError(ValueError):
    """A page is nested deeper than `MAX_DEPTH`: the parser left it there."""


_RENAMED = "raw-"
_REFERENCE = re.compile(
    r"&(?:#(?:[xX](?P<hex>[0-9a-fA-F]*)|(?P<decimal>[0-9]*));?"
    r"|(?P<name>[A-Za-z_:][\w.:-]*)(?P<end>;?))"
)
_RAW = re.compile(r"<(/?)(?=[iInN])(?=(?i:iframe|noembed|noframes)[\s/>])")
_NO_CHARACTER = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CARRIAGE_RETURN = re.compile(r"<[A-Za-z/!?][^>]*>|\r")
_NAMES = frozenset(name2codepoint) | {"apos"}


def as_before(markup: str) -> str:
    """Rewrite a page so that libxml2 2.14 makes of it what 2.9 made of it; line ends aside."""
    markup = _NO_CHARACTER.sub(lambda match: " " if match[0] == "\0" else "", markup)
    return _RAW.sub(rf"<\1{_RENAMED}", _REFERENCE.sub(_reference_as_before, markup))


def _reference_as_before(match: re.Match[str]) -> str:
    whole = match[0]
    if match["name"]:
        known = match["end"] and match["name"] in _NAMES
        return whole if known else "&amp;" + whole[1:]
    digits, base = (match["decimal"], 10) if match["hex"] is None else (match["hex"], 16)
    return _referred(whole, int(digits.lstrip("0")[:9] or "0", base))


def _referred(reference: str, number: int) -> str:
    if 0x80 <= number <= 0x9F:
        return chr(number)
    in_xml = number in {9, 10, 13} or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return reference if in_xml or 0x10000 <= number <= 0x10FFFF else ""


def keep_carriage_returns(markup: str) -> str:
    """Write each CR in text as a reference, which parsers leave alone."""
    return _CARRIAGE_RETURN.sub(lambda match: match[0] if match[0] != "\r" else "&#13;", markup)


def local_name(tag: str) -> str:
    """Return the name that libxml2 2.9 would have given an element of this tag."""
    if ":" in tag:
        tag = tag.partition(":")[2] or tag
    return tag.removeprefix(_RENAMED)


def read_before(markup: str, parse: Parse = html.document_fromstring) -> list[HtmlElement]:
    """Parse a page as libxml2 2.9 did: its root, or the roots that together are the one of then.

    ``parse`` is lxml's function for documents, or `lxml.html.fromstring`, which takes a page that
    does not begin like one for a fragment. Raises `lxml.etree.ParserError` for an empty page.
    """
    rewritten = as_before(markup)
    parser = html.HTMLParser()
    page = _parsed(rewritten, parse, parser)
    if not _gave_up(parser):
        return list(_roots(page))
    kept = []
    for root in _roots(_parsed(rewritten, parse, html.HTMLParser(huge_tree=True))):
        kept.append(root)
        if _cut_below(root, DEPTH):
            break
    return kept


def read_whole(markup: str, parse: Parse = html.document_fromstring) -> list[HtmlElement]:
    """Parse a page by the rules of HTML5, in all its depth, into its roots.

    Raises `lxml.etree.ParserError` for an empty page, and `TooDeepError` where elements lie more
    than `MAX_DEPTH` deep.
    """
    parser = html.HTMLParser(huge_tree=True)
    page = _parsed(markup, parse, parser)
    if _gave_up(parser):
        raise TooDeepError
    return list(_roots(page))


def _parsed(markup: str, parse: Parse, parser: html.HTMLParser) -> HtmlElement:
    try:
        return parse(markup, parser=parser)
    except ValueError:
        # lxml takes no str with an XML declaration that names an encoding; UTF-8 it always is then.
        return parse(markup.encode(), parser=parser)


def _gave_up(parser: html.HTMLParser) -> bool:
    return any("xcessive depth" in entry.message for entry in parser.error_log)


def _roots(page: HtmlElement) -> Iterator[HtmlElement]:
    yield page
    if page.getparent() is None:
        yield from page.itersiblings(etree.Element)


def _cut_below(page: HtmlElement, depth: int) -> bool:
    """Remove all from the first element, in document order, that is more than ``depth`` deep."""
    deep = sum(1 for _ in page.iterancestors())
    for event, element in etree.iterwalk(page, events=("start", "end")):
        deep += 1 if event == "start" else -1
        if deep > depth:
            _remove_from(element, page)
            return True
    return False


def _remove_from(element: HtmlElement, page: HtmlElement) -> None:
    """Remove an element and everything behind it."""
    while element is not page:
        parent = element.getparent()
        for following in list(element.itersiblings()):
            parent.remove(following)
        element.tail = None
        element = parent
