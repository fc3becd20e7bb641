"""Ids that repeat within a file."""

import pytest

from sources.formats import numbering
from sources.formats.numbering import Uses, numbered


def test_from_the_second_use_on_an_id_has_a_number() -> None:
    """The first use leaves an id as it is; each further one counts."""
    uses = Uses()
    assert [numbered(name, uses) for name in "abaab"] == ["a", "b", "a/r2", "a/r3", "b/r2"]


def test_ids_beyond_those_held_in_memory_are_counted_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How many ids memory holds changes no number; halves of surrogate pairs are ids as well."""
    names = ["a", "b", "\ud800", "c", "a", "c", "\ud800", "b", "c", "\udfff"]
    everywhere = Uses()
    expected = [numbered(name, everywhere) for name in names]
    monkeypatch.setattr(numbering, "HELD", 2)
    few = Uses()
    assert [numbered(name, few) for name in names] == expected
