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
    soup = _Soup(goes_on=False)
    feed(as_before(keep_carriage_returns(markup)), soup)
    return "".join(soup.nodes)


def whole_text(markup: str) -> str:
    """Return the text of a document by the rules of HTML5, also from behind ``</html>``.

    Raises `sources.formats.html_events.TooDeepError`.
    """
    soup = _Soup(goes_on=True)
    feed(markup, soup)
    return "".join(soup.nodes)


class _Soup:
    """Joins pieces of text into nodes, as any tag, comment or other markup ends one.

    ``goes_on`` is whether elements behind ``</html>`` count; libxml2 2.9 stopped at the first.
    """

    def __init__(self, *, goes_on: bool) -> None:
        self.nodes: list[str] = []
        self.pieces: list[str] = []
        self.goes_on = goes_on
        self.after_html = False
        self.stopped = False
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
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        if self.after_html and tag == "html":
            # Implied, for text that goes on: still the same node.
            return
        self.settle()
        self.stopped = self.after_html and not self.goes_on
        self.silent += tag in SILENT
        self.preformatted += tag in PREFORMATTED

    def end(self, tag: str) -> None:
        self.settle()
        self.depth -= 1
        self.silent -= tag in SILENT
        self.preformatted -= tag in PREFORMATTED
        self.after_html = self.after_html or tag == "html"

    def data(self, text: str) -> None:
        if not (self.silent or self.stopped):
            self.pieces.append(text)

    def comment(self, _text: str) -> None:
        self.settle()

    def close(self) -> None:
        self.settle()
