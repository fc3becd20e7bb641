"""Shares and epochs: what each says of the other, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.mixing.mixture import MixtureError, check_shares, effective_epochs, effective_shares

NAMES = ["a", "b", "c", "d"]

numbers = st.dictionaries(
    st.sampled_from(NAMES), st.floats(1, 1e12, allow_subnormal=False), min_size=1
)


def test_without_wishes_shares_are_epochs_times_documents() -> None:
    """As published: 60 documents three times are as much as 180 once."""
    found = effective_shares({"wiki": 60, "web": 180}, {"wiki": 3.0, "web": 1.0})
    assert found == {"web": 0.5, "wiki": 0.5}


def test_what_is_missing_is_shared_by_the_others_in_proportion() -> None:
    """Without a source the rest keep their proportions, and their shares sum to 1."""
    epochs = {"a": 1.0, "b": 2.0, "c": 1.0}
    wanted = {"a": 0.5, "b": 0.2}
    assert effective_shares({"a": 10, "b": 10, "c": 5}, epochs, wanted) == pytest.approx(
        {"a": 0.5, "b": 0.2, "c": 0.3}
    )
    assert effective_shares({"a": 10, "c": 5}, epochs, wanted) == pytest.approx(
        {"a": 0.625, "c": 0.375}
    )


def test_sources_that_have_no_share_named_divide_the_rest_by_their_epochs() -> None:
    """One source has the share named, and the others are to each other as they would be without."""
    epochs = {"a": 1.0, "b": 3.0, "c": 1.0}
    found = effective_shares({"a": 7, "b": 10, "c": 10}, epochs, {"a": 0.2})
    assert found == pytest.approx({"a": 0.2, "b": 0.6, "c": 0.2})


def test_a_source_without_documents_has_no_share() -> None:
    """It is as if it were not there, though it is named; and it is drawn no times."""
    amounts, epochs = {"a": 0, "b": 10}, {"a": 1.0, "b": 1.0}
    assert effective_shares(amounts, epochs, {"a": 0.5}) == {"a": 0.0, "b": 1.0}
    assert effective_epochs(amounts, epochs, {"a": 0.5}, 40) == {"a": 0.0, "b": 4.0}
    assert effective_shares({}, {}) == {}


@given(amounts=numbers, total=st.floats(1, 1e12), named=st.floats(0.01, 0.9))
def test_epochs_give_back_shares_and_total(
    amounts: dict[str, float], total: float, named: float
) -> None:
    """Drawn so often, every source has its share, and all together are as large as wished."""
    epochs = dict.fromkeys(NAMES, 1.5)
    wanted = {min(amounts): named}
    shares = effective_shares(amounts, epochs, wanted)
    try:
        times = effective_epochs(amounts, epochs, wanted, total)
    except MixtureError:
        assert max(share * total / amounts[name] for name, share in shares.items()) > 1000
        return
    drawn = {name: times[name] * amount for name, amount in amounts.items()}
    assert sum(drawn.values()) == pytest.approx(total)
    for name, share in shares.items():
        assert drawn[name] / total == pytest.approx(share)


def test_a_total_alone_scales_all_epochs() -> None:
    """Half of what the epochs come to is half of each source's epochs."""
    amounts, epochs = {"a": 100, "b": 50}, {"a": 1.0, "b": 3.0}
    assert effective_epochs(amounts, epochs, None, 125) == {"a": 0.5, "b": 1.5}
    assert effective_epochs(amounts, epochs) == pytest.approx(epochs)


def test_a_share_that_takes_absurd_repetition_is_refused() -> None:
    """A handful of documents is not stretched to half a corpus."""
    with pytest.raises(
        MixtureError, match=r"tiny would have to come 5,000 times: .* more raw files"
    ):
        effective_epochs({"tiny": 1, "b": 10_000}, {"tiny": 1, "b": 1}, {"tiny": 0.5}, 10_000)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"x": 0.1}, "names 'x', which is no enabled source"),
        ({"a": 0.5, "b": 0.3}, "have to sum to 1, not 0.8"),
        ({"a": 1.0}, "leaves nothing for b"),
    ],
)
def test_shares_that_are_none_of_a_whole_are_refused(
    wanted: dict[str, float], message: str
) -> None:
    """Each with what would do."""
    with pytest.raises(MixtureError, match=message):
        check_shares(wanted, {"a": 1.0, "b": 1.0})
    check_shares({"a": 0.7, "b": 0.3}, {"a": 1.0, "b": 1.0})
    check_shares({}, {"a": 1.0})
