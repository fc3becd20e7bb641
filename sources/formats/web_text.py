"""The main text of a web page, as jusText 2.2.0 finds it, without its cost.

jusText (Pomikálek 2011) cuts a page into paragraphs at block elements, classes each by its length,
links and share of stop words, then settles the doubtful ones by their neighbours. Its release
2.2.0, which the Pile used, differs from 3.x in what becomes of pages:

* A short heading close before good text is kept; 3.x looks for that text before it has been classed
  and so never finds any.
* A single ``<br>`` adds nothing, so the words round it touch; 3.x adds a space.
* Only elements whose names begin with ``select`` make a paragraph bad; 3.x asks for ``select``
  anywhere in a name.

Here a page's events are read as the parser sends them, where jusText builds a tree, cleans a copy
and replays it; and neighbours are found in linear time. The stop words are jusText's own.
"""

import math
import re
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import justext

from sources.formats.html_events import MAX_DEPTH, TooDeepError, as_before, feed, local_name

Class: TypeAlias = Literal["good", "neargood", "short", "bad"]

SHORT_LENGTH = 70
"""A paragraph of fewer characters is short, whatever its words."""

LONG_LENGTH = 200
"""A paragraph of more characters needs no neighbours to be good."""

STOP_WORDS_LOW = 0.30
STOP_WORDS_HIGH = 0.32
"""Shares of stop words from which a paragraph is near good, and from which it is more."""

LINK_DENSITY = 0.2
"""Share of characters inside links over which a paragraph is bad."""

HEADING_DISTANCE = 200
"""Characters within which a heading looks for the good text it belongs to."""

BLOCKS = frozenset(
    {
        "body",
        "blockquote",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "form",
        "legend",
        "optgroup",
        "option",
        "p",
        "pre",
        "table",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    }
)
"""Elements that begin a paragraph and end one."""

DROPPED = frozenset({"head", "script", "style", "applet", "button", "input", "select", "textarea"})
"""Elements left out with all their content."""

UNWRAPPED = frozenset({"form", "iframe", "embed", "layer", "object", "param"})
"""Elements whose tags are left out and whose content stands in their place."""

DEPTH = 257
"""Elements that libxml2 2.9 took in one another, ``html`` and ``body`` among them: at one more it
left the page, in silence."""

_FULL_PAGE = re.compile(r"\s*<(?:html|!doctype)", re.IGNORECASE)
_PROLOGUE = re.compile(r"\s*<[!?]")
_HEADING = re.compile(r"\bh\d\b")
_SPACE = re.compile(r"[ \n]\s+|[^\S \n]\s*")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of text between two block boundaries; never blank.

    ``linked`` counts its characters inside links; ``heading`` and ``select`` tell whether it stands
    in a heading, or in an element whose name begins with ``select``.
    """

    text: str
    linked: int
    heading: bool
    select: bool


def main_text(markup: str) -> list[str]:
    """Return the paragraphs of a page that are no boilerplate, as jusText 2.2.0 over libxml2 2.9.

    As it was then, what lies behind the first element more than `DEPTH` deep is lost; so is what
    follows the body of a page that does not begin like one and has no head, and what follows
    ``</html>`` in one that begins with a DOCTYPE or a comment.
    """
    last = "html" if _PROLOGUE.match(markup) else ""
    page = _Page(DEPTH, "", last if _FULL_PAGE.match(markup) else "body", last)
    with suppress(TooDeepError):
        feed(as_before(markup), page)
    return good_text(page.paragraphs)


def whole_main_text(markup: str) -> list[str]:
    """Return the paragraphs that are no boilerplate, of all of a page, a ``<br>`` being a space.

    Raises `sources.formats.html_events.TooDeepError`.
    """
    page = _Page(MAX_DEPTH, " ", "", "")
    feed(markup, page)
    return good_text(page.paragraphs)


def paragraphs(markup: str) -> list[str]:
    """Return all paragraphs of a page, boilerplate or not, a ``<br>`` being a line end.

    Raises `sources.formats.html_events.TooDeepError`.
    """
    page = _Page(MAX_DEPTH, "\n", "", "")
    feed(markup, page)
    return [paragraph.text for paragraph in page.paragraphs]


def good_text(paragraphs: list[Paragraph]) -> list[str]:
    """Return the text of the good among a page's paragraphs, by English stop words."""
    classes = classify(paragraphs, _english())
    return [part.text for part, kind in zip(paragraphs, classes, strict=True) if kind == "good"]


@cache
def _english() -> frozenset[str]:
    return frozenset(word.lower() for word in justext.get_stoplist("English"))


class _Page:
    """Cuts a page into paragraphs at block elements and at two ``<br>`` in a row.

    ``last`` names the element whose end is the page's, if any, and ``last_with_head`` the one if it
    has a head.
    """

    def __init__(self, depth: int, line_break: str, last: str, last_with_head: str) -> None:
        self.paragraphs: list[Paragraph] = []
        self.room = depth
        self.line_break = line_break
        self.last = last
        self.last_with_head = last_with_head
        # Elements open inside one that is dropped, itself included.
        self.dropped = 0
        self.unread: list[str] = []
        self.texts: list[str] = []
        self.linked = 0
        self.in_link = False
        self.after_break = False
        self.headings = 0
        self.selects = 0
        # Where the paragraph at hand began, which is not always where its text stands.
        self.began_in = (False, False)

    def start(self, tag: str, _attributes: object) -> None:
        self.room -= 1
        if self.room < 0:
            raise TooDeepError
        name = local_name(tag)
        if self.dropped or name in DROPPED:
            self.dropped += 1
            if name == "head":
                self.last = self.last_with_head
        elif name not in UNWRAPPED:
            self._settle()
            self._enter(name)

    def _enter(self, name: str) -> None:
        self.headings += _is_heading(name)
        self.selects += _is_select(name)
        if name in BLOCKS or (name == "br" and self.after_break):
            self._cut()
            return
        self.after_break = name == "br"
        if self.after_break:
            self.texts.append(self.line_break)
        elif name == "a":
            self.in_link = True

    def end(self, tag: str) -> None:
        self.room += 1
        name = local_name(tag)
        if self.dropped:
            self.dropped -= 1
        elif name not in UNWRAPPED:
            self._settle()
            self._leave(name)

    def _leave(self, name: str) -> None:
        self.headings -= _is_heading(name)
        self.selects -= _is_select(name)
        if name in BLOCKS:
            self._cut()
        elif name == "a":
            self.in_link = False
        if name == self.last:
            self.dropped = sys.maxsize

    def data(self, text: str) -> None:
        if not self.dropped:
            self.unread.append(text)

    def close(self) -> None:
        self._settle()
        self._cut()

    def _settle(self) -> None:
        """Take the text since the last tag that counts for one text node. Blank nodes vanish."""
        if not self.unread:
            return
        node = "".join(self.unread)
        self.unread.clear()
        if node.isspace():
            return
        self.texts.append(node)
        self.after_break = False
        if self.in_link:
            self.linked += len(normalise_space(node))

    def _cut(self) -> None:
        """End the paragraph at hand and begin another."""
        text = normalise_space("".join(self.texts).strip())
        if text:
            self.paragraphs.append(Paragraph(text, self.linked, *self.began_in))
        self.texts.clear()
        self.linked = 0
        self.began_in = (self.headings > 0, self.selects > 0)


def _is_heading(name: str) -> bool:
    return _HEADING.search(name) is not None


def _is_select(name: str) -> bool:
    return name.startswith("select") or ".select" in name


def normalise_space(text: str) -> str:
    """Make each run of white space one newline if it holds a line end, else one space."""
    return _SPACE.sub(_one_space, text)


def _one_space(match: re.Match[str]) -> str:
    space = match.group()
    return "\n" if "\n" in space or "\r" in space else " "


def classify(paragraphs: list[Paragraph], stop_words: Collection[str]) -> list[Class]:
    """Class each paragraph as good (text) or bad (boilerplate)."""
    alone = [_class_alone(paragraph, stop_words) for paragraph in paragraphs]
    classes = alone.copy()
    for index, near in enumerate(_near_good_text(paragraphs, classes)):
        if near and paragraphs[index].heading and classes[index] == "short":
            classes[index] = "neargood"
    _settle_short(classes)
    _settle_near_good(classes)
    for index, near in enumerate(_near_good_text(paragraphs, classes)):
        doubtful = classes[index] == "bad" and alone[index] != "bad"
        if near and paragraphs[index].heading and doubtful:
            classes[index] = "good"
    return classes


def _class_alone(paragraph: Paragraph, stop_words: Collection[str]) -> Class:
    text = paragraph.text
    length = len(text)
    if paragraph.linked / length > LINK_DENSITY or "\xa9" in text or "&copy" in text:
        return "bad"
    if paragraph.select:
        return "bad"
    if length < SHORT_LENGTH:
        return "bad" if paragraph.linked else "short"
    words = text.lower().split()
    density = sum(word in stop_words for word in words) / len(words)
    if density >= STOP_WORDS_HIGH and length > LONG_LENGTH:
        return "good"
    return "neargood" if density >= STOP_WORDS_LOW else "bad"


def _near_good_text(paragraphs: list[Paragraph], classes: list[Class]) -> list[bool]:
    """Tell of each paragraph whether good text begins within `HEADING_DISTANCE` behind it."""
    near = []
    distance: float = math.inf
    for paragraph, kind in zip(reversed(paragraphs), reversed(classes), strict=True):
        near.append(distance <= HEADING_DISTANCE)
        distance = 0 if kind == "good" else distance + len(paragraph.text)
    return near[::-1]


def _settle_short(classes: list[Class]) -> None:
    """Give short paragraphs the class of the text on both sides; near good wins over bad."""
    before = _nearest_before(classes, ("good", "bad"))
    before_too = _nearest_before(classes, ("good", "bad", "neargood"))
    after = _nearest_before(classes[::-1], ("good", "bad"))[::-1]
    after_too = _nearest_before(classes[::-1], ("good", "bad", "neargood"))[::-1]
    for index, kind in enumerate(classes):
        if kind != "short":
            continue
        sides = (before[index], after[index])
        if sides == ("bad", "bad"):
            classes[index] = "bad"
        elif sides == ("good", "good"):
            classes[index] = "good"
        else:
            doubtful = before_too[index] if before[index] == "bad" else after_too[index]
            classes[index] = "good" if doubtful == "neargood" else "bad"


def _settle_near_good(classes: list[Class]) -> None:
    """Make near good paragraphs good unless bad ones are nearest on both sides."""
    after = _nearest_before(classes[::-1], ("good", "bad"))[::-1]
    before: Class = "bad"
    for index, kind in enumerate(classes):
        if kind == "neargood":
            classes[index] = "bad" if before == after[index] == "bad" else "good"
        before = classes[index]


def _nearest_before(classes: list[Class], wanted: Collection[Class]) -> list[Class]:
    """Return for each place the nearest wanted class before it; the edge counts as bad."""
    nearest: Class = "bad"
    found = []
    for kind in classes:
        found.append(nearest)
        if kind in wanted:
            nearest = kind
    return found
