"""The decisions of `dedup.clusters`, made from files, with memory by setting.

What takes memory for good is small: a bit for every document and every shared bucket, and
`DUPLICATE_BYTES` for every duplicate found. All else goes through sorted runs (`dedup.runs`), which
are read from end to end:

1. Digests, and the keys of each band, are merged; documents with equal ones share a bucket
   (`dedup.buckets`). Those that share none are not looked at again.
2. Of a bucket of digests all documents but the first are exact duplicates.
3. To keep the first, the buckets of each document are brought together, and documents kept one by
   one unless a bucket of theirs is taken. To keep the last, the least rank of a bucket stays.
4. The buckets are read again for the candidates of every duplicate: documents kept in its buckets.
   Their signatures are looked up, and the most similar is the match.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.buckets import count_buckets, read_buckets, write_buckets
from dedup.decisions import EXACT, NEAR, decision_schema, decision_table
from dedup.runs import Rows, Run, merge, runs_of, spool, write_runs
from dedup.scans import Bits, add_bits, has_bits, insert_if_new, no_bits
from dedup.spill import Spill

DUPLICATE_BYTES = 120
"""Memory a duplicate takes at most while its survivor is found."""

_CHUNK = 1 << 14
"""Candidates whose signatures are looked up together."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where files between passes lie, and how many bytes of memory sorting and merging take."""

    folder: Path
    memory: int = 256 << 20

    def merged(self, runs: Sequence[Run]) -> Iterator[Rows]:
        """Yield the rows of runs in order."""
        return merge(runs, self.memory // 2, self.folder)

    def sorted(self, name: str, blocks: Iterable[Rows]) -> list[Run]:
        """Sort rows into the runs of a file."""
        return spool(blocks, self.memory // 2, self.folder / name)

    def written(self, name: str, blocks: Iterable[Rows]) -> list[Run]:
        """Write blocks as they come into a file, as one run each."""
        write_runs(self.folder / name, blocks)
        return runs_of(self.folder / name)


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """The documents that go, by position, ascending: why, what each matches and leads to, how similar.

    ``agreeing`` counts the numbers in which a duplicate's signature and its match's agree.
    """

    positions: NDArray[np.int64]
    kind: NDArray[np.uint8]
    matched: NDArray[np.int64]
    kept: NDArray[np.int64]
    agreeing: NDArray[np.uint32]

    def counts(self) -> dict[str, int]:
        """Return how many documents go, by kind."""
        _, exact, near = np.bincount(self.kind, minlength=3).tolist()
        return {"exact": exact, "near": near}


def decide_spilled(spill: Spill, work: Workspace, decided: int = 0) -> Duplicates:
    """Decide which of spilled documents are duplicates, as `clusters.decide` does.

    To keep the first, ``decided`` documents may stand before the others, which stay whatever they
    share: the survivors of earlier corpora. How documents are cut into parts does not matter.
    Raises CorruptRun for a file that is not what was written.
    """
    return decide_buckets(spill, bucket_files(spill, work), work, decided)


def bucket_files(spill: Spill, work: Workspace) -> list[Path]:
    """Write the buckets of digests and of every band into the workspace, one after the other."""
    sections = spill.sections()
    paths = [work.folder / f"buckets-{section}" for section in range(len(sections))]
    for runs, path in zip(sections, paths, strict=True):
        write_buckets(runs, work.merged, path)
    return paths


def decide_buckets(
    spill: Spill, buckets: Sequence[Path], work: Workspace, decided: int = 0
) -> Duplicates:
    """Decide from the buckets of digests, then of each band; see `decide_spilled`."""
    gone = no_bits(len(spill))
    same_text = exact_pairs(buckets[0], spill.scheme.permutations, gone, decided)
    exact = work.sorted("exact", same_text)
    kept = _kept_in_buckets(spill, buckets[1:], work, gone, decided)
    candidates = work.sorted("candidates", kept)
    near = work.written("near", _best(spill, work.merged(candidates)))
    found = [*work.merged([*exact, *near])] or [np.empty((0, 4), np.uint64)]
    return _duplicates(spill, np.concatenate(found))


def tables(spill: Spill, found: Duplicates, first: int = 0) -> Iterator[pa.Table]:
    """Yield the decisions of each part from number ``first`` on, as `Decisions.to_table` gives them."""
    for part in range(first, len(spill.parts)):
        yield table(spill, found, part)


def table(spill: Spill, found: Duplicates, part: int) -> pa.Table:
    """Return the decisions of one part; of the duplicates, those of its documents suffice."""
    start, count = spill.first(part), spill.parts[part].documents
    low, high = np.searchsorted(found.positions, (start, start + count))
    local = found.positions[low:high] - start
    kind = np.zeros(count, np.uint8)
    kind[local] = found.kind[low:high]
    similarity = np.full(count, np.nan, np.float32)
    similarity[local] = found.agreeing[low:high] / spill.scheme.permutations
    ids = spill.part_ids(part)
    matched, survivors = (spill.ids(which[low:high]) for which in (found.matched, found.kept))
    places = np.full(count, -1, np.int64)
    places[local] = np.arange(len(local))
    taken = pa.array(places, mask=places < 0)
    kept = pa.concat_arrays([ids, survivors])
    whose = np.where(places < 0, np.arange(count), count + places)
    schema = decision_schema(spill.scheme, spill.bands, spill.keep)
    return decision_table(
        schema, ids, kind, matched.take(taken), kept.take(pa.array(whose)), similarity
    )


def exact_pairs(buckets: Path, permutations: int, gone: Bits, decided: int = 0) -> Iterator[Rows]:
    """Yield (rank, match, kind, agreeing) of exact duplicates, and put them into ``gone``."""
    for pairs in owned(read_buckets(buckets), None):
        rows = pairs[pairs[:, 0] >= decided]
        add_bits(gone, rows[:, 0])
        why = np.full((len(rows), 2), (EXACT, permutations), np.uint64)
        yield np.column_stack((rows, why))


def without(gone: Bits, blocks: Iterable[Rows], first: int = 0) -> Iterator[Rows]:
    """Yield (bucket, rank) of documents that are not gone; buckets count from ``first``."""
    for rows in blocks:
        stays = rows[~has_bits(gone, rows[:, 1])]
        stays[:, 0] += np.uint64(first)
        yield stays


def _kept_in_buckets(
    spill: Spill, bands: Sequence[Path], work: Workspace, gone: Bits, decided: int
) -> Iterator[Rows]:
    """Yield (rank, kept rank) of near-duplicates and what is kept in their buckets."""
    removed = _kept_first(spill, bands, work, gone, decided) if spill.keep == "first" else None
    for path in bands:
        yield from owned(without(gone, read_buckets(path)), removed)


def _kept_first(
    spill: Spill, bands: Sequence[Path], work: Workspace, gone: Bits, decided: int
) -> Bits:
    """Keep documents in order, each unless a bucket of its own holds a kept one; return the others."""
    firsts = np.cumsum([0, *map(count_buckets, bands)]).tolist()
    members = chain.from_iterable(
        without(gone, read_buckets(path), first) for path, first in zip(bands, firsts, strict=False)
    )
    by_rank = work.sorted("by-rank", (rows[:, ::-1] for rows in members))
    removed, taken = no_bits(len(spill)), no_bits(firsts[-1])
    for rows in _whole(work.merged(by_rank)):
        insert_if_new(np.ascontiguousarray(rows, np.uint64), taken, removed, decided)
    return removed


def _whole(blocks: Iterable[Rows]) -> Iterator[Rows]:
    """Cut sorted rows anew, so that rows with one first number are together."""
    held: Rows | None = None
    for block in blocks:
        rows = block if held is None else np.concatenate((held, block))
        cut = int(np.searchsorted(rows[:, 0], rows[-1, 0], "left"))
        if cut:
            yield rows[:cut]
        held = rows[cut:]
    if held is not None and len(held):
        yield held


def owned(blocks: Iterable[Rows], removed: Bits | None) -> Iterator[Rows]:
    """Yield (rank, owner) of what is in a bucket behind its owner.

    Rows are (bucket, rank), in order. The owner is the first document that is not removed, or the
    first of all where nothing says what is removed.
    """
    last = np.zeros(1, np.uint64)
    owner = np.zeros(1, np.uint64)
    known = np.zeros(1, np.bool_)
    for rows in blocks:
        buckets = np.concatenate((last, rows[:, 0]))
        ranks = np.concatenate((owner, rows[:, 1]))
        stays = np.ones(len(rows), np.bool_) if removed is None else ~has_bits(removed, rows[:, 1])
        kept = np.flatnonzero(np.concatenate((known, stays)))
        new = np.ones(len(kept), np.bool_)
        new[1:] = buckets[kept[1:]] != buckets[kept[:-1]]
        owners = np.full(len(buckets), -1)
        owners[kept[new]] = kept[new]
        latest = np.maximum.accumulate(owners)
        goes = latest != np.arange(len(buckets))
        if removed is not None:
            goes[kept] = False
        goes[0] = False
        found = goes & (latest >= 0) & (buckets[latest] == buckets)
        if found.any():
            yield np.column_stack((ranks[found], ranks[latest[found]]))
        last, known = buckets[-1:], latest[-1:] >= 0
        if known[0]:
            owner = ranks[latest[-1:]]
            known &= buckets[latest[-1:]] == last


def _best(spill: Spill, blocks: Iterable[Rows]) -> Iterator[Rows]:
    """Yield (rank, match, kind, agreeing) of near-duplicates: of candidates the most similar one.

    Of equals it is the one of the least rank. Rows are (rank, candidate), in order.
    """
    for rows in _whole(blocks):
        different = np.concatenate(([True], (rows[1:] != rows[:-1]).any(axis=1)))
        pairs = rows[different]
        found = agreeing(spill, pairs)
        order = np.lexsort((pairs[:, 1], -found, pairs[:, 0]))
        ranks = pairs[order, 0]
        best = order[np.concatenate(([True], ranks[1:] != ranks[:-1]))]
        kind = np.full(len(best), NEAR, np.uint64)
        yield np.column_stack((pairs[best], kind, found[best].astype(np.uint64)))


def agreeing(spill: Spill, pairs: Rows) -> NDArray[np.int64]:
    """Count in how many numbers the signatures of pairs agree."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(pairs), _CHUNK):
        one, other = (spill.ranks(ranks) for ranks in pairs[start : start + _CHUNK].T)
        found.append(np.count_nonzero(spill.values(one) == spill.values(other), axis=1))
    return np.concatenate(found)


def _duplicates(spill: Spill, rows: Rows) -> Duplicates:
    """Follow matches to the survivors: every match has a lesser rank."""
    ranks, matched = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    ends = matched
    while len(ranks):
        place = np.minimum(np.searchsorted(ranks, ends), len(ranks) - 1)
        further = np.where(ranks[place] == ends, ends[place], ends)
        if np.array_equal(ends, further):
            break
        ends = further
    order = slice(None, None, 1 if spill.keep == "first" else -1)
    return Duplicates(
        positions=spill.ranks(ranks)[order],
        kind=rows[order, 2].astype(np.uint8),
        matched=spill.ranks(matched)[order],
        kept=spill.ranks(ends)[order],
        agreeing=rows[order, 3].astype(np.uint32),
    )
