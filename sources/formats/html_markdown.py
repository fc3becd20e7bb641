"""HTML as Markdown, the way html2text 2020.1.16 wrote it, without wrapping its lines.

The Pile's books went through that release; later ones place spaces round emphasis and indent nested
lists in other ways. This is a reading of its own of what that release puts out, which its tests
compare with it on many pages. What matters of it:

* Text is escaped where Markdown would take it for markup: list marks at a line's start, brackets and
  backslashes in links.
* Emphasis is kept off the words round it by spaces: ``a<b>x</b>c`` is ``a **x** c``.
* Named and numbered characters that have a look-alike in ASCII become it: ``&mdash;`` is ``--``, but
  a dash that stands as itself stays.
* Links within a page (``#``) are their text; tables have a line under their first row.

A page that would take unbounded time or memory raises `MarkupError`: Python's parser tries every
broken-off tag anew, and indentation multiplies what stands in many lists.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.entities import html5, name2codepoint
from html.parser import HTMLParser
from types import MappingProxyType
from typing import TypeAlias

Attributes: TypeAlias = Mapping[str, str | None]

MAX_PAGE = 8 << 20
"""Characters of a page."""

MAX_MARKDOWN = 64 << 20
"""Characters that a page may become."""

MAX_DEPTH = 64
"""Lists, and quotations, that may be open at once."""

MAX_BROKEN = 20
"""Tags and comments of a page that may be broken off."""

LOOK_ALIKES: Mapping[str, str] = MappingProxyType(
    {
        "rsquo": "'",
        "lsquo": "'",
        "rdquo": '"',
        "ldquo": '"',
        "copy": "(C)",
        "mdash": "--",
        "ndash": "-",
        "rarr": "->",
        "larr": "<-",
        "middot": "*",
        "oelig": "oe",
        "aelig": "ae",
        "lrm": "",
        "rlm": "",
    }
    | {
        letter + accent: letter
        for letter, accents in {
            "a": ("grave", "acute", "circ", "tilde", "uml", "ring"),
            "e": ("grave", "acute", "circ", "uml"),
            "i": ("grave", "acute", "circ", "uml"),
            "o": ("grave", "acute", "circ", "tilde", "uml"),
            "u": ("grave", "acute", "circ", "uml"),
        }.items()
        for accent in accents
    }
)
"""Names of characters that become ASCII where they are written as references."""

_BY_NUMBER = {name2codepoint[name]: text for name, text in LOOK_ALIKES.items()}
_HARD_SPACE = "&nbsp_place_holder;"

_SPACE = re.compile(r"\s+")
_BACKSLASH = re.compile(r"(\\)(?=[\\`*_{}\[\]()#+\-.!])")
_LINE_STARTS = (
    (re.compile(r"^(\s*\d+)(\.)(?=\s)", re.MULTILINE), r"\1\\\2"),
    (re.compile(r"^(\s*)(\+)(?=\s)", re.MULTILINE), r"\1\\\2"),
    (re.compile(r"^(\s*)(-)(?=\s|-)", re.MULTILINE), r"\1\\\2"),
)
_IN_LINK = re.compile(r"([\\\[\]()])")
_ABSOLUTE = re.compile(r"^[a-zA-Z+]+://")
_HEADING = re.compile(r"h([1-9])")
_PARTS_WORDS = re.compile(r"[^\s.!?]")


class MarkupError(ValueError):
    """A page that cannot be read in bounded time and memory."""


def markdown(page: str) -> str:
    """Return a page as Markdown; raises `MarkupError`."""
    if len(page) > MAX_PAGE:
        raise MarkupError(f"a page of {len(page):,} characters")
    writer = _Writer()
    writer.feed(page)
    writer.close()
    return writer.finished()


@dataclass(slots=True)
class _List:
    """A list that is open, and the number of its last item."""

    ordered: bool
    number: int


class _Writer(HTMLParser):
    """Takes a page's events and writes Markdown as they come."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self.size = 0
        self.broken = 0
        self.at_line_start = False
        self.breaks = 0
        self.line_end = ""
        self.space = False
        self.begun = True
        self.quiet = 0
        self.quotes = 0
        self.pre = False
        self.pre_begins = False
        self.code = False
        self.tag = ""
        self.before = ""
        self.stressed = False
        self.after_stress = False
        self.links: list[Attributes | None] = []
        self.pending: str | None = None
        self.empty_link = False
        self.lists: list[_List] = []
        self.after_list = False
        self.table_begins = False
        self.cells = 0
        self.cell_before = False
        self.abbreviation: str | None = None
        self.abbreviated: str | None = None
        self.abbreviations: dict[str, str] = {}

    # What the page says.

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.element(tag, dict(attrs), begins=True)

    def handle_endtag(self, tag: str) -> None:
        self.element(tag, {}, begins=False)

    def handle_charref(self, name: str) -> None:
        self.text(_numbered(name), referred=True)

    def handle_entityref(self, name: str) -> None:
        self.text(_named(name), referred=True)

    def handle_data(self, data: str) -> None:
        self.text(data, referred=False)

    def parse_starttag(self, i: int) -> int:
        return self.counted(super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        return self.counted(super().parse_endtag(i))

    def parse_html_declaration(self, i: int) -> int:
        return self.counted(super().parse_html_declaration(i))

    def parse_comment(self, i: int, report: bool = True) -> int:
        return self.counted(super().parse_comment(i, report))

    def parse_pi(self, i: int) -> int:
        return self.counted(super().parse_pi(i))

    def counted(self, end: int) -> int:
        """Return where markup ends, -1 if it never does; raises `MarkupError` over too many."""
        self.broken += end < 0
        if self.broken > MAX_BROKEN:
            raise MarkupError(f"more than {MAX_BROKEN} tags that are broken off")
        return end

    def text(self, text: str, *, referred: bool) -> None:
        """Write text; what is written as a reference needs no escape."""
        if not text:
            return
        if self.stressed:
            text = text.strip()
            self.stressed = False
            self.after_stress = True
        elif self.after_stress:
            if self.needs_space(text):
                text = " " + text
            self.after_stress = False
        if self.pending is not None:
            if self.pending == text and _ABSOLUTE.match(text):
                self.put(f"<{text}>")
                self.empty_link = False
                return
            self.open_link()
        if not (self.code or self.pre or referred):
            text = _escaped(text)
        self.before = text
        self.put(text, from_page=True)

    def element(self, tag: str, attributes: Attributes, *, begins: bool) -> None:
        """Write what the start or end of an element stands for."""
        self.tag = tag
        if begins and self.pending is not None and tag not in _SILENT_IN_LINKS:
            self.open_link()
        handle = _ELEMENTS.get(tag)
        if handle is not None:
            handle(self, attributes, begins)
        if tag not in _LIST_TAGS:
            self.after_list = False

    def heading(self, _attributes: Attributes, begins: bool) -> None:
        self.paragraph()
        if begins:
            self.put("#" * int(self.tag[1]) + " ")

    def block(self, _attributes: Attributes, _begins: bool) -> None:
        if not (self.links and self.tag == "div"):
            self.paragraph()

    def line_break(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.put("  \n> " if self.quotes > 0 else "  \n")

    def rule(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.paragraph()
            self.put("* * *")
            self.paragraph()

    def hidden(self, _attributes: Attributes, begins: bool) -> None:
        self.quiet += 1 if begins else -1

    def body(self, _attributes: Attributes, _begins: bool) -> None:
        self.quiet = 0

    def quotation(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.paragraph()
            self.put("> ", forced=True)
            self.begun = True
            self.quotes += 1
        else:
            self.quotes -= 1
            self.paragraph()

    def stress(self, _attributes: Attributes, begins: bool) -> None:
        mark = _STRESS[self.tag]
        touches = begins and bool(self.before) and not self.before[-1].isspace()
        self.put(" " + mark if touches else mark)
        if begins:
            self.stressed = True

    def needs_space(self, text: str) -> bool:
        """Tell whether text behind emphasis would be taken for part of it."""
        return bool(_PARTS_WORDS.match(text)) and not (
            _HEADING.fullmatch(self.tag) or self.tag in {"a", "code", "pre"}
        )

    def code_span(self, _attributes: Attributes, begins: bool) -> None:
        if not self.pre:
            self.put("`")
            self.code = not self.code
        del begins

    def abbr(self, attributes: Attributes, begins: bool) -> None:
        if begins:
            self.abbreviation = attributes.get("title")
            self.abbreviated = ""
        else:
            if self.abbreviation is not None and self.abbreviated is not None:
                self.abbreviations[self.abbreviated] = self.abbreviation
            self.abbreviation = self.abbreviated = None

    def quote_mark(self, _attributes: Attributes, _begins: bool) -> None:
        self.put('"')

    def link(self, attributes: Attributes, begins: bool) -> None:
        if begins:
            target = attributes.get("href")
            if target is None or target.startswith("#"):
                self.links.append(None)
            else:
                self.links.append(attributes)
                self.pending = target
                self.empty_link = True
        elif self.links:
            self.close_link(self.links.pop())

    def open_link(self) -> None:
        self.put("[")
        self.pending = None
        self.empty_link = False

    def close_link(self, attributes: Attributes | None) -> None:
        if self.pending and not self.empty_link:
            self.pending = None
        elif attributes is not None:
            if self.empty_link:
                self.open_link()
            title = _escaped_in_link(attributes.get("title"))
            title = f' "{title}"' if title.strip() else ""
            self.put(f"]({_escaped_in_link(attributes['href'])}{title})")

    def image(self, attributes: Attributes, begins: bool) -> None:
        source = attributes.get("src")
        if begins and source is not None:
            if self.pending is not None:
                self.open_link()
            self.put(f"![{_escaped_in_link(attributes.get('alt'))}]")
            self.put(f"({_escaped_in_link(source)})")

    def definitions(self, _attributes: Attributes, begins: bool) -> None:
        if self.tag == "dl":
            if begins:
                self.paragraph()
        elif not begins:
            self.new_line()
        elif self.tag == "dd":
            self.put("    ")

    def list_of_items(self, attributes: Attributes, begins: bool) -> None:
        if not (self.lists or self.after_list):
            self.paragraph()
        if begins:
            self.lists.append(_List(self.tag == "ol", _first_number(attributes) - 1))
        elif self.lists:
            self.lists.pop()
            if not self.lists:
                self.put("\n")
        self.after_list = True

    def item(self, _attributes: Attributes, begins: bool) -> None:
        self.new_line()
        if begins:
            current = self.lists[-1] if self.lists else _List(ordered=False, number=0)
            self.put("  " * len(self.lists))
            current.number += current.ordered
            self.put(f"{current.number}. " if current.ordered else "* ")
            self.begun = True

    def table(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.table_begins = True

    def cell(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            if self.cell_before:
                self.put("| ")
            self.cell_before = True
            self.cells += 1

    def row(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.cells = 0
            return
        self.cell_before = False
        self.soft_break()
        if self.table_begins:
            self.put("|".join(["---"] * self.cells))
            self.soft_break()
            self.table_begins = False

    def preformatted(self, _attributes: Attributes, begins: bool) -> None:
        self.pre = begins
        self.pre_begins = self.pre_begins or begins
        self.paragraph()

    # What is written.

    def paragraph(self) -> None:
        self.breaks = 2

    def new_line(self) -> None:
        if self.breaks == 0:
            self.breaks = 1

    def soft_break(self) -> None:
        self.new_line()
        self.line_end = "  "

    def put(self, text: str, *, from_page: bool = False, forced: bool = False) -> None:
        """Write text behind the breaks and the space that are due."""
        if self.abbreviated is not None:
            self.abbreviated += text
        if self.quiet:
            return
        if from_page and not self.pre:
            text = _SPACE.sub(" ", text)
            if text.startswith(" "):
                self.space = True
                text = text[1:]
        if not text and not forced:
            return
        text, margin = self.indented(text, forced)
        self.write_due(margin)
        self.write(text)

    def indented(self, text: str, forced: bool) -> tuple[str, str]:
        """Return text as it stands in quotations and preformatted, and what begins its lines."""
        if self.pre_begins and not text.startswith(("\n", "\r\n")):
            text = "\n" + text
        margin = ">" * self.quotes
        if self.quotes and not (forced and text.startswith(">")):
            margin += " "
        if self.pre:
            margin += "    " * (len(self.lists) or 1)
            self.reserve(text.count("\n") * len(margin))
            text = text.replace("\n", "\n" + margin)
        if self.pre_begins:
            self.pre_begins = False
            if self.lists:
                text = text.lstrip("\n")
        return text, margin

    def write_due(self, margin: str) -> None:
        if self.begun:
            self.space = False
            self.breaks = 0
            self.begun = False
        if self.breaks:
            self.write((self.line_end + "\n" + margin) * self.breaks)
            self.space = False
            self.line_end = ""
        if self.space:
            if not self.at_line_start:
                self.write(" ")
            self.space = False
        self.breaks = 0

    def reserve(self, size: int) -> None:
        """Raise `MarkupError` if so much more would be too much."""
        if self.size + size > MAX_MARKDOWN or max(len(self.lists), self.quotes) > MAX_DEPTH:
            raise MarkupError("its indentation makes it grow out of bounds")

    def write(self, text: str) -> None:
        self.reserve(len(text))
        self.size += len(text)
        self.written.append(text)
        if text:
            self.at_line_start = text.endswith("\n")

    def finished(self) -> str:
        """Return all that was written, with the abbreviations at its end."""
        if not self.quiet:
            rest, _ = self.indented("", forced=True)
            self.write("\n")
            for short, meaning in self.abbreviations.items():
                self.write(f"  *[{short}]: {meaning}\n")
            self.write(rest)
        return "".join(self.written).replace(_HARD_SPACE, " ")


def _first_number(attributes: Attributes) -> int:
    try:
        return int(attributes.get("start") or "1")
    except ValueError:
        return 1


def _escaped(text: str) -> str:
    """Return text with a backslash before what Markdown would take for markup."""
    text = _BACKSLASH.sub(r"\\\1", text)
    for start, escaped in _LINE_STARTS:
        text = start.sub(escaped, text)
    return text


def _escaped_in_link(text: str | None) -> str:
    return _IN_LINK.sub(r"\\\1", text or "")


def _numbered(reference: str) -> str:
    number = int(reference[1:], 16) if reference[0] in "xX" else int(reference)
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    return chr(number) if number < 0x110000 else ""


def _named(name: str) -> str:
    if name == "nbsp":
        return _HARD_SPACE
    return LOOK_ALIKES.get(name, html5.get(name + ";", f"&{name};"))


_LIST_TAGS = frozenset({"ol", "ul"})
_SILENT_IN_LINKS = frozenset({"p", "div", "style", "dl", "dt", "img"})
_STRESS = {
    **dict.fromkeys(("em", "i", "u"), "_"),
    **dict.fromkeys(("strong", "b"), "**"),
    **dict.fromkeys(("del", "strike", "s"), "~~"),
}
_ELEMENTS: Mapping[str, Callable[[_Writer, Attributes, bool], None]] = {
    **{f"h{level}": _Writer.heading for level in range(1, 10)},
    **dict.fromkeys(("p", "div"), _Writer.block),
    **dict.fromkeys(("head", "style", "script"), _Writer.hidden),
    **dict.fromkeys(_STRESS, _Writer.stress),
    **dict.fromkeys(("kbd", "code", "tt"), _Writer.code_span),
    **dict.fromkeys(("dl", "dt", "dd"), _Writer.definitions),
    **dict.fromkeys(_LIST_TAGS, _Writer.list_of_items),
    **dict.fromkeys(("td", "th"), _Writer.cell),
    "br": _Writer.line_break,
    "hr": _Writer.rule,
    "body": _Writer.body,
    "blockquote": _Writer.quotation,
    "abbr": _Writer.abbr,
    "q": _Writer.quote_mark,
    "a": _Writer.link,
    "img": _Writer.image,
    "li": _Writer.item,
    "table": _Writer.table,
    "tr": _Writer.row,
    "pre": _Writer.preformatted,
}
