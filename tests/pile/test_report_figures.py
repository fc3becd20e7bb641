"""Figures of a run as JSON, and numbers as readers want them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.report import numbers
from pile.report.figures import Figures, SourceFigures, from_json, length_bin, to_json
from sources.source import Json, Published

WEB = SourceFigures("web", "Web pages", "mixed", "open", duplicates={"near": 90, "exact": 10})
RUN = Figures("A small run", 1234, "abc123", "0.1.0", sources=(WEB,))


@pytest.mark.parametrize(
    ("size", "place"), [(0, 0), (1, 0), (2, 1), (3, 1), (1023, 9), (1024, 10), (2**40, 40)]
)
def test_length_bin(size: int, place: int) -> None:
    """Entry i counts documents of 2^i bytes up to twice that; entry 0 the empty ones too."""
    assert length_bin(size) == place


finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.dictionaries(st.text(max_size=3), st.integers(0), max_size=3)
published = st.builds(Published, mean_kib=finite, epochs=finite)
source_figures = st.builds(
    SourceFigures,
    rejected=counts,
    cleaned=counts,
    epochs=finite,
    published=st.none() | published,
    lengths=st.lists(st.integers(0), max_size=4).map(tuple),
)


@settings(max_examples=40)
@given(st.builds(Figures, sources=st.lists(source_figures, max_size=2).map(tuple)))
def test_figures_survive_json(figures: Figures) -> None:
    """Written and read back, figures are equal and are written the same again."""
    written = json.dumps(to_json(figures))
    back = from_json(json.loads(written))
    assert back == figures
    assert json.dumps(to_json(back)) == written


def test_json_keeps_fields_in_order_and_sorts_keys() -> None:
    """The file of figures is as stable as the page."""
    written = to_json(RUN)
    assert list(written)[:4] == ["title", "seed", "config_digest", "pile_version"]
    assert '"duplicates": {"exact": 10, "near": 90}, "clusters": [], "epochs": 1.0' in json.dumps(
        written
    )


@pytest.mark.parametrize(
    "damage",
    [{"surprise": 1}, {"seed": "1234"}, {"seed": None}, {"sources": [{"name": "web"}]}],
)
def test_json_that_is_not_figures_is_refused(damage: dict[str, Json]) -> None:
    """Unknown, converted, wrong and missing values are errors."""
    with pytest.raises(ValueError, match=r"not the figures|validation error"):
        from_json({**to_json(RUN), **damage})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.human_bytes(0), "0 B"),
        (numbers.human_bytes(999), "999 B"),
        (numbers.human_bytes(1024), "1.00 KiB"),
        (numbers.human_bytes(243_872_121_726), "227 GiB"),
        (numbers.human_bytes(2**60), "1,024 PiB"),
        (numbers.exact_bytes(1), "1 byte"),
        (numbers.human_count(999_499), "999,499"),
        (numbers.human_count(999_500), "1.00 million"),
        (numbers.human_count(54_953_117), "55.0 million"),
        (numbers.human_count(3 * 10**11), "300 billion"),
        (numbers.percent(1, 8), "12.5 %"),
        (numbers.percent(1, 10**6), "< 0.1 %"),
        (numbers.percent(0, 5), "0.0 %"),
        (numbers.percent(0, 0), numbers.DASH),
        (numbers.ratio(1, 0), numbers.DASH),
        (numbers.deviation(1.0, 2.0), f"{numbers.MINUS}50.0 %"),
        (numbers.deviation(2.5, 2.0), "+25.0 %"),
        (numbers.deviation(1, 10**6), f"< {numbers.MINUS}99.9 %"),
        (numbers.deviation(0, 10**6), f"{numbers.MINUS}100.0 %"),
        (numbers.deviation(100, 1), "+9,900 %"),
        (numbers.deviation(1, 0), numbers.DASH),
        (numbers.epochs(2.0), "2"),
        (numbers.epochs(1.5), "1.5"),
    ],
)
def test_numbers_for_readers(shown: str, expected: str) -> None:
    """Three significant digits, binary units, thousands separators, a dash for nothing."""
    assert shown == expected
