"""Tests of the shard writer."""

import hashlib
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.format import BadShard, dtype_for, paths_of
from shards.reader import Shard
from shards.verify import verify
from shards.writer import EmptyDocuments, ShardFacts, ShardWriter

UINT16, INT32 = np.dtype("<u2"), np.dtype("<i4")


def write(
    prefix: Path,
    documents: list[list[int]],
    dtype: np.dtype[np.uint16 | np.int32] = UINT16,
    *,
    vocabulary: int = 50_277,
    eod: int | None = 0,
    empty: EmptyDocuments = "keep",
) -> ShardFacts:
    """Write all documents in one batch."""
    with ShardWriter(
        *paths_of(prefix), dtype, vocabulary=vocabulary, eod=eod, empty=empty
    ) as shard:
        ids = [token for document in documents for token in document]
        shard.add(ids, [len(document) for document in documents])
        return shard.finish()


def test_hand_vector_of_uint16_is_written_to_the_byte(tmp_path: Path) -> None:
    """Documents [1, 2], [65535] and an empty one, each with EOD 0, give 12 and 102 known bytes."""
    facts = write(tmp_path / "hand", [[1, 2], [65_535], []], vocabulary=65_536)
    assert (tmp_path / "hand.bin").read_bytes().hex() == "010002000000ffff00000000"
    assert (tmp_path / "hand.idx").read_bytes().hex() == (
        "4d4d49444944580000" + "0100000000000000" + "08" + "0300000000000000" + "0400000000000000"
        "030000000200000001000000"
        "00000000000000000600000000000000" + "0a00000000000000"
        "0000000000000000010000000000000002000000000000000300000000000000"
    )
    assert facts == ShardFacts(
        documents=3,
        dropped=0,
        tokens=6,
        dtype="uint16",
        bin_bytes=12,
        idx_bytes=102,
        sha256_bin=hashlib.sha256((tmp_path / "hand.bin").read_bytes()).hexdigest(),
        sha256_idx="3f86d8b51d9ce3f0962a40d1948215874c708993fd205d40af71059494ede356",
    )


def test_hand_vector_of_int32_has_its_known_digests(tmp_path: Path) -> None:
    """The same with id 70000, as int32, gives the files that the frameworks' own builders write."""
    facts = write(tmp_path / "hand", [[1, 2], [70_000], []], INT32, vocabulary=128_256)
    assert (facts.sha256_bin, facts.sha256_idx) == (
        "4782272d86ddf0695c3512c7e93f43b9beb00c649afc5e287a016cbcf7f7bffc",
        "6da6ac7c3193f65011c5f2f89f23dc077c4780e68e75ef3471dcf6b10456770c",
    )


def test_empty_documents_become_a_lone_eod(tmp_path: Path) -> None:
    """By default as many documents are written as were given."""
    facts = write(tmp_path / "kept", [[], [7], []], eod=3)
    assert (facts.documents, facts.dropped, facts.tokens) == (3, 0, 4)
    assert [list(document) for document in Shard.open(tmp_path / "kept")] == [[3], [7, 3], [3]]


def test_empty_documents_can_be_dropped_and_are_counted(tmp_path: Path) -> None:
    """With empty="drop" they leave no trace in the shard, but in its facts."""
    facts = write(tmp_path / "dropped", [[], [7], []], eod=3, empty="drop")
    assert (facts.documents, facts.dropped, facts.tokens) == (1, 2, 2)
    assert [list(document) for document in Shard.open(tmp_path / "dropped")] == [[7, 3]]


def test_without_eod_documents_are_written_as_they_are(tmp_path: Path) -> None:
    """eod=None adds nothing; empty documents must then be dropped."""
    write(tmp_path / "plain", [[1, 2], [3]], eod=None, empty="drop")
    assert [list(document) for document in Shard.open(tmp_path / "plain")] == [[1, 2], [3]]
    with pytest.raises(ValueError, match="drop it"):
        write(tmp_path / "other", [[]], eod=None, empty="keep")


@settings(max_examples=40, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(0, 999), max_size=5), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_batches_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], cuts: list[int]
) -> None:
    """However documents are divided among calls of add, the shard is the same, and holds them."""
    folder = tmp_path_factory.mktemp("batches")
    whole = write(folder / "whole", documents, vocabulary=1000, eod=0)
    bounds = sorted({0, len(documents), *(min(cut, len(documents)) for cut in cuts)})
    with ShardWriter(*paths_of(folder / "cut"), UINT16, vocabulary=1000, eod=0) as shard:
        for first, after in pairwise(bounds):
            batch = documents[first:after]
            flat = np.array([token for document in batch for token in document], dtype=np.uint32)
            shard.add(flat, np.array([len(document) for document in batch], dtype=np.int64))
        facts = shard.finish()
    assert facts == whole
    assert [list(document) for document in Shard.open(folder / "cut")] == [
        [*document, 0] for document in documents
    ]


def test_index_longer_than_what_is_held_at_once(tmp_path: Path) -> None:
    """200,000 documents: offsets run on across the stretches in which they are computed."""
    lengths = np.arange(200_000) % 7
    ids = np.ones(int(lengths.sum()), dtype=np.uint32)
    with ShardWriter(*paths_of(tmp_path / "many"), UINT16, vocabulary=10, eod=0) as shard:
        shard.add(ids, lengths)
        facts = shard.finish()
    digests = {".bin": facts.sha256_bin, ".idx": facts.sha256_idx}
    assert verify(tmp_path / "many", vocabulary=10, eod=0, documents=200_000, digests=digests) == []


def test_memory_does_not_grow_with_documents(tmp_path: Path) -> None:
    """A million one-token documents take less than the 20 bytes each that their index has."""
    ids, lengths = np.ones(10_000, dtype=np.uint32), np.ones(10_000, dtype=np.int64)
    tracemalloc.start()
    try:
        with ShardWriter(*paths_of(tmp_path / "flat"), UINT16, vocabulary=10, eod=0) as shard:
            for _ in range(100):
                shard.add(ids, lengths)
            facts = shard.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert facts.documents == 1_000_000
    assert peak < 6_000_000


@pytest.mark.parametrize(
    ("ids", "lengths", "complaint"),
    [
        ([1, 2, 3], [2], "add up to 2, but there are 3"),
        ([1], [], "from 0 to"),
        ([1, 2], [3, -1], "from 0 to"),
        ([1, 50_277], [2], "not from 1 to 50277"),
        ([-1], [1], "not from -1 to -1"),
        ([1.0], [1], "integers"),
        ([[1]], [1], "flat"),
        ([], [2**31 - 1], "from 0 to 2,147,483,646 tokens"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, ids: list[int], lengths: list[int], complaint: str
) -> None:
    """Wrong lengths, ids outside the vocabulary, and other things than integers are errors."""
    with (
        ShardWriter(*paths_of(tmp_path / "bad"), UINT16, vocabulary=50_277, eod=0) as shard,
        pytest.raises(ValueError, match=complaint),
    ):
        shard.add(ids, lengths)


def test_a_refused_batch_leaves_nothing_behind(tmp_path: Path) -> None:
    """After an error in add the shard can go on, as if the batch had never been."""
    with ShardWriter(*paths_of(tmp_path / "on"), UINT16, vocabulary=9, eod=0) as shard:
        with pytest.raises(ValueError, match="ids go from 0 to 8"):
            shard.add([1, 9], [2])
        shard.add([1, 8], [2])
        assert shard.finish().tokens == 3


@pytest.mark.parametrize(
    ("dtype", "vocabulary", "eod", "complaint"),
    [
        (UINT16, 65_537, 0, "does not fit into uint16"),
        (INT32, 2**31 + 1, 0, "does not fit into int32"),
        (UINT16, 0, 0, "does not fit"),
        (UINT16, 100, 100, "not among the 100 ids"),
        (np.dtype(np.uint32), 100, 0, "uint16 or int32, not uint32"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, dtype: np.dtype[np.uint16], vocabulary: int, eod: int, complaint: str
) -> None:
    """The dtype must hold the vocabulary, the vocabulary the EOD; no file is made before."""
    with pytest.raises(ValueError, match=complaint):
        ShardWriter(*paths_of(tmp_path / "no"), dtype, vocabulary=vocabulary, eod=eod)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("documents", [[], [[], []]])
def test_an_empty_shard_is_never_written(tmp_path: Path, documents: list[list[int]]) -> None:
    """No document, or only empty ones that are dropped, is an error, and leaves no file."""
    with pytest.raises(ValueError, match="without documents"):
        write(tmp_path / "empty", documents, empty="drop")
    assert not list(tmp_path.iterdir())


def test_an_error_inside_the_block_leaves_no_file(tmp_path: Path) -> None:
    """Both files go when the block is left before the shard is finished."""
    with pytest.raises(ValueError, match="integers"):
        write(tmp_path / "half", [["no id"]])  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


def test_files_that_exist_are_not_overwritten(tmp_path: Path) -> None:
    """A published index is safe from a writer with the same paths."""
    (tmp_path / "old.idx").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        write(tmp_path / "old", [[1]])
    assert (tmp_path / "old.idx").read_bytes() == b"precious"
    assert not (tmp_path / "old.bin").exists()


def test_an_unfinished_index_is_no_index(tmp_path: Path) -> None:
    """After kill -9, what is left of a shard cannot be opened as one."""
    with ShardWriter(*paths_of(tmp_path / "killed"), UINT16, vocabulary=10, eod=0) as shard:
        shard.add(np.ones(50_000, dtype=np.uint32), np.ones(50_000, dtype=np.int64))
        (tmp_path / "copy.idx").write_bytes((tmp_path / "killed.idx").read_bytes())
        (tmp_path / "copy.bin").write_bytes((tmp_path / "killed.bin").read_bytes())
    with pytest.raises(BadShard, match="begins with"):
        Shard.open(tmp_path / "copy")


def test_a_write_that_failed_cannot_be_passed_over(tmp_path: Path) -> None:
    """Once the disk was full, finish refuses, even if the error was caught and more was added."""
    with ShardWriter(*paths_of(tmp_path / "full"), UINT16, vocabulary=10, eod=0) as shard:
        shard.add([1], [1])
        full = shard._idx.write
        shard._idx.write = _no_space  # type: ignore[method-assign]
        with pytest.raises(OSError, match="No space"):
            shard.add([2], [1])
        shard._idx.write = full  # type: ignore[method-assign]
        shard.add([3], [1])
        with pytest.raises(BadShard, match="earlier write failed"):
            shard.finish()


def _no_space(_: object) -> int:
    raise OSError(28, "No space left on device")


def test_the_released_vocabulary_is_written_as_uint16(tmp_path: Path) -> None:
    """50,277 ids need no more, and the published Pile shards have no more."""
    assert write(tmp_path / "neox", [[50_276]], dtype_for(50_277)).dtype == "uint16"
