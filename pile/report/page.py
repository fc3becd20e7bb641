"""The report: one HTML page that loads nothing, made from the figures of a run alone."""

from pile.report.figures import Figures
from pile.report.losses import changes, quarantine, rejections
from pile.report.markup import Html, element, plain, text, verbatim
from pile.report.overview import key_numbers, mix, splits
from pile.report.per_source import comparison, lengths, sources
from pile.report.quality import quality
from pile.report.samples import samples
from pile.report.section import Section
from pile.report.style import SCRIPT, STYLE, content_policy
from pile.report.tables import facts, words
from pile.report.tokens import shards, tokenizer

_SECTIONS = (
    mix,
    splits,
    sources,
    comparison,
    lengths,
    rejections,
    quarantine,
    quality,
    changes,
    tokenizer,
    shards,
    samples,
)


def render(figures: Figures) -> str:
    """Return the page; the same figures give the same characters, all of which UTF-8 can hold."""
    sections = [make(figures) for make in _SECTIONS]
    main = element("main", *map(_section, sections))
    footer = element("footer", text("Made from the figures of the run alone: no times, no paths."))
    body = element(
        "body", _header(figures), _contents(sections), main, footer, verbatim("script", SCRIPT)
    )
    return f"<!doctype html>\n{element('html', _head(figures), body, lang='en')}\n"


def _head(figures: Figures) -> Html:
    policy = {"http-equiv": "Content-Security-Policy", "content": content_policy()}
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", **policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
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
