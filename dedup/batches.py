"""Texts through the kernels, a few hundred KiB at a time: as much as stays in a processor's cache.

Whitespace words are found in the column's own bytes, treebank words in bytes that are written anew with
one space between them (`dedup.spaced`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup import kernels, products
from dedup.columns import batched, buffers, padded
from dedup.exact import DIGEST_BYTES, DIGESTS
from dedup.minhash import permutations
from dedup.scheme import Scheme
from dedup.signatures import UNSIGNED
from dedup.spaced import spaced
from dedup.vectors import LANES, PAD, SLACK

_BATCH = 1 << 18
"""Bytes of text that go through the kernels together."""
_LOOK_BACK = 4096
"""Bytes in which a blank to cut a long text at is first looked for."""

_BLANK = np.zeros(256, np.bool_)
_BLANK[[*range(9, 14), *range(28, 33)]] = True


@dataclass(frozen=True, slots=True, eq=False)
class _Signing:
    """What the kernels work with and on: scheme, padded permutations, and the results' rows."""

    scheme: Scheme
    factors: NDArray[Any]
    terms: NDArray[Any]
    values: NDArray[np.uint32]
    signed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Room:
    """Arrays that hold the words and hashes of some text; memory that is not used is not taken."""

    starts: NDArray[Any]
    ends: NDArray[Any]
    hashes: NDArray[np.uint32]
    longer: NDArray[Any]
    joined: NDArray[np.uint8]


def sign_columns(
    columns: Iterable[pa.Array], count: int, scheme: Scheme, digests: list[bytes] | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.uint32]]:
    """Return which texts are signed and the signatures of ``count`` texts in columns.

    Columns are Arrow large strings, valid and without nulls. The digests of texts are appended to
    ``digests`` where that is given. Raises ValueError unless there are ``count`` texts.
    """
    signing = _begun(count, scheme)
    room = _room(_BATCH)
    first = 0
    for column in columns:
        if first + len(column) > count:
            raise ValueError(f"more than {count} texts for {count} ids")
        if digests is not None:
            digests.extend(_digests(column, scheme.digest))
        if scheme.words == "whitespace":
            _sign_bytes(signing, *buffers(column), first, room)
        else:
            for at, text, places in spaced(*buffers(column), scheme.n):
                _sign_bytes(signing, text, places, first + at, room)
        first += len(column)
    if first < count:
        raise ValueError(f"{first} texts for {count} ids")
    return signing.signed, np.ascontiguousarray(signing.values[:, : scheme.permutations])


def column_hashes(
    column: pa.Array, n: int
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.uint32]]]:
    """Yield the ``fast`` hashes of texts' n-grams, of several texts at a time.

    With them come the number of the first of these texts, and where the hashes of each begin.
    The column is one of Arrow large strings, valid and without nulls.
    """
    content, offsets = buffers(column)
    for at, stop in batched(offsets, _BATCH):
        edges = np.column_stack((offsets[at:stop], offsets[at + 1 : stop + 1]))
        room = _room(max(int(offsets[stop] - offsets[at]), 1))
        text, edges = padded(content, edges)
        firsts = np.empty(len(edges) + 1, np.int64)
        kernels.find_words(text, edges, room.starts, room.ends, firsts)
        made = products.fast_hashes(text, room.starts, room.ends, firsts, n, room.hashes)
        yield at, firsts, room.hashes[:made]


def _begun(count: int, scheme: Scheme) -> _Signing:
    """Return the rows of results, and permutations filled up to whole vectors."""
    drawn = permutations(scheme)
    width = -(-scheme.permutations // LANES) * LANES
    padded = np.zeros((2, width), drawn.dtype)
    padded[:, : scheme.permutations] = drawn
    values = np.full((count, width), UNSIGNED, np.uint32)
    return _Signing(scheme, padded[0], padded[1], values, np.zeros(count, np.bool_))


def _room(size: int) -> _Room:
    """Return room for texts of ``size`` bytes, were every byte a word."""
    words = size + 2 + SLACK
    place = np.int32 if 2 * words + PAD < 1 << 31 else np.int64
    return _Room(
        starts=np.empty(words, place),
        ends=np.empty(words, place),
        hashes=np.empty(words, np.uint32),
        longer=np.empty((words, 3), place),
        joined=np.empty(size + words + PAD, np.uint8),
    )


def _digests(column: pa.Array, kind: str) -> Iterator[bytes]:
    """Yield the digests of a column's texts."""
    if kind != "text":
        yield from (DIGESTS[kind](text.as_py()) for text in column)
        return
    content, offsets = buffers(column)
    whole = content.data
    for start, stop in pairwise(offsets.tolist()):
        yield sha256(whole[start:stop]).digest()[:DIGEST_BYTES]


def _sign_bytes(
    signing: _Signing,
    content: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    first: int,
    room: _Room,
) -> None:
    """Sign the texts of a buffer, many short ones or a part of a long one at a time."""
    for at, stop in batched(offsets, _BATCH):
        if offsets[stop] - offsets[at] <= _BATCH:
            edges = np.column_stack((offsets[at:stop], offsets[at + 1 : stop + 1]))
            _sign_segments(signing, content, edges, np.arange(first + at, first + stop), room)
        else:
            _sign_long(signing, content, (int(offsets[at]), int(offsets[stop])), first + at)


def _sign_long(
    signing: _Signing, content: NDArray[np.uint8], edge: tuple[int, int], owner: int
) -> None:
    """Sign a text in parts, each begun with the last n - 1 words of the one before.

    Shingles may be met twice: the least of them stays the least.
    """
    start, end = edge
    size, n = _BATCH, signing.scheme.n
    while True:
        stop = _cut(content, start, end, size)
        room = _room(max(stop - start, _BATCH))
        edges = np.array([[start, stop]])
        begins = _sign_segments(signing, content, edges, np.array([owner]), room)
        if stop == end:
            return
        if len(begins) < n:
            size *= 2
        else:
            start = int(begins[len(begins) - n + 1]) if n > 1 else stop


def _cut(content: NDArray[np.uint8], start: int, end: int, size: int) -> int:
    """Return a place at a blank about ``size`` bytes on, or the end."""
    if end - start <= size:
        return end
    stop = start + size
    back = max(start, stop - _LOOK_BACK)
    blanks = np.flatnonzero(_BLANK[content[back:stop]])
    if len(blanks) and back + blanks[-1] > start:
        return back + int(blanks[-1])
    for low in range(stop, end, size):
        blanks = np.flatnonzero(_BLANK[content[low : min(low + size, end)]])
        if len(blanks):
            return low + int(blanks[0])
    return end


def _sign_segments(
    signing: _Signing,
    content: NDArray[np.uint8],
    edges: NDArray[np.int64],
    owners: NDArray[np.int64],
    room: _Room,
) -> NDArray[np.int64]:
    """Take the hashes of segments into their owners' rows; return where their words begin."""
    low = int(edges[0, 0])
    text, edges = padded(content, edges)
    firsts = np.empty(len(edges) + 1, np.int64)
    kernels.find_words(text, edges, room.starts, room.ends, firsts)
    words = int(firsts[-1])
    begins = room.starts[:words] + np.int64(low) if len(owners) == 1 else firsts[:0]
    counts = np.diff(firsts)
    _hash_words(signing.scheme, text, firsts, room)
    least = (
        kernels.least_legacy if signing.scheme.name == "datasketch-legacy" else kernels.least_affine
    )
    least(room.hashes, firsts, owners, signing.factors, signing.terms, signing.values)
    signing.signed[owners[counts >= signing.scheme.n]] = True
    return begins


def _hash_words(
    scheme: Scheme, text: NDArray[np.uint8], firsts: NDArray[np.int64], room: _Room
) -> None:
    """Hash the shingles of the words that were found; ``firsts`` becomes the places of hashes."""
    starts, ends, hashes = room.starts, room.ends, room.hashes
    if scheme.hashing == "fast":
        products.fast_hashes(text, starts, ends, firsts, scheme.n, hashes)
        return
    kernels.join_words(text, starts, ends, int(firsts[-1]), room.joined)
    made, left = kernels.sha1_hashes(
        room.joined, (starts, ends), firsts, scheme.n, hashes, room.longer
    )
    if left:
        longer = room.longer[:left]
        by_length = np.argsort(longer[:, 2] - longer[:, 1], kind="stable")
        kernels.sha1_longer(room.joined, longer[by_length], hashes)
    if scheme.name == "datasketch-affine32":
        kernels.mix_hashes(hashes, made)
