"""A run that keeps no document to train on ends where that is known, and says what became of all."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

Pile = Callable[..., tuple[int, str, str]]

TOO_LONG = 'rules = ["reject_short"]\n[clean.reject_short]\nmin_characters = 1_000_000'


def change(folder: Path, *changes: tuple[str, str]) -> Path:
    """Change the small corpus's config."""
    path = folder / "pipeline.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "letters", "notes"),
    [
        (
            [("rules = []", TOO_LONG)],
            "40 records read; rejected: invalid_json 1, too_short 39",
            "12 records read; rejected: too_short 12",
        ),
        (
            [("val = 0.1", "val = 0.999"), ("test = 0.1", "test = 0.0009")],
            "40 records read; rejected: invalid_json 1; duplicates: exact 1, near 1; 37 in validation and test",
            "12 records read; 12 in validation and test",
        ),
        (
            [
                ("epochs = 1.5", "epochs = 1e-9"),
                ("[sources.letters]", "[sources.letters]\nepochs = 1e-9"),
                ("val = 0.1", "val = 0"),
                ("test = 0.1", "test = 0"),
            ],
            "40 records read; rejected: invalid_json 1; duplicates: exact 1, near 1; epochs = 1e-09 drew none of 37 documents",
            "12 records read; epochs = 1e-09 drew none of 12 documents",
        ),
    ],
    ids=["refused", "held out", "not drawn"],
)
def test_the_mix_says_where_all_documents_went(
    small: Path, pile: Pile, changes: list[tuple[str, str]], letters: str, notes: str
) -> None:
    """By source and reason, with what to do; the next stages do not start, nor is there a corpus."""
    path = change(small, *changes)
    for _ in range(2):  # when run again, too
        code, _, err = pile("run", "-c", str(path))
        assert code == 1
        assert "no document is left to train on, so there is no corpus:" in err
        assert f"\n  letters: {letters}\n" in err
        assert f"\n  notes: {notes}\n" in err
        assert "`pile show SOURCE --rejected` shows what was refused" in err
    assert not (small / "work" / "latest" / "corpus").exists()
    assert not (small / "work" / "stages" / "count").exists()


def test_raw_files_that_could_not_be_read_are_told_of(small: Path, pile: Pile) -> None:
    """Where nothing was refused, all may have been set aside."""
    raw = small / "raw" / "letters" / "a.jsonl.gz"
    raw.write_bytes(gzip.compress(b'{"text": "a"}\n' * 9, mtime=0)[:-9])
    path = change(small, ("[sources.notes]", "[sources.notes]\nenabled = false"))
    code, _, err = pile("run", "-c", str(path))
    assert code == 1
    assert "letters: 0 records read; raw files set aside, as they cannot be read: 1\n" in err
