"""Markdown as html2text 2020.1.16 wrote it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.html_markdown import MAX_BROKEN, MarkupError, markdown
from sources.formats.markdown_lines import MAX_DEPTH


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("a<b>x</b>c", "a **x** c\n"),
        ("a.<i>x</i>.", "a. _x_.\n"),
        ("<i> x </i>y", "_x_ y\n"),
        ("<b><i>x</i></b>", "**_x_**\n"),
        ("a<del>x</del>b", "a ~~x~~ b\n"),
        ("<h1>a<b>b</b></h1>c", "# a **b**\n\nc\n"),
        ("<p>a</p>\n<p>b</p>", "a\n\nb\n"),
        ("<p>a  \n  b</p>", "a b\n"),
        ("x<hr>y", "x\n\n* * *\n\ny\n"),
        ("a<br>b", "a  \nb\n"),
        ("<blockquote>a<p>b</p>c<br>d</blockquote>e", "> a\n> \n> b\n> \n> c  \n> d\n\ne\n"),
        (
            "<p>a</p><ul><li>x<ul><li>y</li></ul></li></ul><p>b</p>",
            "a\n\n  * x\n    * y\n\n\n\nb\n",
        ),
        ('<ol start="5"><li>a</li><li>b</li></ol>', "  5. a\n  6. b\n\n\n"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n    b\n"),
        ("<pre>a\n b</pre>", "\n    a\n     b\n"),
        ("<ul><li><pre>a\n b</pre></li></ul>", "  *     a\n     b\n\n\n\n"),
        ("<code>a_b</code>", "`a_b`\n"),
        ("a <q>x</q> b", 'a "x" b\n'),
        ('<abbr title="T">ab</abbr> c', "ab c\n  *[ab]: T\n"),
        ("<style>p{}</style>x<script>y</script>", "x\n"),
        ("<head><title>t</title></head><body>y", "y\n"),
        (
            "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>",
            "a| b  \n---|---  \nc| d\n",
        ),
        ('<a href="u(1)" title="T">t</a>', '[t](u\\(1\\) "T")\n'),
        ('<a href="http://x.y">http://x.y</a>', "<http://x.y>\n"),
        ('<a href="#u">t</a>', "t\n"),
        ('<a href="u"></a>', "[](u)\n"),
        ('<img src="s" alt="a[]">', "![a\\[\\]](s)\n"),
        ('<a href="u"><img src="s"></a>', "[![](s)](u)\n"),
        ("1. x", "1\\. x\n"),
        ("- y\n+ z", "\\- y \\+ z\n"),
        ("\\* \\a", "\\\\* \\a\n"),
        (
            "a&nbsp;b&#160;c&mdash;&#8212;\N{EM DASH}&hearts;&xyz;&lrm;",
            "a b c----\N{EM DASH}\N{BLACK HEART SUIT}&xyz;\n",
        ),
        ("", "\n"),
    ],
)
def test_elements(page: str, expected: str) -> None:
    """As that release writes them."""
    assert markdown(page) == expected


@given(st.text(alphabet="ab \n"))
@settings(max_examples=60, deadline=None)
def test_words_stay(text: str) -> None:
    """Text without markup is its words."""
    assert markdown(text).split() == text.split()


@pytest.mark.parametrize(
    "page",
    [
        "<a " * (MAX_BROKEN + 1),
        "<!--" * (MAX_BROKEN + 1),
        "<!--x>" * (MAX_BROKEN + 1),
        "</a" * (MAX_BROKEN + 1),
        "<?" * (MAX_BROKEN + 1),
        "<ul>" * (MAX_DEPTH + 1) + "x",
        "<blockquote>" * (MAX_DEPTH + 2),
        "<ul>" * MAX_DEPTH + "<pre>" + "\n" * 1_000_000,
    ],
    ids=[
        "tags",
        "comments",
        "half comments",
        "ends",
        "instructions",
        "lists",
        "quotations",
        "code",
    ],
)
def test_what_would_not_end_is_refused(page: str) -> None:
    """Neither time nor memory grows with the square of a page."""
    with pytest.raises(MarkupError):
        markdown(page)


def test_a_page_may_be_broken_off() -> None:
    """What follows the last whole tag is text."""
    assert markdown("<p>a<p>b<a href='x") == "a\n\nb<a href='x\n"


def test_blank_lines_take_no_time() -> None:
    """Marks are looked for at the start of each line, not behind all of the lines before it."""
    assert markdown("a" + "\n" * 200_000 + "- b") == "a \\- b\n"
