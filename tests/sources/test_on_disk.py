"""The set and the map that lie on disk."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import on_disk
from sources.formats.on_disk import DiskMap, DiskPlaces, DiskSet


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=3)))
def test_the_set_is_a_set(keys: list[bytes]) -> None:
    """A key is new once."""
    seen: set[bytes] = set()
    with DiskSet() as kept:
        for key in keys:
            assert kept.add(key) == (key not in seen)
            seen.add(key)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=3))))
def test_the_map_is_a_map_with_sorted_keys(entries: list[tuple[int, bytes]]) -> None:
    """The first value of a key stays."""
    expected: dict[int, bytes] = {}
    with DiskMap() as kept:
        for key, value in entries:
            assert kept.add(key, value) == (key not in expected)
            expected.setdefault(key, value)
        assert list(kept.items()) == sorted(expected.items())
        assert all(kept.get(key) == value for key, value in expected.items())
        assert kept.get(7) == expected.get(7)


def test_more_than_fits_the_cache_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to disk, and comes back."""
    monkeypatch.setattr(on_disk, "CACHE_KIB", 64)
    with DiskMap() as kept:
        for key in range(2000):
            kept.add(key, b"%d" % key * 200)
        assert all(kept.get(key) == b"%d" % key * 200 for key in range(2000))


def test_the_last_place_of_a_key_counts() -> None:
    """Keys are texts, places whole numbers."""
    with DiskPlaces() as places:
        places.put([("a", 10), ("b", -1), ("a", 11)])
        places.put([("c", 5)])
        assert [places.get(key) for key in "abcd"] == [11, -1, 5, None]
