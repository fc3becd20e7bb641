"""Shortcuts for plain text: what they leave out would have changed nothing."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import epub
from sources.formats.markdown_text import collapsed, escaped

MARKS = st.text(alphabet="a1٣.+-*\\[]()! \t\n\r\x0b\x1c\x85\xa0\u2028")


@given(MARKS)
@settings(max_examples=300, deadline=None)
def test_marks_are_escaped_wherever_a_line_begins(text: str) -> None:
    """Looking first for what may begin a mark gives what the four patterns give."""
    expected = re.sub(r"(\\)(?=[\\`*_{}\[\]()#+\-.!])", r"\\\1", text)
    expected = re.sub(r"(?m)^([^\S\n]*\d+)(\.)(?=\s)", r"\1\\\2", expected)
    expected = re.sub(r"(?m)^([^\S\n]*)(\+)(?=\s)", r"\1\\\2", expected)
    assert escaped(text) == re.sub(r"(?m)^([^\S\n]*)(-)(?=\s|-)", r"\1\\\2", expected)


@given(MARKS | st.text())
@settings(max_examples=300, deadline=None)
def test_white_space_collapses_as_the_pattern_has_it(text: str) -> None:
    r"""What is white to ``str.split`` is so to ``\s``."""
    assert collapsed(text) == re.sub(r"\s+", " ", text)


def test_all_white_space_is_the_same_to_both() -> None:
    """Over every character there is."""
    every = [chr(number) for number in range(0x110000)]
    assert all(collapsed(each) == re.sub(r"\s+", " ", each) for each in every)


@given(st.lists(st.sampled_from(["[", "](", ")", "!", "1", "a", " ", "\\. ", "\\"])).map("".join))
@settings(max_examples=300, deadline=None)
def test_lines_without_links_stay(line: str) -> None:
    """A line without a bracket has no link, and one without a backslash no escaped dot."""
    expected = line
    for opening, become in (
        (r"!\s*\[", lambda _: " "),
        (r"\[[0-9]+(?=\]\()", lambda _: ""),
        (r"!?\[", lambda label: label),
    ):
        expected = epub._replaced(expected, re.compile(opening), become)
    assert epub._plain(line) == re.sub(r"(?<=[0-9])\\[.] ", ". ", expected)
