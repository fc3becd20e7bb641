"""Decisions made from files are those made in memory."""

from dataclasses import replace
from itertools import islice, pairwise, permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dedup import external, runs
from dedup.bands import Bands
from dedup.clusters import decide
from dedup.decisions import NEAR
from dedup.exact import digests
from dedup.external import Workspace, decide_spilled, tables
from dedup.runs import CorruptRun
from dedup.scheme import Scheme
from dedup.signatures import Signatures, concatenate
from dedup.spill import Part, Spill, band_keys

both_rules = pytest.mark.parametrize("keep", ["first", "last"])


def documents(values, texts, unsigned=0):
    """Return signatures with these numbers and texts, the first ``unsigned`` of them without one."""
    values = np.asarray(values, np.uint32)
    return Signatures(
        Scheme(permutations=values.shape[1]),
        pa.array(
            [f"id/{number}" * (number % 3 + 1) for number in range(len(values))], pa.large_string()
        ),
        digests(map(str, texts)),
        np.arange(len(values)) >= unsigned,
        values,
    )


def cut(signatures, edges):
    """Return parts of signatures."""
    table = signatures.to_table()
    places = [0, *sorted(edges), len(signatures)]
    return [Signatures.from_table(table.slice(low, high - low)) for low, high in pairwise(places)]


def spilled(folder, parts, bands, keep, memory):
    """Decide from files in a folder; return decisions as one table, and the duplicates."""
    whole = tuple(Part(folder / f"part-{n}", len(part)) for n, part in enumerate(parts))
    spill = Spill(parts[0].scheme, bands, keep, whole)
    for number in reversed(range(len(parts))):  # by any worker, in any order
        spill.write(number, parts[number])
    found = decide_spilled(spill, Workspace(folder, memory))
    return pa.concat_tables(tables(spill, found)), found


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint32, st.tuples(st.integers(1, 30), st.just(6)), elements=st.integers(0, 3)),
    st.lists(st.integers(0, 25), min_size=30, max_size=30),
    st.integers(0, 4),
    st.lists(st.integers(0, 30), max_size=4),
    st.sampled_from([Bands(2, 1), Bands(3, 1), Bands(2, 2), Bands(3, 2), Bands(1, 6)]),
    st.sampled_from(["first", "last"]),
)
def test_files_decide_as_memory_does(values, texts, unsigned, edges, bands, keep):
    """Whatever the documents, the parts, the bands and the rule, tables are equal to the last byte."""
    texts = [text if row < len(values) else 0 for row, text in enumerate(texts)][: len(values)]
    rows = {text: values[row] for row, text in reversed(list(enumerate(texts)))}
    whole = documents([rows[text] for text in texts], texts, min(unsigned, len(values)))
    parts = cut(whole, [min(edge, len(values)) for edge in edges])
    expected = decide([whole], bands, keep)
    with TemporaryDirectory() as folder:
        found, duplicates = spilled(Path(folder), parts, bands, keep, 0)
    assert found.combine_chunks().equals(expected.to_table().combine_chunks(), check_metadata=True)
    assert duplicates.counts() == {kind: expected.counts()[kind] for kind in ("exact", "near")}


@both_rules
def test_little_memory_does_not_show(keep, tmp_path, monkeypatch):
    """With blocks of two rows, many merges before the last, and buckets over many blocks, so too."""
    monkeypatch.setattr(runs, "_LEAST_BLOCK", 2)
    monkeypatch.setattr(external, "_CHUNK", 3)
    values = np.random.default_rng(8).integers(0, 9, (300, 10)).astype(np.uint32)
    values[::7, :3] = 5  # a bucket of forty
    whole = documents(values, range(300), 20)
    expected = decide([whole], Bands(3, 3), keep)
    for number, edges in enumerate([[], [100, 101, 101, 260], list(range(0, 300, 10))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found, _ = spilled(folder, cut(whole, edges), Bands(3, 3), keep, 600)
        assert found.combine_chunks().equals(expected.to_table().combine_chunks())
        assert not list(folder.glob("merged*"))
    assert np.count_nonzero(expected.kind == NEAR) > 50


def test_earlier_corpora_stay_and_are_matched(tmp_path):
    """Documents decided before are kept whatever they share; new ones are matched to them."""
    old = documents([[1, 1, 1], [1, 2, 2]], ["a", "b"])  # both survived, though they share a band
    new = documents([[1, 3, 3], [4, 4, 4], [4, 5, 5], [6, 6, 6]], ["c", "d", "e", "a"])
    places = (Part(tmp_path / "old", 2), Part(tmp_path / "new", 4))
    index = Spill(old.scheme, Bands(3, 1), "first", places[:1])
    index.write(0, old)
    index.save(tmp_path / "index.json")
    index = Spill.load(tmp_path / "index.json")
    assert index == Spill(old.scheme, Bands(3, 1), "first", places[:1])
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    spill = replace(index, parts=(*index.parts, places[1]))
    spill.write(1, new)
    found = decide_spilled(spill, Workspace(tmp_path), decided=len(index))
    assert found.positions.tolist() == [2, 4, 5]
    assert found.kept.tolist() == [0, 3, 0]
    assert len(list(tables(spill, found, first=1))) == 1
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_parts_of_another_scheme_or_size_are_refused(tmp_path):
    """A part is written only where it belongs."""
    part = documents([[1, 1, 1]], ["a"])
    with pytest.raises(ValueError, match="permutations 5 and 3"):
        Spill(Scheme(permutations=5), Bands(1, 1), "first", (Part(tmp_path / "a", 1),)).write(
            0, part
        )
    with pytest.raises(ValueError, match="part 0 has 1 documents, not 2"):
        Spill(part.scheme, Bands(1, 1), "first", (Part(tmp_path / "a", 2),)).write(0, part)


@pytest.mark.parametrize("damage", ["cut", "changed", "header"])
def test_damaged_runs_are_noticed(damage, tmp_path):
    """A run that was cut short or changed is an error that names the file, not another result."""
    whole = documents(np.arange(300).reshape(100, 3), range(100))
    spill = Spill(whole.scheme, Bands(3, 1), "first", (Part(tmp_path / "part", 100),))
    spill.write(0, whole)
    path = tmp_path / "part.runs"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-8:]
    else:
        content[0 if damage == "header" else 500] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptRun, match=r"part\.runs.*again"):
        decide_spilled(spill, Workspace(tmp_path))


def test_keys_of_short_bands_differ_if_the_bands_do():
    """Of up to four numbers a key loses nothing, and equal bands have equal keys."""
    values = np.random.default_rng(1).integers(0, 3, (5000, 12)).astype(np.uint32)
    for rows in (1, 2, 3, 4, 5, 9, 12):
        keys = band_keys(values[:, :rows])
        joined = np.unique(np.column_stack((values[:, :rows], keys)), axis=0)
        assert (
            len(joined) == len(np.unique(keys, axis=0)) == len(np.unique(values[:, :rows], axis=0))
        )


def test_parts_together_are_one_whole():
    """The parts that these tests make are the documents they were cut from."""
    whole = documents(np.zeros((5, 2)), range(5))
    assert concatenate(cut(whole, [2, 2])).ids.equals(whole.ids)


@both_rules
def test_order_in_which_parts_are_written_does_not_show(keep, tmp_path):
    """In 500 orders in which seven parts can be spilled, by each rule, the decisions are the same."""
    values = np.random.default_rng(6).integers(0, 4, (40, 6)).astype(np.uint32)
    parts = cut(documents(values, [n % 31 for n in range(40)]), [5, 11, 12, 20, 30, 33])
    places = tuple(Part(tmp_path / f"part-{n}", len(part)) for n, part in enumerate(parts))
    spill = Spill(parts[0].scheme, Bands(3, 2), keep, places)
    seen = set()
    for order in islice(permutations(range(7)), 0, 5000, 10):
        for part in order:
            spill.write(part, parts[part])
        found = decide_spilled(spill, Workspace(tmp_path, 0))
        seen.add((found.positions.tobytes(), found.matched.tobytes(), found.kept.tobytes()))
        for path in tmp_path.iterdir():
            path.unlink()
    assert len(seen) == 1
    assert len(found.positions) > 10
