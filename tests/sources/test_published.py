"""The published figures are those of the paper: they add up to its totals."""

import pytest

from sources.published import PILE_SET_NAMES, PUBLISHED

GIB = 1 << 30


def test_22_components_add_up_to_the_papers_totals() -> None:
    """Sizes before and after epochs, in GiB as printed, and documents."""
    assert list(PUBLISHED) == list(PILE_SET_NAMES)
    assert len(PUBLISHED) == 22
    every = PUBLISHED.values()
    assert round(sum(one.text_bytes for one in every) / GIB, 2) == 825.18
    assert round(sum(one.text_bytes * one.epochs for one in every) / GIB, 2) == 1254.20
    assert sum(one.documents for one in every) == 146_340_692
    assert sum(one.documents * one.epochs for one in every) == 222_642_697.5


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_printed_mean_is_size_by_documents(name: str) -> None:
    """To the second decimal; so an error in either shows in none of the others."""
    one = PUBLISHED[name]
    assert round(one.text_bytes / one.documents / 1024, 2) == one.mean_kib


def test_what_is_printed_in_error_is_remarked() -> None:
    """Wikipedia's size alone is known to be wrong: its mean is that of the released documents."""
    wrong = {name: one for name, one in PUBLISHED.items() if one.measured_bytes}
    assert list(wrong) == ["wikipedia_en"]
    assert all(one.remark for one in wrong.values())
    wikipedia = wrong["wikipedia_en"]
    assert round(wikipedia.true_bytes / wikipedia.documents / 1024, 2) == 2.94
    assert round(wikipedia.true_bytes / GIB, 1) == 16.9
