"""A trained classifier, and the file it is kept in.

The file: ``PILEQUAL``, then as 32-bit numbers, least significant byte first: the format's version (1),
words, buckets, dims, and the CRC-32 of all that follows; zeros up to byte 64; the words' hashes (uint32),
the output (float32), the rows of words and of buckets (float32). It is mapped, not read: processes on one
machine share its memory.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pile.cleaning.quality import kernels
from pile.cleaning.quality.words import Words

MAGIC = b"PILEQUAL"
FORMAT = 1
_HEADER = struct.Struct("<8s5I")
_START = 64
_PIECE = 64 << 20

Floats: TypeAlias = npt.NDArray[np.float32]


class BadModelError(ValueError):
    """A file that holds no classifier, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: ``words`` are hashes, row r of ``rows`` that of word r, the others those of pairs.

    The score of a text is ``1 / (1 + exp(-2 output . h))`` with h the mean of its rows.
    """

    words: npt.NDArray[np.uint32]
    rows: Floats
    output: Floats

    @property
    def buckets(self) -> int:
        """How many rows pairs of words share."""
        return len(self.rows) - len(self.words)


def slots_of(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
    """Return the table in which `kernels` look words up, at most half full."""
    slots = np.full(1 << max(1, (2 * len(words)).bit_length()), -1, np.int32)
    kernels.fill_slots(words, slots)
    return slots


def score(model: Model, slots: npt.NDArray[np.int32], texts: Words) -> npt.NDArray[np.float64]:
    """Return for each text the chance, from 0 to 1, that it is one of those wanted."""
    scores = np.zeros(len(texts))
    lexicon = (model.words, slots, model.buckets)
    if len(texts):
        kernels.score(texts.hashes, texts.firsts, lexicon, (model.rows, model.output), scores)
    return scores


def save(model: Model, path: Path) -> None:
    """Write a model to a path that the caller gives its final name."""
    arrays = [_raw(model.words.astype("<u4")), _raw(model.output.astype("<f4")), _raw(model.rows)]
    checksum = 0
    for array in arrays:
        checksum = _checksum(array, checksum)
    shape = (len(model.words), model.buckets, len(model.output))
    with path.open("wb") as file:
        file.write(_HEADER.pack(MAGIC, FORMAT, *shape, checksum).ljust(_START, b"\0"))
        for array in arrays:
            file.write(array)


def load(path: Path) -> Model:
    """Map a model's file; raises `BadModelError`."""
    with path.open("rb") as file:
        head = file.read(_START)
    if len(head) < _START or not head.startswith(MAGIC):
        raise BadModelError(f"{path} is no quality model")
    _, version, words, buckets, dims, checksum = _HEADER.unpack_from(head)
    size = _START + 4 * (words + dims + (words + buckets) * dims)
    if version != FORMAT or path.stat().st_size != size:
        raise BadModelError(f"{path} is of another format, or cut: it should have {size:,} bytes")
    content = np.memmap(path, np.uint8, "r")[_START:]
    if _checksum(_raw(content), 0) != checksum:
        raise BadModelError(f"{path} does not have the checksum it states; make it again")
    numbers = np.asarray(content).view("<f4")
    return Model(
        np.asarray(content[: 4 * words]).view("<u4"),
        numbers[words + dims :].reshape(words + buckets, dims),
        numbers[words : words + dims],
    )


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _checksum(content: memoryview, start: int) -> int:
    for place in range(0, len(content), _PIECE):
        start = zlib.crc32(content[place : place + _PIECE], start)
    return start
