"""Each source from raw files to documents."""

import math

from pile.report import numbers
from pile.report.charts import Axis, histogram, size_span, sizes
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, join
from pile.report.multiples import as_table, multiple, multiples
from pile.report.section import Section, paragraph, rejected
from pile.report.tables import (
    Cell,
    Column,
    Row,
    count,
    nothing,
    number,
    share,
    size,
    table,
    words,
)

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
    notes = [
        paragraph(f"{source.pile_set_name}: {file.note}.")
        for source in figures.sources
        for file in source.recognised
    ]
    return Section("sources", "Sources", join(lead, body, *notes))


def lengths(figures: Figures) -> Section:
    """Return a histogram of document lengths for each source."""
    shown = [source for source in figures.sources if any(source.lengths)]
    if not shown:
        return Section("lengths", "Lengths", paragraph("No documents."))
    lead = paragraph(
        "Documents by UTF-8 bytes, each bar twice the size of the one before; heights are drawn to "
        "each source's own peak. Solid line: mean here. Dashed line: mean in the paper.",
        "lead",
    )
    bins = max([_SMALLEST_AXIS, *(len(source.lengths) for source in shown)])
    axis = sizes(bins)
    charts = [_multiple(source, axis) for source in shown]
    counts = {source.pile_set_name: source.lengths for source in shown}
    alternative = as_table("Documents by length", counts, axis)
    return Section("lengths", "Lengths", join(lead, multiples(charts), alternative))


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


def _multiple(source: SourceFigures, axis: Axis) -> Html:
    """Return one small histogram with its heading, means as upright lines."""
    mean = source.text_bytes / source.documents if source.documents else 0.0
    note = f"{numbers.grouped(source.documents)} · mean {numbers.human_bytes(round(mean))}"
    marks = [(_place(mean), "mean")]
    if source.published:
        marks.append((_place(source.published.mean_kib * 1024), "theirs"))
    peak = max(range(len(source.lengths)), key=source.lengths.__getitem__)
    label = f"Lengths of documents of {source.pile_set_name}: most from {size_span(peak)}"
    return multiple(source.pile_set_name, note, histogram(source.lengths, axis, label, marks))


def _place(size_in_bytes: float) -> float:
    """Return where a size lies on the axis of lengths."""
    return math.log2(max(size_in_bytes, 1.0))
