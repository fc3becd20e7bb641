"""Sorted numbers or digests in a file of NumPy's, looked up without reading it whole."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pile import store

Values: TypeAlias = NDArray[Any]
"""Unsigned integers, or bytes of one length."""


def publish(path: Path, kind: str, count: int, blocks: Iterable[Values]) -> None:
    """Publish blocks of ``count`` entries together as one array; they are never all in memory."""
    header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": (count,)}
    written = 0
    with store.publish(path) as attempt, attempt.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        begin = file.tell()
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
        written = file.tell() - begin
        if written != count * np.dtype(kind).itemsize:
            raise ValueError(f"{path}: {written} bytes are not {count} of {kind}")


def load(path: Path) -> Values:
    """Return an array that is read from the file as it is looked at."""
    found: Values = np.load(path, mmap_mode="r")
    return found


def among(values: Values, found: Values) -> NDArray[np.bool_]:
    """Say of every value whether it is among sorted ones.

    They are looked up in order, so that however many are found among, each step is near the last.
    """
    if not len(found) or not len(values):
        return np.zeros(len(values), np.bool_)
    order = np.argsort(_first(values))
    ordered = values[order]
    places = np.minimum(np.searchsorted(found, ordered), len(found) - 1)
    inside = np.empty(len(values), np.bool_)
    inside[order] = found[places] == ordered
    return inside


def _first(values: Values) -> NDArray[np.uint64]:
    """Return numbers that are in the order of values but for ties: of bytes, the first eight."""
    whole = np.ascontiguousarray(values)
    numbers = whole.view(">u8").reshape(len(values), -1)[:, 0] if whole.dtype.kind == "S" else whole
    return numbers.astype(np.uint64)
