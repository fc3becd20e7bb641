"""Rules that reject documents by the length of their text, in characters (Unicode code points)."""

from typing import Annotated

from pydantic import Field

from pile.cleaning.rule import NoThresholds, Rule, above, below, rejected
from pile.settings import Settings
from sources.source import Document, Rejected


class Short(Settings):
    """``[clean.reject_short]``: the fewest characters that a text may have."""

    min_characters: Annotated[int, Field(ge=0)] = 1


class Overlong(Settings):
    """``[clean.reject_overlong]``: the most characters that a text may have."""

    max_characters: Annotated[int, Field(gt=0)] = 10_000_000


def reject_empty(document: Document, table: NoThresholds) -> Document | Rejected:
    """Reject text of nothing but white space."""
    del table
    blank = not document.text or document.text.isspace()
    return rejected(document, "empty", "no character is not white space") if blank else document


def reject_short(document: Document, table: Short) -> Document | Rejected:
    """Reject text below ``min_characters``."""
    length, least = len(document.text), table.min_characters
    return (
        below(document, "too_short", length, ("min_characters", least))
        if length < least
        else document
    )


def reject_overlong(document: Document, table: Overlong) -> Document | Rejected:
    """Reject text above ``max_characters``."""
    length, most = len(document.text), table.max_characters
    return (
        above(document, "too_long", length, ("max_characters", most)) if length > most else document
    )


REJECT_EMPTY = Rule(
    name="reject_empty",
    version=1,
    summary="Documents of nothing but white space are rejected.",
    apply=reject_empty,
    reasons={"empty": "The text is empty or nothing but white space."},
)
REJECT_SHORT = Rule(
    name="reject_short",
    version=1,
    summary="Documents of fewer than min_characters are rejected.",
    apply=reject_short,
    reasons={"too_short": "The text has fewer characters than min_characters."},
    table=Short,
)
REJECT_OVERLONG = Rule(
    name="reject_overlong",
    version=1,
    summary="Documents of more than max_characters are rejected.",
    apply=reject_overlong,
    reasons={"too_long": "The text has more characters than max_characters."},
    table=Overlong,
)
