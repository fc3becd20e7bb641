"""Arrays of JSON cut into their elements."""

import io
import json
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.formats import json_array
from sources.formats.json_array import BrokenArrayError, elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just('"],\\[{'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def in_pieces(content: bytes, size: int) -> BinaryIO:
    """Return a stream that gives so many bytes at a time."""

    class Pieces(io.BytesIO):
        def read(self, _most: int | None = -1, /) -> bytes:
            return super().read(size)

    return Pieces(content)


def found(content: bytes, limit: int = 1000) -> Iterator[bytes | None]:
    """Return the elements of an array."""
    return elements(io.BytesIO(content), limit)


@given(st.lists(VALUES, max_size=6), st.integers(1, 7), st.sampled_from([None, 1]))
def test_elements_are_those_of_the_whole_array(
    values: list[object], size: int, indent: int | None
) -> None:
    """However an array is laid out and wherever the stream is cut, its elements are the same."""
    content = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
    cut = [json.loads(part or b"") for part in elements(in_pieces(content, size), 10_000)]
    assert cut == json.loads(content)


@pytest.mark.parametrize("content", [b"", b"[1, 2", b"[1] 2", b"[1][2]", b"x[1]", b"[1}", b'["a'])
def test_what_is_no_array_is_refused(content: bytes) -> None:
    """An array that is cut, or has something beside it, raises behind its whole elements."""
    with pytest.raises(BrokenArrayError):
        list(found(content))


def test_an_element_over_the_limit_is_passed_over() -> None:
    """It stands as None, and those beside it are whole."""
    assert list(found(b'[1, "' + b"x" * 99 + b'", 2]', limit=50)) == [b"1", None, b" 2"]


def test_an_array_in_pieces_of_any_size_takes_no_more_than_an_element(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader asks for chunks, never for the rest of the file."""
    monkeypatch.setattr(json_array, "CHUNK", 4)
    assert list(found(b'["abc", "defghi"]')) == [b'"abc"', b' "defghi"']
