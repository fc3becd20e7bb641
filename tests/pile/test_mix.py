"""Scatter and mix: the corpus depends on documents, recipe and seed, and on nothing else."""

import hashlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile import corpus, documents
from pile.stages.mix import FOLDER, Run, mix
from pile.stages.scatter import Buckets, Shuffle, draw, scatter
from sources.source import Document

BUCKETS = Buckets(train=3, val=1, test=1)


def write_part(path: Path, found: Sequence[Document]) -> Path:
    """Write documents as a part."""
    rows = documents.Rows(documents.DOCUMENTS)
    for document in found:
        rows.add(documents.document_row(document))
    batch = rows.take()
    with documents.PartWriter(path, documents.DOCUMENTS) as writer:
        if batch is not None:
            writer.add(batch)
    return path


def make(number: int) -> Document:
    """Return a document of its own for each number."""
    return Document(f"notes/{number}", f"text {number} é", f"{number}.txt", "CC0-1.0")


def build(folder: Path, parts: Sequence[Sequence[Document]], shuffle: Shuffle) -> dict[str, str]:
    """Scatter and mix parts; return the digest of every corpus file."""
    runs = []
    for number, found in enumerate(parts):
        path = write_part(folder / f"{number}.parquet", found)
        name = f"notes/{path.stem}"
        scatter(name, folder, path, None, shuffle)
        runs.append(Run("notes", folder / f"{name}.parquet"))
    for bucket in range(len(BUCKETS)):
        mix(folder, bucket, BUCKETS.split(bucket), runs, {"notes": "Notes"})
    files = sorted((folder / FOLDER).rglob("*.jsonl.zst"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 40), max_size=6),
    order=st.permutations(list(range(40))),
    epochs=st.sampled_from([0.5, 1.0, 1.5, 3.0]),
)
def test_how_documents_are_cut_into_parts_decides_nothing(
    cuts: list[int], order: list[int], epochs: float
) -> None:
    """Any partition of the same documents, in any order, gives the same corpus, byte for byte."""
    shuffle = Shuffle(7, epochs, 0.1, 0.1, BUCKETS)
    everything = [make(number) for number in range(40)]
    edges = [0, *sorted(cuts), 40]
    shuffled = [make(number) for number in order]
    parts = [shuffled[a:b] for a, b in itertools.pairwise(edges)]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert build(Path(one), [everything], shuffle) == build(Path(other), parts, shuffle)


def test_shares_are_those_of_the_recipe() -> None:
    """Of 20,000 documents about val and test of them are held out, the rest seen epochs times."""
    shuffle = Shuffle(42, 1.5, 0.05, 0.02, BUCKETS)
    seen: Counter[str] = Counter()
    for number in range(20_000):
        for one in draw(f"x/{number}", number, shuffle):
            seen[BUCKETS.split(one.bucket)[0]] += 1
    assert abs(seen["val"] - 1000) < 3 * (20_000 * 0.05 * 0.95) ** 0.5
    assert abs(seen["test"] - 400) < 3 * (20_000 * 0.02 * 0.98) ** 0.5
    assert abs(seen["train"] - 18_600 * 1.5) < 300


def test_a_fraction_of_an_epoch_leaves_documents_out() -> None:
    """With a third of an epoch about a third of the documents is drawn, none of them twice."""
    shuffle = Shuffle(42, 1 / 3, 0.0, 0.0, Buckets(1, 0, 0))
    copies = [len(draw(f"x/{number}", number, shuffle)) for number in range(9000)]
    assert set(copies) == {0, 1}
    assert abs(sum(copies) - 3000) < 140


def test_undrawn_documents_are_counted(tmp_path: Path) -> None:
    """A document that no epoch draws is rejected with a reason, so that the records add up."""
    part = write_part(tmp_path / "a.parquet", [make(number) for number in range(100)])
    receipt = scatter("notes/a", tmp_path, part, None, Shuffle(1, 0.5, 0.0, 0.0, Buckets(1, 0, 0)))
    assert receipt.taken == 100
    assert receipt.given + receipt.rejected["not_drawn"] == 100


def test_text_is_measured_before_epochs(tmp_path: Path) -> None:
    """Each document counts once in the receipt, however many copies it has."""
    part = write_part(tmp_path / "a.parquet", [make(number) for number in range(20)])
    shuffle = Shuffle(1, 3.0, 0.0, 0.0, Buckets(1, 0, 0))
    receipt = scatter("notes/a", tmp_path, part, None, shuffle)
    assert receipt.parts[0].counts["rows"] == 60
    once = sum(len(make(number).text.encode()) for number in range(20))
    assert receipt.figures["text_bytes"] == once


def test_the_order_is_not_that_of_the_raw_files(tmp_path: Path) -> None:
    """Documents stand in drawn order, sources among each other."""
    shuffle = Shuffle(7, 1.0, 0.0, 0.0, Buckets(1, 0, 0))
    part = write_part(tmp_path / "a.parquet", [make(number) for number in range(50)])
    scatter("notes/a", tmp_path, part, None, shuffle)
    mix(tmp_path, 0, ("train", 0), [Run("notes", tmp_path / "notes/a.parquet")], {"notes": "Notes"})
    texts = [line.text for line in corpus.read(tmp_path / FOLDER / corpus.file_name("train", 0))]
    assert sorted(texts) == sorted(make(number).text for number in range(50))
    assert texts != [make(number).text for number in range(50)]


def test_a_bucket_without_documents_is_no_file(tmp_path: Path) -> None:
    """Nothing is written for an empty bucket."""
    part = write_part(tmp_path / "a.parquet", [])
    scatter("notes/a", tmp_path, part, None, Shuffle(7, 1.0, 0.0, 0.0, BUCKETS))
    runs = [Run("notes", tmp_path / "notes/a.parquet")]
    assert mix(tmp_path, 0, ("train", 0), runs, {"notes": "Notes"}).parts == ()
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.99])
def test_a_cut_corpus_file_is_an_error(tmp_path: Path, cut: float) -> None:
    """A truncated corpus file never passes for a shorter one."""
    path = tmp_path / "a.jsonl.zst"
    with corpus.LineWriter(path) as writer:
        for number in range(2000):
            writer.add(corpus.Line(make(number).text, "Notes"))
    assert sum(1 for _ in corpus.read(path)) == 2000
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(EOFError):
        list(corpus.read(path))
