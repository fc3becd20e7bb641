"""What a text takes in memory once it is parsed."""

import json
import tracemalloc

import pytest

from sources.formats.parse_memory import json_memory, text_memory


def test_one_wide_character_makes_a_text_four_times_its_length() -> None:
    """CPython stores a text with as many bytes a character as its widest needs."""
    assert text_memory(b"abcd") == 4
    assert text_memory("abcé".encode()) == 2 * 5
    assert text_memory("abc\U0001f600".encode()) == 4 * 7
    assert text_memory(rb'"\ud83d\ude00"') == 4 * 14


@pytest.mark.parametrize(
    "unit", [b'{"":1}', b"[]", b"[[1]]", b'"ab"', b"1.5", b"123456", b'{"a":{"b":[]}}']
)
def test_no_json_takes_more_than_is_told(unit: bytes) -> None:
    """The smallest values, many of them, stay within the bound."""
    content = b"[" + b",".join([unit] * 20_000) + b"]"
    tracemalloc.start()
    try:
        values = json.loads(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(values) == 20_000
    assert peak < json_memory(content)


def test_signs_within_strings_are_no_structure() -> None:
    """A long text full of braces takes what a text takes."""
    content = json.dumps({"text": '{"[,:' * 1_000_000}).encode()
    assert json_memory(content) < 4 * len(content)
