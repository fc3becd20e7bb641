"""Side files with which other trainers read the same ``.bin``: no token is written twice.

The tokens of a shard are what nanoGPT calls ``train.bin`` (uint16 alone), datatrove and nanotron a
``.ds`` file, and OLMo a memory-mapped array (named ``.npy``, though it has no NPY header): link or
rename the file, and put the small file beside it that the trainer asks for. nanoGPT asks for none.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shards.format import OFFSET
from shards.reader import Shard

_DOCUMENTS = 1 << 16  # in memory at once


def write_datatrove(shard: Shard, index: Path, metadata: Path, tokenizer: str) -> None:
    """Write ``<name>.ds.index`` and ``<name>.ds.metadata`` for tokens named ``<name>.ds``.

    The index holds where each document ends, in tokens, as uint64. The metadata has three lines:
    name of the tokenizer and bytes of a token, number of tokens, that number in short.
    """
    with index.open("xb") as file:
        for ends in _ends(shard):
            file.write(ends.astype("<u8").data)
    total = shard.tokens.size
    lines = (f"{tokenizer}|{shard.tokens.itemsize}", str(total), f"{short(total)}T")
    with metadata.open("x", encoding="utf-8", newline="\n") as text:
        text.write("\n".join(lines))


def write_olmo(shard: Shard, path: Path, documents: Iterable[tuple[str, str, int]]) -> None:
    """Write the ``.csv.gz`` beside tokens: begin and end in tokens, then id, source file and line.

    ``documents`` gives the last three, in the shard's order; lines count from 1. ValueError if
    there are more or fewer than the shard has; then no file is left. There is no time in the file.
    """
    begin = 0
    rows = iter(documents)
    with (
        path.open("xb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        table = csv.writer(text, lineterminator="\n")
        for ends in _ends(shard):
            for end, (name, source, line) in zip(ends.tolist(), rows, strict=False):
                table.writerow((begin, end, name, source, line))
                begin = end
    if begin != shard.tokens.size or next(rows, None) is not None:
        path.unlink()
        raise ValueError(
            f"{shard.prefix} has {len(shard)} documents, not as many as were described"
        )


def _ends(shard: Shard) -> Iterator[NDArray[np.int64]]:
    """Yield where documents end, in tokens, some at a time."""
    begin = 0
    for first in range(0, len(shard), _DOCUMENTS):
        ends = begin + np.cumsum(shard.lengths[first : first + _DOCUMENTS], dtype=OFFSET)
        yield ends
        begin = int(ends[-1])


def short(count: int) -> str:
    """Return a count with three digits and a metric prefix, as datatrove's metadata has it."""
    rounded = f"{count:.2e}"
    power = int(rounded.partition("e")[2])
    thousands = power // 3
    return f"{float(rounded) / 1000**thousands:.{2 - power % 3}f} {_PREFIXES[thousands]}"


_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
