"""Bring documents to NFC: only where they may be in another form, which is nearly nowhere.

Text is in NFC where its characters have a quick check of Yes and its marks stand in canonical order (UAX
#15, section 9). Where that fails, the stretch from the last character that begins anew to the next one
is composed by itself, by HF ``tokenizers``, whose Unicode version is the one that counts; the rest is
left as it is. HF needs half a microsecond for a byte, ten times as long as all else together.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers.normalizers import NFC

from tokenizer.characters import BEGINS_ANEW, UNSURE, forms
from tokenizer.jit import lean
from tokenizer.split import Bytes, decode
from tokenizer.vector import MARGIN, at, from_u0300, load_byte, lowest_bit

REMEMBERED = 1 << 16
"""Stretches whose composed form is remembered: most are a letter and its accent."""

LONGEST_REMEMBERED = 64
"""Bytes of the longest of them."""

_TOGETHER = 1 << 14
_ONE = np.uint64(1)
_NFC = NFC()


def composed(text: Bytes, offsets: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int64]]:
    """Return documents in NFC; those given, if they are in it already, else copies with `MARGIN` behind.

    Document i is ``text[offsets[i]:offsets[i + 1]]``, well-formed UTF-8, in a buffer with `MARGIN` bytes
    behind the last.
    """
    found = stretches(text, offsets, forms(), np.empty((0, 2), np.int64))
    if not found:
        return text, offsets
    places = np.empty((found, 2), dtype=np.int64)
    stretches(text, offsets, forms(), places)
    growth = np.zeros(found, dtype=np.int64)
    parts = list(_parts(text, int(offsets[0]), int(offsets[-1]), places, growth))
    if len(parts) == 1:
        return text, offsets
    # A stretch lies within a document, so that it moves the ends of that and of all later ones.
    before = np.searchsorted(places[:, 1], offsets, side="right")
    moved = offsets - offsets[0] + np.concatenate(([0], np.cumsum(growth)))[before]
    return np.frombuffer(b"".join([*parts, bytes(MARGIN)]), np.uint8), moved


def _parts(
    text: Bytes, done: int, end: int, places: NDArray[np.int64], growth: NDArray[np.int64]
) -> Iterator[bytes | memoryview]:
    """Yield the text from ``done`` to ``end`` in NFC; as one part, if all its stretches are.

    Writes by how much each stretch grows. `_TOGETHER` are in memory as Python's objects at a time.
    """
    source = text.data
    for first in range(0, len(places), _TOGETHER):
        replaced: list[bytes | memoryview] = []
        for number, (start, stop) in enumerate(places[first : first + _TOGETHER].tolist(), first):
            before = source[start:stop].tobytes()
            after = _composed(before)
            if after != before:
                if start > done:
                    replaced.append(source[done:start])
                replaced.append(after)
                growth[number] = len(after) - len(before)
                done = stop
        if replaced:
            yield b"".join(replaced)
    yield source[done:end]


def _composed(stretch: bytes) -> bytes:
    return _remembered(stretch) if len(stretch) <= LONGEST_REMEMBERED else _by_hf(stretch)


def _by_hf(stretch: bytes) -> bytes:
    normalised: str = _NFC.normalize_str(stretch.decode("utf-8"))
    return normalised.encode("utf-8")


_remembered = lru_cache(REMEMBERED)(_by_hf)


@lean
def stretches(
    text: Bytes, offsets: NDArray[np.int64], forms: Bytes, places: NDArray[np.int64]
) -> int:
    """Return how many stretches may be in another form than NFC; write where the first of them lie.

    ``places`` has a row for each stretch to be written: its start and its end.
    """
    count = 0
    for document in range(len(offsets) - 1):
        count = _of_document(text, offsets[document], offsets[document + 1], forms, places, count)
    return count


@lean
def _of_document(
    text: Bytes, first: int, end: int, forms: Bytes, places: NDArray[np.int64], count: int
) -> int:
    start = first
    done = first  # where the last stretch ends
    mark = after_mark = 0  # the class of the last mark, and the byte after it
    while start < end:
        mask = from_u0300(text, start)
        if end - start < 64:
            mask &= (_ONE << np.uint64(end - start)) - _ONE
        while mask:
            place = start + lowest_bit(mask)
            mask &= mask - _ONE
            # Bytes from 0xCC on that do not lead are none: those that follow are below 0xC0.
            if place < done:
                continue
            code_point, length = decode(text, place)
            form = at(forms, code_point)
            if form == UNSURE or (form > 0 and place == after_mark and form < mark):
                begin = _begin(text, first, place, forms)
                done = _end(text, place + length, end, forms)
                if count < len(places):
                    places[count, 0] = begin
                    places[count, 1] = done
                count += 1
            mark, after_mark = form, place + length
        start += 64
    return count


@lean
def _begin(text: Bytes, first: int, place: int, forms: Bytes) -> int:
    """Return where the last character before ``place`` that begins anew stands, or ``first``."""
    while place > first:
        place -= 1
        while load_byte(text, place) & 0xC0 == 0x80:
            place -= 1
        if at(forms, decode(text, place)[0]) == BEGINS_ANEW:
            break
    return place


@lean
def _end(text: Bytes, place: int, end: int, forms: Bytes) -> int:
    """Return where the next character that begins anew stands, or ``end``."""
    while place < end:
        code_point, length = decode(text, place)
        if at(forms, code_point) == BEGINS_ANEW:
            break
        place += length
    return place
