"""The format of a token shard, as GPT-NeoX and Megatron-Core read it.

A shard is two files of one prefix. ``.bin`` holds the tokens, one after the other, with nothing
around them. ``.idx`` says where sequences and documents lie; all numbers little-endian:

====== ======= ==========================================================================
offset bytes   content
====== ======= ==========================================================================
0      9       magic ``MMIDIDX`` and two zero bytes
9      8       version, uint64: 1
17     1       code of the tokens' dtype, uint8: 8 is uint16, 4 is int32
18     8       S, the number of sequences, uint64
26     8       D, the length of the document array, uint64: documents + 1
34     4 S     length of each sequence in tokens, int32
34+4S  8 S     byte offset of each sequence in ``.bin``, int64
34+12S 8 D     first sequence of each document, int64, and at the end S
====== ======= ==========================================================================

Here each document is one sequence, so that D = S + 1 and ``.idx`` has 42 + 20 S bytes.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
CODES: dict[int, np.dtype[Any]] = {8: np.dtype("<u2"), 4: np.dtype("<i4")}
"""The codes of the two dtypes that text has. GPT-NeoX and Megatron know more, and swap 6 and 7."""

LENGTH = np.dtype("<i4")
OFFSET = np.dtype("<i8")
LONGEST_SEQUENCE = 2**31 - 1

Tokens: TypeAlias = NDArray[np.uint16] | NDArray[np.int32]

_HEADER = struct.Struct("<9sQBQQ")
HEADER_BYTES = _HEADER.size


class BadShard(ValueError):  # noqa: N818 - the name says what is wrong with the shard
    """A shard that is not whole, or not what its index says."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands at the beginning of an ``.idx`` file, and so how long the parts after it are."""

    dtype: np.dtype[Any]
    sequences: int
    document_entries: int

    def packed(self) -> bytes:
        """Return the header's 34 bytes."""
        return _HEADER.pack(
            MAGIC, VERSION, code_of(self.dtype), self.sequences, self.document_entries
        )

    @property
    def offsets_at(self) -> int:
        """Where the byte offsets of sequences begin."""
        return HEADER_BYTES + LENGTH.itemsize * self.sequences

    @property
    def documents_at(self) -> int:
        """Where the document array begins."""
        return self.offsets_at + OFFSET.itemsize * self.sequences

    @property
    def idx_bytes(self) -> int:
        """How long the ``.idx`` file must be."""
        return self.documents_at + OFFSET.itemsize * self.document_entries


def parse_header(beginning: bytes) -> Header:
    """Read the first bytes of an ``.idx`` file; raises `BadShard` if they are no such beginning."""
    if len(beginning) < HEADER_BYTES:
        raise BadShard(f"the index has {len(beginning)} bytes, its header alone {HEADER_BYTES}")
    magic, version, code, sequences, entries = _HEADER.unpack_from(beginning)
    if magic != MAGIC:
        raise BadShard(f"the index begins with {magic!r}, not with {MAGIC!r}")
    if version != VERSION:
        raise BadShard(f"the index has version {version}, not {VERSION}")
    if code not in CODES:
        raise BadShard(f"dtype code {code} is neither 8 (uint16) nor 4 (int32)")
    return Header(CODES[code], sequences, entries)


def code_of(dtype: np.dtype[Any]) -> int:
    """Return the code of a dtype; ValueError if tokens cannot have it."""
    for code, known in CODES.items():
        if known == dtype:
            return code
    raise ValueError(f"tokens are uint16 or int32, not {dtype}")


def dtype_for(vocabulary: int) -> np.dtype[Any]:
    """Return the dtype that GPT-NeoX and Megatron choose for so many ids, before any padding."""
    return CODES[8] if vocabulary < 65_500 else CODES[4]


def paths_of(prefix: Path | str) -> tuple[Path, Path]:
    """Return the paths of the ``.bin`` and the ``.idx`` file of a prefix, which may hold dots."""
    return Path(f"{prefix}.bin"), Path(f"{prefix}.idx")
