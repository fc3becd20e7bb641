"""Duplicates: how many each source lost, and clusters of them side by side."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from pile.report import numbers
from pile.report.charts import stacked, swatch, tint
from pile.report.figures import ClusterFigures, DuplicateFigures, Figures, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, paragraph
from pile.report.tables import Column, Row, chart, count, facts, share, table, words

_WORDS = re.compile(r"\s+|\w+|[^\s\w]")

KINDS = ("exact", "near")
"""Kinds of duplicates, in the order in which a bar shows them."""

_RULES = ("method", "scope", "threshold", "shingles", "permutations", "stays")


def duplicates(figures: Figures) -> Section:
    """Return the rate of duplicates of each source, and what some of them say."""
    lost = [source for source in figures.sources if sum(source.duplicates.values())]
    if not figures.dedup and not lost:
        return _section(paragraph("This run removed no duplicates: [dedup] is off."))
    rules = facts(
        [
            (name.capitalize(), words(figures.dedup[name]))
            for name in _RULES
            if name in figures.dedup
        ]
    )
    if not lost:
        return _section(join(rules, paragraph("No document says the same as another.")))
    lead = paragraph(
        "Documents removed because another says the same, exactly or nearly. A bar is as long as the "
        "share of its source's documents that went, beside the largest such share.",
        "lead",
    )
    examples = [_examples(source) for source in lost if source.clusters]
    return _section(join(lead, rules, _rates(lost), *(_shown(examples) if examples else [])))


def _section(body: Html) -> Section:
    return Section("duplicates", "Duplicates", body)


def _rates(lost: Sequence[SourceFigures]) -> Html:
    kinds = sorted({*KINDS, *(kind for source in lost for kind in source.duplicates)}, key=_rank)
    columns = (
        Column("Source", kind="text"),
        Column("Share of documents", kind="chart"),
        Column("of documents"),
        *(Column(kind, group="Removed") for kind in kinds),
        Column("Documents"),
    )
    most = max(map(_rate, lost))
    rows = [_rate_row(source, kinds, most) for source in lost]
    legend = (element("li", swatch(tint(place)), text(kind)) for place, kind in enumerate(kinds))
    return join(
        element("ul", *legend, class_="legend"), table("Duplicates of each source", columns, rows)
    )


def _rank(kind: str) -> tuple[int, str]:
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), kind)


def _rate(source: SourceFigures) -> float:
    gone = sum(source.duplicates.values())
    return gone / max(source.documents, gone)


def _rate_row(source: SourceFigures, kinds: Sequence[str], most: float) -> Row:
    counts = [(kind, source.duplicates.get(kind, 0)) for kind in kinds]
    spoken = ", ".join(f"{kind} {numbers.grouped(number)}" for kind, number in counts)
    label = f"{source.pile_set_name}: {numbers.percent(_rate(source), 1)} removed; {spoken}"
    gone = sum(source.duplicates.values())
    return (
        words(source.pile_set_name),
        chart(stacked(counts, label, most * max(source.documents, gone)), _rate(source)),
        share(gone, source.documents),
        *(count(number) for _, number in counts),
        count(source.documents),
    )


def _shown(examples: Sequence[Html]) -> list[Html]:
    lead = paragraph(
        "Clusters with near duplicates first, then the largest, of those in the first parts of a "
        "source. What stays comes first, then what went; words that only one of them has are marked. "
        "Similarity is the share of equal numbers in both signatures: an estimate."
    )
    return [element("h3", text("Clusters")), lead, *examples]


def _examples(source: SourceFigures) -> Html:
    number = len(source.clusters)
    summary = element(
        "summary",
        text(source.pile_set_name),
        element("span", text(f"{number} cluster{'' if number == 1 else 's'}")),
    )
    return element("details", summary, *map(article, source.clusters))


def article(cluster: ClusterFigures) -> Html:
    """Return one cluster: what stays, and some of what went, side by side with it."""
    gone = f"{numbers.grouped(cluster.size)} document{'' if cluster.size == 1 else 's'} went for it"
    about = facts([("Stays", words(cluster.kept)), ("Size", words(gone))])
    return element("article", about, *map(_pair, cluster.duplicates))


def _why(gone: DuplicateFigures) -> str:
    return "the same text" if gone.kind == "exact" else f"near, similarity {gone.similarity:.2f}"


def _pair(gone: DuplicateFigures) -> Html:
    about = facts(
        [
            ("Went", words(gone.id)),
            ("Why", words(_why(gone))),
        ]
    )
    skipped = f"both begin with the same {numbers.grouped(gone.skipped)} characters"
    before = [paragraph(skipped, "remark")] if gone.skipped else []
    if gone.here == gone.there:
        return join(about, *before, _side(text(gone.here)))
    if not gone.there:
        note = paragraph("the document that stays lies outside the parts looked at", "remark")
        return join(about, note, _side(text(gone.here)))
    there, here = _compared(gone.there, gone.here)
    sides = element("div", _side(there), _side(here), class_="sides")
    return join(about, *before, sides)


def _side(body: Html) -> Html:
    return element("pre", body, dir="auto", tabindex="0", role="region", aria_label="Text")


def _compared(first: str, second: str) -> tuple[Html, Html]:
    """Return two texts, words that only one of them has marked.

    Where both were cut at the same length, what differs at their ends is the cut's doing.
    """
    a, b = _WORDS.findall(first), _WORDS.findall(second)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    left: list[Html] = []
    right: list[Html] = []
    for kind, a_start, a_stop, b_start, b_stop in matcher.get_opcodes():
        cut = len(first) == len(second) and (a_stop, b_stop) == (len(a), len(b))
        same = kind == "equal" or cut
        left.append(_marked("".join(a[a_start:a_stop]), same=same))
        right.append(_marked("".join(b[b_start:b_stop]), same=same))
    return join(*left), join(*right)


def _marked(words_: str, *, same: bool) -> Html:
    return text(words_) if same or not words_ else element("mark", text(words_))
