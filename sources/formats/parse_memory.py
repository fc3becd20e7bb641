"""How much memory a text takes once it is parsed, told beforehand from its bytes.

A parser makes of a few bytes an object of hundreds: 2.5 GB of 64 MiB of ``{"":1},``. So what decides
whether a record is taken is not its length but what it may become, counted by its signs of
structure in less time than parsing takes. The bytes a value are those of CPython 3.11 to 3.14 with
orjson, of libxml2 2.9 to 2.14 with lxml, rounded up.
"""

import re

MOST = 400 * 10**6
"""Bytes that what is parsed may take at once: 500 MB less the interpreter and its libraries."""

_OBJECT, _ARRAY, _VALUE, _STRING = 270, 130, 60, 90
_ELEMENT, _ATTRIBUTE = 130, 230

_JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")


def text_memory(content: bytes) -> int:
    """Return the bytes that UTF-8 (or JSON of it) takes, decoded: up to four for each of its own."""
    if content.isascii() and b"\\u" not in content:
        return len(content)
    return len(content) * (4 if _BEYOND_BMP.search(content) else 2)


def json_memory(content: bytes) -> int:
    """Return an upper bound of the bytes that JSON takes while and after it is parsed."""
    text = 2 * len(content) + text_memory(content)
    values = _json_values(content, 0, len(content)) + _STRING * content.count(b'"') // 2
    return text + (values if text + values <= MOST else _values_outside_strings(content))


def _json_values(content: bytes, start: int, end: int) -> int:
    return (
        _OBJECT * content.count(b"{", start, end)
        + _ARRAY * content.count(b"[", start, end)
        + _VALUE * (content.count(b",", start, end) + content.count(b":", start, end))
    )


def _values_outside_strings(content: bytes) -> int:
    """Count again where signs within strings are no structure; more than `MOST` need no count."""
    values = start = 0
    for string in _JSON_STRING.finditer(content):
        values += _STRING + _json_values(content, start, string.start())
        start = string.end()
        if values > MOST:
            return values
    return values + _json_values(content, start, len(content))


def xml_memory(content: bytes) -> int:
    """Return an upper bound of the bytes that XML or HTML takes as a tree."""
    attributes = content.count(b'="') + content.count(b"='")
    return 2 * len(content) + _ELEMENT * content.count(b"<") + _ATTRIBUTE * attributes
