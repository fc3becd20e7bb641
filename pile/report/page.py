"""The report: one HTML page that loads nothing, made from the figures of a run.

With what stages took on some machine it has one section more; without, the same figures give the
same bytes everywhere.
"""

from collections.abc import Callable
from dataclasses import replace

from pile.report import budget
from pile.report.budget import PAGE_BYTES
from pile.report.costs import Costs, costs
from pile.report.duplicates import duplicates
from pile.report.figures import Figures
from pile.report.losses import changes, quarantine, rejections
from pile.report.markup import Html, element, plain, text, verbatim
from pile.report.overview import composition, key_numbers, mix, splits
from pile.report.per_source import lengths, sources
from pile.report.quality import quality
from pile.report.samples import samples
from pile.report.script import SCRIPT
from pile.report.section import Section, paragraph
from pile.report.style import STYLE, content_policy
from pile.report.table_one import table_one
from pile.report.tables import facts, words
from pile.report.tokens import shards, tokenizer

_SECTIONS: tuple[Callable[[Figures], Section], ...] = (
    composition,
    mix,
    splits,
    sources,
    table_one,
    lengths,
    rejections,
    quarantine,
    quality,
    duplicates,
    changes,
    tokenizer,
    samples,
    shards,
)


def render(figures: Figures, taken: Costs | None = None, page_bytes: int = PAGE_BYTES) -> str:
    """Return the page, of at most ``page_bytes`` of UTF-8; the same figures give the same characters.

    Samples and clusters that do not fit are left out, one of each source in turn being taken; should
    the rest alone be too large, its largest sections are left out.
    """
    bare = _sections(budget.bare(figures), taken)
    rest = len(_page(figures, bare, taken).encode())
    if rest > page_bytes:
        return _page(figures, _lightened(bare, rest - page_bytes), taken)
    shown = budget.fitting(figures, rest, page_bytes)
    return _page(figures, _sections(shown.figures, taken, shown.left_out), taken)


def _sections(figures: Figures, taken: Costs | None, left_out: int = 0) -> list[Section]:
    made = [samples(figures, left_out) if make is samples else make(figures) for make in _SECTIONS]
    return [*made, costs(taken)] if taken is not None else made


def _lightened(sections: list[Section], excess: int) -> list[Section]:
    """Replace the largest sections by a word, until the page is smaller by ``excess`` bytes."""
    note = paragraph("Too large for this page; figures.json has it.", "note")
    sizes = {section.anchor: len(section.body.encode()) for section in sections}
    gone: set[str] = set()
    for anchor in sorted(sizes, key=lambda anchor: (-sizes[anchor], anchor)):
        if excess <= 0:
            break
        gone.add(anchor)
        excess -= sizes[anchor] - len(note.encode())
    return [replace(one, body=note) if one.anchor in gone else one for one in sections]


def _page(figures: Figures, sections: list[Section], taken: Costs | None) -> str:
    main = element("main", *map(_section, sections), id="main")
    made_from = "the figures of the run alone: no times, no paths"
    if taken is not None:
        made_from = "the figures of the run, and what the log of this work directory tells of times"
    body = element(
        "body",
        element("a", text("Skip to the figures"), href="#main", class_="skip"),
        _header(figures),
        _contents(sections),
        main,
        element("footer", text(f"Made from {made_from}.")),
        verbatim("script", SCRIPT),
    )
    return f"<!doctype html>\n{element('html', _head(figures), body, lang='en')}\n"


def _head(figures: Figures) -> Html:
    policy = {"http-equiv": "Content-Security-Policy", "content": content_policy()}
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", **policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", plain(figures.title)),
        verbatim("style", STYLE),
    )


def _header(figures: Figures) -> Html:
    identity = facts(
        [
            ("Seed", words(str(figures.seed))),
            ("Recipe", words(figures.config_digest)),
            ("Made by", words(f"pile {figures.pile_version}")),
        ]
    )
    return element(
        "header",
        element("p", text("Corpus report"), class_="eyebrow"),
        element("h1", text(figures.title)),
        identity,
        key_numbers(figures),
    )


def _contents(sections: list[Section]) -> Html:
    links = (
        element("li", element("a", text(section.heading), href=f"#{section.anchor}"))
        for section in sections
    )
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(section: Section) -> Html:
    heading = element("h2", text(section.heading), id=f"{section.anchor}-heading")
    return element(
        "section",
        heading,
        section.body,
        id=section.anchor,
        aria_labelledby=f"{section.anchor}-heading",
    )
