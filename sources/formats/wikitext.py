"""The text of a wiki page, as the extraction behind the Pile's Wikipedia made it, or corrected.

The wikitext is cut into sections at its top-level headings. From each, three kinds of markup are
removed wherever they stand: links to files, templates that list notes, then ``ref`` and table tags.
The rest is stripped as mwparserfromhell's ``strip_code()`` does it: templates and comments vanish,
links and tags become what they show, entities become characters, and at every level of nesting
newlines at both ends go and no more than two stay in a row. Sections are stripped of white space
and joined by a blank line.

What the published code does beyond its intent, and `PUBLISHED` repeats: removing something from
inside other markup leaves the sibling behind it unsearched, so of several in a row every second
stays. Prefixes are English and without white space before them, tags lower-case, and a list of
notes is known by its bare name alone.

mwparserfromhell builds a tree of objects for every part of a page and searches it time and again.
Here tokens become text at once; only what may have to be removed waits, as a `Removable`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.entities import name2codepoint
from types import MappingProxyType, NoneType
from typing import Any, TypeAlias

from mwparserfromhell.parser import ParserError, tokens

from sources.formats.wikitext_tokens import Tokens, tokenize

FILE_LINK, NOTES, TAG, EXTRA = 1, 2, 4, 8
"""Kinds of what is removed; ``EXTRA`` is what only the corrected text leaves out."""

NOTE_LISTS = frozenset(
    {"reflist", "notelist", "notelist-ua", "notelist-lr", "notelist-ur", "notelist-lg"}
)
REMOVED_TAGS = frozenset({"ref", "table"})
INVISIBLE_TAGS = frozenset(
    {
        *("categorytree", "gallery", "imagemap", "inputbox", "math", "score", "section"),
        *("templatedata", "timeline"),
    }
)
"""Tags whose content release 0.5.4 of mwparserfromhell took for invisible."""

_FILE_LINK = re.compile(r"(?:File|Image|Media):", re.IGNORECASE)
_EXTRA_LINK = re.compile(r"\s*(?:Category|File|Image|Media)\s*:", re.IGNORECASE)
_SWITCH = re.compile(
    r"__(?:(?:NO|FORCE)?TOC|NOEDITSECTION|(?:NO)?NEWSECTIONLINK|NOGALLERY|HIDDENCAT|(?:NO)?INDEX"
    r"|NO(?:TITLE|CONTENT)CONVERT|NOCC|NOTC|START|END|STATICREDIRECT|DISAMBIG|EXPECTUNUSEDCATEGORY"
    r"|EXPECTUNUSEDTEMPLATE|NOGLOBAL|ARCHIVEDTALK|NOTALK)__"
)


@dataclass(slots=True)
class Removable:
    """A node that may be removed, or that holds such: its kind, 0 for none, and what it shows."""

    kind: int
    nodes: "Nodes"


Nodes: TypeAlias = list[str | Removable]
"""Siblings in order: what each shows, or what is still to be decided."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is removed of a page, and how its sections become one text.

    ``searches`` are the kinds that each search removes, in order. ``skips`` is whether a search
    inside other markup passes over the sibling behind what it removed.
    """

    searches: tuple[int, ...]
    skips: bool
    join: Callable[[Iterable[str]], str]


def page_text(wikitext: str, rules: Rules) -> str:
    """Return the text of a page; raises `TangledError` and mwparserfromhell's ParserError."""
    return rules.join(_section_text(nodes, rules) for nodes in _sections(wikitext))


def _join(sections: Iterable[str]) -> str:
    return "\n\n".join(section.strip() for section in sections)


def _join_without_switches(sections: Iterable[str]) -> str:
    stripped = (_strip(_SWITCH.sub("", section)).strip() for section in sections)
    return "\n\n".join(section for section in stripped if section)


PUBLISHED = Rules(searches=(FILE_LINK, NOTES, TAG), skips=True, join=_join)
CORRECTED = Rules(
    searches=(FILE_LINK | NOTES | TAG | EXTRA,), skips=False, join=_join_without_switches
)


def _sections(wikitext: str) -> Iterator[Nodes]:
    """Yield the nodes of each section, the first up to a heading, the others from one on."""
    ahead: Tokens = [None, *reversed(tokenize(wikitext))]
    nodes, end = _nodes(ahead, SECTION_ENDS)
    yield nodes
    while end is not None:
        heading = _heading(end, ahead)
        nodes, end = _nodes(ahead, SECTION_ENDS)
        yield [heading, *nodes]


def _nodes(ahead: Tokens, closers: frozenset[type]) -> tuple[Nodes, Any]:
    """Take tokens up to one that closes, off the end of a list; return the nodes, and that token."""
    nodes: Nodes = []
    while True:
        token = ahead.pop()
        kind = type(token)
        if kind is tokens.Text:
            nodes.append(token["text"])
        elif kind in closers:
            return nodes, token
        else:
            nodes.append(NODES.get(kind, _misplaced)(token, ahead))


def _node(kind: int, nodes: Nodes) -> str | Removable:
    if kind or any(type(node) is not str for node in nodes):
        return Removable(kind, nodes)
    return _strip("".join(nodes))  # type: ignore[arg-type] # all are str


def _strip(text: str) -> str:
    """Take off newlines at both ends, and all but two of any in a row."""
    text = text.strip("\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def _template(_: Any, ahead: Tokens) -> str | Removable:
    """Pass over a template with all that is in it: it shows nothing."""
    token = ahead.pop()
    named = type(token) is tokens.Text and type(ahead[-1]) in TEMPLATE_NAME_ENDS
    kind = NOTES if named and token["text"].lower() in NOTE_LISTS else 0
    depth = 1
    while True:
        if type(token) is tokens.TemplateOpen:
            depth += 1
        elif type(token) is tokens.TemplateClose:
            depth -= 1
            if not depth:
                return Removable(kind, []) if kind else ""
        elif token is None:
            _misplaced(token, ahead)
        token = ahead.pop()


def _argument(_: Any, ahead: Tokens) -> str | Removable:
    """Show a template's argument as its default."""
    _, end = _nodes(ahead, ARGUMENT_ENDS)
    if type(end) is tokens.ArgumentClose:
        return ""
    return _node(0, _nodes(ahead, ARGUMENT_ENDS)[0])


def _wikilink(_: Any, ahead: Tokens) -> str | Removable:
    """Show a link as its text, or else its title."""
    title = ahead[-1]["text"] if type(ahead[-1]) is tokens.Text else ""
    shown, end = _nodes(ahead, WIKILINK_ENDS)
    if type(end) is tokens.WikilinkSeparator:
        shown, _ = _nodes(ahead, WIKILINK_ENDS)
    if _FILE_LINK.match(title):
        return _node(FILE_LINK, shown)
    return _node(EXTRA if _EXTRA_LINK.match(title) else 0, shown)


def _external_link(token: Any, ahead: Tokens) -> str | Removable:
    """Show a link in brackets as its title, if it has one, and any other as its address."""
    shown, end = _nodes(ahead, EXTERNAL_LINK_ENDS)
    title: Nodes = []
    if type(end) is tokens.ExternalLinkSeparator:
        title, _ = _nodes(ahead, EXTERNAL_LINK_ENDS)
    return _node(0, title if token["brackets"] else shown)


def _entity(_: Any, ahead: Tokens) -> str:
    """Show an entity as its character; a lone surrogate, which is none, as U+FFFD."""
    token = ahead.pop()
    base = 0
    if type(token) is tokens.HTMLEntityNumeric:
        base, token = 10, ahead.pop()
        if type(token) is tokens.HTMLEntityHex:
            base, token = 16, ahead.pop()
    ahead.pop()
    number = int(token["text"], base) if base else name2codepoint[token["text"]]
    return "\ufffd" if 0xD800 <= number <= 0xDFFF else chr(number)


def _heading(_: Any, ahead: Tokens) -> str | Removable:
    return _node(0, _nodes(ahead, HEADING_ENDS)[0])


def _comment(_: Any, ahead: Tokens) -> str:
    _nodes(ahead, COMMENT_ENDS)
    return ""


def _tag(_: Any, ahead: Tokens) -> str | Removable:
    """Show a tag, written as such or as wiki markup, as its content."""
    names, end = _nodes(ahead, TAG_NAME_ENDS)
    name = names[0] if names and isinstance(names[0], str) else ""
    while type(end) is tokens.TagAttrStart:
        _, end = _nodes(ahead, TAG_NAME_ENDS)
    shown: Nodes = []
    if type(end) is tokens.TagCloseOpen:
        shown, _ = _nodes(ahead, TAG_CONTENT_ENDS)
        _nodes(ahead, TAG_ENDS)
    if name in REMOVED_TAGS:
        return _node(TAG, shown)
    if name.lower() in INVISIBLE_TAGS:
        return ""
    return _node(EXTRA if name.lower() in REMOVED_TAGS else 0, shown)


def _nothing(_: Any, __: Tokens) -> str:
    return ""


def _misplaced(token: Any, _: Tokens) -> str:
    what = "the end of the page" if token is None else type(token).__name__
    raise ParserError(f"{what} inside markup")  # type: ignore[no-untyped-call] # the library's


NODES: Mapping[type, Callable[[Any, Tokens], str | Removable]] = MappingProxyType(
    {
        tokens.TemplateOpen: _template,
        tokens.ArgumentOpen: _argument,
        tokens.WikilinkOpen: _wikilink,
        tokens.ExternalLinkOpen: _external_link,
        tokens.HTMLEntityStart: _entity,
        tokens.HeadingStart: _heading,
        tokens.CommentStart: _comment,
        tokens.TagOpenOpen: _tag,
        tokens.TagAttrEquals: _nothing,
        tokens.TagAttrQuote: _nothing,
    }
)
"""What makes a node of the token that begins it and those ahead."""

SECTION_ENDS = frozenset({tokens.HeadingStart, NoneType})
TEMPLATE_NAME_ENDS = frozenset({tokens.TemplateParamSeparator, tokens.TemplateClose})
ARGUMENT_ENDS = frozenset({tokens.ArgumentSeparator, tokens.ArgumentClose})
WIKILINK_ENDS = frozenset({tokens.WikilinkSeparator, tokens.WikilinkClose})
EXTERNAL_LINK_ENDS = frozenset({tokens.ExternalLinkSeparator, tokens.ExternalLinkClose})
HEADING_ENDS = frozenset({tokens.HeadingEnd})
COMMENT_ENDS = frozenset({tokens.CommentEnd})
TAG_NAME_ENDS = frozenset({tokens.TagAttrStart, tokens.TagCloseOpen, tokens.TagCloseSelfclose})
TAG_CONTENT_ENDS = frozenset({tokens.TagOpenClose})
TAG_ENDS = frozenset({tokens.TagCloseClose})


def _section_text(nodes: Nodes, rules: Rules) -> str:
    """Return the text of a section, in which every search reaches every node."""
    return _strip(
        "".join(
            node if isinstance(node, str) else _shown(node, rules.searches, rules)
            for node in nodes
            if isinstance(node, str) or not any(node.kind & kinds for kinds in rules.searches)
        )
    )


def _shown(outer: Removable, searches: Iterable[int], rules: Rules) -> str:
    """Return what a node that stays shows once the searches that reached it went through it."""
    left: Iterable[tuple[str | Removable, int]] = [(node, 0) for node in outer.nodes]
    for kinds in searches:
        left = list(_search(left, kinds, rules))
    return _strip(
        "".join(
            node
            if isinstance(node, str)
            else _shown(node, [kinds for kinds in searches if kinds & reached], rules)
            for node, reached in left
        )
    )


def _search(
    siblings: Iterable[tuple[str | Removable, int]], kinds: int, rules: Rules
) -> Iterator[tuple[str | Removable, int]]:
    """Yield the siblings that stay, each with all kinds of the searches that reached it."""
    skipped = False
    for node, reached in siblings:
        if skipped:
            yield node, reached
            skipped = False
        elif isinstance(node, Removable) and node.kind & kinds:
            skipped = rules.skips
        else:
            yield node, reached | kinds
