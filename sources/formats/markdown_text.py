"""Text as Markdown writes it: escapes, and characters that have a look-alike in ASCII."""

import re
from collections.abc import Mapping
from html.entities import html5, name2codepoint
from types import MappingProxyType

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

HARD_SPACE = "&nbsp_place_holder;"
"""What stands for a space that is not to be collapsed, until the page is done."""

_BY_NUMBER = {name2codepoint[name]: text for name, text in LOOK_ALIKES.items()}
_BACKSLASH = re.compile(r"(\\)(?=[\\`*_{}\[\]()#+\-.!])")
_LINE_STARTS = (
    re.compile(r"^([^\S\n]*\d+)(\.)(?=\s)", re.MULTILINE),
    re.compile(r"^([^\S\n]*)(\+)(?=\s)", re.MULTILINE),
    re.compile(r"^([^\S\n]*)(-)(?=\s|-)", re.MULTILINE),
)
# What all of these begin with; nearly no line does, and asking that first is much faster.
_MAY_BE_MARK = re.compile(r"[^\S\n]*[\d+-]")
_MAY_BE_LATER_MARK = re.compile(rf"\n{_MAY_BE_MARK.pattern}")
_IN_LINK = re.compile(r"([\\\[\]()])")


def escaped(text: str) -> str:
    """Return text with a backslash before what Markdown would take for markup."""
    if "\\" in text:
        text = _BACKSLASH.sub(r"\\\1", text)
    if _MAY_BE_MARK.match(text) or _MAY_BE_LATER_MARK.search(text):
        for start in _LINE_STARTS:
            text = start.sub(r"\1\\\2", text)
    return text


def collapsed(text: str) -> str:
    r"""Return text with each run of white space as one space: what ``\s+`` finds, but faster."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    before, behind = " " * text[0].isspace(), " " * text[-1].isspace()
    return f"{before}{words}{behind}"


def escaped_in_link(text: str | None) -> str:
    """Return the text or target of a link with a backslash before what would end it."""
    return _IN_LINK.sub(r"\\\1", text or "")


def numbered(reference: str) -> str:
    """Return what a reference by number stands for, given without ``&#`` and ``;``."""
    number = int(reference[1:], 16) if reference[0] in "xX" else int(reference)
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    return chr(number) if number < 0x110000 else ""


def named(name: str) -> str:
    """Return what a reference by name stands for; itself, if HTML does not know it."""
    if name == "nbsp":
        return HARD_SPACE
    return LOOK_ALIKES.get(name, html5.get(name + ";", f"&{name};"))
