"""Encoding by kernels: documents as UTF-8 in one buffer, ids in another.

For tokenizers that `tokenizer.coverage` has nothing against, and special tokens as text.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenizer import cache, merge, words
from tokenizer.alphabet import BYTE_OF_CHARACTER, CHARACTER_OF_BYTE
from tokenizer.characters import classes
from tokenizer.composed import composed
from tokenizer.jit import jit, lean
from tokenizer.joins import joins_of
from tokenizer.split import Bytes, split
from tokenizer.tables import Scratch, Tables, ahead
from tokenizer.vector import MARGIN, equal_mask, load_byte, lowest_bit

CACHE_BITS = 15
"""The cache holds 2**17 words of up to 7 bytes, 2**18 of 8 to 15, 2**15 of 16 to 31: 12 MiB, and 6 for longer ones.

Twice as many are hardly ever met again, and would not stay in the processor's own cache beside others."""

_ONE = np.uint64(1)
_PIECE = 1 << 15


def tables(config: dict[str, Any], cache_bits: int = CACHE_BITS) -> Tables:
    """Return the kernels' tables of a tokenizer that `tokenizer.coverage` has nothing against."""
    vocabulary = config["model"]["vocab"]
    pairs = []
    for pair in config["model"]["merges"]:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        pairs.append((vocabulary[left], vocabulary[right], vocabulary[left + right]))
    ids = {byte: vocabulary[c] for c, byte in BYTE_OF_CHARACTER.items() if c in vocabulary}
    return Tables(
        merge.table(ids, pairs),
        _run_ids(config),
        cache.cache(cache_bits),
        merge.workspace(),
        ahead(),
        joins_of(vocabulary),
    )


def _run_ids(config: dict[str, Any]) -> NDArray[np.int64]:
    added = config.get("added_tokens") or ()
    runs = {len(token["content"]): token["id"] for token in added if not token["special"]}
    ids = np.zeros(len(runs) + 2 if runs else 0, dtype=np.int64)
    for length, number in runs.items():
        ids[length] = number
    return ids


@lean
def holds(text: Bytes, start: int, end: int, token: Bytes) -> bool:
    """Tell whether some bytes are in a text, which has `MARGIN` more behind it."""
    for block in range(start, end - len(token) + 1, 64):
        found = equal_mask(text, block, load_byte(token, 0))
        while found:
            place = block + lowest_bit(found)
            found &= found - _ONE
            same = 1
            while same < len(token) and load_byte(text, place + same) == load_byte(token, same):
                same += 1
            if same == len(token) and place + same <= end:
                return True
    return False


@jit
def _end_of_piece(text: Bytes, start: int, end: int) -> int:
    """Return where to cut a document that begins at ``start``: its end, or where no word can span.

    White space after something else of ASCII begins a word, whatever stands around it.
    """
    for place in range(start + _PIECE, end):
        if text[place] in (9, 10, 13, 32) and 32 < text[place - 1] < 127:
            return place
    return end


@jit
def _scratch(size: int) -> Scratch:
    """Return room for a piece of so many bytes, which takes memory as far as it is written to."""
    return Scratch(np.empty(size, np.int64), np.empty(merge.LONG_ROOM * size, np.int64))


@jit
def encode_documents(
    text: Bytes,
    offsets: NDArray[np.int64],
    kinds: Bytes,
    tables: Tables,
    ids: NDArray[np.uint32],
) -> NDArray[np.int64]:
    """Write the ids of documents, one after the other; return the number of each one's ids.

    Documents are taken a piece at a time, so that the places of words stay in the processor's cache.
    """
    lengths = np.zeros(len(offsets) - 1, dtype=np.int64)
    longest = max(len(tables.run_ids) - 1, 0)
    scratch = _scratch(2 * _PIECE)
    place = 0
    for document in range(len(lengths)):
        first = place
        start, end = offsets[document], offsets[document + 1]
        while start < end:
            stop = _end_of_piece(text, start, end)
            if stop - start >= len(scratch.starts):
                scratch = _scratch(stop - start + 1)
            count = split(text, start, stop, (kinds, tables.joins), longest, scratch.starts)
            place = words.look_up(text, scratch, count, tables, ids, place)
            start = stop
        lengths[document] = place - first
    return lengths


class Kernels:
    """A tokenizer's tables, and the cache and buffers that one thread at a time encodes with."""

    def __init__(self, config: dict[str, Any], cache_bits: int = CACHE_BITS) -> None:
        self._one_at_a_time = Lock()
        self._tables = tables(config, cache_bits)
        self._composes = bool(config.get("normalizer"))  # to NFC

    @property
    def merged_words(self) -> int:
        """Number of words that were not in the cache, so far."""
        return int(self._tables.cache.filled[cache.MERGED])

    @staticmethod
    def readable(text: Bytes, offsets: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int64]]:
        """Return documents with `MARGIN` bytes behind them: copies, if there are less."""
        return (text, offsets) if text.size - int(offsets[-1]) >= MARGIN else padded(text, offsets)

    @staticmethod
    def hold(text: Bytes, offsets: NDArray[np.int64], tokens: Sequence[bytes]) -> bool:
        """Tell whether any of some tokens is in documents, or where one ends and the next begins."""
        first, end = int(offsets[0]), int(offsets[-1])
        return any(holds(text, first, end, np.frombuffer(token, np.uint8)) for token in tokens)

    def encode(
        self, text: Bytes, offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return the ids of documents in UTF-8, and the number of each one's ids.

        Document i is ``text[offsets[i]:offsets[i + 1]]``, as in the buffers of an Arrow column. They
        are copied only if less than `MARGIN` bytes lie behind them.
        """
        text, offsets = self.readable(text, offsets)
        if self._composes:
            text, offsets = composed(text, offsets)
        # What is not written to takes no memory: there is an id a byte at most.
        ids = np.empty(int(offsets[-1] - offsets[0]) + 16, dtype=np.uint32)
        kinds = classes()
        with self._one_at_a_time:
            lengths = encode_documents(text, offsets, kinds, self._tables, ids)
        return ids[: int(lengths.sum())], lengths


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def padded(text: Bytes, offsets: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int64]]:
    """Return the documents from the first on, with `MARGIN` bytes behind."""
    first, end = int(offsets[0]), int(offsets[-1])
    padded = np.empty(end - first + MARGIN, dtype=np.uint8)
    padded[: end - first] = text[first:end]
    padded[end - first :] = 0
    padded.flags.writeable = False  # as Arrow's buffers are: Numba compiles for either
    return padded, offsets - first


def joined(documents: list[bytes]) -> tuple[Bytes, NDArray[np.int64]]:
    """Return documents one after the other, with `MARGIN` bytes behind, and where each begins."""
    lengths = np.fromiter(map(len, documents), dtype=np.int64, count=len(documents))
    buffer = b"".join([*documents, bytes(MARGIN)])
    return np.frombuffer(buffer, dtype=np.uint8), _offsets(lengths)


def warm() -> None:
    """Compile every kernel of the encoder, or load it from where Numba keeps it."""
    letters = {CHARACTER_OF_BYTE[byte]: byte for byte in range(256)}
    model = {"vocab": {**letters, "ab": 256}, "merges": ["a b"]}
    run = {"content": "  ", "id": 257, "special": False}
    kernels = Kernels(
        {"model": model, "added_tokens": [run], "normalizer": {"type": "NFC"}}, cache_bits=4
    )
    documents = joined([b"ab   ab " + b"long" * 40])
    kernels.hold(*documents, [b"ba"])
    kernels.encode(*documents)
