"""GitHub's search for repositories, also beyond the thousand results that it gives of a search.

https://docs.github.com/rest/search: pages of at most 100, ``total_count`` and ``incomplete_results``
with each. What finds more than a thousand is asked again in slices by size, as the Pile's authors did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sources.formats.listings import json_object
from sources.source import Get

SEARCH = "https://api.github.com/search/repositories"
PAGE = 100
MOST_FOUND = 1000
"""Results that GitHub gives of one search."""

LARGEST = 1_000_000
"""Kilobytes of the largest repositories that are looked for: 1 GB, as in the Pile."""

FIRST_SLICE = 5
"""The first slice's last size in kilobytes; there are many small repositories."""


@dataclass(frozen=True, slots=True)
class _Page:
    total: int
    names: tuple[str, ...]


def most_starred(search: str, count: int, get: Get) -> Iterator[str]:
    """Yield the first ``count`` results, most stars first; raises ValueError."""
    if not 0 < count <= MOST_FOUND:
        raise ValueError(f"count is {count}; GitHub gives 1 to {MOST_FOUND} results of a search")
    for number in range((count + PAGE - 1) // PAGE):
        names = _page(search, number + 1, get).names
        yield from names[: count - number * PAGE]
        if len(names) < PAGE:
            return


def all_found(search: str, get: Get) -> Iterator[str]:
    """Yield all results, slice by slice; some may come twice. Raises ValueError."""
    low, high = 0, FIRST_SLICE
    while low <= LARGEST:
        sliced = f"size:{low}..{high} {search}"
        page = _page(sliced, 1, get)
        if page.total > MOST_FOUND:
            if low == high:
                raise ValueError(
                    f"{SEARCH} finds {page.total:,} repositories for {sliced!r} and gives"
                    f" {MOST_FOUND:,}: narrow the search, by stars or by language"
                )
            high = low + (high - low) // 2
            continue
        yield from page.names
        for number in range(2, -(-page.total // PAGE) + 1):
            yield from _page(sliced, number, get).names
        # As wide as would have found three quarters of the most, if they lay as densely.
        width = (high - low + 1) * MOST_FOUND * 3 // (4 * max(page.total, 1))
        low, high = high + 1, min(high + max(width, 1), LARGEST)


def _page(search: str, number: int, get: Get) -> _Page:
    url = f"{SEARCH}?q={quote(search, safe='')}&sort=stars&order=desc&per_page={PAGE}&page={number}"
    answer = json_object(url, get)
    try:
        page = _Page(
            int(answer["total_count"]), tuple(str(item["full_name"]) for item in answer["items"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{url} is no answer of a search ({error!r})") from error
    if answer.get("incomplete_results"):
        raise ValueError(f"{url} gave up before all was found: ask again, or narrow the search")
    return page
