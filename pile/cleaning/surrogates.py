"""Make strings encodable: surrogate code points have no place in UTF-8.

JSON escapes of half a character and lax decoders put surrogates into Python strings; Arrow, orjson
and the tokenizer refuse them. A high and a low one side by side are joined into the character they
spell in UTF-16; every other becomes U+FFFD. Each of both counts as one repair.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from sources.source import Document, Json

_Pending: TypeAlias = tuple[Mapping[str, Json] | Sequence[Json], dict[str, Json] | list[Json]]

_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def mend_surrogates(text: str) -> tuple[str, int]:
    """Return ``text`` without surrogates, and how many places were mended (0: the same object)."""
    if text.isascii():
        return text, 0
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.subn(_mended, text)
    return text, 0


def replace_surrogates(document: Document) -> tuple[Document, int]:
    """Return ``document`` without surrogates in any of its strings, and how many were mended.

    Keys and values of ``meta`` are covered at any depth; a key that becomes equal to another of its
    object is lengthened by U+FFFD until it differs. With nothing to mend it is the same document.
    """
    fields = (document.id, document.text, document.origin, document.licence)
    mended, counts = zip(*map(mend_surrogates, fields), strict=True)
    meta, in_meta = _mend_meta(document.meta)
    count = sum(counts) + in_meta
    if not count:
        return document, 0
    names = ("id", "text", "origin", "licence")
    strings = dict(zip(names, mended, strict=True))
    return replace(document, meta=meta, **strings), count


def _mended(found: re.Match[str]) -> str:
    return found[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _mend_meta(meta: Mapping[str, Json]) -> tuple[dict[str, Json], int]:
    """Copy ``meta`` with every string mended; a stack of its own, as nesting may be deep."""
    copy: dict[str, Json] = {}
    total = 0
    pending: list[_Pending] = [(meta, copy)]
    while pending:
        old, new = pending.pop()
        if isinstance(old, Mapping) and isinstance(new, dict):
            keys, count = _mend_keys(old)
            total += count
            for key, value in zip(keys, old.values(), strict=True):
                new[key], count = _mend_value(value, pending)
                total += count
        elif isinstance(new, list):
            for value in old:
                item, count = _mend_value(value, pending)
                new.append(item)
                total += count
    return copy, total


def _mend_value(value: Json, pending: list[_Pending]) -> tuple[Json, int]:
    if isinstance(value, str):
        return mend_surrogates(value)
    if isinstance(value, Mapping):
        mapping: dict[str, Json] = {}
        pending.append((value, mapping))
        return mapping, 0
    if isinstance(value, Sequence):
        items: list[Json] = []
        pending.append((value, items))
        return items, 0
    return value, 0


def _mend_keys(keys: Iterable[str]) -> tuple[list[str], int]:
    """Mend the keys of one object in their order and keep them apart."""
    mended = [mend_surrogates(key) for key in keys]
    taken = {key for key, count in mended if not count}
    total = 0
    distinct = []
    for key, count in mended:
        while count and key in taken:
            key += "\ufffd"  # noqa: PLW2901 - the lengthened key is the key
        taken.add(key)
        distinct.append(key)
        total += count
    return distinct, total
