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
    """Say of every value whether it is among sorted ones."""
    if not len(found):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(found, values), len(found) - 1)
    inside: NDArray[np.bool_] = found[places] == values
    return inside
