"""MinHash signatures of texts; the published families bit for bit those of datasketch.

Every shingle is hashed to 32 bits (see `dedup.shingles`). Permutation k makes of every hash
another number; the least over all shingles is the signature's k-th. The share of positions in
which two signatures agree estimates the Jaccard similarity of their sets of shingles.

Three families, by the name of the scheme, all permutations drawn from NumPy's RandomState
(whose streams NumPy keeps frozen):

* ``datasketch-legacy`` (datasketch before 2.0, and the Pile): ``((a h + b) mod 2^64) mod (2^61 - 1)``,
  of which the low 32 bits.
* ``datasketch-affine32`` (datasketch 2.0's default): ``a m(h) + b mod 2^32``, a odd, where m is the
  32-bit finaliser of MurmurHash3.
* ``fast``: ``a h + b mod 2^32`` with the a and b of ``datasketch-affine32``, over ``fast`` hashes, which
  are mixed already.

Much text is signed by compiled kernels (`dedup.batches`), little by NumPy, which is there at once;
the numbers are the same.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.exact import DIGESTS, digest_rows
from dedup.scheme import FAMILIES, Scheme
from dedup.shingles import shingle_hashes
from dedup.signatures import UNSIGNED, Signatures

Strings: TypeAlias = Iterable[str] | pa.Array | pa.ChunkedArray
"""Strings, one by one or as an Arrow column."""

_PRIME = np.uint64((1 << 61) - 1)
_BLOCK = 1 << 15
"""Hashes that are permuted together: as many as fit a processor's cache."""
_SLICE = 256
"""Strings of an Arrow column that are made Python strings together."""
_WORTH_COMPILING = 8 << 20
"""Bytes of text that take NumPy as long as the kernels take to be loaded."""


def sign(ids: Strings, texts: Strings, scheme: Scheme) -> Signatures:
    """Return the digests and signatures of documents, in the order given.

    Kernels sign large columns, and everything once `warm` was called. Memory: the result, plus a
    few times the longest text. Raises ValueError unless there are as many texts as ids and none is
    null, and for a column whose bytes are no UTF-8.
    """
    names = pa.array(_strings(ids), pa.large_string())
    if uses_kernels(texts):
        from dedup import batches  # noqa: PLC0415 - loads a compiler, which small jobs do without

        found: list[bytes] = []
        signed, values = batches.sign_columns(whole_columns(texts), len(names), scheme, found)
        digests = digest_rows(found)
    else:
        digests, signed, values = _signed_plainly(texts, len(names), scheme)
    return Signatures(scheme, names, digests, signed, values)


def warm() -> None:
    """Load the kernels, compiled if they never were on this machine; `sign` uses them from now on."""
    from dedup import batches  # noqa: PLC0415 - loads a compiler, which small jobs do without

    for name, words in [*((name, "whitespace") for name in FAMILIES), ("fast", "treebank")]:
        scheme = Scheme(name, words, n=1, permutations=1)
        batches.sign_columns([pa.array(["a word"], pa.large_string())], 1, scheme)
    _warmed.append(True)


_warmed: list[bool] = []
"""Holds something once the kernels are loaded in this process."""


def uses_kernels(texts: Strings) -> bool:
    """Say whether kernels are to sign texts."""
    is_large = isinstance(texts, pa.Array | pa.ChunkedArray) and texts.nbytes >= _WORTH_COMPILING
    return bool(_warmed) or is_large


def whole_columns(texts: Strings) -> Iterator[pa.Array]:
    """Yield texts as Arrow arrays; raise ValueError at a null and at bytes that are no UTF-8."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        _require_no_null(texts)
        for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
            column = (
                chunk if pa.types.is_large_string(chunk.type) else chunk.cast(pa.large_string())
            )
            column.validate(full=True)
            yield column
        return
    held = iter(texts)
    while some := list(islice(held, _SLICE)):
        yield pa.array(some, pa.large_string())


def _signed_plainly(
    texts: Strings, count: int, scheme: Scheme
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint32]]:
    """Return digests, which texts are signed, and their signatures, with NumPy alone."""
    values = np.full((count, scheme.permutations), UNSIGNED, np.uint32)
    signed = np.zeros(count, np.bool_)
    digests: list[bytes] = []
    numbered = _numbered(_strings(texts), count)
    for owners, starts, hashes in _blocks(_pieces(numbered, scheme, digests)):
        signed[owners] = True
        for k, permuted in enumerate(_permuted(hashes, scheme)):
            least = np.minimum.reduceat(permuted, starts)
            np.minimum.at(values[:, k], owners, least)
    return digest_rows(digests), signed, values


def permutations(scheme: Scheme) -> NDArray[Any]:
    """Return the factors a and the terms b of a scheme's permutations, (2, permutations)."""
    return _drawn(scheme.name, scheme.seed, scheme.permutations)


@lru_cache(maxsize=8)
def _drawn(name: str, seed: int, count: int) -> NDArray[Any]:
    """Draw permutations in the order in which datasketch draws them."""
    draw = np.random.RandomState(seed).randint
    if name == "datasketch-legacy":
        pairs = [[draw(low, _PRIME, dtype=np.uint64) for low in (1, 0)] for _ in range(count)]
        return np.array(pairs, np.uint64).T
    odd = draw(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.array([odd, draw(0, 1 << 32, count, dtype=np.uint32)])


def _permuted(hashes: NDArray[np.uint32], scheme: Scheme) -> Iterator[NDArray[np.uint32]]:
    """Yield the hashes under each permutation; sums and products wrap around."""
    factors, terms = permutations(scheme)
    if scheme.name == "datasketch-legacy":
        wide = hashes.astype(np.uint64)
        for a, b in zip(factors, terms, strict=True):
            yield ((wide * a + b) % _PRIME).astype(np.uint32)
    else:
        mixed = hashes if scheme.name == "fast" else _murmur_finaliser(hashes)
        for a, b in zip(factors, terms, strict=True):
            yield mixed * a + b


def _murmur_finaliser(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Mix 32-bit hashes one to one, as the last step of MurmurHash3 does."""
    mixed = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))


def _pieces(
    numbered: Iterable[tuple[int, str]], scheme: Scheme, digests: list[bytes]
) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Yield the shingle hashes of texts with the text's number; append every text's digest."""
    digest = DIGESTS[scheme.digest]
    for number, text in numbered:
        digests.append(digest(text))
        for hashes in shingle_hashes(text, scheme.n, scheme.words, scheme.hashing):
            yield number, hashes


def _blocks(
    pieces: Iterable[tuple[int, NDArray[np.uint32]]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]]:
    """Join pieces to blocks: the owner of each piece, where it starts, and all hashes."""
    owners: list[int] = []
    held: list[NDArray[np.uint32]] = []
    size = 0
    for owner, hashes in pieces:
        owners.append(owner)
        held.append(hashes)
        size += len(hashes)
        if size >= _BLOCK:
            yield _block(owners, held)
            owners, held, size = [], [], 0
    if held:
        yield _block(owners, held)


def _block(
    owners: list[int], held: list[NDArray[np.uint32]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
    ends = np.cumsum([len(hashes) for hashes in held], dtype=np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    return np.array(owners, np.int64), starts, np.concatenate(held)


def _numbered(texts: Iterable[str], count: int) -> Iterator[tuple[int, str]]:
    """Yield texts with their numbers from 0; raise ValueError unless there are ``count`` of them."""
    found = 0
    for text in texts:
        if found == count:
            raise ValueError(f"more than {count} texts for {count} ids")
        yield found, text
        found += 1
    if found < count:
        raise ValueError(f"{found} texts for {count} ids")


def _strings(column: Strings) -> Iterator[str]:
    """Yield strings one by one; raise ValueError at a null."""
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        yield from column
        return
    _require_no_null(column)
    for start in range(0, len(column), _SLICE):
        yield from column.slice(start, _SLICE).to_pylist()


def _require_no_null(column: pa.Array | pa.ChunkedArray) -> None:
    if column.null_count:
        raise ValueError(f"{column.null_count} of {len(column)} strings are null")
