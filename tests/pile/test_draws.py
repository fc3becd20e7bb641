"""Draws are keyed hashes: the same for the same names, and uniform over many."""

from hypothesis import given
from hypothesis import strategies as st

from pile import draws


def test_a_draw_has_a_fixed_value() -> None:
    """Draws never change between releases: splits and order depend on them."""
    assert draws.key(42, "split", "wikipedia_en/12") == 5434394396868783029


@given(st.integers(0, 2**63), st.text(), st.text())
def test_a_unit_draw_lies_in_its_interval(seed: int, purpose: str, name: str) -> None:
    """A unit draw is at least 0 and below 1."""
    assert 0 <= draws.unit(seed, purpose, name) < 1


def test_draws_are_uniform_and_differ_by_purpose_and_seed() -> None:
    """Of 10,000 names about a tenth falls into a tenth, independently for each purpose and seed."""
    hits = {
        (seed, purpose): {n for n in range(10_000) if draws.unit(seed, purpose, n) < 0.1}
        for seed in (1, 2)
        for purpose in ("split", "epoch")
    }
    for found in hits.values():
        assert 880 < len(found) < 1120
    assert len(set.intersection(*hits.values())) < 10


def test_names_do_not_run_into_each_other() -> None:
    """Two names are not the same as their concatenation."""
    assert draws.key(1, "p", "ab", "c") != draws.key(1, "p", "a", "bc")
