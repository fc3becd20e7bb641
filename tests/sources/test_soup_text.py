"""Text of HTML as Beautiful Soup gave it, against Beautiful Soup itself and by example."""

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.html_events import TooDeepError, keep_carriage_returns
from sources.formats.soup_text import soup_text, whole_text


def test_text_is_all_but_scripts_and_comments() -> None:
    """White space between tags is one newline or one space, except in preformatted text."""
    markup = (
        "<p>A &amp; B\n\n<b>  </b>c</p>\n\n\n<!-- no --><script>no</script><style>no</style>"
        "<pre>x\n\n<i>  </i>y</pre>"
    )
    assert soup_text(markup) == "A & B\n\n c\nx\n\n  y"


@pytest.mark.parametrize("markup", ["", "  ", "<!-- c -->", "<script>x</script>"])
def test_nothing_gives_nothing(markup: str) -> None:
    """Markup without text has an empty one."""
    assert soup_text(markup) == whole_text(markup) == ""


def test_carriage_returns_stay_in_text() -> None:
    """CR LF within text was kept; between tags it is white space like any other."""
    assert soup_text("<p>a\r\nb</p>\r\n<p>\rc</p>") == "a\r\nb\n\rc"
    assert soup_text("<pre>\r\n<b>x</b>\r\n</pre>").replace("\r", "") == "\nx\n"
    assert soup_text('<a\r\nhref="x\r\ny">z</a>') == "z"
    assert whole_text("<p>a\r\nb</p>") == "a\nb"
    assert keep_carriage_returns("<p>a</p>") == "<p>a</p>"


def test_references_mean_what_they_meant() -> None:
    """Names of HTML 4 with a semicolon are characters, others are text."""
    assert soup_text("<p>&sect; &copy &check; &#146;</p>") == "\u00a7 &copy &check; \x92"
    assert whole_text("<p>&sect; &copy &check; &#146;</p>") == "\u00a7 \u00a9 \u2713 \u2019"


def test_text_behind_the_end_was_lost_with_the_first_tag() -> None:
    """libxml2 2.9 stopped at the first tag behind the end of a document."""
    markup = "<html><body><p>a</p></body></html>b<p>c</p>"
    assert (soup_text(markup), whole_text(markup)) == ("ab", "abc")


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON can spell one; parsers refuse it."""
    assert soup_text("<p>a\ud800b \ud83d\ude00</p>") == "a\ufffdb \U0001f600"


def test_depth_is_bounded() -> None:
    """A thousand levels are read, a bottomless document is refused in little time."""
    assert soup_text("<b>" * 1000 + "x") == "x"
    for read in (soup_text, whole_text):
        with pytest.raises(TooDeepError):
            read("<b>" * 100_000)


TAGS = st.sampled_from(["p", "div", "b", "pre", "script", "style", "td", "em", "span", "section"])
TEXTS = st.text(st.sampled_from("ab \n\t&;<\u00e9"), max_size=8).map(
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;")
)


def nodes(depth: int) -> st.SearchStrategy[str]:
    """Make well-formed markup of a few levels."""
    if depth == 0:
        return TEXTS
    inner = st.lists(nodes(depth - 1), max_size=4).map("".join)
    element = st.tuples(TAGS, inner).map(lambda found: f"<{found[0]}>{found[1]}</{found[0]}>")
    return st.one_of(TEXTS, element, st.just("<!-- c -->"), st.just("<br>"))


@given(st.lists(nodes(3), max_size=6).map("".join))
@settings(max_examples=150, deadline=None)
def test_beautiful_soup_gives_the_same(body: str) -> None:
    """On documents that both parse alike, the library agrees."""
    markup = f"<html><body>{body}</body></html>"
    assert soup_text(markup) == whole_text(markup) == BeautifulSoup(markup, "lxml").get_text()
