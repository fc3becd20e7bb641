"""Tests of merging shards and dividing them anew."""

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards import merge
from shards.format import HEADER_BYTES, BadShard, paths_of
from shards.merge import Stretch, copy, divide
from shards.reader import Shard
from shards.verify import verify
from shards.writer import ShardFacts, ShardWriter


def write(prefix: Path, documents: Sequence[Sequence[int]], dtype: str = "<u2") -> Path:
    """Write a shard of documents as they are, and return its prefix."""
    with ShardWriter(
        *paths_of(prefix), np.dtype(dtype), vocabulary=60_000, eod=None, empty="drop"
    ) as shard:
        shard.add([token for document in documents for token in document], [*map(len, documents)])
        shard.finish()
    return prefix


def rewrite(prefixes: Sequence[Path], folder: Path, bin_bytes: int | None) -> list[ShardFacts]:
    """Divide some shards anew, into new-0, new-1 and so on."""
    return [
        copy(stretches, *paths_of(folder / f"new-{number}"))
        for number, stretches in enumerate(divide(prefixes, bin_bytes))
    ]


def test_two_shards_become_one_that_is_as_if_written_at_once(tmp_path: Path) -> None:
    """Merging gives the bytes that one writer would have written."""
    documents = [[1, 2, 0], [3, 0], [0], [4, 5, 6, 7, 0]]
    parts = [write(tmp_path / "a", documents[:1]), write(tmp_path / "b", documents[1:])]
    (facts,) = rewrite(parts, tmp_path, None)
    whole = write(tmp_path / "whole", documents)
    for new, old in zip(paths_of(tmp_path / "new-0"), paths_of(whole), strict=True):
        assert new.read_bytes() == old.read_bytes()
    assert facts.documents == 4
    assert facts.tokens == 11


def test_a_shard_is_divided_between_documents(tmp_path: Path) -> None:
    """Shards take what fits; a document longer than a shard has one of its own."""
    lengths = [2, 2, 1, 9, 1, 5, 5]
    prefix = write(tmp_path / "one", [[7] * length for length in lengths])
    assert divide([prefix], 10) == [
        [Stretch(str(prefix), 0, 3)],
        [Stretch(str(prefix), 3, 4)],
        [Stretch(str(prefix), 4, 5)],
        [Stretch(str(prefix), 5, 6)],
        [Stretch(str(prefix), 6, 7)],
    ]
    assert [facts.tokens for facts in rewrite([prefix], tmp_path, 10)] == [5, 9, 1, 5, 5]


def test_a_new_shard_may_hold_the_end_of_one_and_the_beginning_of_the_next(tmp_path: Path) -> None:
    """The borders of the old shards leave no trace."""
    a, b = write(tmp_path / "a", [[1], [2], [3]]), write(tmp_path / "b", [[4], [5]])
    assert divide([a, b], 4) == [
        [Stretch(str(a), 0, 2)],
        [Stretch(str(a), 2, 3), Stretch(str(b), 0, 1)],
        [Stretch(str(b), 1, 2)],
    ]


@settings(max_examples=40, deadline=None)
@given(
    shards=st.lists(
        st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=6), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
    bin_bytes=st.integers(1, 60),
)
def test_any_division_keeps_documents_order_and_size(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[list[int]]], bin_bytes: int
) -> None:
    """Old shards and new hold the same documents; none could have taken the next one's first."""
    folder = tmp_path_factory.mktemp("divided")
    prefixes = [write(folder / f"old-{number}", shard) for number, shard in enumerate(shards)]
    facts = rewrite(prefixes, folder, bin_bytes)
    new = [Shard.open(folder / f"new-{number}") for number in range(len(facts))]
    found = [document.tolist() for shard in new for document in shard]
    assert found == [document for shard in shards for document in shard]
    for number, shard in enumerate(new):
        assert verify(folder / f"new-{number}") == []
        assert shard.tokens.nbytes <= bin_bytes or len(shard) == 1
        if number + 1 < len(new):
            assert shard.tokens.nbytes + new[number + 1][0].nbytes > bin_bytes


def test_batches_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little is held at once, what is written is the same."""
    documents = [[number % 50] * (1 + number % 9) for number in range(300)]
    prefix = write(tmp_path / "one", documents)
    monkeypatch.setattr(merge, "_DOCUMENTS", 7)
    monkeypatch.setattr(merge, "_TOKENS", 5)
    rewrite([prefix], tmp_path, None)
    assert [document.tolist() for document in Shard.open(tmp_path / "new-0")] == documents


def test_memory_does_not_grow_with_the_shard(tmp_path: Path) -> None:
    """Forty megabytes of tokens are copied while less than half are in memory."""
    with ShardWriter(
        *paths_of(tmp_path / "large"), np.dtype("<u2"), vocabulary=10, eod=None, empty="drop"
    ) as shard:
        for _ in range(20):
            shard.add(np.ones(1_000_000, dtype=np.uint16), np.full(1_000, 1_000))
        shard.finish()
    tracemalloc.start()
    try:
        (facts,) = rewrite([tmp_path / "large"], tmp_path, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert facts.bin_bytes == 40_000_000
    assert peak < 20_000_000


def test_positions_past_two_gibibytes_are_right(tmp_path: Path) -> None:
    """Documents that lie beyond 2 GiB, in a file that is mostly a hole, come out as they are."""
    count, length = 4_400, 250_000
    lengths = np.full(count, length, dtype="<i4")
    prefix = tmp_path / "sparse"
    bin_path, idx_path = paths_of(prefix)
    small = write(tmp_path / "small", [[1]])
    header = bytearray(paths_of(small)[1].read_bytes()[:HEADER_BYTES])
    header[18:34] = np.array([count, count + 1], dtype="<u8").tobytes()
    offsets = np.arange(count, dtype="<i8") * length * 2
    index = (lengths, offsets, np.arange(count + 1, dtype="<i8"))
    idx_path.write_bytes(bytes(header) + b"".join(part.tobytes() for part in index))
    with bin_path.open("wb") as file:
        file.truncate(count * length * 2)
        file.seek((count * length - 3) * 2)
        file.write(np.array([7, 8, 9], dtype="<u2").tobytes())
    pieces = divide([prefix], 2**31)
    assert pieces == [[Stretch(str(prefix), 0, 4_294)], [Stretch(str(prefix), 4_294, 4_400)]]
    copy([Stretch(str(prefix), 4_399, 4_400)], *paths_of(tmp_path / "last"))
    assert Shard.open(tmp_path / "last")[0][-3:].tolist() == [7, 8, 9]
    assert divide([prefix, small])[0] == [Stretch(str(prefix), 0, 4_400), Stretch(str(small), 0, 1)]


def test_shards_of_two_dtypes_are_not_merged(tmp_path: Path) -> None:
    """Tokens of two bytes and of four are not put into one file."""
    a, b = write(tmp_path / "a", [[1]]), write(tmp_path / "b", [[1]], "<i4")
    with pytest.raises(ValueError, match=r"b has int32 tokens, .*a has uint16"):
        divide([a, b])
    with pytest.raises(ValueError, match="b has int32 tokens"):
        copy([Stretch(str(a), 0, 1), Stretch(str(b), 0, 1)], *paths_of(tmp_path / "new"))
    assert not (tmp_path / "new.bin").exists()


def test_a_wrong_index_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Two documents exchanged in the index: neither function takes them for documents."""
    prefix = write(tmp_path / "wrong", [[1], [2, 2], [3]])
    idx = paths_of(prefix)[1]
    index = bytearray(idx.read_bytes())
    index[HEADER_BYTES : HEADER_BYTES + 8] = np.array([2, 1], dtype="<i4").tobytes()
    idx.write_bytes(index)
    with pytest.raises(BadShard, match="sequence 1 begins at 2, not 4"):
        divide([prefix])
    with pytest.raises(BadShard, match="do not follow each other"):
        copy([Stretch(str(prefix), 0, 3)], *paths_of(tmp_path / "new"))
    assert not (tmp_path / "new.bin").exists()


def test_ids_outside_the_vocabulary_are_refused(tmp_path: Path) -> None:
    """Where the vocabulary is known, merging checks it."""
    prefix = write(tmp_path / "a", [[1, 300]])
    with pytest.raises(ValueError, match="ids go from 0 to 99"):
        copy([Stretch(str(prefix), 0, 1)], *paths_of(tmp_path / "new"), vocabulary=100)


@pytest.mark.parametrize(("first", "after"), [(0, 3), (-1, 2), (2, 3), (1, 1), (2, 1)])
def test_documents_that_are_not_there_are_not_copied(
    tmp_path: Path, first: int, after: int
) -> None:
    """A stretch that goes beyond its shard, or has no document, is an error: nothing is lost silently."""
    prefix = write(tmp_path / "a", [[1], [2]])
    with pytest.raises(ValueError, match="is none of 2 documents"):
        copy([Stretch(str(prefix), first, after)], *paths_of(tmp_path / "new"))
    assert not (tmp_path / "new.bin").exists()


def test_nothing_makes_no_shard(tmp_path: Path) -> None:
    """No stretches, or no room, are errors."""
    with pytest.raises(ValueError, match="nothing to copy"):
        copy([], *paths_of(tmp_path / "new"))
    with pytest.raises(ValueError, match="holds no document"):
        divide([write(tmp_path / "a", [[1]])], 0)
    assert divide([]) == []
