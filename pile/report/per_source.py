"""Each source from raw files to documents, beside what the Pile published of it."""

import math
from collections.abc import Sequence
from dataclasses import replace

from pile.report import numbers
from pile.report.charts import histogram
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, paragraph, rejected
from pile.report.tables import (
    Cell,
    Column,
    Row,
    count,
    nothing,
    number,
    ratio,
    share,
    size,
    table,
    words,
)
from sources.source import Published

MARK = "\N{DAGGER}"
"""Behind a figure that is known to be printed in error."""

_SMALLEST_AXIS = 21  # powers of two on the axis of lengths: up to a MiB at least


def sources(figures: Figures) -> Section:
    """Return what was read of each source and what it gave."""
    lead = paragraph(
        "From raw files to documents, before duplicates are removed. Every record read is a "
        "document or was rejected.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Raw files"),
        Column("Raw size"),
        Column("Records"),
        Column("Rejected"),
        Column("of records"),
        Column("Documents"),
        Column("Text"),
        Column("Mean"),
        Column("Access", kind="text"),
        Column("Licence", kind="text"),
    )
    rows = [_source_row(source) for source in figures.sources]
    body = table("Sources as read", columns, rows, _source_total(figures))
    return Section("sources", "Sources", join(lead, body))


def comparison(figures: Figures) -> Section:
    """Return our figures beside Table 1 of the paper."""
    lead = paragraph(
        "Documents and text before epochs, beside Table 1 of the paper (arXiv 2101.00027). A ratio "
        f"of 1 means as much as the Pile holds. {MARK} marks what is known to be printed in error: the "
        "ratio is then to what the release really holds.",
        "lead",
    )
    compared = [source for source in figures.sources if source.published]
    if not compared:
        return Section("paper", "Beside the paper", paragraph("No source here is in the paper."))
    columns = (
        Column("Source", kind="text"),
        *(Column(name, group="Documents") for name in ("Here", "Paper", "Ratio")),
        *(Column(name, group="Text") for name in ("Here", "Paper", "Ratio")),
        *(Column(name, group="Mean KiB") for name in ("Here", "Paper")),
        *(Column(name, group="Epochs") for name in ("Here", "Paper")),
        Column("Remark", kind="text"),
    )
    rows = [_comparison_row(source) for source in compared]
    body = table("Sources beside the published figures", columns, rows, _comparison_total(compared))
    return Section("paper", "Beside the paper", join(lead, body))


def lengths(figures: Figures) -> Section:
    """Return a histogram of document lengths for each source."""
    lead = paragraph(
        "Documents by UTF-8 bytes, each bar twice the size of the one before; heights are drawn to "
        "each source's own peak. Solid line: mean here. Dashed line: mean in the paper.",
        "lead",
    )
    bins = max([_SMALLEST_AXIS, *(len(source.lengths) for source in figures.sources)])
    charts = [_multiple(source, bins) for source in figures.sources if any(source.lengths)]
    body = element("ul", *charts, class_="multiples") if charts else paragraph("No documents.")
    return Section("lengths", "Lengths", join(lead, body))


def _source_row(source: SourceFigures) -> Row:
    return (
        words(source.pile_set_name),
        count(source.raw_files),
        size(source.raw_bytes),
        count(source.records),
        count(rejected(source)),
        share(rejected(source), source.records),
        count(source.documents),
        size(source.text_bytes),
        _mean(source.text_bytes, source.documents),
        words(source.access),
        words(source.licence, "long"),
    )


def _source_total(figures: Figures) -> Row:
    every = figures.sources
    records, lost = sum(one.records for one in every), sum(map(rejected, every))
    documents = sum(one.documents for one in every)
    text_bytes = sum(one.text_bytes for one in every)
    return (
        words("All sources"),
        count(sum(one.raw_files for one in every)),
        size(sum(one.raw_bytes for one in every)),
        count(records),
        count(lost),
        share(lost, records),
        count(documents),
        size(text_bytes),
        _mean(text_bytes, documents),
        words(""),
        words(""),
    )


def _mean(text_bytes: int, documents: int) -> Cell:
    mean = text_bytes / documents if documents else 0.0
    return number(mean, numbers.human_bytes(round(mean))) if documents else nothing()


def _comparison_row(source: SourceFigures) -> Row:
    published = source.published
    if published is None:
        raise ValueError(f"nothing was published of {source.name}")
    return (
        words(source.pile_set_name),
        count(source.documents),
        count(published.documents),
        ratio(source.documents, published.documents, 3),
        size(source.text_bytes),
        _printed(size(published.text_bytes), published),
        ratio(source.text_bytes, published.true_bytes, 3),
        ratio(source.text_bytes / 1024, source.documents),
        _printed(number(published.mean_kib, f"{published.mean_kib:,.2f}"), published),
        number(source.epochs, numbers.epochs(source.epochs)),
        number(published.epochs, numbers.epochs(published.epochs)),
        words(published.remark, "long"),
    )


def _printed(cell: Cell, published: Published) -> Cell:
    """Return a printed figure, marked if it is known to be wrong."""
    return (
        replace(cell, content=join(cell.content, text(MARK))) if published.measured_bytes else cell
    )


def _comparison_total(compared: Sequence[SourceFigures]) -> Row:
    """Return the sums of ours and of theirs, of the sources compared."""
    theirs = [source.published for source in compared if source.published]
    documents, documents_there = (
        sum(source.documents for source in compared),
        sum(one.documents for one in theirs),
    )
    ours, printed, true = (
        sum(source.text_bytes for source in compared),
        sum(one.text_bytes for one in theirs),
        sum(one.true_bytes for one in theirs),
    )
    return (
        words("These sources"),
        count(documents),
        count(documents_there),
        ratio(documents, documents_there, 3),
        size(ours),
        size(printed),
        ratio(ours, true, 3),
        ratio(ours / 1024, documents),
        ratio(printed / 1024, documents_there),
        words(""),
        words(""),
        words(""),
    )


def _multiple(source: SourceFigures, bins: int) -> Html:
    """Return one small histogram with its heading, means as upright lines."""
    mean = source.text_bytes / source.documents if source.documents else 0.0
    note = f"{numbers.grouped(source.documents)} · mean {numbers.human_bytes(round(mean))}"
    marks = [(_place(mean), "mean")]
    if source.published:
        marks.append((_place(source.published.mean_kib * 1024), "theirs"))
    peak = max(range(len(source.lengths)), key=source.lengths.__getitem__)
    label = (
        f"Lengths of documents of {source.pile_set_name}: most between "
        f"{numbers.human_bytes(1 << peak)} and {numbers.human_bytes(2 << peak)}"
    )
    return element(
        "li",
        element("h3", text(source.pile_set_name)),
        paragraph(note),
        histogram(source.lengths, bins, label, marks),
    )


def _place(size_in_bytes: float) -> float:
    """Return where a size lies on the axis of lengths."""
    return math.log2(max(size_in_bytes, 1.0))
