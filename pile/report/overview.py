"""What the corpus is made of: key numbers, the mix of sources, the splits."""

from collections.abc import Callable

from pile.report import numbers
from pile.report.charts import bar
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, join
from pile.report.section import (
    Section,
    all_corpus_bytes,
    corpus_bytes,
    corpus_documents,
    paragraph,
    published_bytes,
    rejected,
)
from pile.report.tables import (
    Cell,
    Column,
    Row,
    chart,
    count,
    facts,
    nothing,
    number,
    share,
    size,
    table,
    words,
)


def key_numbers(figures: Figures) -> Html:
    """Return the handful of numbers a reader looks for first, and whether records balance."""
    documents = sum(map(corpus_documents, figures.sources))
    tokens = sum(split.tokens for split in figures.splits)
    text_bytes = all_corpus_bytes(figures)
    filled = sum(map(bool, map(corpus_documents, figures.sources)))
    pairs = [
        ("documents in the corpus", _scaled(documents)),
        ("of text", Cell(size(text_bytes).content, title=numbers.exact_bytes(text_bytes))),
        ("tokens", _scaled(tokens)),
        ("sources with documents", words(f"{filled} of {len(figures.sources)}")),
        ("raw records read", _scaled(sum(source.records for source in figures.sources))),
        ("records rejected", _scaled(sum(map(rejected, figures.sources)))),
        ("duplicates removed", _scaled(sum(map(_duplicates, figures.sources)))),
        ("raw files quarantined", _scaled(sum(len(one.quarantined) for one in figures.sources))),
    ]
    return join(facts(pairs, "key"), _balance(figures))


def mix(figures: Figures) -> Section:
    """Return each source's share of the corpus beside its share of the Pile."""
    lead = paragraph(
        "What each source gives to the corpus, after duplicates and epochs, in bytes of text. "
        "The upright mark is the share that the same sources have among themselves in the Pile.",
        "lead",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Share of text", kind="chart"),
        Column("Here"),
        Column("Pile"),
        Column("Epochs"),
        Column("Documents"),
        Column("Text"),
        Column("Tokens"),
    )
    total = (words("All sources"), *[words("")] * 4, *_amounts(figures))
    rows = [_mix_row(source, figures) for source in figures.sources]
    return Section(
        "mix",
        "Mix",
        join(
            lead,
            table(
                "Bars reach to the largest share; a size shows its exact bytes under the pointer.",
                columns,
                rows,
                total,
            ),
        ),
    )


def splits(figures: Figures) -> Section:
    """Return the sizes of the splits."""
    whole = sum(split.text_bytes for split in figures.splits)
    columns = (
        Column("Split", kind="text"),
        Column("Documents"),
        Column("Text"),
        Column("Share"),
        Column("Tokens"),
    )
    rows = [
        (
            words(split.name),
            count(split.documents),
            size(split.text_bytes),
            share(split.text_bytes, whole),
            count(split.tokens),
        )
        for split in figures.splits
    ]
    body = (
        table("Documents and text after epochs.", columns, rows)
        if rows
        else paragraph("There are none.")
    )
    return Section("splits", "Splits", element("div", body, class_="narrow"))


def _scaled(value: int) -> Cell:
    return Cell(words(numbers.human_count(value)).content, title=numbers.grouped(value))


def _duplicates(source: SourceFigures) -> int:
    return sum(source.duplicates.values())


def _balance(figures: Figures) -> Html:
    """Say whether every raw record is accounted for, in every source."""
    records = sum(source.records for source in figures.sources)
    off = [
        source.pile_set_name
        for source in figures.sources
        if source.records != source.documents + rejected(source)
    ]
    if off:
        return paragraph(f"Records are unaccounted for in: {', '.join(off)}.", "note")
    return paragraph(
        f"Every raw record is accounted for: {numbers.grouped(records)} were read, "
        f"{numbers.grouped(sum(source.documents for source in figures.sources))} became documents, "
        f"{numbers.grouped(sum(map(rejected, figures.sources)))} were rejected for a reason given below."
    )


def _amounts(figures: Figures) -> Row:
    return (
        count(sum(map(corpus_documents, figures.sources))),
        size(all_corpus_bytes(figures)),
        count(sum(source.tokens for source in figures.sources)),
    )


def _mix_row(source: SourceFigures, figures: Figures) -> Row:
    part, whole = corpus_bytes(source), all_corpus_bytes(figures)
    theirs, all_theirs = published_bytes(source), sum(map(published_bytes, figures.sources))
    return (
        words(source.pile_set_name),
        chart(_share_bar(source, figures), part),
        share(part, whole),
        share(theirs, all_theirs) if source.published else nothing(),
        number(source.epochs, numbers.epochs(source.epochs)),
        count(corpus_documents(source)),
        size(part),
        count(source.tokens),
    )


def _share_bar(source: SourceFigures, figures: Figures) -> Html:
    """Draw a source's share, the longest bar or mark of all as wide as there is room."""
    shares = _shares(figures)
    ours, theirs = shares(source)
    widest = max(max(shares(other)) for other in figures.sources) or 1.0
    label = f"{source.pile_set_name}: {100 * ours:.1f} % of the corpus"
    if not source.published:
        return bar(ours / widest, label)
    return bar(ours / widest, f"{label}, {100 * theirs:.1f} % of the Pile", theirs / widest)


def _shares(figures: Figures) -> Callable[[SourceFigures], tuple[float, float]]:
    """Return the function that gives a source's share of the corpus and of the Pile."""
    whole = all_corpus_bytes(figures) or 1
    all_theirs = sum(map(published_bytes, figures.sources)) or 1
    return lambda source: (corpus_bytes(source) / whole, published_bytes(source) / all_theirs)
