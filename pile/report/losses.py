"""What did not reach the corpus, and what was changed on the way."""

from pile.report import numbers
from pile.report.charts import stacked, swatch
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, join, text
from pile.report.section import Section, listed, paragraph, rejected
from pile.report.tables import Cell, Column, Row, chart, count, share, table, words


def rejections(figures: Figures) -> Section:
    """Return the rejected records of each source by reason."""
    lossy = [source for source in figures.sources if rejected(source)]
    whole = [source.pile_set_name for source in figures.sources if not rejected(source)]
    if not lossy:
        return Section("rejected", "Rejected", paragraph("No record was rejected."))
    lead = paragraph(
        "Raw records that gave no document. A bar divides a source's rejected records by reason, "
        "the most frequent first and darkest; the table below names the shades.",
        "lead",
    )
    parts = [lead, _by_source(lossy), _by_reason(lossy)]
    if whole:
        parts.append(paragraph(f"Nothing was rejected of {listed(whole)}."))
    return Section("rejected", "Rejected", join(*parts))


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
    """Return documents changed by cleaning rules and removed as duplicates."""
    rules = sorted({rule for source in figures.sources for rule in source.cleaned})
    kinds = sorted({kind for source in figures.sources for kind in source.duplicates})
    lead = paragraph(
        "Documents that a cleaning rule changed, surrogates mended so that text can be encoded at "
        "all, and documents removed because another says the same.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Documents"),
        Column("Surrogates"),
        *(Column(rule, group="Changed by") for rule in rules),
        *(Column(kind, group="Duplicates") for kind in kinds),
        Column("of documents" if kinds else "removed", group="Duplicates"),
    )
    rows = [_change_row(source, rules, kinds) for source in figures.sources]
    body = table("Documents changed and removed", columns, rows)
    return Section("changed", "Cleaning and duplicates", join(lead, body))


def ordered_reasons(source: SourceFigures) -> list[tuple[str, int]]:
    """Return a source's reasons with their counts, the most frequent first, then by name."""
    counts = ((reason, number) for reason, number in source.rejected.items() if number)
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))


def _by_source(lossy: list[SourceFigures]) -> Html:
    columns = (
        Column("Source", kind="text"),
        Column("By reason", kind="chart"),
        Column("Rejected"),
        Column("of records"),
    )
    rows = [
        (
            words(source.pile_set_name),
            chart(_reasons_bar(source), rejected(source)),
            count(rejected(source)),
            share(rejected(source), source.records),
        )
        for source in lossy
    ]
    return table("Rejected records of each source", columns, rows)


def _reasons_bar(source: SourceFigures) -> Html:
    reasons = ordered_reasons(source)
    spoken = ", ".join(f"{reason} {numbers.grouped(number)}" for reason, number in reasons)
    return stacked(reasons, f"{source.pile_set_name}: {spoken}")


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
            Cell(join(swatch(place), text(reason)), kind="code"),
            count(number),
            share(number, rejected(source)),
            words(source.explanations.get(reason, ""), "long"),
        )
        for source in lossy
        for place, (reason, number) in enumerate(ordered_reasons(source))
    ]
    return table("Reasons", columns, rows)


def _change_row(source: SourceFigures, rules: list[str], kinds: list[str]) -> Row:
    return (
        words(source.pile_set_name),
        count(source.documents),
        count(source.surrogates),
        *(count(source.cleaned.get(rule, 0)) for rule in rules),
        *(count(source.duplicates.get(kind, 0)) for kind in kinds),
        share(sum(source.duplicates.values()), source.documents),
    )
