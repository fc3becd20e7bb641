"""Encoding by kernels: documents as UTF-8 in one buffer, ids in another.

For tokenizers that `tokenizer.coverage` has nothing against, and special tokens as text.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers.normalizers import NFC

from tokenizer import merge, words
from tokenizer.alphabet import BYTE_OF_CHARACTER, CHARACTER_OF_BYTE
from tokenizer.characters import classes, suspects
from tokenizer.jit import jit
from tokenizer.split import Bytes, decode, split
from tokenizer.split_scalar import split_scalar
from tokenizer.vector import MARGIN, load_byte, lowest_bit, suspects_mask

CACHE_BITS = 19
"""The cache holds 2**19 sets of two short words: 32 MiB, and 19 MiB for long ones."""

_ONE = np.uint64(1)


def tables(config: dict[str, Any], cache_bits: int = CACHE_BITS) -> words.Tables:
    """Return the kernels' tables of a tokenizer that `tokenizer.coverage` has nothing against."""
    vocabulary = config["model"]["vocab"]
    pairs = []
    for pair in config["model"]["merges"]:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        pairs.append((vocabulary[left], vocabulary[right], vocabulary[left + right]))
    ids = {byte: vocabulary[c] for c, byte in BYTE_OF_CHARACTER.items() if c in vocabulary}
    return words.Tables(
        merge.table(ids, pairs),
        _run_ids(config),
        words.cache(cache_bits),
        merge.workspace(),
        words.ahead(),
    )


def _run_ids(config: dict[str, Any]) -> NDArray[np.int64]:
    added = config.get("added_tokens") or ()
    runs = {len(token["content"]): token["id"] for token in added if not token["special"]}
    ids = np.zeros(len(runs) + 2 if runs else 0, dtype=np.int64)
    for length, number in runs.items():
        ids[length] = number
    return ids


@jit
def suspicious(
    text: Bytes, offsets: NDArray[np.int64], suspect: NDArray[np.bool_], found: NDArray[np.bool_]
) -> None:
    """Tell of each document whether it may be in another form than NFC."""
    for document in range(len(offsets) - 1):
        found[document] = _suspicious(text, offsets[document], offsets[document + 1], suspect)


@jit
def _suspicious(text: Bytes, start: int, end: int, suspect: NDArray[np.bool_]) -> bool:
    while start < end:
        mask = suspects_mask(text, start)
        if end - start < 64:
            mask &= (_ONE << np.uint64(end - start)) - _ONE
        while mask:
            place = start + lowest_bit(mask)
            mask &= mask - _ONE
            if load_byte(text, place) >= 0xCC and suspect[decode(text, place)[0]]:
                return True
        start += 64
    return False


@jit
def encode_documents(
    text: Bytes,
    offsets: NDArray[np.int64],
    kinds: Bytes,
    tables: words.Tables,
    starts: NDArray[np.int64],
    ids: NDArray[np.uint32],
) -> NDArray[np.int64]:
    """Write the ids of documents, one after the other; return the number of each one's ids."""
    lengths = np.zeros(len(offsets) - 1, dtype=np.int64)
    longest = max(len(tables.run_ids) - 1, 0)
    place = 0
    for document in range(len(lengths)):
        start, end = offsets[document], offsets[document + 1]
        count = split(text, start, end, kinds, longest > 0, starts)
        after = words.look_up(text, starts, count, tables, ids, place)
        if after == words.SPLIT_AGAIN:
            count = split_scalar(text, start, end, kinds, longest, starts)
            after = words.look_up(text, starts, count, tables, ids, place)
        lengths[document] = after - place
        place = after
    return lengths


class Kernels:
    """A tokenizer's tables, and the buffers that one thread encodes with."""

    def __init__(self, config: dict[str, Any], cache_bits: int = CACHE_BITS) -> None:
        self._tables = tables(config, cache_bits)
        self._normaliser = NFC() if config.get("normalizer") else None

    @property
    def merged_words(self) -> int:
        """Number of words that were not in the cache, so far."""
        return int(self._tables.cache.filled[3])

    def encode(self, documents: list[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return the ids of documents in UTF-8, and the number of each one's ids."""
        text, offsets = joined(documents)
        if self._normaliser is not None:
            found = np.zeros(len(documents), dtype=np.bool_)
            suspicious(text, offsets, suspects(), found)
            if found.any():
                for number in np.flatnonzero(found).tolist():
                    string = documents[number].decode("utf-8")
                    documents[number] = self._normaliser.normalize_str(string).encode("utf-8")
                text, offsets = joined(documents)
        longest = int(np.diff(offsets).max(initial=0))
        starts = np.empty(longest + 1, dtype=np.int64)
        ids = np.empty(int(offsets[-1]) + 16, dtype=np.uint32)
        lengths = encode_documents(text, offsets, classes(), self._tables, starts, ids)
        return ids[: int(lengths.sum())], lengths


def joined(documents: list[bytes]) -> tuple[Bytes, NDArray[np.int64]]:
    """Return documents one after the other, with `MARGIN` bytes behind, and where each begins."""
    offsets = np.zeros(len(documents) + 1, dtype=np.int64)
    np.cumsum([len(document) for document in documents], out=offsets[1:])
    buffer = b"".join([*documents, bytes(MARGIN)])
    return np.frombuffer(buffer, dtype=np.uint8), offsets


def warm() -> None:
    """Compile every kernel of the encoder, or load it from where Numba keeps it."""
    letters = {CHARACTER_OF_BYTE[byte]: byte for byte in range(256)}
    model = {"vocab": {**letters, "ab": 256}, "merges": ["a b"]}
    run = {"content": "  ", "id": 257, "special": False}
    kernels = Kernels(
        {"model": model, "added_tokens": [run], "normalizer": {"type": "NFC"}}, cache_bits=4
    )
    kernels.encode([b"ab   ab " + b"long" * 40])
