"""Scatter and mix: the corpus depends on documents, recipe and seed, and on nothing else."""

import hashlib
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile import corpus, documents
from pile.ledger import ConservationError
from pile.mixing.corpus_files import Run
from pile.mixing.splits import Cut, Cuts
from pile.mixing.targets import Range, Target
from pile.stages.mix import FOLDER, Removed, check_copies, mix
from pile.stages.scatter import RUNS, Shuffle, draw, scatter
from pile.stages.survivors import Part
from sources.source import Document

CUTS = Cuts(train=Cut(3, 2), val=Cut(1), test=Cut(1))
ONE_FILE = Cuts(Cut(1), Cut(0), Cut(0))


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


def part_of(path: Path, number: int = 0) -> Part:
    """Describe a part of the notes."""
    rows = documents.rows(path)
    size = sum(len(one.encode()) for one in documents.texts(path))
    return Part(number, "notes", path, path.stat().st_size, rows, size, None)


def shuffled(epochs: float, held: float = 0.0, cuts: Cuts = ONE_FILE) -> Shuffle:
    """Draw by a seed of 7."""
    return Shuffle(7, epochs, held, held, "hash", cuts)


def targets(cuts: Cuts) -> list[Target]:
    """Return all files of a corpus held out by hash."""
    return [Target(split, number, (Range(buckets),)) for split, number, buckets in cuts.files()]


def copies_of(count: int, shuffle: Shuffle) -> np.ndarray:
    """Draw documents 0 to ``count``, and return how many copies of each there are, by split."""
    copies = draw([f"x/{number}" for number in range(count)], np.arange(count), shuffle)
    found = np.zeros((count, 3), int)
    np.add.at(found, (copies.row, copies.split), 1)
    return found


def build(folder: Path, parts: Sequence[Sequence[Document]], shuffle: Shuffle) -> dict[str, str]:
    """Scatter and mix parts; return the digest of every corpus file."""
    runs = []
    for number, found in enumerate(parts):
        path = write_part(folder / f"{number}.parquet", found)
        scatter(folder, part_of(path, number), shuffle, "Notes")
        runs.append(Run("notes", folder / RUNS / f"notes/{number}.buckets"))
    for target in targets(shuffle.cuts):
        mix(folder, target, runs, {"notes": "Notes"}, Removed())
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
    drawn = shuffled(epochs, 0.1, CUTS)
    everything = [make(number) for number in range(40)]
    edges = [0, *sorted(cuts), 40]
    in_order = [make(number) for number in order]
    parts = [in_order[a:b] for a, b in itertools.pairwise(edges)]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        assert build(Path(one), [everything], drawn) == build(Path(other), parts, drawn)


def test_shares_are_those_of_the_recipe() -> None:
    """Of 20,000 documents about val and test of them are held out, the rest seen epochs times."""
    shuffle = Shuffle(42, 1.5, 0.05, 0.02, "hash", CUTS)
    train, val, test = copies_of(20_000, shuffle).sum(axis=0)
    assert abs(val - 1000) < 3 * (20_000 * 0.05 * 0.95) ** 0.5
    assert abs(test - 400) < 3 * (20_000 * 0.02 * 0.98) ** 0.5
    assert abs(train - 18_600 * 1.5) < 300


def test_a_fraction_of_an_epoch_leaves_documents_out() -> None:
    """With a third of an epoch about a third of the documents is drawn, none of them twice."""
    copies = copies_of(9000, shuffled(1 / 3)).sum(axis=1)
    assert set(copies.tolist()) == {0, 1}
    assert abs(copies.sum() - 3000) < 140


def test_more_epochs_move_nothing() -> None:
    """Copies that are drawn stay where they are when there are more epochs: a draw is of one thing."""
    rows = np.arange(500)
    ids = [f"x/{number}" for number in rows]
    few, many = (draw(ids, rows, shuffled(epochs)) for epochs in (1.5, 4.0))
    keys = {
        (row, epoch): key for row, epoch, key in zip(many.row, many.epoch, many.key, strict=True)
    }
    for row, epoch, key in zip(few.row, few.epoch, few.key, strict=True):
        assert keys[row, epoch] == key
    assert len(set(keys.values())) == 2000


def test_undrawn_documents_are_counted(tmp_path: Path) -> None:
    """A document that no epoch draws is rejected with a reason, so that the records add up."""
    part = part_of(write_part(tmp_path / "a.parquet", [make(number) for number in range(100)]))
    receipt = scatter(tmp_path, part, shuffled(0.5), "Notes")
    assert receipt.taken == 100
    assert receipt.given + receipt.rejected["not_drawn"] == 100
    assert receipt.figures["copies"] == {"train": receipt.given}


def test_text_is_measured_before_epochs(tmp_path: Path) -> None:
    """Each document counts once in the receipt, however many copies it has."""
    part = part_of(write_part(tmp_path / "a.parquet", [make(number) for number in range(20)]))
    receipt = scatter(tmp_path, part, shuffled(3.0), "Notes")
    assert receipt.parts[0].counts["rows"] == 60
    once = sum(len(make(number).text.encode()) for number in range(20))
    assert receipt.figures["text_bytes"] == receipt.figures["available_bytes"] == once


def test_the_order_is_not_that_of_the_raw_files(tmp_path: Path) -> None:
    """Documents stand in drawn order, sources among each other."""
    build(tmp_path, [[make(number) for number in range(50)]], shuffled(1.0))
    texts = [line.text for line in corpus.read(tmp_path / FOLDER / corpus.file_name("train", 0))]
    assert sorted(texts) == sorted(make(number).text for number in range(50))
    assert texts != [make(number).text for number in range(50)]


def test_every_copy_is_taken_into_some_file(tmp_path: Path) -> None:
    """Copies are counted as they are read: one that no file takes, or two do, is an error."""
    part = part_of(write_part(tmp_path / "a.parquet", [make(number) for number in range(90)]))
    scattered = scatter(tmp_path, part, shuffled(2.0, 0.1, CUTS), "Notes")
    runs = [Run("notes", tmp_path / scattered.parts[0].name)]
    names = {"notes": "Notes"}
    files = targets(CUTS)
    mixed = [mix(tmp_path, target, runs, names, Removed()) for target in files]
    assert sum(receipt.taken for receipt in mixed) == scattered.parts[0].counts["rows"]
    check_copies([scattered], mixed)
    for wrong in (mixed[1:], [*mixed, mixed[0]]):
        with pytest.raises(ConservationError, match=r"made \d+ copies .*, and \d+ were taken"):
            check_copies([scattered], wrong)


def test_a_bucket_without_documents_is_no_file(tmp_path: Path) -> None:
    """Nothing is written for an empty file."""
    assert build(tmp_path, [[]], shuffled(1.0, 0.1, CUTS)) == {}
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
