"""Documents to look at."""

from pile.report.figures import Figures, SampleDocument, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, paragraph
from pile.report.tables import facts, words


def samples(figures: Figures) -> Section:
    """Return the beginnings of some documents of each source, folded away."""
    shown = [source for source in figures.sources if source.samples]
    if not shown:
        return Section("samples", "Samples", paragraph("No documents were kept to look at."))
    lead = paragraph(
        "How some documents begin. Characters that hide or reorder text are shown by code point.",
        "lead",
    )
    return Section("samples", "Samples", join(lead, *map(_source, shown)))


def _source(source: SourceFigures) -> Html:
    number = len(source.samples)
    summary = element(
        "summary",
        text(source.pile_set_name),
        element("span", text(f"{number} document{'' if number == 1 else 's'}")),
    )
    return element("details", summary, *map(_sample, source.samples))


def _sample(sample: SampleDocument) -> Html:
    about = facts(
        [
            ("Id", words(sample.id)),
            ("Origin", words(sample.origin)),
            ("Licence", words(sample.licence)),
        ]
    )
    return element("article", about, element("pre", text(sample.excerpt), dir="auto"))
