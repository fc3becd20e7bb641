"""Clusters, and which of their documents stays."""

from itertools import islice, permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dedup.bands import Bands
from dedup.components import by_part, by_shingles, by_signature, cluster_spilled, jaccard
from dedup.decisions import EXACT, NEAR
from dedup.exact import digests
from dedup.external import Workspace, tables
from dedup.minhash import sign
from dedup.scheme import Scheme
from dedup.signatures import Signatures
from dedup.spill import Part, Spill

WORDS = Scheme("fast", "whitespace", n=1, permutations=64)


def spilled(folder, parts, bands, keep="first"):
    """Spill parts to a folder."""
    places = tuple(Part(folder / f"part-{n}", len(part)) for n, part in enumerate(parts))
    spill = Spill(parts[0].scheme, bands, keep, places)
    for number, part in enumerate(parts):
        spill.write(number, part)
    return spill


def numbered(ids, values, width=1):
    """Return signatures with these numbers; a document's text is its id."""
    values = np.array(values, np.uint32).reshape(len(ids), width)
    return Signatures(
        Scheme(permutations=values.shape[1]),
        pa.array(ids, pa.large_string()),
        digests(ids),
        np.ones(len(ids), np.bool_),
        values,
    )


def nothing(positions):
    """Prefer no document."""
    return np.zeros(len(positions), np.int64)


def plain_survivors(ids, values, preferred):
    """Join documents that share a number, one by one; keep of each set the preferred."""
    sets = [{at} for at in range(len(ids))]
    for one in range(len(ids)):
        for other in range(one):
            if (values[one] == values[other]).any() and sets[one] is not sets[other]:
                sets[one] |= sets[other]
                for at in sets[one]:
                    sets[at] = sets[one]
    return {min((preferred[at], ids[at]) for at in found)[1] for found in sets}


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint32, st.tuples(st.integers(1, 14), st.just(3)), elements=st.integers(0, 9)),
    st.permutations(range(14)),
    st.lists(st.integers(0, 2), min_size=14, max_size=14),
    st.integers(0, 14),
    st.sampled_from(["first", "last"]),
)
def test_survivors_do_not_depend_on_order_or_parts(values, order, preferred, cut, keep):
    """In any order and any parts, the preferred of each set stays, and ids decide between equals."""
    ids = [f"id/{number}" for number in range(len(values))]
    order = [number for number in order if number < len(ids)]
    cut = min(cut, len(ids))
    shuffled = [
        numbered([ids[at] for at in some], [values[at] for at in some], 3)
        for some in (order[:cut], order[cut:])
    ]
    with TemporaryDirectory() as name:
        spill = spilled(Path(name), shuffled, Bands(3, 1), keep)
        preference = lambda places: np.array([preferred[order[at]] for at in places], np.int64)  # noqa: E731
        found = cluster_spilled(spill, Workspace(Path(name), 0), preference)
        table = pa.concat_tables(tables(spill, found)).to_pydict()
    stay = {name for name, gone in zip(table["id"], table["duplicate"], strict=True) if not gone}
    assert stay == plain_survivors(ids, values, preferred)
    assert set(table["kept"]) == stay


def test_order_of_parts_does_not_show(tmp_path):
    """In 1,000 orders of seven parts the same documents stay, the longest of each set, equals by id."""
    generator = np.random.default_rng(9)
    values = generator.integers(0, 40, (35, 2)).astype(np.uint32)
    ids = [f"id/{number:02d}" for number in range(35)]
    lengths = generator.integers(1, 4, 35)
    seen = set()
    for order in islice(permutations(range(7)), 0, 5000, 5):
        placed = np.array([5 * part + row for part in order for row in range(5)])
        ordered = numbered([ids[at] for at in placed], values[placed], 2)
        spill = spilled(tmp_path, [ordered], Bands(2, 1))  # how files cut them is tested above
        longest = lambda at, lengths=lengths[placed]: -lengths[at]  # noqa: E731
        found = cluster_spilled(spill, Workspace(tmp_path), longest)
        gone = [ids[at] for at in placed[found.positions]]
        kept = [ids[at] for at in placed[found.kept]]
        seen.add(tuple(sorted(zip(gone, kept, strict=True))))
        for path in tmp_path.iterdir():
            path.unlink()
    assert len(seen) == 1
    stays = set(ids) - {name for name, _ in seen.pop()}
    assert stays == plain_survivors(ids, values, (-lengths).tolist())
    assert 1 < len(stays) < 30


def test_best_source_and_longest_stay(tmp_path):
    """Of a cluster across parts, the document of the best source or the longest one stays."""
    parts = [numbered(["b/1", "b/2"], [1, 2]), numbered(["a/1", "a/2"], [1, 3])]
    spill = spilled(tmp_path, parts, Bands(1, 1))
    work = Workspace(tmp_path)
    assert cluster_spilled(spill, work, nothing).positions.tolist() == [0]
    assert cluster_spilled(spill, work, by_part(spill, [0, 1])).positions.tolist() == [2]
    lengths = np.array([10, 1, 20, 1])
    found = cluster_spilled(spill, work, lambda places: -lengths[places])
    assert (found.positions.tolist(), found.kept.tolist()) == ([0], [2])


def test_equal_texts_are_exact_duplicates(tmp_path):
    """Of a cluster, documents of the kept one's text are exact duplicates, the others near ones."""
    texts = ["a b c d e f g h", "a b c d e f g x", "a b c d e f g h", "short", "short", "brief"]
    scheme = Scheme("fast", "whitespace", n=2, permutations=64)
    spill = spilled(tmp_path, [sign("123456", texts, scheme)], Bands(32, 2))
    found = cluster_spilled(spill, Workspace(tmp_path), lambda places: -places)
    assert found.positions.tolist() == [0, 1, 3]
    assert found.kept.tolist() == [2, 2, 4]
    assert found.kind.tolist() == [EXACT, NEAR, EXACT]


def planted(pairs, shared, own):
    """Make up pairs of texts with so many words in common, and so many of their own."""
    texts = []
    for pair in range(pairs):
        common = [f"{pair}c{number}" for number in range(shared)]
        texts += [" ".join([*common, *(f"{pair}{s}{n}" for n in range(own))]) for s in "ab"]
    return texts


@pytest.mark.parametrize("by", ["signature", "shingles"])
def test_verification_leaves_only_what_is_similar(by, tmp_path):
    """With a check, pairs below the threshold stay apart, and pairs above are still joined."""
    texts = planted(150, 80, 10) + planted(150, 40, 30)[::-1]  # Jaccard 0.8, then 0.4
    texts = texts[:300] + [text.replace("c", "d") for text in texts[300:]]
    spill = spilled(tmp_path, [sign(map(str, range(600)), texts, WORDS)], Bands(21, 3))
    loose = cluster_spilled(spill, Workspace(tmp_path), nothing)
    assert np.count_nonzero(loose.positions >= 300) > 80
    check = by_signature(spill)
    if by == "shingles":
        check = by_shingles(lambda places: [texts[at] for at in places.tolist()], WORDS)
    found = cluster_spilled(spill, Workspace(tmp_path), nothing, check, 0.6)
    assert len(found.positions) >= 0.98 * 150
    true = [
        jaccard(texts[a], texts[b], WORDS) for a, b in zip(found.positions, found.kept, strict=True)
    ]
    assert np.mean(np.array(true) >= 0.6) >= (1.0 if by == "shingles" else 0.97)


def test_no_duplicates(tmp_path):
    """Documents that share nothing all stay."""
    spill = spilled(tmp_path, [numbered(["a", "b"], [1, 2])], Bands(1, 1))
    assert not len(cluster_spilled(spill, Workspace(tmp_path), nothing).positions)
