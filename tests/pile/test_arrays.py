"""Sorted values in a file: what is among them is what a set says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.mixing import arrays

digests = st.lists(st.binary(min_size=16, max_size=16), max_size=30)
numbers = st.lists(st.integers(0, 2**64 - 1), max_size=30)


@given(known=digests, asked=digests)
def test_digests_are_found_whatever_bytes_they_end_in(
    known: list[bytes], asked: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Zeros at the end of a digest, which NumPy does not show, count as any other byte."""
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    known = [*known, b"\1" * 15 + b"\0"]
    asked = [*asked, *known[::2], b"\1" * 15 + b"\0", bytes(16)]
    blocks = [np.array([one], "S16") for one in sorted(known)]
    arrays.publish(path, "S16", len(known), blocks)
    found = arrays.among(np.array(asked, "S16"), arrays.load(path))
    assert found.tolist() == [one in set(known) for one in asked]


@given(known=numbers, asked=numbers)
def test_numbers_are_found(known: list[int], asked: list[int]) -> None:
    """The largest and the least, none and many."""
    asked = [*asked, *known[::2]]
    found = arrays.among(np.array(asked, np.uint64), np.array(sorted(known), np.uint64))
    assert found.tolist() == [one in set(known) for one in asked]


def test_an_array_is_as_long_as_it_says(tmp_path: Path) -> None:
    """Too few values are an error, and leave no file."""
    with pytest.raises(ValueError, match="8 bytes are not 2 of <u8"):
        arrays.publish(tmp_path / "a.npy", "<u8", 2, [np.zeros(1, np.uint64)])
    assert not list(tmp_path.iterdir())
