"""Two corpora compared by source and document."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_corpus import text

from pile.checks.diff import diff

Pile = Callable[..., tuple[int, str, str]]


@pytest.fixture
def two(small: Path, pile: Pile) -> tuple[Path, Path]:
    """Work directories of two builds: B lacks a note, has one more, and another text of a third."""
    config = str(small / "pipeline.toml")
    assert pile("run", "-c", config)[0] == 3
    (small / "work").rename(small / "a")
    notes = small / "raw" / "notes"
    (notes / "03.txt").unlink()
    (notes / "77.txt").write_text(text(77), encoding="utf-8")
    (notes / "05.txt").write_text(text(5) + "A line more.\n", encoding="utf-8")
    assert pile("run", "-c", config)[0] == 3
    return small / "a", small / "work"


@pytest.mark.parametrize("room", [100, 1 << 20])
def test_documents_are_compared_however_little_memory_there_is(
    two: tuple[Path, Path], room: int
) -> None:
    """What is in one alone and what has another text is found, by source, in many runs or in one."""
    letters, notes = diff(*two, shown=9, room=room)
    assert not letters.differ
    assert letters.a == letters.b
    assert letters.a.documents == 37  # one is not JSON, two are duplicates
    assert notes.examples == {
        "only in A": ["notes/03.txt"],
        "only in B": ["notes/77.txt"],
        "text": ["notes/05.txt"],
    }
    assert notes.a.documents == notes.b.documents == 12
    assert notes.a.copies >= 12


def test_a_corpus_is_itself(two: tuple[Path, Path], pile: Pile) -> None:
    """No difference, exit 0; work directory and corpus folder are two names of one corpus."""
    code, out, _ = pile("diff", str(two[0]), str(two[0] / "latest" / "corpus"))
    assert code == 0
    assert "the same 49 documents" in out


def test_differences_end_with_1_and_as_json(two: tuple[Path, Path], pile: Pile) -> None:
    """What is printed as JSON is what is printed as a table."""
    code, out, _ = pile("diff", *map(str, two), "--json")
    assert code == 1
    notes = json.loads(out)[1]
    assert notes["differ"] == {"text": 1, "only in A": 1, "only in B": 1}
    code, out, _ = pile("diff", *map(str, two))
    assert code == 1
    assert "only in A: notes/03.txt" in out


def test_what_is_no_corpus_is_refused(tmp_path: Path, pile: Pile) -> None:
    """A folder without provenance tables is named; exit 2."""
    code, _, err = pile("diff", str(tmp_path), str(tmp_path))
    assert code == 2
    assert "neither a corpus" in err
