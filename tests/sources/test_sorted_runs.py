"""Sorting on disk gives what sorting in memory gives."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import sorted_runs
from sources.formats.sorted_runs import merged, write_runs

LINES = st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\n", b" ") + b"\n"))


@given(LINES, st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_runs_merge_to_sorted_lines(lines: list[bytes], room: int) -> None:
    """However many runs the memory at hand makes of them; and no file stays."""
    with TemporaryDirectory() as folder:
        runs = write_runs(lines, Path(folder), "run", room)
        assert list(merged(runs, Path(folder))) == sorted(lines)
        assert list(Path(folder).iterdir()) == []


def test_no_more_runs_are_open_than_a_merge_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are merged to fewer first."""
    monkeypatch.setattr(sorted_runs, "FAN_IN", 3)
    lines = [b"%04d\n" % (number * 7919 % 1000) for number in range(1000)]
    runs = write_runs(lines, tmp_path, "run", 1000)
    assert len(runs) > 50
    assert list(merged(runs, tmp_path)) == sorted(lines)
