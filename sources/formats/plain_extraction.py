"""Text of JATS and LaTeX without pandoc, for papers that it fails on: plainer, but never nothing.

In linear time and without macros: words, formulas as they are written, a blank line between blocks.
JATS gives its body's headings, paragraphs, items and rows (cells parted by bars). Of LaTeX go comments,
the preamble, commands' names, and the arguments of those that say nothing; the others' arguments stay.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lxml import etree

from sources.formats.parse_memory import MOST, xml_memory
from sources.source import Json

BY_FALLBACK: Mapping[str, Json] = MappingProxyType({"extractor": "fallback"})
"""What the meta of a document says whose text was taken so."""

BLOCKS = frozenset(
    {"caption", "def-item", "disp-formula", "label", "list-item", "p", "sec", "title", "tr", "verse-line"}
)  # fmt: skip
CELLS = frozenset({"td", "th"})
SILENT = frozenset({"object-id", "tex-math", "permissions"})
PARTS = ("body", "floats-group")

HEADINGS = frozenset({"chapter", "section", "subsection", "subsubsection", "paragraph", "title"})
WITHOUT_WORDS = frozenset(
    {"autoref", "bibliography", "bibliographystyle", "cite", "citep", "citet", "eqref", "hspace", "include",
     "includegraphics", "input", "label", "newcommand", "pageref", "ref", "renewcommand", "setcounter",
     "setlength", "thispagestyle", "pagestyle", "usepackage", "vspace"}
)  # fmt: skip
"""Commands whose argument is no text."""

FORMULAS = frozenset({"align", "displaymath", "eqnarray", "equation", "gather", "math", "multline"})
ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304",
    ".": "\u0307", "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a",
}  # fmt: skip
"""Combining characters by the command that puts them on a letter."""

_COMMENT = re.compile(r"(?<!\\)%[^\n]*(?:\n[ \t]*)?")
_TOKEN = re.compile(
    r"""\\(?P<edge>begin|end)\s*\{(?P<environment>[^{}\n]{1,40})\}
    |\\(?P<accent>["'`^~=.]|[cvuHr](?![A-Za-z]))[ ]*(?:\{(?P<letter>\\?[A-Za-z])\}|(?P<bare>\\?[A-Za-z]))
    |\\(?P<command>[A-Za-z@]+)\*?[ ]*(?:\[[^\]\n]{0,400}\])?
    |\\(?P<sign>.)
    |(?P<math>\$\$?)
    |(?P<brace>[{}])
    |(?P<words>[^\\${}]+)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def jats_text(xml: bytes) -> str:
    """Return the text of an article's body; none of XML that no parser reads, or of too many nodes."""
    if xml_memory(xml) > MOST:
        return ""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        return ""
    parts = [] if root is None else [part for name in PARTS for part in root.iterfind(name)]
    blocks = (
        " ".join("".join(block).split()).strip("| ") for part in parts for block in _blocks(part)
    )
    return "".join(f"{block}\n\n" for block in blocks if block)


def _blocks(part: etree._Element) -> Iterator[list[str]]:
    """Yield the pieces of each block; what stands between blocks is one too."""
    said: list[str] = []
    walk = etree.iterwalk(part, events=("start", "end"))
    for event, element in walk:
        # An entity that is not resolved is a node too.
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if event == "start":
            if name in BLOCKS:
                yield said
                said = []
            if name in SILENT:
                walk.skip_subtree()
            else:
                said.append((element.text or "") if name else "")
            continue
        if name in BLOCKS:
            yield said
            said = []
        said.append(" | " if name in CELLS else "")
        said.append((element.tail or "") if element is not part else "")
    yield said


def latex_text(tex: str) -> str:
    """Return the text of a document, or of all that is there if it never begins."""
    tex = _COMMENT.sub("", tex)
    _, begun, body = tex.partition(r"\begin{document}")
    body = body.partition(r"\end{document}")[0] if begun else tex
    return _BLANK.sub("\n\n", "".join(_said(body))).strip() + "\n"


def _said(body: str) -> Iterator[str]:
    """Yield what each token leaves; formulas come as they are, and what is silent not at all."""
    formula, silent, depth = False, 0, 0
    for token in _TOKEN.finditer(body):
        depth += {"{": 1, "}": -1}.get(token["brace"] or "", 0)
        if silent:
            silent = silent if depth >= silent else 0
            continue
        if token["command"] in WITHOUT_WORDS and not formula:
            silent = depth + 1 if body.startswith("{", token.end()) else 0
            continue
        turns = _turns(token)
        yield token[0] if formula or turns else _plain(token)
        formula = formula != turns


def _turns(token: re.Match[str]) -> bool:
    """Tell whether a formula begins or ends here."""
    environment = (token["environment"] or "").removesuffix("*")
    return bool(token["math"]) or token["sign"] in {*"()[]"} or environment in FORMULAS


def _plain(token: re.Match[str]) -> str:
    """Return what a token outside formulas says."""
    if token["accent"]:
        letter = (token["letter"] or token["bare"]).removeprefix("\\")
        return unicodedata.normalize("NFC", letter + ACCENTS[token["accent"]])
    if token["command"]:
        return "\n\n" if token["command"] in {*HEADINGS, "item", "par"} else ""
    if token["edge"]:
        return "\n\n"
    if token["sign"]:
        return "\n" if token["sign"] == "\\" else token["sign"]
    return (token["words"] or "").replace("~", " ").replace("---", "\u2014").replace("--", "\u2013")
