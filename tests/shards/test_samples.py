"""Tests of the order of samples."""

import hashlib
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shards import loops, samples
from shards.blend import samples_of
from shards.format import BadShard, paths_of
from shards.samples import Request, SampleIndex, build, cached, count, place
from shards.writer import ShardWriter

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=40).filter(sum)


@pytest.fixture
def golden_shard(tmp_path: Path, golden_ids: list[list[int]]) -> Path:
    """Prefix of a shard of the golden documents, empty ones dropped, with EOD."""
    prefix = tmp_path / "golden"
    with ShardWriter(
        *paths_of(prefix), np.dtype("<u2"), vocabulary=50_277, eod=0, empty="drop"
    ) as shard:
        shard.add([token for ids in golden_ids for token in ids], [*map(len, golden_ids)])
        shard.finish()
    return prefix


@pytest.mark.parametrize("fast", [True, False])
def test_golden_samples_are_those_of_the_frameworks(
    golden_shard: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """One epoch, L = 64, seed 1234: 28 samples, whose digest GPT-NeoX and Megatron-Core share."""
    if not fast:
        monkeypatch.setattr(loops, "compiled", lambda _: None)
    ordered = samples_of(golden_shard, Request(64))
    out = np.zeros((28, 65), dtype="<i8")
    ordered.gather(np.arange(28), out, np.arange(28))
    assert len(ordered) == 28
    assert hashlib.sha256(out.tobytes()).hexdigest() == (
        "c8f11fac07686022387e57f698cd28ecc7f0e4bc9aaaec5ed116cb248205ff5b"
    )


@pytest.mark.parametrize(
    ("wanted", "epochs", "apart"), [(28, 1, False), (40, 2, True), (50, 2, False), (80, 3, False)]
)
def test_a_last_epoch_of_which_little_is_used_is_shuffled_apart(
    golden_shard: Path, wanted: int, epochs: int, apart: bool
) -> None:
    """Of 28 samples an epoch, 40 use too little of the second, 50 and 80 use enough of the last."""
    lengths = samples_of(golden_shard, Request(64)).shard.lengths
    counts = count(lengths, Request(64, wanted))
    assert (counts.epochs, counts.last_apart) == (epochs, apart)
    index = build(lengths, Request(64, wanted))
    last = index.order[-lengths.size :]
    assert (sorted(last.tolist()) == list(range(lengths.size))) == (apart or epochs == 1)
    assert (sorted(index.shuffle[:28].tolist()) == list(range(28))) == (apart or epochs == 1)


@settings(max_examples=150, deadline=None)
@given(
    lengths=LENGTHS, length=st.integers(1, 30), wanted=st.integers(1, 60), seed=st.integers(0, 9)
)
def test_samples_are_stretches_of_the_shuffled_tokens(
    lengths: list[int], length: int, wanted: int, seed: int
) -> None:
    """Sample i begins at token i x L of all sequences laid end to end, and there are enough."""
    index = build(np.array(lengths, dtype="<i4"), Request(length, wanted, seed))
    stream = [(number, place) for number in index.order for place in range(lengths[number])]
    assert len(index) >= wanted
    assert len(index) == (len(stream) - 1) // length
    for sample, (position, skipped) in enumerate(index.places.tolist()):
        if sample:
            assert stream[sample * length] == (index.order[position], skipped)
    assert index.places[0].tolist() == [0, 0]
    assert sorted(index.shuffle.tolist()) == list(range(len(index)))
    assert sorted(index.order.tolist()) == sorted(
        list(range(len(lengths))) * (index.order.size // len(lengths))
    )


@settings(max_examples=100, deadline=None)
@example(lengths=[1, 0, 0, 0], length=1, epochs=1, seed=0)  # nothing at first
@given(lengths=LENGTHS, length=st.integers(1, 30), epochs=st.integers(1, 3), seed=st.integers(0, 9))
def test_three_ways_to_place_samples_agree(
    lengths: list[int], length: int, epochs: int, seed: int
) -> None:
    """The plain loop, the compiled one, and NumPy a few sequences at a time."""
    sizes = np.array(lengths, dtype="<i4")
    order = np.random.RandomState(seed).permutation(np.arange(sizes.size * epochs) % sizes.size)
    order = order.astype(np.int32)
    number = max((int(sizes.sum()) * epochs - 1) // length, 0)
    expected = np.full((number + 1, 2), -1, dtype=np.int32)
    loops.place_samples(sizes, order, length, expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "_AT_ONCE", 3)
        for fast in (loops.compiled(loops.place_samples), None):
            patch.setattr(loops, "compiled", lambda _, fast=fast: fast)
            found = np.full_like(expected, -2)
            place(sizes, order, length, found)
            assert np.array_equal(found, expected)


def test_seeds_differ_and_repeat(golden_shard: Path) -> None:
    """The same seed gives the same order, another one another."""
    lengths = samples_of(golden_shard, Request(64)).shard.lengths
    first, again, other = (build(lengths, Request(64, seed=seed)) for seed in (1, 1, 2))
    assert same(first, again)
    assert not np.array_equal(first.order, other.order)


def same(one: SampleIndex, other: SampleIndex) -> bool:
    """Tell whether two indexes are equal, dtypes included."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("order", "places", "shuffle")]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def test_cached_index_is_built_once_and_memory_mapped(
    golden_shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call builds nothing, and gives read-only views of the files."""
    request = Request(64, 40)
    first = cached(golden_shard, request, tmp_path / "cache")
    monkeypatch.setattr(samples, "build", None)
    second = cached(golden_shard, request, tmp_path / "cache")
    monkeypatch.undo()
    assert same(first, build(samples_of(golden_shard, request).shard.lengths, request))
    assert same(first, second)
    assert not second.places.flags.writeable
    assert isinstance(base(second.places), np.memmap)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def base(array: NDArray[np.generic]) -> object:
    """Return what a view is a view of."""
    return array.base


def test_another_shard_under_an_old_name_gets_another_index(tmp_path: Path) -> None:
    """The cache is keyed by content: it does not outlive what it was made of."""
    for number, lengths in enumerate(([5, 6], [6, 5], [5, 6])):
        prefix = tmp_path / "same-name"
        for path in paths_of(prefix):
            path.unlink(missing_ok=True)
        with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=9, eod=0) as shard:
            shard.add([1] * 11, lengths)
            shard.finish()
        index = cached(prefix, Request(3), tmp_path / "cache")
        assert same(index, build(np.array(lengths, dtype="<i4") + 1, Request(3)))
        assert len(list((tmp_path / "cache").iterdir())) == min(number + 1, 2)


def test_an_entry_is_for_all_who_share_the_cache(golden_shard: Path, tmp_path: Path) -> None:
    """It may be read by whoever may read other folders made here, and nothing is left beside it."""
    usual = tmp_path / "usual"
    usual.mkdir()
    cached(golden_shard, Request(64), tmp_path / "cache")
    (home,) = (tmp_path / "cache").iterdir()
    assert home.stat().st_mode == usual.stat().st_mode


def test_many_may_build_the_same_index_at_once(golden_shard: Path, tmp_path: Path) -> None:
    """Whoever finishes first is used by all; nothing unfinished is left."""
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: cached(golden_shard, Request(8), tmp_path / "c"), range(16))
        )
    assert all(same(found[0], index) for index in found)
    assert len(list((tmp_path / "c").iterdir())) == 1


@pytest.mark.parametrize("name", ["order", "places", "shuffle"])
def test_a_damaged_cache_is_refused(golden_shard: Path, tmp_path: Path, name: str) -> None:
    """A file cut off, missing, or of another index: the message says to remove the folder."""
    cached(golden_shard, Request(64), tmp_path / "cache")
    (home,) = (tmp_path / "cache").iterdir()
    path = home / f"{name}.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with pytest.raises(BadShard, match=r"not whole.*remove it"):
        cached(golden_shard, Request(64), tmp_path / "cache")
    path.unlink()
    with pytest.raises(BadShard, match=r"not whole.*remove it"):
        cached(golden_shard, Request(64), tmp_path / "cache")
    np.save(path, np.arange(3))
    with pytest.raises(BadShard, match="not what it should be"):
        cached(golden_shard, Request(64), tmp_path / "cache")


def test_building_into_files_takes_little_memory(tmp_path: Path) -> None:
    """Two million sequences: 24 MB of index, while memory holds their lengths and some buffers."""
    prefix = tmp_path / "many"
    with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=9, eod=0) as shard:
        for _ in range(20):
            shard.add(np.ones(100_000, dtype=np.uint16), np.ones(100_000, dtype=np.int64))
        shard.finish()
    loops.compiled(loops.place_samples)
    tracemalloc.start()
    try:
        index = cached(prefix, Request(2), tmp_path / "cache")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(array.nbytes for array in (index.order, index.places, index.shuffle)) > 30_000_000
    assert peak < 8_000_000 + 24_000_000


@pytest.mark.parametrize(
    ("lengths", "request_", "complaint"),
    [
        ([3, 2], (5, None), "5 tokens are too few"),
        ([0], (5, 3), "0 tokens are too few"),
    ],
)
def test_too_few_tokens_are_refused(
    lengths: list[int], request_: tuple[int, int | None], complaint: str
) -> None:
    """A sample needs L + 1 tokens; several epochs may give them."""
    with pytest.raises(ValueError, match=complaint):
        build(np.array(lengths, dtype="<i4"), Request(*request_))


def test_a_shard_shorter_than_a_sample_may_be_repeated() -> None:
    """Five tokens make three samples of ten when they are seen often enough."""
    assert len(build(np.array([3, 2], dtype="<i4"), Request(10, 3))) == 3


@pytest.mark.parametrize("arguments", [(0,), (5, 0), (5, None, -1), (5, None, 2**32)], ids=str)
def test_requests_that_mean_nothing_are_refused(arguments: tuple[int, ...]) -> None:
    """Lengths and counts are positive; the seed is one that NumPy takes."""
    with pytest.raises(ValueError, match=r"length of at least 1|the seed"):
        Request(*arguments)
