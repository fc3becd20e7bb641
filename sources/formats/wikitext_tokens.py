"""Tokens of wikitext as mwparserfromhell 0.5.4 cut it in 2020, in time linear in the text.

That release gave up on markup nested more than 40 deep; later ones go to 100, and all of them take
quadratic time over markup that is opened and never closed. So there are two ways here:

* Tidy text, in which all that opens also closes, in order, goes to the library's C tokenizer. It
  is fast there, and the depth makes no difference.
* Anything else goes to the library's Python tokenizer, held to 40 levels, with which it cuts as
  release 0.5.4 did, and to a number of steps for each character.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from mwparserfromhell.parser import CTokenizer  # type: ignore[attr-defined] # None if not built
from mwparserfromhell.parser.tokenizer import Tokenizer

Tokens: TypeAlias = list[Any]
"""Objects of the classes in ``mwparserfromhell.parser.tokens``, which are dictionaries."""

DEPTH = 40
"""Levels of markup that release 0.5.4 followed."""

STEPS = 32
"""Steps that tangled text may take for each of its characters; articles take 0.1 to 7."""

MOST_STEPS = 8_000_000
"""Steps that any text may take, about five seconds; an honest article of a megabyte takes fewer."""

TIDY_CHARACTERS = 1 << 18
"""Longest text for the C tokenizer, whose steps nobody counts."""

TIDY_DEPTH = 16
"""Levels of markup in tidy text; each is up to two of the tokenizer's."""

TIDY_MISHAPS = 8
"""Things that may be left open or closed unopened in tidy text; each may be a level of its own,
and may make the tokenizer read to the end of the page in vain."""

MARK = re.compile(
    r"""\{\{\{? | \}\} | \[\[ | \]\] | \{\| | \n\|\}(?!\}) | <!-- | --> | \n | ''+
    | \[(?=[a-z]*:?//|[a-z]+:) | \]
    | <(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)
      (?:\s+[a-z][a-z0-9-]*(?:\s*=\s*(?:"[^"<>{}\[\]\n]*"|'[^'<>{}\[\]\n]*'|[^\s"'<>/={}\[\]|]+))?)*
      \s*(?P<alone>/?)>
    | <(?!\s)""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
"""What opens or closes something; a lone ``<`` is a tag that is not well formed."""

OPENERS = frozenset({"{{", "[[", "[", "{|", "<!--"})
OPENER_OF = {"}}": "{{", "]]": "[[", "]": "[", "\n|}": "{|", "-->": "<!--"}
STYLES = {"''": ("''",), "'''": ("'''",), "'''''": ("''", "'''")}
SINGLE = frozenset({"br", "hr", "img", "link", "meta", "wbr"})
"""Tags that hold nothing."""

WITHIN_LINE = frozenset({"[", *STYLES})
MERE_TEXT = frozenset({"]", "-->"})
"""What cannot stay open over a line end, and closers that by themselves are text."""

UNPARSED = frozenset(
    {
        *("<!--", "categorytree", "ce", "chem", "gallery", "graph", "hiero", "imagemap"),
        *("inputbox", "math", "nowiki", "pre", "score", "section", "source"),
        *("syntaxhighlight", "templatedata", "timeline"),
    }
)
"""What holds text that is no markup."""


class TangledError(ValueError):
    """Markup so tangled that cutting it into tokens takes too many steps."""


class CountingTokenizer(Tokenizer):
    """The library's Python tokenizer with the depth of 2020 and an end to its patience."""

    MAX_DEPTH = DEPTH

    def __init__(self, steps: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # the library's
        self._steps = steps

    def _read(self, *args: Any, **options: Any) -> Any:
        self._steps -= 1
        if self._steps < 0:
            raise TangledError
        return super()._read(*args, **options)


def tokenize(wikitext: str) -> Tokens:
    """Return the tokens of a page; raises `TangledError` and the library's ParserError."""
    if CTokenizer is not None and is_tidy(wikitext):
        return list(CTokenizer().tokenize(wikitext))
    steps = min(STEPS * (len(wikitext) + 100), MOST_STEPS)
    return list(CountingTokenizer(steps).tokenize(wikitext))


def is_tidy(wikitext: str) -> bool:
    """Tell whether nearly all markup closes in the order it was opened in, and none nests deep.

    It may err on the side of no: the tokens are then the same, only slower to come by.
    """
    if len(wikitext) > TIDY_CHARACTERS:
        return False
    stack = [""]
    mishaps = 0
    for mark in MARK.finditer(wikitext):
        mishaps += _mishaps(mark, stack)
        if mishaps > TIDY_MISHAPS or len(stack) > TIDY_DEPTH:
            return False
    return stack[-1] not in UNPARSED and mishaps + len(stack) - 1 <= TIDY_MISHAPS


def _mishaps(mark: re.Match[str], stack: list[str]) -> int:
    """Open or close what a mark says; return how many things stand where they should not."""
    text, tag = mark[0], mark["tag"]
    if stack[-1] in UNPARSED:
        return _follow_unparsed(mark, stack)
    if tag:
        return _follow_tag(mark, stack)
    if text == "\n":
        return _end_line(stack) if len(stack) > 1 else 0
    if text in OPENERS:
        stack.append(text)
        return 0
    if text in OPENER_OF:
        return _close(OPENER_OF[text], stack, 0 if text in MERE_TEXT else 1)
    return _switch(STYLES[text], stack) if text in STYLES else 1


def _follow_unparsed(mark: re.Match[str], stack: list[str]) -> int:
    name = mark["tag"].lower() if mark["tag"] else mark[0]
    if stack[-1] == (name if mark["end"] else OPENER_OF.get(name)):
        stack.pop()
        return 0
    # Whether this is within what it seems to be within is not certain.
    return 1 if stack[-1] == name else 0


def _follow_tag(mark: re.Match[str], stack: list[str]) -> int:
    tag = mark["tag"].lower()
    if mark["alone"] or tag in SINGLE:
        return 1 if mark["end"] else 0
    if mark["end"]:
        return _close(tag, stack, 1)
    stack.append(tag)
    return 0


def _close(opener: str, stack: list[str], stray: int) -> int:
    """Close what an opener opened, and with it all that is open within; or count a stray."""
    if opener not in stack:
        return stray
    within = 0
    while stack.pop() != opener:
        within += 1
    return within


def _switch(styles: Iterable[str], stack: list[str]) -> int:
    """Switch italics or bold; they may overlap each other, but nothing else."""
    for style in styles:
        if stack[-1] == style:
            stack.pop()
        elif stack[-1] in STYLES and stack[-2] == style:
            del stack[-2]
        else:
            stack.append(style)
    return 0


def _end_line(stack: list[str]) -> int:
    """Close what a line ends; it should not within other markup."""
    within = [opener for opener in stack if opener not in WITHIN_LINE]
    ended = len(stack) - len(within)
    stack[:] = within
    return ended if len(within) > 1 else 0
