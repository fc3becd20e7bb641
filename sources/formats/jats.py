"""What a JATS article (NISO Z39.96, and NLM's tag sets before it) says of itself."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from lxml import etree

from sources.formats import creative_commons

ID_KINDS: Mapping[str, str] = {"pmc": "pmcid", "pmcid": "pmcid", "pmid": "pmid", "doi": "doi"}
"""Types of article-id that are kept, and their names here."""

_PMCID = re.compile(r"(?:PMC)?([0-9]+)", re.IGNORECASE)
_MAX_ID = 256
_MAX_EVENTS = 1_000_000
"""Starts and ends of elements that are looked at: some 200 MB of them; honest fronts have a tenth."""
_BEHIND_FRONT = ("body", "back", "floats-group", "sub-article", "response")
_STATEMENTS = ("permissions", "license", "copyright-statement", "copyright")


@dataclass(frozen=True, slots=True)
class Front:
    """The front matter of an article.

    ``root`` is the tag of the document's root, "" if it is no XML at all. ``ids`` holds what is
    stated of ``pmcid`` (as "PMC123"), ``pmid`` and ``doi``. ``licence`` is a Creative Commons
    licence by its SPDX identifier, or None.
    """

    root: str
    ids: Mapping[str, str] = field(default_factory=dict)
    licence: str | None = None


def front(xml: bytes) -> Front:
    """Read an article as far as its front matter goes; what is broken in it is passed over.

    Nothing outside the document is fetched, and no entity is expanded.
    """
    root = ""
    try:
        for event, element in itertools.islice(_events(xml), _MAX_EVENTS):
            root = root or str(element.tag)
            if event == "end" and element.tag == "article-meta":
                return Front(root, _ids(element), _licence(element))
            if event == "start" and element.tag in _BEHIND_FRONT:
                break
    except etree.XMLSyntaxError:
        # Broken beyond recovery: whether there is an article in it is for its converter to say.
        return Front(root)
    return Front(root)


def _events(xml: bytes) -> Iterator[tuple[str, etree._Element]]:
    source = BytesIO(xml)
    bounds = {"resolve_entities": False, "no_network": True, "recover": True}
    return iter(
        etree.iterparse(
            source, events=("start", "end"), remove_pis=True, remove_comments=True, **bounds
        )
    )


def _ids(meta: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in meta.iterfind("article-id"):
        kind = ID_KINDS.get(element.get("pub-id-type", ""))
        value = (element.text or "").strip()
        if kind == "pmcid":
            number = _PMCID.fullmatch(value)
            value = f"PMC{number[1]}" if number else ""
        if kind and 0 < len(value) <= _MAX_ID:
            found.setdefault(kind, value)
    return found


def _licence(meta: etree._Element) -> str | None:
    return creative_commons.identifier(" ".join(_statements(meta)))


def _statements(meta: etree._Element) -> Iterator[str]:
    """Yield all addresses and words of the parts that speak of rights."""
    for part in meta.iterchildren(*_STATEMENTS):
        for element in part.iter():
            yield from (str(value) for value in element.attrib.values())
            yield element.text or ""
            yield element.tail or ""
