"""Markdown wrapped to lines of 78 characters, the way html2text 2020.1.16 did unless told otherwise.

A line of its input is a paragraph. One that is indented by four spaces or a tab, or begins as an
item of a list or a rule does, stays as it is; all others are filled by `textwrap`, which also breaks
addresses behind a hyphen, and followed by a blank line. Lines of a quotation begin with ``> ``. An
item whose mark is a plus behind one space is lost.
"""

import re
import textwrap

WIDTH = 78

_AS_IT_IS = re.compile(r" {4}|\t|\s*(?:-(?!-(?!-|\Z))|\*(?!\*)|\+\s|\d+\.\s)")
_LOST = re.compile(r"\s\+")
_INDENTS = {"> ": "> ", "  *": "    "}
"""What begins a paragraph, and its further lines then."""
_HARD_BREAK = "  "

# Words without hyphens between single spaces, which `textwrap` would only fill more slowly.
_PLAIN = re.compile(r"[^\s-]+(?: [^\s-]+)*")
_PLAIN_LINE = re.compile(rf"([^ ]{{{WIDTH + 1},}}|.{{1,{WIDTH}}}(?![^ ])) ?")


def wrapped(markdown: str) -> str:
    """Return unwrapped Markdown with its lines wrapped, no more than one of them blank in a row."""
    written: list[str] = []
    breaks = 0
    for paragraph in markdown.split("\n"):
        if not paragraph:
            if breaks < 2:
                written.append("\n")
                breaks += 1
            continue
        if _AS_IT_IS.match(paragraph):
            if _LOST.match(paragraph):
                continue
            text, end = paragraph, "\n"
        else:
            text, end = _filled(paragraph)
        written += (text, end)
        breaks = end.count("\n")
    return "".join(written)


def _filled(paragraph: str) -> tuple[str, str]:
    """Return a paragraph's lines, and what ends them."""
    if _PLAIN.fullmatch(paragraph) and paragraph[0] != ">":
        return "\n".join(_PLAIN_LINE.findall(paragraph)), "\n\n"
    indent = next((more for first, more in _INDENTS.items() if paragraph.startswith(first)), "")
    lines = textwrap.wrap(paragraph, WIDTH, break_long_words=False, subsequent_indent=indent)
    if paragraph.endswith(_HARD_BREAK):
        return "\n".join(lines), f"{_HARD_BREAK}\n"
    return "\n".join(lines), "\n" if indent else "\n\n"
