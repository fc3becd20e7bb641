"""Clusters of duplicates of which any document may stay: the longest, or of the best source.

The rules of `dedup.external` follow an order of documents. Here documents that share a bucket are
joined, if they are similar enough, and all that hang together are a cluster; of each the document
that is preferred stays, of equals the one with the least id. In every bucket the first document
is compared with each other one. Without a check the clusters are the same in any order of
documents; with one, documents that fail against the first of a bucket may be similar themselves.

Edges are held in memory, 16 bytes each, and a cluster's documents, about 100 bytes each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.buckets import read_buckets
from dedup.decisions import EXACT, NEAR
from dedup.external import (
    Duplicates,
    Workspace,
    agreeing,
    bucket_files,
    exact_pairs,
    owned,
    without,
)
from dedup.runs import Rows
from dedup.scans import no_bits, roots
from dedup.scheme import Scheme
from dedup.shingles import shingles
from dedup.spill import Spill

Positions: TypeAlias = NDArray[np.int64]

Preference: TypeAlias = Callable[[Positions], NDArray[np.int64]]
"""Gives numbers for documents at some positions; the document with the least stays."""

Similarity: TypeAlias = Callable[[Positions, Positions], NDArray[np.float64]]
"""Gives the similarity of pairs of documents."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Which documents are joined, and which of those that hang together stays.

    Documents that share a bucket are joined if their similarity, where one is given, is at least
    the threshold.
    """

    preference: Preference
    similarity: Similarity | None = None
    threshold: float = 0.0


_CHECKED = 1 << 14
"""Pairs that are compared together."""


def by_part(spill: Spill, priorities: Sequence[int]) -> Preference:
    """Prefer documents of the parts whose number here is least: those of the best source."""
    ends = np.cumsum([part.documents for part in spill.parts])
    numbers = np.array(priorities, np.int64)
    return lambda positions: numbers[np.searchsorted(ends, positions, side="right")]


def by_signature(spill: Spill) -> Similarity:
    """Estimate the similarity of documents from their signatures."""

    def similarity(some: Positions, others: Positions) -> NDArray[np.float64]:
        pairs = np.column_stack((spill.ranks(some), spill.ranks(others))).astype(np.uint64)
        return agreeing(spill, pairs) / spill.scheme.permutations

    return similarity


def by_shingles(texts: Callable[[Positions], Sequence[str]], scheme: Scheme) -> Similarity:
    """Return the true Jaccard similarity of documents' sets of shingles, from their texts."""

    def similarity(some: Positions, others: Positions) -> NDArray[np.float64]:
        pairs = zip(texts(some), texts(others), strict=True)
        return np.array([jaccard(one, other, scheme) for one, other in pairs], np.float64)

    return similarity


def jaccard(one: str, other: str, scheme: Scheme) -> float:
    """Return the Jaccard similarity of two texts' sets of shingles; 0 if both are empty."""
    ours, theirs = (set(shingles(text, scheme.n, scheme.words)) for text in (one, other))
    return len(ours & theirs) / max(len(ours | theirs), 1)


def cluster_spilled(
    spill: Spill,
    work: Workspace,
    preference: Preference,
    similarity: Similarity | None = None,
    threshold: float = 0.0,
) -> Duplicates:
    """Join spilled documents to clusters and keep of each the preferred document.

    Documents that share a band are joined if their similarity, where one is given, is at least the
    threshold; equal digests always are. ``matched`` and ``kept`` both name the one that stays.
    """
    return cluster_buckets(
        spill, bucket_files(spill, work), work, Joining(preference, similarity, threshold)
    )


def cluster_buckets(
    spill: Spill, buckets: Sequence[Path], work: Workspace, joining: Joining
) -> Duplicates:
    """Join documents from the buckets of digests, then of each band; see `cluster_spilled`."""
    gone = no_bits(len(spill))
    same_text = exact_pairs(buckets[0], spill.scheme.permutations, gone)
    exact = np.concatenate([*same_text, np.empty((0, 4), np.uint64)])[:, :2]
    pairs = work.sorted(
        "candidates",
        chain.from_iterable(owned(without(gone, read_buckets(path)), None) for path in buckets[1:]),
    )
    near = [*_similar(spill, work.merged(pairs), joining)]
    edges = np.concatenate([exact, *near]).astype(np.int64)
    return _kept(spill, edges, exact.astype(np.int64), joining.preference)


def _similar(spill: Spill, blocks: Iterator[Rows], joining: Joining) -> Iterator[Rows]:
    """Yield those of some sorted pairs of ranks, once each, that are similar enough."""
    last = np.full((1, 2), np.iinfo(np.uint64).max, np.uint64)
    for block in blocks:
        rows = np.concatenate((last, block))
        pairs = rows[1:][(rows[1:] != rows[:-1]).any(axis=1)]
        last = rows[-1:]
        for start in range(0, len(pairs), _CHECKED):
            some = pairs[start : start + _CHECKED]
            if joining.similarity is not None:
                one, other = (spill.ranks(ranks) for ranks in some.T)
                some = some[joining.similarity(one, other) >= joining.threshold]
            yield some


def _kept(
    spill: Spill, edges: NDArray[np.int64], exact: NDArray[np.int64], preference: Preference
) -> Duplicates:
    """Return all but the preferred document of each set that edges join."""
    nodes = np.unique(edges)
    parents = np.arange(len(nodes))
    roots(np.searchsorted(nodes, edges), parents)
    best = _preferred(spill, nodes, parents, preference)
    goes = best != np.arange(len(nodes))
    same_text = nodes.copy()
    same_text[np.searchsorted(nodes, exact[:, 0])] = exact[:, 1]
    kind = np.where(same_text == same_text[best], EXACT, NEAR)[goes].astype(np.uint8)
    ranks, kept = nodes[goes], nodes[best[goes]]
    counts = agreeing(spill, np.column_stack((ranks, kept)).astype(np.uint64))
    order = np.argsort(spill.ranks(ranks))
    kept = spill.ranks(kept)[order]
    return Duplicates(
        positions=spill.ranks(ranks)[order],
        kind=kind[order],
        matched=kept,
        kept=kept,
        agreeing=counts[order].astype(np.uint32),
    )


def _preferred(
    spill: Spill, nodes: NDArray[np.int64], parents: NDArray[np.int64], preference: Preference
) -> NDArray[np.int64]:
    """Return for every node the one that stays of those with its parent."""
    positions = spill.ranks(nodes)
    numbers = preference(positions)
    least = np.full(len(nodes), np.iinfo(np.int64).max)
    np.minimum.at(least, parents, numbers)
    best = np.flatnonzero(numbers == least[parents])
    ids = spill.ids(positions[best]).to_pylist()
    found = np.empty(len(nodes), np.int64)
    for at in sorted(range(len(best)), key=lambda at: ids[at], reverse=True):
        found[parents[best[at]]] = best[at]
    return found[parents]
