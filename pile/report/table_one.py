"""Table 1 of the paper beside ours: every column of it, how far we are off, and its known errors."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pile.report import numbers
from pile.report.charts import diverging
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import (
    Section,
    all_corpus_bytes,
    corpus_bytes,
    paragraph,
    published_bytes,
)
from pile.report.tables import (
    Cell,
    Column,
    Row,
    chart,
    count,
    nothing,
    number,
    share,
    size,
    table,
    words,
)
from sources.source import Published

MARK = "\N{DAGGER}"
"""Behind a figure that is known to be printed in error."""

_WIDEST = 16.0
"""Times larger or smaller than the paper's, at either end of a bar."""


def table_one(figures: Figures) -> Section:
    """Return our figures beside Table 1 of the paper."""
    compared = [source for source in figures.sources if source.published]
    if not compared:
        return Section("paper", "Table 1", paragraph("No source here is in the paper."))
    lead = paragraph(
        "Our sources beside Table 1 of the paper (arXiv 2101.00027), column by column, and how far off "
        f"ours are. {MARK} marks what is known to be printed in error: the deviation is then from what "
        "the release really holds. A bar to the right means that our documents are longer on average "
        "than the paper's, to the left shorter; it ends at sixteen times.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Mean length, ours to theirs", kind="chart"),
        *_columns("Mean KiB"),
        *_columns("Documents"),
        *_columns("Raw size"),
        *_columns("Weight", "of the sources here"),
        *(Column(name, group="Epochs") for name in ("Ours", "Paper")),
        *_columns("Effective size"),
    )
    rows = [_row(source, figures) for source in compared]
    body = table("Table 1, ours and the paper's", columns, rows, _total(compared))
    return Section("paper", "Table 1", join(lead, body, *_remarks(compared)))


def _columns(group: str, hint: str = "") -> tuple[Column, ...]:
    return tuple(Column(name, hint, group) for name in ("Ours", "Paper", "Deviation"))


def _row(source: SourceFigures, figures: Figures) -> Row:
    published = _published(source)
    ours, theirs = _mean(source.text_bytes, source.documents), published.mean_kib
    true = _mean(published.true_bytes, published.documents) if published.measured_bytes else theirs
    return (
        words(source.pile_set_name),
        _bar(source, ours, true),
        *_beside(ours, theirs, _kib, published, true),
        *_beside(source.documents, published.documents, count),
        *_beside(source.text_bytes, published.text_bytes, size, published, published.true_bytes),
        *_weights(source, figures),
        number(source.epochs, numbers.epochs(source.epochs)),
        number(published.epochs, numbers.epochs(published.epochs)),
        *_beside(
            corpus_bytes(source),
            round(published.text_bytes * published.epochs),
            size,
            published,
            published.true_bytes * published.epochs,
        ),
    )


def _published(source: SourceFigures) -> Published:
    if source.published is None:
        raise ValueError(f"nothing was published of {source.name}")
    return source.published


def _mean(text_bytes: float, documents: int) -> float:
    return text_bytes / 1024 / documents if documents else 0.0


def _kib(value: float) -> Cell:
    return number(value, f"{value:,.2f}") if value else nothing()


def _bar(source: SourceFigures, ours: float, theirs: float) -> Cell:
    """Draw how our documents' mean length compares; nothing where there are none."""
    if not ours or not theirs:
        return words("")
    ratio = ours / theirs
    label = f"{source.pile_set_name}: mean length {ratio:.2f} times the paper's"
    return chart(diverging(ratio, label, _WIDEST), ratio)


def _beside(
    ours: float,
    theirs: float,
    show: Callable[[int], Cell] | Callable[[float], Cell],
    published: Published | None = None,
    true: float | None = None,
) -> tuple[Cell, Cell, Cell]:
    """Return ours, what is printed, marked if it is known to be wrong, and by how much we are off."""
    printed = show(theirs)  # type: ignore[arg-type]
    if published is not None and published.measured_bytes:
        printed = replace(printed, content=join(printed.content, _mark(published)))
    off = theirs if true is None else true
    value = (ours - off) / off if off else -1.0
    return show(ours), printed, number(value, numbers.deviation(ours, off))  # type: ignore[arg-type]


def _mark(published: Published) -> Html:
    return element("abbr", text(MARK), title=published.remark or "printed in error")


def _weights(source: SourceFigures, figures: Figures) -> tuple[Cell, Cell, Cell]:
    """Return shares after epochs among the sources here that the paper has, ours and theirs."""
    there = [other for other in figures.sources if other.published]
    ours, whole = corpus_bytes(source), sum(map(corpus_bytes, there)) or all_corpus_bytes(figures)
    theirs, all_theirs = published_bytes(source), sum(map(published_bytes, there))
    here, paper = (ours / whole if whole else 0.0), (theirs / all_theirs if all_theirs else 0.0)
    points = 100 * (here - paper)
    sign = "+" if points >= 0.05 else numbers.MINUS if points <= -0.05 else ""
    return (
        share(ours, whole),
        share(theirs, all_theirs),
        number(points, f"{sign}{abs(points):.1f} pt"),
    )


def _total(compared: Sequence[SourceFigures]) -> Row:
    """Return the sums of ours and of theirs, of the sources compared."""
    theirs = [_published(source) for source in compared]
    documents, there = (
        sum(source.documents for source in compared),
        sum(one.documents for one in theirs),
    )
    ours = sum(source.text_bytes for source in compared)
    printed, true = sum(one.text_bytes for one in theirs), sum(one.true_bytes for one in theirs)
    effective = round(sum(one.text_bytes * one.epochs for one in theirs))
    true_effective = sum(one.true_bytes * one.epochs for one in theirs)
    return (
        words("These sources"),
        words(""),
        *_beside(_mean(ours, documents), _mean(printed, there), _kib, None, _mean(true, there)),
        *_beside(documents, there, count),
        *_beside(ours, printed, size, None, true),
        *[words("")] * 5,
        *_beside(sum(map(corpus_bytes, compared)), effective, size, None, true_effective),
    )


def _remarks(compared: Sequence[SourceFigures]) -> list[Html]:
    """Say what is known of the printed figures."""
    return [
        paragraph(f"{MARK if published.measured_bytes else ''} {name}: {published.remark}".strip())
        for name, published in ((one.pile_set_name, _published(one)) for one in compared)
        if published.remark
    ]
