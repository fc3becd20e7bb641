"""Markdown wrapped as html2text did."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.markdown_wrap import wrapped

LONG = "The keeper climbs one hundred and ninety-nine steps and counts them on his way down again."


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", "\n"),
        ("a", "a\n\n"),
        ("a\n\n\n\n\nb\n", "a\n\nb\n\n"),
        ("a\nb", "a\n\nb\n\n"),
        ("a  \nb", "a  \nb\n\n"),
        ("   ", "  \n"),
        (
            LONG,
            f"{LONG[:78]}\n{LONG[79:]}\n\n",
        ),
        (
            f"> {LONG}",
            f"> {LONG[:74]}\n> {LONG[75:]}\n",
        ),
        (
            f"  **{LONG}**",
            f"  **{LONG[:74]}\n    {LONG[75:]}**\n",
        ),
        ("x" * 72 + " by-way", "x" * 72 + " by-\nway\n\n"),
        ("> " + "x" * 80, ">\n> " + "x" * 80 + "\n"),
        (f">{LONG}"[:60], f">{LONG}"[:60] + "\n\n"),
        (" + lost\na", "a\n\n"),
    ],
)
def test_paragraphs_are_filled(markdown: str, expected: str) -> None:
    """To 78 columns, with one blank line between them, none behind a quotation."""
    assert wrapped(markdown) == expected


@pytest.mark.parametrize(
    "start", ["    ", "\t", "* ", "*", "  - ", "-", "---", "+ ", "1. ", "  12. ", "-—", "  * "]
)
def test_items_rules_and_code_stay(start: str) -> None:
    """They are never filled."""
    line = f"{start}{LONG}"
    assert wrapped(line) == f"{line}\n"


@pytest.mark.parametrize("start", ["-- ", "--", "**", r"\- ", r"1\. ", "1.", "+", "— ", ">> "])
def test_what_only_looks_like_an_item_is_filled(start: str) -> None:
    """Dashes in pairs, bold text, what is escaped, marks without a space behind them."""
    first, second = wrapped(f"{start}{LONG}").rstrip("\n").split("\n")
    assert first.startswith(start.strip())
    assert second.endswith("way down again.")
    assert f"{first} {second}" == f"{start}{LONG}"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=40))
def test_plain_words_are_filled_as_by_textwrap(lengths: list[int]) -> None:
    """The quick way for words without hyphens gives the same lines."""
    words = " ".join("x" * length for length in lengths)
    assert wrapped(words) == textwrap.fill(words, 78, break_long_words=False) + "\n\n"
