"""Sorted runs on disk, and their merge."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dedup import runs
from dedup.runs import CorruptRun, merge, read_run, runs_of, sort_rows, spool, write_runs

blocks = st.lists(
    arrays(
        np.uint64,
        st.tuples(st.integers(0, 12), st.just(3)),
        elements=st.sampled_from([0, 1, 2, 1 << 40, (1 << 64) - 1]),
    ),
    max_size=9,
)


@settings(max_examples=40, deadline=None)
@given(blocks, st.integers(0, 2000), st.integers(1, 4))
def test_merged_runs_are_all_rows_in_order(given_blocks, memory, least):
    """However rows are cut into runs and read, the merge yields all of them, in order."""
    everything = sorted(tuple(row) for block in given_blocks for row in block.tolist())
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "_LEAST_BLOCK", least)
        folder = Path(name)
        spooled = spool(iter(given_blocks), memory, folder / "rows")
        found = [tuple(row) for block in merge(spooled, memory, folder) for row in block.tolist()]
        assert found == everything
        assert [path.name for path in folder.iterdir()] == ["rows"]


@given(arrays(np.uint64, st.tuples(st.integers(0, 40), st.just(2)), elements=st.integers(0, 4)))
def test_rows_are_sorted_by_all_columns(rows):
    """Rows of an equal first number are sorted by the next."""
    assert sort_rows(rows).tolist() == sorted(rows.tolist())


def test_sections_are_read_as_written(tmp_path):
    """A file gives its sections back, empty ones too, a few rows at a time."""
    sections = [np.arange(12, dtype=np.uint64).reshape(4, 3), np.empty((0, 3), np.uint64)]
    write_runs(tmp_path / "runs", sections)
    found = runs_of(tmp_path / "runs")
    assert [run.rows for run in found] == [4, 0]
    assert [len(block) for block in read_run(found[0], 3)] == [3, 1]
    assert np.array_equal(np.concatenate(list(read_run(found[0], 3))), sections[0])
    assert not list(merge(found[1:], 1 << 20, tmp_path))


def test_files_that_are_no_runs_are_refused(tmp_path):
    """A file of something else is named, with the place where it is wrong."""
    (tmp_path / "other").write_bytes(b"text that is no run of anything")
    with pytest.raises(CorruptRun, match="other: no section of a run at byte 0"):
        runs_of(tmp_path / "other")
