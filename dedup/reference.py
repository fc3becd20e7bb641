"""The slow, obvious way, with datasketch itself: what the arrays must agree with.

One Python object a document, one index in memory, the two loops as the Pile ran them.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from dedup.bands import Bands
from dedup.scheme import PUBLISHED, Scheme
from dedup.shingles import words

_HAS_SCHEMES = "scheme" in inspect.signature(MinHash).parameters  # since datasketch 2.0

AVAILABLE = PUBLISHED if _HAS_SCHEMES else PUBLISHED[:1]
"""The families of permutations that this datasketch knows."""


def shingle_set(text: str, scheme: Scheme) -> frozenset[bytes]:
    """Return the set of a text's shingles."""
    found = words(text, scheme.words)
    grams = zip(*(found[start:] for start in range(scheme.n)), strict=False)
    return frozenset(" ".join(gram).encode("utf-8") for gram in grams)


def minhash(text: str, scheme: Scheme) -> MinHash | None:
    """Return datasketch's MinHash of a text, or nothing for a text without shingles."""
    grams = shingle_set(text, scheme)
    if not grams:
        return None
    found = MinHash(num_perm=scheme.permutations, seed=scheme.seed, **_permuted_by(scheme))
    for gram in sorted(grams):
        found.update(gram)
    return found


def from_values(values: NDArray[np.uint32], scheme: Scheme) -> MinHash:
    """Return datasketch's MinHash with the numbers of a signature."""
    return MinHash(
        num_perm=scheme.permutations, seed=scheme.seed, hashvalues=values, **_permuted_by(scheme)
    )


def keep_first(minhashes: Sequence[MinHash | None], bands: Bands) -> list[bool]:
    """Say for every document whether it is a near-duplicate, as OpenWebText2 was deduplicated.

    Each is looked up, and put into the index only if nothing was found.
    """
    index = _index(minhashes, bands)
    duplicate = [False] * len(minhashes)
    for place, signature in _signed(minhashes):
        duplicate[place] = bool(index.query(signature))
        if not duplicate[place]:
            index.insert(place, signature)
    return duplicate


def keep_last(minhashes: Sequence[MinHash | None], bands: Bands) -> list[bool]:
    """Say for every document whether it is a near-duplicate, as Pile-CC was deduplicated.

    All are put into the index; each is looked up, and taken out if any other was found.
    """
    index = _index(minhashes, bands)
    for place, signature in _signed(minhashes):
        index.insert(place, signature)
    duplicate = [False] * len(minhashes)
    for place, signature in _signed(minhashes):
        duplicate[place] = any(other != place for other in index.query(signature))
        if duplicate[place]:
            index.remove(place)
    return duplicate


def _signed(minhashes: Sequence[MinHash | None]) -> Iterator[tuple[int, MinHash]]:
    """Yield the documents that have a signature, in order, with their positions."""
    return ((place, found) for place, found in enumerate(minhashes) if found is not None)


def _index(minhashes: Sequence[MinHash | None], bands: Bands) -> MinHashLSH:
    length = max((len(found) for _, found in _signed(minhashes)), default=2)
    return MinHashLSH(num_perm=length, params=(bands.bands, bands.rows))


def _permuted_by(scheme: Scheme) -> dict[str, Any]:
    """Return the argument that names the permutations, where this datasketch has one."""
    family = scheme.name.removeprefix("datasketch-")
    if _HAS_SCHEMES:
        return {"scheme": family}
    if family != "legacy":
        raise ValueError(f"datasketch before 2.0 has no permutations {family!r}")
    return {}
