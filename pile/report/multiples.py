"""Small histograms side by side, one a source, and the same counts as a table."""

from collections.abc import Mapping, Sequence

from pile.report.charts import Axis
from pile.report.markup import Html, element, text
from pile.report.section import paragraph
from pile.report.tables import Column, count, table, words

MOST_CHARTS = 200
"""Charts that are drawn side by side; tables and figures have the other sources."""


def multiples(charts: Sequence[Html]) -> Html:
    """Return charts side by side."""
    return element("ul", *charts[:MOST_CHARTS], class_="multiples")


def multiple(heading: str, note: str, drawing: Html) -> Html:
    """Return one chart with its heading and a line on what it shows."""
    return element("li", element("h3", text(heading)), paragraph(note), drawing)


def as_table(caption: str, counts: Mapping[str, Sequence[int]], axis: Axis) -> Html:
    """Return histograms as a table, folded away: a row a source, a column a bin that is not empty."""
    used = [
        place for place in range(axis.bins) if any(_at(bins, place) for bins in counts.values())
    ]
    columns = (
        Column("Source", kind="text"),
        *(Column(axis.span(place)) for place in used),
    )
    rows = [
        (words(name), *(count(_at(bins, place)) for place in used)) for name, bins in counts.items()
    ]
    return element(
        "details",
        element("summary", text(f"{caption}, as a table")),
        table(caption, columns, rows),
        class_="aside",
    )


def _at(bins: Sequence[int], place: int) -> int:
    return bins[place] if place < len(bins) else 0
