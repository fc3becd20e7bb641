"""Mask personal data: e-mail addresses, IP addresses and telephone numbers, by a placeholder for each.

Placeholders are those of Dolma (Soldaini et al. 2024). Patterns are of ASCII and bounded, so that a text
takes time in proportion to its length. What is found is what is written in full; ``bob at example dot com``
is not.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from pile.cleaning.addresses import is_public
from pile.cleaning.rule import Rule
from pile.settings import Settings
from sources.source import Document, Json, Rejected

Kind = Literal["email", "ip", "phone"]

MASKED = "masked"
"""Key of meta under which a document says how many of each kind were masked."""


class MaskPersonal(Settings):
    """``[clean.mask_personal]``: what is masked, and by what; private and reserved IP addresses stay."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("email", "ip", "phone")
    email: str = "|||EMAIL_ADDRESS|||"
    ip: str = "|||IP_ADDRESS|||"
    phone: str = "|||PHONE_NUMBER|||"


class Span(NamedTuple):
    """Where personal data stands in a text, and what it is."""

    start: int
    stop: int
    kind: Kind


_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
_NOT_LOCAL = re.compile(r"[^A-Za-z0-9._%+\-]")
_DOMAIN = re.compile(
    r"(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])", re.UNICODE
)

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z_])(?!\.[0-9])")
# Global unicast addresses, 2000::/3, begin so; others are not a person's.
_IPV6 = re.compile(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:.]{2,41}")

# E.164: up to three digits for the country, up to fifteen in all; +1 has ten more.
_INTERNATIONAL = re.compile(
    r"\+(?:1[ .\-]?(?:\([0-9]{3}\)|[0-9]{3})[ .\-]?[0-9]{3}[ .\-]?[0-9]{4}"
    r"|[2-9][0-9]{0,2}[ .\-]?(?:\([0-9]{1,4}\)[ .\-]?)?[0-9](?:[ .\-/]?[0-9]){5,11})(?![0-9])"
)
# The North American plan: area codes and exchanges begin with 2 to 9.
_AMERICAN = re.compile(
    r"(?:\([2-9][0-9]{2}\)[ ]?[2-9][0-9]{2}[-. ]"
    r"|[2-9][0-9]{2}-[2-9][0-9]{2}-"
    r"|[2-9][0-9]{2}\.[2-9][0-9]{2}\.)[0-9]{4}(?![0-9A-Za-z_]|[-.][0-9])"
)


def mask_personal(document: Document, table: MaskPersonal) -> Document | Rejected:
    """Put placeholders for what is found, and count it in ``meta.masked``."""
    spans = find_personal(document.text, table.kinds)
    if not spans:
        return document
    pieces, last = [], 0
    for span in spans:
        pieces += [document.text[last : span.start], getattr(table, span.kind)]
        last = span.stop
    counts: dict[str, Json] = dict(sorted(Counter(span.kind for span in spans).items()))
    text = "".join([*pieces, document.text[last:]])
    return replace(document, text=text, meta={**document.meta, MASKED: counts})


def find_personal(text: str, kinds: tuple[Kind, ...]) -> list[Span]:
    """Return what is found of some kinds, in order; of what overlaps, what begins first, or is longer."""
    every = (span for kind in set(kinds) for span in _FINDERS[kind](text))
    found = sorted(every, key=lambda span: (span.start, -span.stop, span.kind))
    spans: list[Span] = []
    for span in found:
        if not spans or span.start >= spans[-1].stop:
            spans.append(span)
    return spans


def _emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        before = text[max(at - _LOCAL_PART - 1, 0) : at]
        other = _NOT_LOCAL.search(before[::-1])
        local = before[len(before) - other.start() :] if other else before
        local = local.lstrip(".-%+")
        domain = _DOMAIN.match(text, at + 1)
        if domain and 0 < len(local) <= _LOCAL_PART and not local.endswith("."):
            yield Span(at - len(local), domain.end(), "email")
        at = text.find("@", at + 1)


def _addresses(text: str) -> Iterator[Span]:
    for found in _IPV4.finditer(text):
        if _stands_free(text, found.start(), ".") and is_public(found[0]):
            yield Span(*found.span(), "ip")
    for found in _IPV6.finditer(text):
        address = found[0].rstrip(".:") if not found[0].endswith("::") else found[0]
        stop = found.start() + len(address)
        is_free = _stands_free(text, found.start(), ".:") and not _in_word(text[stop : stop + 1])
        if is_free and is_public(address):
            yield Span(found.start(), stop, "ip")


def _phones(text: str) -> Iterator[Span]:
    for found in _INTERNATIONAL.finditer(text):
        if _stands_free(text, found.start(), "+.-"):
            yield Span(*found.span(), "phone")
    for found in _AMERICAN.finditer(text):
        start = found.start()
        country = text[max(start - 2, 0) : start] in {"1-", "1.", "1 "}
        for first in (start - 2, start) if country else (start,):
            if _stands_free(text, first, "+.-/"):
                yield Span(first, found.end(), "phone")
                break


def _stands_free(text: str, start: int, joined_by: str) -> bool:
    """Whether no ASCII letter or digit, nor one of these characters, stands before a place."""
    before = text[max(start - 1, 0) : start]
    return not (_in_word(before) or (before and before in joined_by))


def _in_word(character: str) -> bool:
    """Whether it is an ASCII letter or digit, or `_`: scripts without blanks write numbers in between."""
    return character.isascii() and (character.isalnum() or character == "_")


_FINDERS: Mapping[Kind, Callable[[str], Iterator[Span]]] = MappingProxyType(
    {"email": _emails, "ip": _addresses, "phone": _phones}
)

MASK_PERSONAL = Rule(
    name="mask_personal",
    version=2,
    summary="E-mail addresses, public IP addresses and telephone numbers become placeholders.",
    apply=mask_personal,
    table=MaskPersonal,
)
