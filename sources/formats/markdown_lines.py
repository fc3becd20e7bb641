"""Lines of Markdown: pieces of text with the breaks, spaces and margins that come between them."""

from collections.abc import Mapping

from sources.formats.markdown_text import HARD_SPACE, collapsed

MAX_MARKDOWN = 64 << 20
"""Characters that a page may become."""

MAX_DEPTH = 64
"""Lists, and quotations, that may be open at once."""


class MarkupError(ValueError):
    """A page that cannot be read in bounded time and memory."""


class MarkdownLines:
    """What is written of a page, and where it stands: in how many lists and quotations.

    ``begun`` is whether nothing has been written since a mark that text follows at once; ``quiet``
    counts the elements around of which nothing is written; ``abbreviated`` gathers what is written
    within an abbreviation.
    """

    def __init__(self) -> None:
        self.written: list[str] = []
        self.size = 0
        self.at_line_start = False
        self.breaks = 0
        self.line_end = ""
        self.space = False
        self.begun = True
        self.quiet = 0
        self.quotes = 0
        self.lists = 0
        self.pre = False
        self.pre_begins = False
        self.abbreviated: str | None = None

    def paragraph(self) -> None:
        """Let a blank line come before what is next."""
        self.breaks = 2

    def new_line(self) -> None:
        """Let a line end before what is next."""
        if self.breaks == 0:
            self.breaks = 1

    def soft_break(self) -> None:
        """Let a line end with a break that Markdown keeps."""
        self.new_line()
        self.line_end = "  "

    def put(self, text: str, *, from_page: bool = False, forced: bool = False) -> None:
        """Write text behind the breaks and the space that are due."""
        if self.abbreviated is not None:
            self.abbreviated += text
        if self.quiet:
            return
        if from_page and not self.pre:
            text = collapsed(text)
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
            margin += "    " * (self.lists or 1)
            self.reserve(text.count("\n") * len(margin))
            text = text.replace("\n", "\n" + margin)
        if self.pre_begins:
            self.pre_begins = False
            if self.lists:
                text = text.lstrip("\n")
        return text, margin

    def write_due(self, margin: str) -> None:
        """Write the breaks and the space that are due."""
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
        if self.size + size > MAX_MARKDOWN or max(self.lists, self.quotes) > MAX_DEPTH:
            raise MarkupError("its indentation makes it grow out of bounds")

    def write(self, text: str) -> None:
        """Write a piece as it is."""
        self.reserve(len(text))
        self.size += len(text)
        self.written.append(text)
        if text:
            self.at_line_start = text.endswith("\n")

    def finished(self, abbreviations: Mapping[str, str]) -> str:
        """Return all that was written, with the abbreviations at its end."""
        if not self.quiet:
            rest, _ = self.indented("", forced=True)
            self.write("\n")
            for short, meaning in abbreviations.items():
                self.write(f"  *[{short}]: {meaning}\n")
            self.write(rest)
        return "".join(self.written).replace(HARD_SPACE, " ")
