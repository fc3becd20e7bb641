"""What a cleaning rule is: a named, versioned pure function over one document, and its thresholds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pile.settings import Settings
from sources.source import Document, Rejected, excerpt


class NoThresholds(Settings):
    """The table of a rule that has nothing to choose."""


Apply: TypeAlias = Callable[[Document, Any], Document | Rejected]


def _nothing() -> None:
    """Most rules have no kernels."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A cleaning rule.

    ``apply`` is pure, takes a document without surrogates and the rule's ``table`` of thresholds, and
    returns the very document it was given when there is nothing to change. ``version`` is raised by
    hand whenever its results change, and ``libraries`` are the distributions whose version decides
    them too. ``reasons`` is the closed list of reasons it rejects documents for, each explained.
    ``warm`` loads kernels, which take time to be there and give the same results.
    """

    name: str
    version: int
    summary: str
    apply: Apply
    reasons: Mapping[str, str] = field(default_factory=dict)
    table: type[Settings] = NoThresholds
    libraries: tuple[str, ...] = ()
    warm: Callable[[], None] = _nothing


def rejected(document: Document, reason: str, detail: str) -> Rejected:
    """Return a document's rejection; ``detail`` is what was measured, and the bound that it broke."""
    return Rejected(document.origin, reason, excerpt(document.text), detail)


def below(document: Document, reason: str, measured: float, bound: tuple[str, float]) -> Rejected:
    """Return the rejection of a document whose measure lies below a named bound."""
    return rejected(document, reason, f"{_short(measured)} < {bound[0]} = {_short(bound[1])}")


def above(document: Document, reason: str, measured: float, bound: tuple[str, float]) -> Rejected:
    """Return the rejection of a document whose measure lies above a named bound."""
    return rejected(document, reason, f"{_short(measured)} > {bound[0]} = {_short(bound[1])}")


def _short(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.6g}"
