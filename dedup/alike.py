"""Which documents are like any of a few known ones, such as those that are held out of training.

A document is like a known one if their signatures share a band, and agree in at least a given share of
their numbers. Known signatures are all in memory: with K numbers and b bands about 4 K + 16 b bytes each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dedup.bands import Bands
from dedup.scheme import Scheme, require_same
from dedup.signatures import Signatures
from dedup.spill import band_keys

Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Known signatures, each once, and of every band their keys in order and whose these are."""

    scheme: Scheme
    bands: Bands
    values: NDArray[np.uint32]
    keys: tuple[Keys, ...]
    owners: tuple[NDArray[np.int64], ...]


def known(found: Sequence[Signatures], scheme: Scheme, bands: Bands) -> Known:
    """Bring signatures into an order in which they are found; raises SchemeMismatch."""
    for one in found:
        require_same(scheme, one.scheme)
    signed = [one.values[one.signed] for one in found]
    values = np.concatenate([np.empty((0, scheme.permutations), np.uint32), *signed])
    values = np.unique(values, axis=0)
    keys = [_keys(band) for band in bands.split(values)]
    owners = tuple(np.argsort(band, kind="stable") for band in keys)
    in_order = tuple(band[owner] for band, owner in zip(keys, owners, strict=True))
    return Known(scheme, bands, values, in_order, owners)


def like_any(signatures: Signatures, known: Known, least: float) -> NDArray[np.bool_]:
    """Say of every document whether it is like a known one, by at least that share of numbers.

    Raises SchemeMismatch.
    """
    require_same(known.scheme, signatures.scheme)
    found = np.zeros(len(signatures), np.bool_)
    wanted = least * known.scheme.permutations - 1e-9
    bands = known.bands.split(signatures.values)
    for band, keys, owners in zip(bands, known.keys, known.owners, strict=True):
        numbers = _keys(band)
        at = np.searchsorted(keys, numbers, "left")
        stop = np.searchsorted(keys, numbers, "right")
        pending = np.flatnonzero(signatures.signed & ~found & (at < stop))
        # One candidate of each at a time, so that a band that very many share takes no more memory.
        while len(pending):
            candidates = known.values[owners[at[pending]]]
            agreeing = np.count_nonzero(signatures.values[pending] == candidates, axis=1)
            found[pending[agreeing >= wanted]] = True
            at[pending] += 1
            pending = pending[(agreeing < wanted) & (at[pending] < stop[pending])]
    return found


def _keys(band: NDArray[np.uint32]) -> Keys:
    """Return 64-bit keys: what two bands share by accident is told apart by the numbers that agree."""
    return np.ascontiguousarray(band_keys(band)[:, 0])
