"""Which documents are duplicates: the two rules by which the Pile removed them.

Exact duplicates go first, then documents that share a band of their signatures. No similarity is
verified: a shared band is enough, as published.

* ``keep="first"`` (OpenWebText2): documents are taken in order; one that shares a band with a
  document kept before is a duplicate, and is itself not compared with later ones.
* ``keep="last"`` (Pile-CC): all documents are indexed; in order, each is removed if it shares a band
  with another that is still there. As no earlier one that shares a band is still there, this means:
  a document is a duplicate if a later one shares a band with it.

They differ on chains: if A and B share a band, and B and C another, but A and C none, the first
rule keeps A and C, the second C alone.

The published code had no exact stage, and needs none: equal texts have equal signatures, so with
digests of the text as it is, the survivors are the same. But it gave all texts of fewer words than
a shingle one and the same signature, and so kept one of them all. Here they are compared by digest
alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dedup.bands import Bands
from dedup.decisions import EXACT, NEAR, NONE, Decisions, Keep
from dedup.exact import first_equal, first_of_digest
from dedup.signatures import Signatures, concatenate

_CHUNK = 1 << 16
"""Documents that are taken together where more would only take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """For every document: the position of the one it duplicates or `NONE`, and how similar it is."""

    matched: NDArray[np.int64]
    similarity: NDArray[np.float32]


def decide(parts: Iterable[Signatures], bands: Bands, keep: Keep) -> Decisions:
    """Decide which documents are duplicates; how they are cut into parts does not matter.

    Among several matches, the most similar by signature is reported, and among equals the one
    that comes first (``keep="first"``) or last (``keep="last"``). Memory: about 250 bytes a
    document beside its id. Raises SchemeMismatch if parts are of different schemes,
    ValueError if there are none or if their signatures are too short for the bands.
    """
    documents = concatenate(parts)
    step = 1 if keep == "first" else -1  # towards the documents that give way
    exact = exact_matches(documents.digests[::step])
    compared = np.flatnonzero((exact == NONE) & documents.signed[::step])
    near = near_matches(documents.values[::step][compared], bands, keep)

    found = np.flatnonzero(near.matched != NONE)
    matched, kind = exact.copy(), np.where(exact == NONE, 0, EXACT).astype(np.uint8)
    matched[compared[found]] = compared[near.matched[found]]
    kind[compared[found]] = NEAR
    similarity = np.where(exact == NONE, np.nan, 1.0).astype(np.float32)
    similarity[compared[found]] = near.similarity[found]
    kept = _ends(matched)
    if keep == "last":
        last = len(documents) - 1
        matched, kept = np.where(matched == NONE, NONE, last - matched), last - kept
    return Decisions(
        scheme=documents.scheme,
        bands=bands,
        keep=keep,
        ids=documents.ids,
        signed=documents.signed,
        kind=kind[::step],
        matched=matched[::step],
        kept=kept[::step],
        similarity=similarity[::step],
    )


def exact_matches(digests: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for every document the first of equal digest; `NONE` for the first itself."""
    first = first_of_digest(digests)
    return np.where(first == np.arange(len(first)), NONE, first)


def near_matches(values: NDArray[np.uint32], bands: Bands, keep: Keep) -> Matches:
    """Find for every signature the best match that makes it a duplicate.

    Signatures come with the favoured document first: in the documents' order to keep the first,
    in reverse to keep the last. A match is always one that comes before.
    """
    buckets = [first_equal(band) for band in bands.split(values)]
    owners = _kept_in(buckets) if keep == "first" else buckets
    best = Matches(np.full(len(values), NONE, np.int64), np.zeros(len(values), np.float32))
    positions = np.arange(len(values))
    for owner in owners:
        _improve(best, values, np.flatnonzero((owner != NONE) & (owner < positions)), owner)
    return best


def _kept_in(buckets: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Yield for every band the document kept in each document's bucket, or `NONE`.

    A bucket goes by the position of its first document. It holds at most one kept document: a
    second would have been a duplicate of the first.
    """
    kept = np.flatnonzero(_insert_if_new(buckets))
    for bucket in buckets:
        owner = np.full(len(bucket), NONE, np.int64)
        owner[bucket[kept]] = kept
        yield owner[bucket]


def _insert_if_new(buckets: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Keep documents in order, each unless a bucket of its own holds a kept one already."""
    taken = [bytearray(len(bucket)) for bucket in buckets]
    kept = np.ones(len(buckets[0]), np.bool_)
    for places in _chunks(_sharing(buckets)):
        rows = zip(*(bucket[places].tolist() for bucket in buckets), strict=True)
        for place, row in zip(places.tolist(), rows, strict=True):
            if any(band[number] for band, number in zip(taken, row, strict=True)):
                kept[place] = False
            else:
                for band, number in zip(taken, row, strict=True):
                    band[number] = 1
    return kept


def _sharing(buckets: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the documents that share at least one bucket with another, in order."""
    shares = np.zeros(len(buckets[0]), np.bool_)
    for bucket in buckets:
        later = bucket != np.arange(len(bucket))
        shares |= later
        shares[bucket[later]] = True
    return np.flatnonzero(shares)


def _improve(
    best: Matches, values: NDArray[np.uint32], places: NDArray[np.int64], owner: NDArray[np.int64]
) -> None:
    """Take the owners of some documents for their matches where they are better ones."""
    for some in _chunks(places):
        candidates = owner[some]
        agreeing = np.count_nonzero(values[some] == values[candidates], axis=1)
        similarity = (agreeing / values.shape[1]).astype(np.float32)
        earlier = candidates < best.matched[some]
        same = similarity == best.similarity[some]
        better = (similarity > best.similarity[some]) | (same & earlier)
        best.matched[some[better]] = candidates[better]
        best.similarity[some[better]] = similarity[better]


def _chunks(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut positions into chunks."""
    for start in range(0, len(places), _CHUNK):
        yield places[start : start + _CHUNK]


def _ends(matched: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow matches from document to document, to the survivor at the end."""
    ends = np.where(matched == NONE, np.arange(len(matched)), matched)
    while not np.array_equal(ends, further := ends[ends]):
        ends = further
    return ends
