"""All cleaning rules in their order, and their application to one document.

The published recipe applies none: its text stays byte for byte.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from pile.cleaning.c4 import C4_BAD_WORDS, C4_QUALITY
from pile.cleaning.characters import NORMALISE_NEWLINES, STRIP_CONTROL_CHARACTERS
from pile.cleaning.gopher import GOPHER_QUALITY, GOPHER_REPETITION
from pile.cleaning.language import LANGUAGE
from pile.cleaning.length import REJECT_EMPTY, REJECT_OVERLONG, REJECT_SHORT
from pile.cleaning.personal import MASK_PERSONAL
from pile.cleaning.rule import Rule
from pile.cleaning.unicode import NORMALISE_NFC, NORMALISE_NFKC, REPAIR_UNICODE
from pile.settings import Settings
from sources.source import Document, Rejected

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            REPAIR_UNICODE,  # first: C1 controls are traces of what was decoded wrongly
            NORMALISE_NEWLINES,
            STRIP_CONTROL_CHARACTERS,
            NORMALISE_NFC,  # after deletions, which may bring a letter and its accent together
            NORMALISE_NFKC,
            LANGUAGE,  # before all that counts words
            GOPHER_REPETITION,  # these two before lines are cut, as MassiveText judged whole pages
            GOPHER_QUALITY,
            C4_QUALITY,
            C4_BAD_WORDS,
            MASK_PERSONAL,
            REJECT_EMPTY,  # last: on the text as it will be published
            REJECT_SHORT,
            REJECT_OVERLONG,
        )
    }
)
"""Every rule by name, in the order of application."""

Chosen: TypeAlias = Sequence[tuple[Rule, Settings]]
"""Rules in their order, each with its thresholds."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a document, and the names of the rules that changed its text."""

    document: Document | Rejected
    changed: tuple[str, ...]


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


def clean(document: Document, rules: Chosen) -> Cleaned:
    """Apply rules one after another until one rejects the document; its detail begins with the rule."""
    current = document
    changed: list[str] = []
    for rule, table in rules:
        result = rule.apply(current, table)
        if isinstance(result, Rejected):
            told = f"{rule.name}: {result.detail}"
            named = Rejected(result.origin, result.reason, result.excerpt, told)
            return Cleaned(named, tuple(changed))
        if result.text is not current.text:
            changed.append(rule.name)
        current = result
    return Cleaned(current, tuple(changed))
