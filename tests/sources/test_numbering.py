"""Ids stay unique, and few of them are held in memory."""

from hypothesis import given
from hypothesis import strategies as st

from sources.formats.numbering import Uses, numbered


@given(st.lists(st.sampled_from("abcdé"), max_size=40), st.integers(0, 6))
def test_uses_on_disk_count_as_those_in_memory(ids: list[str], in_memory: int) -> None:
    """Wherever they are kept, the same ids come out, and each once."""
    plain: dict[str, int] = {}
    uses = Uses(in_memory)
    found = [numbered(one, uses) for one in ids]
    assert found == [numbered(one, plain) for one in ids]
    assert len(set(found)) == len(found)
