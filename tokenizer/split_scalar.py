"""GPT-2's words in UTF-8 text, one character at a time: what `tokenizer.split` must agree with.

It also knows what follows a run of spaces that leaves one over, such as 25 where the longest token
is 24: the last space begins the next word.
"""

import numpy as np
from numpy.typing import NDArray

from tokenizer.characters import SPACE
from tokenizer.jit import lean
from tokenizer.split import Bytes, contraction, decode

_BLANK = 32
_APOSTROPHE = 39


@lean
def split_scalar(
    text: Bytes, start: int, end: int, classes: Bytes, longest: int, starts: NDArray[np.int64]
) -> int:
    """Write where words begin, then ``end``; return how many words.

    ``longest`` is the longest run of spaces that is a token, 0 if none is.
    """
    count = 0
    segment_end = _segment(text, start, end, longest)
    while start < end:
        starts[count] = start
        count += 1
        if start < segment_end:
            start = _word(text, start, segment_end, classes)
        else:
            start += min(_blanks(text, start, end), longest)
            segment_end = _segment(text, start, end, longest)
    starts[count] = end
    return count


@lean
def _blanks(text: Bytes, start: int, end: int) -> int:
    """Return how many spaces there are from a place on."""
    place = start
    while place < end and text[place] == _BLANK:
        place += 1
    return place - start


@lean
def _segment(text: Bytes, start: int, end: int, longest: int) -> int:
    """Return where the next run of spaces that is a token begins."""
    if longest == 0:
        return end
    place = start
    while place + 1 < end and not (text[place] == _BLANK and text[place + 1] == _BLANK):
        place += 1
    return place if place + 1 < end else end


@lean
def _word(text: Bytes, start: int, end: int, classes: Bytes) -> int:
    """Return where the word ends that begins at ``start`` in a segment."""
    if text[start] == _APOSTROPHE:
        length = contraction(text, start, end)
        if length > 0:
            return start + length
    first = start
    if text[start] == _BLANK and start + 1 < end:
        kind = classes[decode(text, start + 1)[0]]
        if kind != SPACE:
            first = start + 1
    kind = classes[decode(text, first)[0]]
    place = last = first
    while place < end:
        code_point, length = decode(text, place)
        if classes[code_point] != kind:
            break
        last = place
        place += length
    # A run of white space leaves its last character to what follows, unless it is the only one.
    return last if kind == SPACE and place < end and last > start else place
