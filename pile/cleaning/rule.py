"""What a cleaning rule is: a named, versioned pure function over one document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sources.source import Document, Rejected


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a document's text may be, in characters (Unicode code points), both ends included.

    Raises ValueError for bounds that no text can meet.
    """

    min_characters: int = 1
    max_characters: int = 10_000_000

    def __post_init__(self) -> None:
        if not 0 <= self.min_characters <= self.max_characters:
            raise ValueError(
                f"min_characters ({self.min_characters}) must lie between 0 and "
                f"max_characters ({self.max_characters})"
            )


Apply: TypeAlias = Callable[[Document, Bounds], Document | Rejected]


@dataclass(frozen=True, slots=True)
class Rule:
    """A cleaning rule.

    ``apply`` is pure, takes a document without surrogates, and returns the very document it was
    given when there is nothing to change. ``version`` is raised by hand whenever its results
    change. ``reasons`` is the closed list of reasons it rejects documents for, each explained.
    """

    name: str
    version: int
    summary: str
    apply: Apply
    reasons: Mapping[str, str] = field(default_factory=dict)
