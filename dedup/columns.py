"""Columns of Arrow large strings as kernels take them: bytes, and where texts begin and end in them."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.vectors import PAD


def buffers(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a column of large strings, and where its texts begin and end in them."""
    _, places, content = column.buffers()
    if not len(column) or content is None:
        return np.zeros(0, np.uint8), np.zeros(len(column) + 1, np.int64)
    offsets = np.frombuffer(places, np.int64, len(column) + 1, 8 * column.offset)
    return np.frombuffer(content, np.uint8), offsets


def padded(
    content: NDArray[np.uint8], edges: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of segments with as many behind them as kernels may read, and their edges."""
    low, high = int(edges[0, 0]), int(edges[-1, 1])
    text = content[low : high + PAD]
    if len(text) < high - low + PAD:
        text = np.concatenate((text, np.zeros(high - low + PAD - len(text), np.uint8)))
    text.flags.writeable = False  # as Arrow's are: one type, compiled once
    return text, edges - low


def batched(offsets: NDArray[np.int64], size: int) -> list[tuple[int, int]]:
    """Cut texts into batches of at most so many bytes, or of one longer text: (first, behind last)."""
    found: list[tuple[int, int]] = []
    at, count = 0, len(offsets) - 1
    while at < count:
        stop = int(np.searchsorted(offsets, offsets[at] + size, side="right")) - 1
        found.append((at, max(stop, at + 1)))
        at = found[-1][1]
    return found
