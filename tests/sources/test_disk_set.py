"""The set that lies on disk."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.disk_set import DiskSet


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=3)))
def test_it_is_a_set(keys: list[bytes]) -> None:
    """A key is new once."""
    seen: set[bytes] = set()
    with DiskSet() as kept:
        for key in keys:
            assert kept.add(key) == (key not in seen)
            seen.add(key)
