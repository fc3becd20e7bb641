"""Text of HTML fragments: what Beautiful Soup 4.9 gave, in bounded time."""

import time

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import fragment_text as module
from sources.formats.fragment_text import BrokenMarkupError, fragment_text

PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</b>", "<br>", "<br/>", "</br>", "<hr />", "<img src='a>b'>"),
        *('<a href="x" rel="y">', "</a>", "<P CLASS=x>", "<!-- c -->", "<!---->", "<?pi?>"),
        *("<!doctype html>", "<![CDATA[ a ]]>", "<![CDATA[]]>", "<script>", "</script>", "<x"),
        *("x", "y z", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "<", ">", "</", '"', "'", "&"),
        *("&amp;", "&lt", "&hellip;", "&nbsp;", "&apos;", "&#39;", "&#x27;", "&#150;", "&#65 "),
    ]
)
"""Pieces of which Beautiful Soup 4.9 and its successors make the same."""


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_text_is_beautiful_soups(markup: str) -> None:
    """Without a tree, the same text."""
    assert fragment_text(markup) == BeautifulSoup(markup, "html.parser").get_text()


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_short_way_gives_what_the_long_way_gives(markup: str) -> None:
    """Markup without a mistake is not shown to html.parser, and gives the same."""
    fragment = module._Fragment()
    if module._take_well_formed(markup, fragment):
        fragment.settle()
        slow = module._Fragment()
        module._take(markup, slow)
        slow.settle()
        assert fragment.nodes == slow.nodes


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p>\n\n<p>b</p>", "a\nb"),
        ("<p>a</p> \t <p>b</p>", "a b"),
        ("<pre>a</pre>  <pre>  </pre>", "a   "),
        ("<pre><i>a</i>\n\n<i>b</i></pre>", "a\n\nb"),
        ("<pre>a</none>  <i>b</i></pre>", "a b"),
        ("a<script>b</script><style>c</style><template>d</template>e", "ae"),
        ("&foo; &foo &eacute; &AMP;", "&foo &foo é &AMP"),
        ("&#150;&#x96;&#129;&#65;", "\u2013\u2013\x81A"),
        ("&#xD800;&#x110000;&#99999999999999999999;", "\ufffd" * 3),
        ("<br> </br> x", "  x"),
    ],
)
def test_what_release_4_9_made_of_it(markup: str, text: str) -> None:
    """Where releases differ, the one of 2020 counts."""
    assert fragment_text(markup) == text


def test_depth_is_no_problem() -> None:
    """Nothing recurses over nested elements."""
    assert fragment_text("<div>" * 100_000 + "deep") == "deep"


@pytest.mark.parametrize("piece", ["<a ", "<a b='", "<!--", "<![", "<?", "</", '" <a b="> '])
def test_tags_that_never_end_are_refused_soon(piece: str) -> None:
    """html.parser would take minutes."""
    start = time.process_time()
    with pytest.raises(BrokenMarkupError):
        fragment_text(piece * 50_000)
    assert time.process_time() - start < 2


def test_a_few_broken_tags_are_read() -> None:
    """As html.parser reads them."""
    assert fragment_text("1 < 2 &c. <3 <p>x") == "1 < 2 &c. <3 x"
