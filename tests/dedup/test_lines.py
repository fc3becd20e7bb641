"""Repeated lines and paragraphs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.external import Workspace
from dedup.lines import repeated_units, unit_rows, without_units
from dedup.runs import spool


def cleaned(texts, cuts, unit="line", least=3):
    """Take repeated units out of texts, which are cut into parts."""
    edges = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        runs = []
        for part in range(len(edges) - 1):
            rows = unit_rows(texts[edges[part] : edges[part + 1]], edges[part], unit, least)
            runs += spool([rows], 0, folder / f"part-{part}")
        found = dict(repeated_units(runs[::-1], Workspace(folder, 0)))
    return [without_units(text, found.get(at, ()), unit) for at, text in enumerate(texts)]


def plainly(texts, least=3):
    """Take repeated lines out of texts, with a set in memory."""
    seen, kept = set(), []
    for text in texts:
        lines = []
        for line in text.split("\n"):
            if len(line.strip()) < least or line.strip() not in seen:
                lines.append(line)
            seen.add(line.strip())
        kept.append("\n".join(lines))
    return kept


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["abc", " abc", "de", "def\t", ""]), max_size=6), max_size=8),
    st.lists(st.integers(0, 8), max_size=3),
)
def test_first_of_equal_lines_stays(texts, cuts):
    """In whatever parts, of lines that are equal but for blanks at their ends the first stays."""
    joined = ["\n".join(lines) for lines in texts]
    assert cleaned(joined, cuts) == plainly(joined)


def test_paragraphs():
    """Paragraphs are what blank lines part; short ones stay."""
    texts = ["Head\n\none two three\nfour\n\n*", "Else\n\none two three\nfour\n\n*"]
    assert cleaned(texts, [1], "paragraph", 10) == [texts[0], "Else\n\n*"]


def test_rows_name_document_and_unit():
    """A row says where a unit is."""
    rows = unit_rows(["x\nlong line", "", "long line"], 7, least=5)
    assert rows[:, 2:].tolist() == [[7, 1], [9, 0]]
    assert np.array_equal(rows[0, :2], rows[1, :2])
