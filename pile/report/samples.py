"""Documents to look at, their tokens coloured, and a search over them."""

from pile.report import numbers
from pile.report.figures import Figures, SampleDocument, SourceFigures
from pile.report.markup import Html, element, join, text
from pile.report.section import Section, paragraph
from pile.report.tables import facts, words


def samples(figures: Figures, left_out: int = 0) -> Section:
    """Return the beginnings of some documents of each source, folded away.

    ``left_out`` are drawn documents that did not fit into the page.
    """
    shown = [source for source in figures.sources if source.samples]
    if not shown:
        return Section("samples", "Samples", paragraph("No documents were kept to look at."))
    number = sum(len(source.samples) for source in shown)
    lead = paragraph(
        "How some documents begin, drawn by the seed. Each token has its own ground, in colours "
        "that take turns. Characters that hide or reorder text are shown by code point.",
        "lead",
    )
    cut = f" {_stated(number, left_out)}" if left_out else ""
    tools = join(_search(number), *([paragraph(cut.strip(), "note")] if cut else []))
    found = element("div", *map(_source, shown), class_="found")
    return Section("samples", "Samples", join(lead, tools, found))


def _stated(shown: int, left_out: int) -> str:
    return (
        f"{numbers.grouped(shown)} of {numbers.grouped(shown + left_out)} drawn documents are shown: "
        "one of each source in turn, as many as a page below 5 MB takes. figures.json has all."
    )


def _search(number: int) -> Html:
    """Return the search, which the script brings to life, and the switch of the colours."""
    field = element("input", type="search", id="search", autocomplete="off", spellcheck="false")
    label = element("label", text("Search the samples"), **{"for": "search"})
    switch = element("input", type="checkbox", id="coloured", checked="checked")
    colours = element("label", switch, text(" Colour tokens"), **{"for": "coloured"})
    count = element("output", text(_documents(number)), **{"for": "search"}, id="hits")
    query = element("div", label, field, class_="query", hidden="hidden")
    return element("div", query, colours, count, class_="search", role="search")


def _documents(number: int) -> str:
    return f"{numbers.grouped(number)} document{'' if number == 1 else 's'}"


def _source(source: SourceFigures) -> Html:
    summary = element(
        "summary",
        text(source.pile_set_name),
        element("span", text(_documents(len(source.samples)))),
    )
    return element("details", summary, *map(article, source.samples))


def article(sample: SampleDocument) -> Html:
    """Return one document: what is known of it, and how it begins."""
    about = [
        ("Id", words(sample.id)),
        ("Origin", words(sample.origin)),
        ("Licence", words(sample.licence)),
    ]
    if sample.tokens:
        about.append(("Tokens shown", words(numbers.grouped(len(sample.tokens)))))
    body = join(*map(_token, sample.tokens)) if sample.tokens else text(sample.excerpt)
    label = f"Beginning of {sample.id}"
    shown = element("pre", body, dir="auto", tabindex="0", role="region", aria_label=label)
    return element("article", facts(about), shown)


def _token(token: str) -> Html:
    """Return a token; one that only begins a character is a mark."""
    return element("i", text(token)) if token else element("i", class_="part")
