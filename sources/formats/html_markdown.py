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
from html.parser import HTMLParser
from typing import TypeAlias

from sources.formats.markdown_lines import MarkdownLines, MarkupError
from sources.formats.markdown_text import escaped, escaped_in_link, named, numbered

__all__ = ["MarkupError", "markdown"]

Attributes: TypeAlias = Mapping[str, str | None]

MAX_PAGE = 8 << 20
"""Characters of a page."""

MAX_BROKEN = 20
"""Tags and comments of a page that may be broken off."""

_ABSOLUTE = re.compile(r"^[a-zA-Z+]+://")
_HEADING = re.compile(r"h([1-9])")
_PARTS_WORDS = re.compile(r"[^\s.!?]")


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
        self.out = MarkdownLines()
        self.broken = 0
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
        self.abbreviations: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.element(tag, dict(attrs), begins=True)

    def handle_endtag(self, tag: str) -> None:
        self.element(tag, {}, begins=False)

    def handle_charref(self, name: str) -> None:
        self.text(numbered(name), referred=True)

    def handle_entityref(self, name: str) -> None:
        self.text(named(name), referred=True)

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
                self.out.put(f"<{text}>")
                self.empty_link = False
                return
            self.open_link()
        if not (self.code or self.out.pre or referred):
            text = escaped(text)
        self.before = text
        self.out.put(text, from_page=True)

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
        self.out.paragraph()
        if begins:
            self.out.put("#" * int(self.tag[1]) + " ")

    def block(self, _attributes: Attributes, _begins: bool) -> None:
        if not (self.links and self.tag == "div"):
            self.out.paragraph()

    def line_break(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.out.put("  \n> " if self.out.quotes > 0 else "  \n")

    def rule(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.out.paragraph()
            self.out.put("* * *")
            self.out.paragraph()

    def hidden(self, _attributes: Attributes, begins: bool) -> None:
        self.out.quiet += 1 if begins else -1

    def body(self, _attributes: Attributes, _begins: bool) -> None:
        self.out.quiet = 0

    def quotation(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.out.paragraph()
            self.out.put("> ", forced=True)
            self.out.begun = True
            self.out.quotes += 1
        else:
            self.out.quotes -= 1
            self.out.paragraph()

    def stress(self, _attributes: Attributes, begins: bool) -> None:
        mark = _STRESS[self.tag]
        touches = begins and bool(self.before) and not self.before[-1].isspace()
        self.out.put(" " + mark if touches else mark)
        if begins:
            self.stressed = True

    def needs_space(self, text: str) -> bool:
        """Tell whether text behind emphasis would be taken for part of it."""
        return bool(_PARTS_WORDS.match(text)) and not (
            _HEADING.fullmatch(self.tag) or self.tag in {"a", "code", "pre"}
        )

    def code_span(self, _attributes: Attributes, _begins: bool) -> None:
        if not self.out.pre:
            self.out.put("`")
            self.code = not self.code

    def abbr(self, attributes: Attributes, begins: bool) -> None:
        if begins:
            self.abbreviation = attributes.get("title")
            self.out.abbreviated = ""
        else:
            if self.abbreviation is not None and self.out.abbreviated is not None:
                self.abbreviations[self.out.abbreviated] = self.abbreviation
            self.abbreviation = self.out.abbreviated = None

    def quote_mark(self, _attributes: Attributes, _begins: bool) -> None:
        self.out.put('"')

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
        self.out.put("[")
        self.pending = None
        self.empty_link = False

    def close_link(self, attributes: Attributes | None) -> None:
        if self.pending and not self.empty_link:
            self.pending = None
        elif attributes is not None:
            if self.empty_link:
                self.open_link()
            title = escaped_in_link(attributes.get("title"))
            title = f' "{title}"' if title.strip() else ""
            self.out.put(f"]({escaped_in_link(attributes['href'])}{title})")

    def image(self, attributes: Attributes, begins: bool) -> None:
        source = attributes.get("src")
        if begins and source is not None:
            if self.pending is not None:
                self.open_link()
            self.out.put(f"![{escaped_in_link(attributes.get('alt'))}]")
            self.out.put(f"({escaped_in_link(source)})")

    def definitions(self, _attributes: Attributes, begins: bool) -> None:
        if self.tag == "dl":
            if begins:
                self.out.paragraph()
        elif not begins:
            self.out.new_line()
        elif self.tag == "dd":
            self.out.put("    ")

    def list_of_items(self, attributes: Attributes, begins: bool) -> None:
        if not (self.lists or self.after_list):
            self.out.paragraph()
        if begins:
            self.lists.append(_List(self.tag == "ol", _first_number(attributes) - 1))
            self.out.lists += 1
        elif self.lists:
            self.lists.pop()
            self.out.lists -= 1
            if not self.lists:
                self.out.put("\n")
        self.after_list = True

    def item(self, _attributes: Attributes, begins: bool) -> None:
        self.out.new_line()
        if begins:
            current = self.lists[-1] if self.lists else _List(ordered=False, number=0)
            self.out.put("  " * len(self.lists))
            current.number += current.ordered
            self.out.put(f"{current.number}. " if current.ordered else "* ")
            self.out.begun = True

    def table(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.table_begins = True

    def cell(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            if self.cell_before:
                self.out.put("| ")
            self.cell_before = True
            self.cells += 1

    def row(self, _attributes: Attributes, begins: bool) -> None:
        if begins:
            self.cells = 0
            return
        self.cell_before = False
        self.out.soft_break()
        if self.table_begins:
            self.out.put("|".join(["---"] * self.cells))
            self.out.soft_break()
            self.table_begins = False

    def preformatted(self, _attributes: Attributes, begins: bool) -> None:
        self.out.pre = begins
        self.out.pre_begins = self.out.pre_begins or begins
        self.out.paragraph()

    def finished(self) -> str:
        """Return the page as Markdown."""
        return self.out.finished(self.abbreviations)


def _first_number(attributes: Attributes) -> int:
    try:
        return int(attributes.get("start") or "1")
    except ValueError:
        return 1


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
