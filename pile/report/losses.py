"""What did not reach the corpus, and what was changed on the way."""

from pile.report import numbers
from pile.report.charts import stacked, swatch, tint
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, listed, paragraph, rejected
from pile.report.tables import Cell, Column, Row, chart, count, share, table, words


def rejections(figures: Figures) -> Section:
    """Return the rejected records of each source by reason."""
    lossy = [source for source in figures.sources if rejected(source)]
    whole = [source.pile_set_name for source in figures.sources if not rejected(source)]
    if not lossy:
        body = join(paragraph("No record was rejected."), *_benchmarks(figures))
        return Section("rejected", "Rejected", body)
    lead = paragraph(
        "Raw records that gave no document. A bar is as long as the share of a source's records that "
        "was rejected, beside the largest such share, and divided by reason, the most frequent first "
        "and strongest; the table below names the shades.",
        "lead",
    )
    parts = [lead, _by_source(lossy), _by_reason(lossy)]
    if whole:
        parts.append(paragraph(f"Nothing was rejected of {listed(whole)}."))
    return Section("rejected", "Rejected", join(*parts, *_benchmarks(figures)))


def quarantine(figures: Figures) -> Section:
    """Return the raw files that could not be read."""
    rows = [
        (words(source.pile_set_name), words(file.name, "long code"), words(file.reason, "long"))
        for source in figures.sources
        for file in source.quarantined
    ]
    if not rows:
        body = paragraph("Every raw file could be read to its end.")
        return Section("quarantined", "Quarantined", body)
    lead = paragraph(
        "Raw files that could not be read to their end. Nothing of them is in the corpus.", "note"
    )
    columns = (
        Column("Source", kind="text"),
        Column("Raw file", kind="text"),
        Column("What is wrong", kind="text"),
    )
    body = join(lead, table("Quarantined raw files", columns, rows))
    return Section("quarantined", "Quarantined", body)


def changes(figures: Figures) -> Section:
    """Return documents changed by cleaning rules."""
    rules = sorted({rule for source in figures.sources for rule in source.cleaned})
    changed = [one for one in figures.sources if one.surrogates or any(one.cleaned.values())]
    if not changed:
        return Section("changed", "Cleaned", paragraph("No document was changed."))
    lead = paragraph(
        "Documents that a cleaning rule changed, and surrogates mended so that text can be encoded "
        "at all.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Documents"),
        Column("Surrogates"),
        *(Column(rule, group="Changed by") for rule in rules),
    )
    rows = [_change_row(source, rules) for source in changed]
    body = table("Documents changed", columns, rows)
    return Section("changed", "Cleaned", element("div", join(lead, body), class_="narrow"))


def ordered_reasons(source: SourceFigures) -> list[tuple[str, int]]:
    """Return a source's reasons with their counts, the most frequent first, then by name."""
    counts = ((reason, number) for reason, number in source.rejected.items() if number)
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))


def _by_source(lossy: list[SourceFigures]) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("By reason", kind="chart"),
        Column("of records"),
        Column("Rejected"),
        Column("Records"),
    )
    most = max(_rate(source) for source in lossy)
    rows = [
        (
            words(source.pile_set_name),
            chart(_reasons_bar(source, most), _rate(source)),
            share(rejected(source), source.records),
            count(rejected(source)),
            count(source.records),
        )
        for source in lossy
    ]
    return table("Rejected records of each source", columns, rows)


def _rate(source: SourceFigures) -> float:
    return rejected(source) / max(source.records, rejected(source))


def _reasons_bar(source: SourceFigures, most: float) -> Html:
    reasons = ordered_reasons(source)
    spoken = ", ".join(f"{reason} {numbers.grouped(number)}" for reason, number in reasons)
    label = f"{source.pile_set_name}: {numbers.percent(_rate(source), 1)} rejected; {spoken}"
    return stacked(reasons, label, most * max(source.records, rejected(source)))


def _by_reason(lossy: list[SourceFigures]) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("Reason", kind="text"),
        Column("Records"),
        Column("of rejected"),
        Column("What it means", kind="text"),
    )
    rows = [
        (
            words(source.pile_set_name),
            Cell(join(swatch(tint(place)), text(reason)), kind="code"),
            count(number),
            share(number, rejected(source)),
            words(source.explanations.get(reason, ""), "long"),
        )
        for source in lossy
        for place, (reason, number) in enumerate(ordered_reasons(source))
    ]
    return table("Reasons", columns, rows)


def _benchmarks(figures: Figures) -> list[Html]:
    """Return in how many documents text of benchmarks was found, where it was looked for."""
    rows = [
        (
            words(source.pile_set_name),
            words(name),
            count(found),
            count(source.too_short.get(name, 0)),
        )
        for source in figures.sources
        for name, found in source.benchmarks.items()
    ]
    if not rows:
        return []
    lead = paragraph(
        "Documents that shared a run of words with a benchmark: they were left out, or what they shared "
        "was cut. Of texts of a benchmark that are shorter than such a run, nothing can be found.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Benchmark", kind="text"),
        Column("Documents"),
        Column("Texts too short"),
    )
    return [lead, table("Text of benchmarks", columns, rows)]


def _change_row(source: SourceFigures, rules: list[str]) -> Row:
    return (
        words(source.pile_set_name),
        count(source.documents),
        count(source.surrogates),
        *(count(source.cleaned.get(rule, 0)) for rule in rules),
    )
