"""What the corpus is made of: key numbers, the mix of sources, the splits."""

from collections import Counter
from collections.abc import Callable, Sequence

from pile.report import numbers
from pile.report.charts import dots, swatch
from pile.report.figures import Figures, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import (
    Section,
    all_corpus_bytes,
    corpus_bytes,
    corpus_documents,
    listed,
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
from pile.report.treemap import Tile, treemap

KIND_COLOURS = {
    "academic": "kind0",
    "web": "kind1",
    "books": "kind2",
    "dialogue": "kind3",
    "code and maths": "kind4",
}
"""The colour of each kind of text that components are of."""

OTHER = "kind5"
"""The colour of all other sources."""

_ROOM = 0.04
"""Share of a strip's width that is left free, so that dots at its ends are whole."""


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


def composition(figures: Figures) -> Section:
    """Return a treemap of the corpus: the text that each source gives to it, by kind of text."""
    whole = all_corpus_bytes(figures)
    if not whole:
        return Section("composition", "Composition", paragraph("The corpus is empty."))
    tiles = [
        Tile(
            source.pile_set_name,
            numbers.percent(corpus_bytes(source), whole),
            corpus_bytes(source),
            source.kind,
            KIND_COLOURS.get(source.kind, OTHER),
        )
        for source in figures.sources
    ]
    lead = paragraph(
        "Each tile is a source, as large as its share of the corpus's text, every copy of a document "
        "counted. Colours are kinds of text. The table below holds the same figures.",
        "lead",
    )
    kinds = _kinds(tiles)
    spoken = ", ".join(f"{kind} {numbers.percent(size, whole)}" for kind, _, size in kinds)
    drawing = treemap(tiles, f"Composition of the corpus by kind of text: {spoken}.")
    return Section("composition", "Composition", join(lead, drawing, _legend(kinds, whole)))


def _kinds(tiles: Sequence[Tile]) -> list[tuple[str, str, float]]:
    """Return kinds of text with their colour and size, the largest first."""
    sums: dict[tuple[str, str], float] = {}
    for tile in tiles:
        if tile.value:
            sums[tile.group, tile.colour] = sums.get((tile.group, tile.colour), 0) + tile.value
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(kind, colour, size) for (kind, colour), size in ranked]


def _legend(kinds: Sequence[tuple[str, str, float]], whole: float) -> Html:
    entries = (
        element("li", swatch(colour), text(f"{kind or 'other'} {numbers.percent(size, whole)}"))
        for kind, colour, size in kinds
    )
    return element("ul", *entries, class_="legend")


def mix(figures: Figures) -> Section:
    """Return each source's share before and after epochs, beside its share of the Pile."""
    lead = paragraph(
        "What each source has after duplicates are gone, each document once, and what it gives to "
        "the corpus once epochs repeat it, as shares of all text. Bars reach to the largest share.",
        "lead",
    )
    legend = element(
        "ul",
        element(
            "li",
            _sign(element("circle", cx="7", cy="7", r="4.5", class_="ring")),
            text("before epochs"),
        ),
        element(
            "li",
            _sign(element("circle", cx="7", cy="7", r="4.5", class_="fill")),
            text("in the corpus"),
        ),
        element(
            "li",
            _sign(element("path", d="M7 0v14", class_="mark")),
            text("in the Pile, of the sources here"),
        ),
        class_="legend",
    )
    columns = (
        Column("Source", kind="text"),
        Column("Share of text", kind="chart"),
        Column("Before", group="Share"),
        Column("Corpus", group="Share"),
        Column("Pile", group="Share"),
        Column("Epochs"),
        Column("Once", "Documents before epochs", "Documents"),
        Column("Corpus", "Documents in the corpus, every copy counted", "Documents"),
        Column("Text"),
        Column("Tokens"),
    )
    total = (
        words("All sources"),
        *[words("")] * 5,
        count(sum(source.once_documents for source in figures.sources)),
        *_amounts(figures),
    )
    rows = [_mix_row(source, figures) for source in figures.sources]
    body = table("Sources before and after epochs", columns, rows, total)
    return Section("mix", "Mixture", join(lead, legend, body, *_left_out(figures)))


def _sign(drawing: Html) -> Html:
    return element("svg", drawing, viewBox="0 0 14 14", class_="swatch", aria_hidden="true")


def _left_out(figures: Figures) -> list[Html]:
    """Say what mixing left out, and which sources are not here at all."""
    said = []
    unmixed: Counter[str] = Counter()
    for source in figures.sources:
        unmixed.update(source.unmixed)
    counted = [
        f"{numbers.grouped(unmixed[reason])} {reason}"
        for reason in sorted(unmixed)
        if unmixed[reason]
    ]
    if counted:
        said.append(
            paragraph(
                f"Documents, or copies of them, that mixing left out, by reason: {listed(counted)}."
            )
        )
    if figures.skipped:
        names = listed(figures.skipped)
        said.append(paragraph(f"Not in this run, for want of raw files: {names}.", "note"))
    return said


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
    once, all_once = source.once_bytes, sum(other.once_bytes for other in figures.sources)
    theirs, all_theirs = published_bytes(source), sum(map(published_bytes, figures.sources))
    return (
        words(source.pile_set_name),
        chart(_share_dots(source, figures), part),
        share(once, all_once),
        share(part, whole),
        share(theirs, all_theirs) if source.published else nothing(),
        number(source.epochs, numbers.epochs(source.epochs)),
        count(source.once_documents),
        count(corpus_documents(source)),
        size(part),
        count(source.tokens),
    )


def _share_dots(source: SourceFigures, figures: Figures) -> Html:
    """Draw a source's shares, the largest of all as far to the right as there is room."""
    shares = _shares(figures)
    before, after, theirs = shares(source)
    widest = max(max(shares(other)) for other in figures.sources) or 1.0
    label = (
        f"{source.pile_set_name}: {100 * before:.1f} % before epochs, "
        f"{100 * after:.1f} % of the corpus"
    )
    at = [_ROOM / 2 + (1 - _ROOM) * share / widest for share in (before, after, theirs)]
    if not source.published:
        return dots(at[0], at[1], label)
    return dots(at[0], at[1], f"{label}, {100 * theirs:.1f} % of the Pile", at[2])


def _shares(figures: Figures) -> Callable[[SourceFigures], tuple[float, float, float]]:
    """Return the function that gives a source's share before epochs, in the corpus, in the Pile."""
    once = sum(source.once_bytes for source in figures.sources) or 1
    whole = all_corpus_bytes(figures) or 1
    all_theirs = sum(map(published_bytes, figures.sources)) or 1
    return lambda source: (
        source.once_bytes / once,
        corpus_bytes(source) / whole,
        published_bytes(source) / all_theirs,
    )
