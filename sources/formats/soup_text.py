"""The text of an HTML document as Beautiful Soup 4.9 over lxml gives it, without building its tree.

``BeautifulSoup(markup, "lxml").get_text()`` joins all text but that of scripts, styles, templates
and comments, and makes a text node of nothing but ASCII white space one newline if it holds one,
else one space (outside ``pre`` and ``textarea``). Nothing else is changed, so CR LF within text
stays, as libxml2 then kept it.
"""

from collections.abc import Iterable, Iterator

from lxml import etree
from lxml.html import HtmlElement

from sources.formats.html_tree import (
    keep_carriage_returns,
    local_name,
    read_before,
    read_whole,
)

SILENT = frozenset({"script", "style", "template"})
"""Elements whose text is none of the document's."""

PREFORMATTED = frozenset({"pre", "textarea"})
"""Elements in which white space is kept as it is."""

_ASCII_SPACE = " \n\t\f\r"


def soup_text(markup: str) -> str:
    """Return the text of a document as Beautiful Soup 4.9 over libxml2 2.9 did."""
    try:
        return text_of(read_before(keep_carriage_returns(markup)))
    except etree.ParserError:
        return ""


def whole_text(markup: str) -> str:
    """Return the text of a document read by the rules of HTML5, in all its depth.

    Raises `sources.formats.html_tree.TooDeepError`.
    """
    try:
        return text_of(read_whole(markup))
    except etree.ParserError:
        return ""


def text_of(roots: Iterable[HtmlElement]) -> str:
    """Return the text of parsed trees."""
    return "".join(node for root in roots for node in _nodes(root))


def _nodes(root: HtmlElement) -> Iterator[str]:
    preformatted = 0
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        # The names of comments and processing instructions are functions.
        tag = local_name(element.tag) if event in {"start", "end"} else ""
        if event == "start":
            preformatted += tag in PREFORMATTED
            if tag in SILENT:
                walk.skip_subtree()
                continue
            text = element.text
        else:
            preformatted -= event == "end" and tag in PREFORMATTED
            text = element.tail
        if text:
            yield text if preformatted else _collapsed(text)


def _collapsed(text: str) -> str:
    if text.strip(_ASCII_SPACE):
        return text
    return "\n" if "\n" in text else " "
