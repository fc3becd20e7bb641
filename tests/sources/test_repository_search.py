"""GitHub's search: every repository that it counts is found, though it gives a thousand at most."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.repository_search import LARGEST, MOST_FOUND, all_found, most_starred


class Search:
    """Answers as GitHub does, for repositories of given sizes in kilobytes."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sorted(sizes)
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        """Return one page of a search."""
        query = parse_qs(urlsplit(url).query)
        self.asked.append(query["q"][0])
        bounds = re.match(r"size:(\d+)\.\.(\d+) ", query["q"][0])
        low, high = map(int, bounds.groups()) if bounds else (0, LARGEST)
        found = [f"o/r{n}" for n, size in enumerate(self.sizes) if low <= size <= high]
        start = (int(query["page"][0]) - 1) * 100
        names = found[:MOST_FOUND][start : start + 100]
        items = [{"full_name": name} for name in names]
        return json.dumps({"total_count": len(found), "items": items}).encode()


@given(
    st.lists(
        st.tuples(st.integers(0, LARGEST), st.integers(1, MOST_FOUND)),
        max_size=8,
        unique_by=lambda x: x[0],
    )
)
@settings(max_examples=30, deadline=None)
def test_slices_find_all(lumps: list[tuple[int, int]]) -> None:
    """However sizes lie, and in few searches more than there are pages."""
    search = Search([size for size, count in lumps for _ in range(count)])
    found = list(all_found("stars:>100", search))
    assert sorted(found) == sorted(f"o/r{n}" for n in range(len(search.sizes)))
    assert all(one.endswith(" stars:>100") for one in search.asked)


def test_more_than_a_thousand_of_one_size_are_refused() -> None:
    """They would be lost in silence otherwise."""
    with pytest.raises(ValueError, match="narrow the search"):
        list(all_found("stars:>100", Search([7] * (MOST_FOUND + 1))))


def test_the_most_starred_end_where_the_results_do() -> None:
    """A count above what there is gives what there is."""
    search = Search([1] * 130)
    assert len(list(most_starred("stars:>100", 120, search))) == 120
    assert len(list(most_starred("stars:>100", 1000, search))) == 130


def test_a_search_that_gave_up_is_no_result() -> None:
    """GitHub says so where a search took it too long."""
    answer = b'{"total_count": 0, "incomplete_results": true, "items": []}'
    with pytest.raises(ValueError, match="gave up"):
        list(most_starred("stars:>100", 10, lambda _: answer))
