"""The text of an HTML document as Beautiful Soup 4.9 over lxml gives it, without building its tree.

``BeautifulSoup(markup, "lxml").get_text()`` joins all text but that of scripts, styles, templates
and comments, and makes a text node of nothing but ASCII white space one newline if it holds one,
else one space (outside ``pre`` and ``textarea``). Nothing else is changed, so CR LF within text
stays, as libxml2 then kept it.
"""

from sources.formats.html_events import (
    MAX_DEPTH,
    TooDeepError,
    as_before,
    feed,
    keep_carriage_returns,
)

SILENT = frozenset({"script", "style", "template"})
"""Elements whose text is none of the document's."""

PREFORMATTED = frozenset({"pre", "textarea"})
"""Elements in which white space is kept as it is."""

_ASCII_SPACE = " \n\t\f\r"


def soup_text(markup: str) -> str:
    """Return the text of a document as Beautiful Soup 4.9 over libxml2 2.9 did.

    Raises `sources.formats.html_events.TooDeepError`.
    """
    soup = _Soup()
    feed(as_before(keep_carriage_returns(markup)), soup)
    return "".join(soup.nodes)


class _Soup:
    """Joins pieces of text into nodes, as any tag, comment or other markup ends one."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.pieces: list[str] = []
        self.depth = 0
        self.silent = 0
        self.preformatted = 0

    def settle(self) -> None:
        if not self.pieces:
            return
        node = "".join(self.pieces)
        self.pieces.clear()
        if not self.preformatted and not node.strip(_ASCII_SPACE):
            node = "\n" if "\n" in node else " "
        self.nodes.append(node)

    def start(self, tag: str, _attributes: object) -> None:
        self.settle()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        self.silent += tag in SILENT
        self.preformatted += tag in PREFORMATTED

    def end(self, tag: str) -> None:
        self.settle()
        self.depth -= 1
        self.silent -= tag in SILENT
        self.preformatted -= tag in PREFORMATTED

    def data(self, text: str) -> None:
        if not self.silent:
            self.pieces.append(text)

    def comment(self, _text: str) -> None:
        self.settle()

    def close(self) -> None:
        self.settle()
