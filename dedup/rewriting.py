"""Substitutions in a short text, compiled: what ``re.sub`` does for the rules of `dedup.treebank`.

A text is the bytes from ``start`` up to ``stop`` of an array of bytes. What is made of it is written to
another place of the array, ``to``, and every function returns where that ends.
"""

from typing import Any

from numba import njit

SPACE, BREAK = 0x20, 0x0A
"""A space, and what stands for all other blanks."""

compiled = njit(nogil=True, boundscheck=False)
"""Compiles what kernels are put together from."""


@compiled
def copied(text: Any, at: int, stop: int, to: int) -> int:
    """Copy bytes."""
    for number in range(stop - at):
        text[to + number] = text[at + number]
    return to + stop - at


@compiled
def between_spaces(text: Any, at: int, stop: int, to: int) -> int:
    """Copy bytes with a space on each side."""
    text[to] = SPACE
    to = copied(text, at, stop, to + 1)
    text[to] = SPACE
    return to + 1


def wrapping(measured: Any) -> Any:
    """Return what puts spaces around all that ``measured`` finds at a place, by its size."""

    @compiled
    def wrapped(text: Any, start: int, stop: int, to: int) -> int:
        at = start
        while at < stop:
            size = measured(text, at, stop)
            if size == 0:
                text[to] = text[at]
                at, to = at + 1, to + 1
            else:
                to = between_spaces(text, at, at + size, to)
                at += size
        return to

    return wrapped


def parting(measured: Any) -> Any:
    """Return what puts spaces around all that ``measured`` finds behind a byte.

    ``measured`` gives its size, and how many of the spaces behind it are to go.
    """

    @compiled
    def parted(text: Any, start: int, stop: int, to: int) -> int:
        at = start
        while at < stop:
            text[to] = text[at]
            at, to = at + 1, to + 1
            size, spaces = measured(text, at, stop)
            if size != 0:
                to = between_spaces(text, at, at + size, to)
                at += size + spaces
        return to

    return parted


def halving(found: Any) -> Any:
    """Return what puts spaces around both halves of all pairs that ``found`` finds at a place.

    ``found`` gives where the halves begin, where the second ends, and where to go on: there is no
    pair if that is 0.
    """

    @compiled
    def halved(text: Any, start: int, stop: int, to: int, properties: Any) -> int:
        at = start
        while at < stop:
            first, second, end, further = found(text, at, (start, stop), properties)
            if further == 0:
                text[to] = text[at]
                at, to = at + 1, to + 1
            else:
                to = copied(text, second, end, between_spaces(text, first, second, to))
                text[to] = SPACE
                at, to = further, to + 1
        return to

    return halved
