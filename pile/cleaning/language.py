"""Identify languages by CLD2, which holds its model and asks no network."""

import unicodedata
from dataclasses import replace
from typing import Annotated, NamedTuple, TypeAlias

import pycld2
from pydantic import AfterValidator, Field

from pile.cleaning.rule import Rule, below, rejected
from pile.places import nearest
from pile.settings import Settings
from sources.source import Document, Rejected

_BY_NAME = dict(pycld2.LANGUAGES)
CODES = frozenset(_BY_NAME[name] for name in pycld2.DETECTED_LANGUAGES)
"""Codes of the languages that CLD2 tells apart: ISO 639-1 where there is one."""

DETECTED = "detected_language"
"""Key of meta under which a document says the language it was found to be in."""


def _known(code: str) -> str:
    if code not in CODES:
        meant = _BY_NAME.get(code.upper(), "")
        hint = f"; did you mean {meant!r}?" if meant in CODES else nearest(code, sorted(CODES))
        raise ValueError(f"no language is called {code!r} by CLD2{hint}")
    return code


Code: TypeAlias = Annotated[str, AfterValidator(_known)]


class Language(Settings):
    """``[clean.language]``: the languages wanted, and the least share of the text in one of them."""

    languages: Annotated[tuple[Code, ...], Field(min_length=1)] = ("en",)
    min_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.65


class Found(NamedTuple):
    """A language of a text by its code, and its share of the text's letters."""

    code: str
    share: float


def identify(text: str) -> list[Found]:
    """Return the up to three languages of a text, the most used first; none if CLD2 knows none."""
    try:
        details = pycld2.detect(text, isPlainText=True)[2]
    except pycld2.error:
        details = _detect_without_controls(text)
    return [Found(code, share / 100) for _, code, share, _ in details if code != "un"]


def _detect_without_controls(text: str) -> tuple[tuple[str, str, int, float], ...]:
    """CLD2 refuses some control characters and code points as no text."""
    plain = "".join(one if unicodedata.category(one)[0] != "C" else " " for one in text)
    try:
        found: tuple[tuple[str, str, int, float], ...] = pycld2.detect(plain, isPlainText=True)[2]
    except pycld2.error:
        return ()
    return found


def keep_languages(document: Document, table: Language) -> Document | Rejected:
    """Reject a text that is not in one of the languages; note the language of any other in its meta.

    What upstream says in ``meta.language`` stays beside it.
    """
    found = identify(document.text)
    if not found:
        return rejected(document, "unknown_language", "CLD2 finds no language")
    wanted = [one for one in found if one.code in table.languages]
    if not wanted:
        told = ", ".join(f"{one.code} {one.share:.0%}" for one in found)
        return rejected(document, "other_language", f"{told}; languages = {list(table.languages)}")
    best = wanted[0]
    if best.share < table.min_share:
        return below(document, "mixed_languages", best.share, ("min_share", table.min_share))
    return replace(document, meta={**document.meta, DETECTED: best.code})


LANGUAGE = Rule(
    name="language",
    version=2,
    summary="Documents in other languages are rejected; meta.detected_language says which one each other has.",
    apply=keep_languages,
    reasons={
        "unknown_language": "CLD2 finds no language in the text.",
        "other_language": "None of the text is in one of the languages wanted.",
        "mixed_languages": "Too small a share of the text is in one of the languages wanted.",
    },
    table=Language,
    libraries=("pycld2",),
)
