"""Bands and their probabilities."""

import numpy as np
import pytest

from dedup.bands import Bands, choose_bands


def test_piles_threshold_gives_three_bands_of_three():
    """Threshold 0.5 over 10 permutations: 3 bands of 3 rows, one number unused."""
    assert choose_bands(0.5, 10) == Bands(3, 3)


@pytest.mark.parametrize(
    ("threshold", "permutations", "expected"), [(0.5, 128, Bands(25, 5)), (0.8, 128, Bands(9, 13))]
)
def test_usual_thresholds(threshold, permutations, expected):
    """The choices for 128 permutations are those that datasketch documents and others use."""
    assert choose_bands(threshold, permutations) == expected


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_threshold_beyond_similarities_is_refused(threshold):
    """A threshold is a similarity."""
    with pytest.raises(ValueError, match="threshold must be in"):
        choose_bands(threshold, 10)


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        (0.0, 0.0),
        (0.3, 0.079),
        (0.4, 0.18),
        (0.5, 0.33),
        (0.6, 0.52),
        (0.7, 0.72),
        (0.8, 0.88),
        (0.9, 0.98),
        (1.0, 1.0),
    ],
)
def test_match_probability_of_the_piles_bands(similarity, expected):
    """The curve of 3 bands of 3 rows is the one the Pile's deduplication had."""
    assert Bands(3, 3).match_probability(similarity) == pytest.approx(expected, abs=0.006)


def test_split_gives_the_columns_of_each_band():
    """Bands are neighbouring columns, from the first; what is left over is unused."""
    values = np.arange(20, dtype=np.uint32).reshape(2, 10)
    first, second, third = Bands(3, 3).split(values)
    assert first.tolist() == [[0, 1, 2], [10, 11, 12]]
    assert second[0].tolist() == [3, 4, 5]
    assert third[0].tolist() == [6, 7, 8]


def test_bands_need_long_enough_signatures():
    """Bands beyond the signature's end are refused, saying how long it must be."""
    values = np.zeros((1, 8), np.uint32)
    with pytest.raises(ValueError, match="need signatures of 9 permutations, these have 8"):
        list(Bands(3, 3).split(values))


@pytest.mark.parametrize(("bands", "rows"), [(0, 3), (3, 0), (-1, 3)])
def test_no_bands_are_refused(bands, rows):
    """At least one band of at least one row."""
    with pytest.raises(ValueError, match="must be at least 1"):
        Bands(bands, rows)
