"""Arrays kept in files, built once and memory-mapped, by any number of processes at once.

An entry is a folder of ``.npy`` files. Its name is a digest of all that decides what is in it, so
that it never needs to be found out of date. Each process that finds none builds one for itself, under
another name; all build the same, and the first to finish is used.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shards.format import BadShard

FORMAT = 1
"""Counts up when files change in meaning, so that old ones are not taken for new."""

Allocate: TypeAlias = Callable[[str, tuple[int, ...], Any], NDArray[Any]]
"""Gives an array of a name, shape and dtype, to be filled."""


def in_memory(_name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Allocate an array in memory."""
    return np.empty(shape, dtype)


def key(*decides: object) -> str:
    """Return the name of an entry from all that decides what is in it: JSON values."""
    text = json.dumps([FORMAT, *decides])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:40]


def entry(folder: Path, name: str, build: Callable[[Allocate], object]) -> Path:
    """Return an entry of a cache folder; build it unless it is there.

    ``build`` allocates and fills the arrays, which are files and need not fit into memory.
    """
    home = folder / name
    if not home.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            "", "unfinished-", folder, ignore_cleanup_errors=True
        ) as own:
            # Nobody else may look into that folder, but all who share the cache into an entry.
            unfinished = Path(own, name)
            unfinished.mkdir()
            build(_files_in(unfinished))
            _publish(unfinished, home)
    return home


def load(home: Path, shapes: Sequence[tuple[str, tuple[int, ...]]]) -> list[NDArray[Any]]:
    """Map an entry's arrays, read-only; raises `BadShard` unless they have these shapes."""
    arrays: list[NDArray[Any]] = []
    for name, shape in shapes:
        try:
            array: NDArray[Any] = np.load(home / f"{name}.npy", mmap_mode="r").view(np.ndarray)
        except (OSError, ValueError) as error:
            raise BadShard(
                f"{home} is not whole: {error}; remove it, and it is built anew"
            ) from error
        if array.shape != shape:
            raise BadShard(f"{home} is not what it should be: remove it, and it is built anew")
        arrays.append(array)
    return arrays


def _files_in(folder: Path) -> Allocate:
    def allocate(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        path = folder / f"{name}.npy"
        array: NDArray[Any] = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
        return array.view(np.ndarray)

    return allocate


def _publish(unfinished: Path, home: Path) -> None:
    """Give a finished entry its name, unless another process was faster."""
    for path in sorted(unfinished.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    try:
        unfinished.rename(home)
    except OSError:
        if not home.is_dir():
            raise
