"""What the quality filter made of the sources that have one."""

from pile.cleaning.quality.rule import PUBLISHED_SHARES
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, join
from pile.report.section import Section, paragraph
from pile.report.tables import Column, Row, count, number, share, table, words


def quality(figures: Figures) -> Section:
    """Return the scores of the sources filtered, and what was or would have been kept of them."""
    filtered = [source for source in figures.sources if source.scores]
    if not filtered:
        body = paragraph("No source was filtered for quality.")
        return Section("quality", "Quality", body)
    lead = paragraph(
        "Documents are kept by a draw that a high score makes likely to be won; alpha says how "
        "much the score counts. Each document draws once, so the shares kept at other alphas are "
        "what these would have kept of the same documents.",
        "lead",
    )
    return Section("quality", "Quality", join(lead, _kept(filtered), _scores(filtered)))


def _kept(filtered: list[SourceFigures]) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("Alpha"),
        Column("Scored"),
        Column("Kept"),
        *(Column(f"alpha {alpha}", group="Share kept at") for alpha in PUBLISHED_SHARES),
    )
    paper = (
        words("Pile-CC, in the paper"),
        number(3.0, "3"),
        words(""),
        words(""),
        *(number(value, f"{100 * value:.1f}%") for value in PUBLISHED_SHARES.values()),
    )
    rows = [*map(_kept_row, filtered), paper]
    return table("Documents kept by the quality filter", columns, rows)


def _kept_row(source: SourceFigures) -> Row:
    scored = sum(source.scores)
    return (
        words(source.pile_set_name),
        number(source.alpha, f"{source.alpha:g}"),
        count(scored),
        count(source.documents),
        *(share(source.kept_at.get(str(alpha), 0), scored) for alpha in PUBLISHED_SHARES),
    )


def _scores(filtered: list[SourceFigures]) -> Html:
    bins = max(len(source.scores) for source in filtered)
    columns = (
        Column("Score from", kind="text"),
        *(Column(source.pile_set_name, group="Documents") for source in filtered),
    )
    rows = [
        (words(f"{place / bins:.2f}"), *(count(source.scores[place]) for source in filtered))
        for place in range(bins)
    ]
    return table("Scores before filtering", columns, rows)
