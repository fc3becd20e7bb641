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

from mwparserfromhell.parser import CTokenizer, ParserError
from mwparserfromhell.parser.tokenizer import Tokenizer

Tokens: TypeAlias = list[Any]
"""Objects of the classes in ``mwparserfromhell.parser.tokens``, which are dictionaries."""

DEPTH = 40
"""Levels of markup that release 0.5.4 followed."""

STEPS = 32
"""Steps that tangled text may take for each of its characters; articles take 0.1 to 7."""

TIDY_CHARACTERS = 1 << 18
"""Longest text for the C tokenizer, whose steps nobody counts."""

TIDY_DEPTH = 16
"""Levels of markup in tidy text; each is up to two of the tokenizer's."""

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

UNPARSED = frozenset(
    {
        *("<!--", "categorytree", "ce", "chem", "gallery", "graph", "hiero", "imagemap"),
        *("inputbox", "math", "nowiki", "pre", "score", "section", "source"),
        *("syntaxhighlight", "templatedata", "timeline"),
    }
)
"""What holds text that is no markup."""


class TangledError(ParserError):  # type: ignore[misc] # the library has no types
    """Markup so tangled that cutting it into tokens takes too many steps."""

    def __init__(self) -> None:
        super().__init__("too many steps")


class CountingTokenizer(Tokenizer):  # type: ignore[misc] # the library has no types
    """The library's Python tokenizer with the depth of 2020 and an end to its patience."""

    MAX_DEPTH = DEPTH

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def _read(self, *args: Any, **options: Any) -> Any:
        self._steps -= 1
        if self._steps < 0:
            raise TangledError
        return super()._read(*args, **options)


def tokenize(wikitext: str) -> Tokens:
    """Return the tokens of a page; raises the library's ParserError, of which TangledError is one."""
    if CTokenizer is not None and is_tidy(wikitext):
        return list(CTokenizer().tokenize(wikitext))
    return list(CountingTokenizer(STEPS * (len(wikitext) + 100)).tokenize(wikitext))


def is_tidy(wikitext: str) -> bool:
    """Tell whether all markup closes in the order it was opened in, and none nests deep.

    It may err on the side of no: the tokens are then the same, only slower to come by.
    """
    if len(wikitext) > TIDY_CHARACTERS:
        return False
    stack = [""]
    for mark in MARK.finditer(wikitext):
        if not _follow(mark, stack) or len(stack) > TIDY_DEPTH:
            return False
    return _end_line(stack) and len(stack) == 1


def _follow(mark: re.Match[str], stack: list[str]) -> bool:
    """Open or close what a mark says; return whether it may stand there."""
    text, tag = mark[0], mark["tag"]
    if stack[-1] in UNPARSED:
        if stack[-1] == (tag.lower() if mark["end"] else OPENER_OF.get(text)):
            stack.pop()
        return True
    if tag:
        return _follow_tag(mark, stack)
    if text in OPENERS:
        stack.append(text)
        return True
    if text in OPENER_OF:
        # A bracket by itself is text, and so is the end of no comment.
        return _close(OPENER_OF[text], stack) or text in {"]", "-->"}
    if text == "\n":
        return _end_line(stack)
    return text in STYLES and _follow_styles(STYLES[text], stack)


def _follow_tag(mark: re.Match[str], stack: list[str]) -> bool:
    tag = mark["tag"].lower()
    if mark["alone"] or tag in SINGLE:
        return not mark["end"]
    if mark["end"]:
        return _close(tag, stack)
    stack.append(tag)
    return True


def _follow_styles(styles: Iterable[str], stack: list[str]) -> bool:
    """Switch italics and bold; they may overlap each other, but nothing else."""
    for style in styles:
        if stack[-1] == style:
            stack.pop()
        elif stack[-1] in STYLES and stack[-2] == style:
            del stack[-2]
        else:
            stack.append(style)
    return True


def _close(opener: str, stack: list[str]) -> bool:
    if stack[-1] != opener:
        return False
    stack.pop()
    return True


def _end_line(stack: list[str]) -> bool:
    """Close the styles of a line; return whether nothing is open that must close within it."""
    if all(opener in STYLES for opener in stack[1:]):
        del stack[1:]
    return not any(opener in STYLES or opener == "[" for opener in stack)
