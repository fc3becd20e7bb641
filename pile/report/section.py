"""A section of the page, and the sums that more than one of them needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, text


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading that the contents link to."""

    anchor: str
    heading: str
    body: Html


def paragraph(words: str, kind: str = "") -> Html:
    """Return a paragraph of text."""
    return element("p", text(words), **({"class_": kind} if kind else {}))


def listed(names: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def rejected(source: SourceFigures) -> int:
    """Return how many records of a source gave no document."""
    return sum(source.rejected.values())


def corpus_documents(source: SourceFigures) -> int:
    """Return the documents of a source in all splits, after epochs."""
    return sum(source.corpus_documents.values())


def corpus_bytes(source: SourceFigures) -> int:
    """Return the text of a source in all splits, after epochs, in bytes."""
    return sum(source.corpus_bytes.values())


def all_corpus_bytes(figures: Figures) -> int:
    """Return the text of the whole corpus in bytes."""
    return sum(map(corpus_bytes, figures.sources))


def published_bytes(source: SourceFigures) -> float:
    """Return the published size of a component after epochs; 0 where nothing was published."""
    return source.published.text_bytes * source.published.epochs if source.published else 0.0
