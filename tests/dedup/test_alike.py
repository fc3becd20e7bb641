"""What is like a known document: as comparing every pair says, and however many share a band."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dedup.alike import known, like_any
from dedup.bands import Bands
from dedup.scheme import Scheme, SchemeMismatch
from dedup.signatures import Signatures

BANDS = Bands(3, 2)


def scheme(seed: int = 1) -> Scheme:
    """Return a scheme with signatures of 7 numbers, the last in no band."""
    return Scheme("fast", "whitespace", 5, 7, seed, "text")


def signatures(values: NDArray[np.uint32], signed: NDArray[np.bool_]) -> Signatures:
    """Return documents with these signatures."""
    count = len(values)
    ids = pa.array([str(number) for number in range(count)], pa.large_string())
    return Signatures(scheme(), ids, np.zeros((count, 16), np.uint8), signed, values)


def drawn(seed: int, count: int) -> Signatures:
    """Return documents whose numbers are so few that many agree; a tenth is too short for any."""
    generator = np.random.default_rng(seed)
    values = generator.integers(0, 4, (count, 7), np.uint32)
    return signatures(values, generator.random(count) > 0.1)


def compared(one: Signatures, others: Signatures, least: float) -> list[bool]:
    """Compare every pair: the slow, obvious reference."""
    found = []
    for mine, signed in zip(one.values, one.signed, strict=True):
        like = False
        for theirs in others.values[others.signed]:
            bands = [slice(2 * band, 2 * band + 2) for band in range(3)]
            shares = any((mine[band] == theirs[band]).all() for band in bands)
            like |= bool(signed and shares and (mine == theirs).mean() >= least)
        found.append(like)
    return found


@settings(deadline=None)
@given(seed=st.integers(0, 1000), least=st.sampled_from([0.0, 3 / 7, 0.6, 1.0]))
def test_what_is_like_a_known_document_is_what_comparing_all_pairs_finds(
    seed: int, least: float
) -> None:
    """Known ones may come in any number of pieces."""
    ones, others = drawn(seed, 40), drawn(seed + 1, 15)
    pieces = [
        signatures(others.values[some], others.signed[some]) for some in (slice(6), slice(6, 15))
    ]
    found = like_any(ones, known(pieces, scheme(), BANDS), least)
    assert found.tolist() == compared(ones, others, least)


def test_nothing_known_is_like_nothing() -> None:
    """Without known documents none is like them."""
    assert not like_any(drawn(1, 9), known([], scheme(), BANDS), 0.5).any()


def test_a_band_that_thousands_share_is_looked_at_one_by_one() -> None:
    """2,000 documents and 2,000 known ones with one band, and nothing else, in common."""
    values = np.arange(2000 * 7, dtype=np.uint32).reshape(2000, 7)
    values[:, :2] = 1
    others = values + np.uint32(100_000)
    others[:, :2] = 1
    of = np.ones(2000, np.bool_)
    one = known([signatures(others, of)], scheme(), BANDS)
    assert not like_any(signatures(values, of), one, 0.5).any()
    assert like_any(signatures(values, of), one, 2 / 7).all()


def test_signatures_of_another_scheme_are_refused() -> None:
    """They cannot be compared."""
    with pytest.raises(SchemeMismatch):
        like_any(drawn(1, 3), known([], scheme(seed=2), BANDS), 0.5)
