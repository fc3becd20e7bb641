"""Rules that reject documents by the length of their text."""

from pile.cleaning.rule import Bounds, Rule
from sources.source import Document, Rejected, excerpt


def reject_empty(document: Document, bounds: Bounds) -> Document | Rejected:
    """Reject text of nothing but white space."""
    del bounds
    blank = not document.text or document.text.isspace()
    return _rejected(document, "empty") if blank else document


def reject_short(document: Document, bounds: Bounds) -> Document | Rejected:
    """Reject text below ``bounds.min_characters``."""
    short = len(document.text) < bounds.min_characters
    return _rejected(document, "too_short") if short else document


def reject_overlong(document: Document, bounds: Bounds) -> Document | Rejected:
    """Reject text above ``bounds.max_characters``."""
    overlong = len(document.text) > bounds.max_characters
    return _rejected(document, "too_long") if overlong else document


def _rejected(document: Document, reason: str) -> Rejected:
    return Rejected(document.origin, reason, excerpt(document.text))


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
)
REJECT_OVERLONG = Rule(
    name="reject_overlong",
    version=1,
    summary="Documents of more than max_characters are rejected.",
    apply=reject_overlong,
    reasons={"too_long": "The text has more characters than max_characters."},
)
