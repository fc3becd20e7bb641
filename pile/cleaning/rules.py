"""All cleaning rules in their order, and their application to one document.

The published recipe applies none: its text stays byte for byte. Surrogates alone are always mended,
as no file of the corpus could hold them.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pile.cleaning.characters import NORMALISE_NEWLINES, STRIP_CONTROL_CHARACTERS
from pile.cleaning.length import REJECT_EMPTY, REJECT_OVERLONG, REJECT_SHORT
from pile.cleaning.rule import Apply, Bounds, Rule
from pile.cleaning.surrogates import mend_surrogates, replace_surrogates
from pile.cleaning.unicode import NORMALISE_NFC, NORMALISE_NFKC, REPAIR_UNICODE
from sources.source import Document, Rejected

__all__ = [
    "RULES",
    "Apply",
    "Bounds",
    "Cleaned",
    "Rule",
    "clean",
    "mend_surrogates",
    "replace_surrogates",
    "select",
]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            REPAIR_UNICODE,  # first: C1 controls are traces of what was decoded wrongly
            NORMALISE_NEWLINES,
            STRIP_CONTROL_CHARACTERS,
            NORMALISE_NFC,  # after deletions, which may bring a letter and its accent together
            NORMALISE_NFKC,
            REJECT_EMPTY,  # last: on the text as it will be published
            REJECT_SHORT,
            REJECT_OVERLONG,
        )
    }
)
"""Every rule by name, in the order of application."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a document: names of the rules that changed it, surrogates mended in it."""

    document: Document | Rejected
    changed: tuple[str, ...]
    surrogates: int


def select(names: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of these names in the order of `RULES`, whatever the order of names.

    Raises ValueError for a name that is no rule's, with the nearest that is one.
    """
    wanted = set(names)
    for name in sorted(wanted - RULES.keys()):
        nearest = difflib.get_close_matches(name, RULES, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"rules are {', '.join(RULES)}"
        raise ValueError(f"no cleaning rule is called {name!r}: {hint}")
    return tuple(rule for name, rule in RULES.items() if name in wanted)


def clean(document: Document, rules: Sequence[Rule], bounds: Bounds) -> Cleaned:
    """Mend surrogates, then apply ``rules`` one after another until one rejects the document."""
    current, surrogates = replace_surrogates(document)
    changed: list[str] = []
    for rule in rules:
        result = rule.apply(current, bounds)
        if isinstance(result, Rejected):
            return Cleaned(result, tuple(changed), surrogates)
        if result is not current:
            changed.append(rule.name)
        current = result
    return Cleaned(current, tuple(changed), surrogates)
