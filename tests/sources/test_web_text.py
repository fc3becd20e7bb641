"""Main text of pages, against jusText itself and by example."""

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from justext import core as justext_core
from justext import get_stoplist

from sources.formats.html_events import TooDeepError, as_before, local_name
from sources.formats.web_text import (
    DEPTH,
    Paragraph,
    classify,
    good_text,
    main_text,
    normalise_space,
    whole_main_text,
)

GOOD = "This is a sentence of the kind that is found in the text of a page, and it is good. " * 4
OTHER = (
    "It was for them to say what they would do with all of it when the time had come to go. " * 4
)


def published(markup: str) -> list[str]:
    """Return the paragraphs of a page, as published."""
    return main_text(markup).paragraphs


def corrected(markup: str) -> list[str]:
    """Return the paragraphs of all of a page."""
    return whole_main_text(markup).paragraphs


def page(*parts: str) -> str:
    """Make a page of parts of a body."""
    return f"<html><head><title>t</title></head><body>{''.join(parts)}</body></html>"


def test_text_is_kept_and_boilerplate_left_out() -> None:
    """Long paragraphs of common words are text; links, forms, scripts and notices are not."""
    markup = page(
        "<ul><li><a href='/'>Home</a><li><a href='/x'>Contact</a></ul>",
        f"<p>{GOOD}</p><script>var x = 1;</script><p>{OTHER}</p>",
        "<form><input><button>Search</button><select><option>One</select></form>",
        "<p>\u00a9 2020 by the owner of the page, who has all of the rights to it.</p>",
    )
    assert published(markup) == [GOOD.strip(), OTHER.strip()]


def test_a_short_heading_before_good_text_is_kept() -> None:
    """As in jusText 2.2; release 3 loses it."""
    assert published(page(f"<h2>A heading</h2><p>{GOOD}</p>")) == ["A heading", GOOD.strip()]
    assert published(page(f"<h2>A heading</h2><p>{'zxq ' * 60}</p><p>{GOOD}</p>")) == [GOOD.strip()]


def test_one_line_break_joins_words_and_two_part_paragraphs() -> None:
    """As in jusText 2.2; by choice the one is a space."""
    markup = page(f"<div>{GOOD}one<br>two <br><br>{OTHER}</div>")
    assert published(markup) == [f"{GOOD}onetwo", OTHER.strip()]
    assert corrected(markup) == [f"{GOOD}one two", OTHER.strip()]


def test_white_space_is_one_space_or_one_newline() -> None:
    """A run of white space with a line end in it is a newline; line ends of a source stay."""
    assert normalise_space("a \t b\r\n  c\u00a0d\n") == "a b\nc d\n"
    assert published(page(f"<p>{GOOD}\n\n{OTHER}</p>")) == [f"{GOOD.strip()}\n{OTHER.strip()}"]


def test_what_lies_too_deep_is_lost_as_it_was() -> None:
    """libxml2 2.9 left a page at its 258th open element; HTML5's rules know no such end."""
    inside = DEPTH - 3
    for deep, kept in ((inside, [GOOD.strip(), OTHER.strip()]), (inside + 1, [GOOD.strip()])):
        markup = page(f"<p>{GOOD}</p>", "<div>" * deep, f"<p>{OTHER}</p>", "</div>" * deep)
        assert main_text(markup) == (kept, deep > inside)
        assert corrected(markup) == [GOOD.strip(), OTHER.strip()]


def test_a_bottomless_page_is_refused_when_read_whole() -> None:
    """Depth costs time, so it is bounded, and that is told."""
    with pytest.raises(TooDeepError):
        corrected("<div>" * 5000 + GOOD)


def test_what_follows_the_end_of_a_page() -> None:
    """libxml2 2.9 kept it where the page begins with its first tag; now it is kept always."""
    after = f"<html><body><p>{GOOD}</p></body></html><p>{OTHER}</p>"
    assert published(after) == [GOOD.strip(), OTHER.strip()]
    assert published("<!DOCTYPE html>" + after) == [GOOD.strip()]
    assert corrected("<!DOCTYPE html>" + after) == [GOOD.strip(), OTHER.strip()]


def test_a_fragment_is_its_body() -> None:
    """Of a page that does not begin like one and has no head, only the body counts."""
    assert published(f"<p>{GOOD}</p></body><p>{OTHER}</p>") == [GOOD.strip()]
    headed = f"<head></head><p>{GOOD}</p></body><p>{OTHER}</p>"
    assert published(headed) == [GOOD.strip(), OTHER.strip()]


@pytest.mark.parametrize("markup", ["", " ", "<!-- c -->", "\0\0", "<", "<a", "&", "\ufeff"])
def test_a_page_of_nothing_has_no_text(markup: str) -> None:
    """Nothing is no error."""
    assert published(markup) == corrected(markup) == []


@pytest.mark.parametrize(
    ("markup", "before"),
    [
        ("a&copy2; &copy b&nbsp;c", "a&amp;copy2; &amp;copy b&nbsp;c"),
        ("&check; &apos; &lang;", "&amp;check; &apos; \u2329"),
        ("&#146; &#x92 &#8217; &#0; &#xD800; &#1114112;", "\x92 \x92 &#8217;   "),
        ("a\0b\x01c\x0cd\ufffe", "a bcd"),
        ("<iframe src=x><p>y</iframe>", "<raw-iframe src=x><p>y</raw-iframe>"),
        ("<NoFrames>x</NoFrames><i>", "<raw-NoFrames>x</raw-NoFrames><i>"),
        ("&#" + "9" * 9000 + ";", ""),
    ],
)
def test_markup_is_rewritten_to_what_it_meant(markup: str, before: str) -> None:
    """References, raw text and impossible characters mean again what libxml2 2.9 took them for."""
    assert as_before(markup) == before


def test_names_lose_what_older_parsers_took_off() -> None:
    """A prefix counts for nothing, and renamed elements are themselves again."""
    assert [local_name(tag) for tag in ("o:p", "p", "raw-iframe", ":", "a:")] == [
        "p",
        "p",
        "iframe",
        ":",
        "a:",
    ]


WORDS = st.sampled_from(["the", "of", "and", "zxq", "walked", "it", "was", "in", "\u00a9"])
TEXTS = st.lists(WORDS, max_size=60).map(" ".join)
TAGS = st.sampled_from(
    ["p", "div", "b", "a", "h2", "li", "td", "span", "form", "select", "script", "br", "head"]
)


def nodes(depth: int) -> st.SearchStrategy[str]:
    """Make well-formed markup of a few levels."""
    if depth == 0:
        return TEXTS
    inner = st.lists(nodes(depth - 1), max_size=4).map(" ".join)
    element = st.tuples(TAGS, inner).map(
        lambda found: f"<{found[0]}>{found[1]}" + ("" if found[0] == "br" else f"</{found[0]}>")
    )
    return st.one_of(TEXTS, element, element)


class OldParagraphMaker(justext_core.ParagraphMaker):  # type: ignore[misc] # untyped library
    """jusText 3's, without the space that it adds for a line break."""

    def startElementNS(self, name: tuple[str, str], qname: str, attrs: object) -> None:  # noqa: N802
        """Enter an element, and take back what a single line break added."""
        texts = len(self.paragraph.text_nodes)
        paragraph = self.paragraph
        super().startElementNS(name, qname, attrs)
        if name[1] == "br" and self.paragraph is paragraph:
            del paragraph.text_nodes[texts:]


def justext_2_2(markup: str) -> list[str]:
    """Run jusText 3, undoing what it changed."""
    words = get_stoplist("English")
    dom = justext_core.preprocessor(lxml.html.fromstring(markup))
    paragraphs = OldParagraphMaker.make_paragraphs(dom)
    justext_core.classify_paragraphs(paragraphs, words)
    for paragraph in paragraphs:
        paragraph.class_type = paragraph.cf_class
    justext_core.revise_paragraph_classification(paragraphs)
    return [paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate]


@given(st.lists(nodes(3), min_size=1, max_size=8).map("\n".join))
@settings(max_examples=150, deadline=None)
def test_justext_finds_the_same_paragraphs(body: str) -> None:
    """On pages that both parse alike, the library with its changes undone agrees."""
    markup = page(body)
    assert published(markup) == justext_2_2(markup)


PARAGRAPHS = st.lists(
    st.builds(
        Paragraph,
        text=st.sampled_from(["x", "short of it", GOOD[:80], GOOD, "zxq " * 30, "zxq " * 99]),
        linked=st.sampled_from([0, 0, 0, 3]),
        heading=st.booleans(),
        select=st.just(value=False),
    ),
    max_size=25,
)


@given(PARAGRAPHS)
@settings(max_examples=200)
def test_classes_are_the_librarys_own(paragraphs: list[Paragraph]) -> None:
    """The linear classification agrees with the library's search of neighbours."""
    words = get_stoplist("English")
    theirs = []
    for paragraph in paragraphs:
        path = justext_core.PathInfo().append("h1" if paragraph.heading else "p")
        their = justext_core.Paragraph(path)
        their.text_nodes.append(paragraph.text)
        their.chars_count_in_links = paragraph.linked
        theirs.append(their)
    justext_core.classify_paragraphs(theirs, words)
    for their in theirs:
        their.class_type = their.cf_class
    justext_core.revise_paragraph_classification(theirs)
    ours = [Paragraph(p.text.strip(), p.linked, p.heading, p.select) for p in paragraphs]
    assert classify(ours, words) == [their.class_type for their in theirs]
    assert len(good_text(ours)) == sum(their.class_type == "good" for their in theirs)


def test_hostile_pages_take_linear_time() -> None:
    """A hundred thousand of anything is read in the time of a long page."""
    many = 100_000
    for part in (
        "<div>",
        "<h1>ab</h1>",
        "<a>",
        "&",
        "<",
        "<!--",
        "<br>",
        "<iframe>",
        "</html>",
        " ",
    ):
        assert published(part * many) == []
