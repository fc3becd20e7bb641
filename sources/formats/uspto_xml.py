r"""US patents as XML: ST.32 (root ``PATDOC``, 2002-2004) and ``us-patent-grant`` (since 2005).

ST.32 files use character entities of DTDs that do not come with them. The Pile's reader replaced
them before it parsed, most by the hexadecimal digits of their UTF-8 bytes without any "b": a left
quote reads ``xe2x80x9c``, a degree sign ``xc2x0``; some by words: ``&lt;`` reads "less than". It
deleted line ends, so words parted by one are glued. `published_summary` and `published_background`
do as it did; `parts` reads either form as it was meant.
"""

import re
from collections.abc import Iterator, Mapping
from html.entities import html5
from types import MappingProxyType

from lxml import etree

from sources.formats.uspto_records import Part
from sources.formats.xml_records import text_of, tree

_GREEK_IN_HTML = """
agr alpha bgr beta ggr gamma dgr delta egr epsilon zgr zeta eegr eta thgr theta igr iota kgr kappa
lgr lambda mgr mu ngr nu xgr xi ogr omicron pgr pi rgr rho sgr sigma sfgr sigmaf tgr tau ugr upsilon
phgr phi khgr chi psgr psi ohgr omega Ggr Gamma Dgr Delta THgr Theta Lgr Lambda Xgr Xi Pgr Pi Sgr Sigma
Ugr Upsilon PHgr Phi PSgr Psi OHgr Omega
""".split()  # noqa: SIM905 - a table
GREEK: Mapping[str, str] = MappingProxyType(
    {
        name: html5[meant + ";"]
        for name, meant in zip(_GREEK_IN_HTML[::2], _GREEK_IN_HTML[1::2], strict=True)
    }
)
"""Greek letters by the names of ISO 8879, which HTML names otherwise."""

_GREEK_KNOWN = """
agr bgr ggr dgr egr zgr eegr thgr kgr lgr mgr ngr pgr rgr tgr phgr ohgr Ggr Dgr Lgr Sgr PSgr OHgr
""".split()  # noqa: SIM905 - a table
_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "lt": " less than ",
        "gt": " greater than ",
        "amp": "and",
        "copy": "(copyright)",
        "reg": "(copyright)",
        "trade": "(trademark)",
        "bsol": " ",
        "Circlesolid": "◯",
    }
)
_AS_IN_HTML = """
Aacute Auml Ouml Prime Uuml aacute acirc aelig angst apos aring atilde auml boxH bull cacute
ccedil commat dagger deg eacute ecirc egrave empty emsp equals equiv euml excl frac12 frac14
frac18 frac34 frac38 frac78 gE iacute iuml lE lcub ldquo lsqb lsquo mdash middot minus ne
ntilde num oacute ocirc ominus oslash ouml perp plus plusmn prime prop quest rarr rcub rdquo
rsqb rsquo sacute sect square tilde times uacute uuml
""".split()  # noqa: SIM905 - a table


def _garbled(character: str) -> str:
    """Return what the Pile's reader made of a text: ASCII stays, but an apostrophe is two quotes."""
    if character == "'":
        return '""'
    if character.isascii():
        return character
    return "".join(f"x{byte:02x}" for byte in character.encode()).replace("b", "")


_GARBLED = MappingProxyType(
    {
        name: _garbled(character)
        for name, character in (
            *_IN_WORDS.items(),
            *((name, GREEK[name]) for name in _GREEK_KNOWN),
            *((name, html5[name + ";"]) for name in _AS_IN_HTML),
        )
    }
)
_ENTITY = re.compile(r"&(\w+);")
_STRAY = re.compile(r"<(?![a-zA-Z/!])")
_NO_MARKUP = re.compile(r"<(?![a-zA-Z/!?])")
_XML_OWN = frozenset({"lt", "gt", "amp", "quot", "apos"})
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")


def published_tree(content: bytes, origin: str, *, st32: bool) -> etree._Element:
    """Return the root of a patent with the entities of ST.32 replaced as the Pile's reader did.

    Raises `sources.source.UnreadableFile` if it is not well-formed even so.
    """
    text = content.decode("utf-8", "ignore").replace("\r\n", "").replace("\n", "")
    text = _DECLARATION.sub("", text)
    if st32:
        text = _without_stray(_without_stray(_ENTITY.sub(_garbled_entity, text)))
    return tree(text.encode(), origin)


def whole_tree(content: bytes, origin: str) -> etree._Element:
    """Return the root of a patent, named entities being the characters they mean.

    Raises `sources.source.UnreadableFile` if it is not well-formed even so.
    """
    text = _DECLARATION.sub("", content.decode("utf-8", "ignore"))
    text = _NO_MARKUP.sub("&lt;", _ENTITY.sub(_meant_entity, text))
    return tree(text.encode(), origin)


def _garbled_entity(entity: re.Match[str]) -> str:
    name = entity[1]
    if name in _GARBLED:
        return _GARBLED[name]
    return html5.get(name + ";", f'"{name}"')


def _without_stray(text: str) -> str:
    text = text.replace("<URL:", "").replace("'<'URL:", "").replace("&;", "&")
    return _STRAY.sub("less than ", text)


def _meant_entity(entity: re.Match[str]) -> str:
    name = entity[1]
    if name in _XML_OWN:
        return entity[0]
    meant = GREEK.get(name) or html5.get(name + ";")
    if meant is None:
        return f"&amp;{name};"
    return "".join(f"&#{ord(character)};" for character in meant)


def published_summary(root: etree._Element) -> list[str]:
    """Return the paragraphs of the whole brief summary of ST.32, without its headings."""
    return [_text(part) for part in root.iterfind("SDODE/BRFSUM/BTEXT/PARA/PTEXT")]


def published_background(root: etree._Element) -> list[str] | None:
    """Return the paragraphs below the first heading with BACKGROUND in it; None without one.

    Of a heading that occurs twice, the paragraphs below its last occurrence count. Of a heading
    with markup in it, the text before that counts.
    """
    sections: dict[str, list[str]] = {}
    below: list[str] = []
    for part in root.iterfind("description/*"):
        if part.tag == "heading":
            below = sections[part.text or ""] = []
        elif part.tag == "p":
            below.append(_text(part))
    return next((sections[heading] for heading in sections if "BACKGROUND" in heading), None)


def parts(root: etree._Element) -> Iterator[Part]:
    """Yield the headings and paragraphs of a description, or of the brief summary of ST.32."""
    if root.tag == "PATDOC":
        for part in root.iterfind("SDODE/BRFSUM/BTEXT/*"):
            yield Part(text_of(part), part.tag == "H")
    else:
        for part in root.iterfind("description/*"):
            if part.tag in {"heading", "p"}:
                yield Part(text_of(part), part.tag == "heading")


def front_page(root: etree._Element) -> dict[str, str]:
    """Return number, kind, date and title, as far as the patent states them."""
    paths = _FRONT_ST32 if root.tag == "PATDOC" else _FRONT
    found = ((name, root.find(path)) for name, path in paths)
    return {name: text_of(element) for name, element in found if element is not None}


_FRONT = (
    ("number", "us-bibliographic-data-grant/publication-reference/document-id/doc-number"),
    ("kind", "us-bibliographic-data-grant/publication-reference/document-id/kind"),
    ("date", "us-bibliographic-data-grant/publication-reference/document-id/date"),
    ("title", "us-bibliographic-data-grant/invention-title"),
)
_FRONT_ST32 = (
    ("number", "SDOBI/B100/B110/DNUM/PDAT"),
    ("kind", "SDOBI/B100/B130/PDAT"),
    ("date", "SDOBI/B100/B140/DATE/PDAT"),
    ("title", "SDOBI/B500/B540/STEXT"),
)


def _text(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext())
