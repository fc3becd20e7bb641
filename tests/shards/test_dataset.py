"""Tests of blends and of the loader."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards import loops, samples
from shards.blend import Blend, blend
from shards.dataset import Loader, Settings, Share, prepare
from shards.format import HEADER_BYTES, BadShard, paths_of
from shards.samples import Request, build
from shards.writer import ShardWriter


def write(prefix: Path, lengths: list[int], first: int = 1) -> str:
    """Write a shard whose tokens count up from ``first``, so that each says where it is from."""
    with ShardWriter(
        *paths_of(prefix), np.dtype("<u2"), vocabulary=60_000, eod=None, empty="drop"
    ) as shard:
        shard.add(np.arange(first, first + sum(lengths)), lengths)
        shard.finish()
    return str(prefix)


@pytest.fixture(scope="module")
def prefixes(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two shards; tokens of the second are from 10,000 on."""
    folder = tmp_path_factory.mktemp("shards")
    lengths = [17, 3, 90, 1, 41, 8, 200, 5]
    return write(folder / "a", lengths), write(folder / "b", lengths[::-1] * 2, 10_000)


@pytest.mark.parametrize("fast", [True, False])
def test_greedy_choice_begins_as_in_the_frameworks(
    prefixes: tuple[str, str], monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """Weights 0.7 and 0.3 begin with 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1."""
    if not fast:
        monkeypatch.setattr(loops, "compiled", lambda _: None)
    mixed = blend(prefixes, (70, 30), Request(4, 60))
    assert isinstance(mixed, Blend)
    assert mixed.which[:12].tolist() == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]
    assert mixed.numbers[:12].tolist() == [0, 0, 1, 2, 1, 3, 4, 2, 5, 6, 7, 3]
    assert np.bincount(mixed.which).tolist() == [42, 18]


@settings(max_examples=50, deadline=None)
@given(weights=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5), size=st.integers(1, 200))
def test_compiled_blends_are_the_plain_ones(weights: list[float], size: int) -> None:
    """Numba chooses as Python does, to the last bit, by shares and by sizes."""
    shares = np.array(weights) / np.sum(weights)
    sizes = np.array([1 + int(weight * 50) for weight in weights])
    for loop, given_, count in (
        (loops.blend, shares, size),
        (loops.blend_all, sizes, int(sizes.sum())),
    ):
        found = []
        for run in (loop, loops.compiled(loop) or loop):
            which, numbers = np.empty(count, np.int16), np.empty(count, np.int64)
            run(given_, which, numbers)
            found.append((which.tolist(), numbers.tolist()))
        assert found[0] == found[1]


def test_without_weights_each_shard_is_seen_once(prefixes: tuple[str, str]) -> None:
    """Every sample of every shard comes once, and shards keep pace with each other."""
    mixed = blend(prefixes, None, Request(4))
    assert isinstance(mixed, Blend)
    sizes = [len(part) for part in mixed.parts]
    pairs = list(zip(mixed.which.tolist(), mixed.numbers.tolist(), strict=True))
    assert sorted(pairs) == [(part, number) for part in (0, 1) for number in range(sizes[part])]
    half = np.bincount(mixed.which[: len(mixed) // 2])
    assert np.all(np.abs(half - np.array(sizes) / 2) <= 1)


def test_a_part_of_each_shard_once(prefixes: tuple[str, str]) -> None:
    """A number of samples without weights takes so many, in proportion to the shards' sizes."""
    mixed = blend(prefixes, None, Request(4, 30))
    assert isinstance(mixed, Blend)
    assert np.bincount(mixed.which).tolist() == [10, 20]
    assert len(blend(prefixes, None, Request(4, 10**6))) == len(blend(prefixes, None, Request(4)))


def test_epochs_follow_from_weights(prefixes: tuple[str, str]) -> None:
    """Weights are tokens x epochs: the shard of weight 3 x its tokens is seen three times."""
    tokens = 365
    mixed = blend(prefixes, (3 * tokens, 1 * 2 * tokens), Request(1, 5 * tokens))
    assert isinstance(mixed, Blend)
    first = mixed.numbers[mixed.which == 0]
    out = np.empty((first.size, 2), dtype=np.int64)
    mixed.parts[0].gather(first, out, np.arange(first.size))
    seen = np.bincount(out[:, 0], minlength=tokens + 1)[1:]
    assert seen.sum() == 3 * tokens
    assert set(seen.tolist()) <= {2, 3, 4}


@pytest.mark.parametrize(
    ("weights", "size", "complaint"),
    [
        ((1.0,), 10, "each shard has a weight"),
        ((1.0, 0.0), 10, "above 0"),
        ((1.0, float("inf")), 10, "above 0"),
        ((1.0, 1.0), None, "how many samples"),
    ],
)
def test_weights_that_mean_nothing_are_refused(
    prefixes: tuple[str, str], weights: tuple[float, ...], size: int | None, complaint: str
) -> None:
    """One weight a shard, above 0, and a number of samples to divide by them."""
    with pytest.raises(ValueError, match=complaint):
        blend(prefixes, weights, Request(4, size))
    with pytest.raises(ValueError, match="from 1 to 32,766"):
        blend([], None, Request(4))


def loader(prefixes: tuple[str, ...], batch: int = 8, **given_: object) -> Loader:
    """Return a loader of samples of 5 tokens."""
    return Loader(Settings(prefixes, 4, batch, **given_))  # type: ignore[arg-type]


def test_a_batch_holds_the_samples_of_its_step(prefixes: tuple[str, str]) -> None:
    """Step s has samples s x batch on; each is L + 1 tokens of one shard, as placed."""
    one = loader(prefixes[:1], batch=6)
    lengths = one.epoch(0).shard.lengths  # type: ignore[union-attr]
    index = build(lengths, Request(4))
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    stream = np.concatenate(
        [1 + begins[number] + np.arange(lengths[number]) for number in index.order]
    )
    batch = one.batch(0, 3)
    assert batch.dtype == np.int64
    for row, sample in zip(batch, index.shuffle[18:24], strict=True):
        assert row.tolist() == stream[sample * 4 : sample * 4 + 5].tolist()


@settings(max_examples=30, deadline=None)
@given(
    world=st.integers(1, 8),
    other=st.integers(1, 8),
    stop=st.integers(0, 60),
    weights=st.sampled_from([None, (0.7, 0.3)]),
    seed=st.integers(0, 3),
)
def test_resume_on_any_number_of_ranks_changes_nothing(
    prefixes: tuple[str, str],
    world: int,
    other: int,
    stop: int,
    weights: tuple[float, float] | None,
    seed: int,
) -> None:
    """Stop after any step, go on with other ranks and a new loader: the batches are the same."""
    batch = 840  # divisible by 1 to 8
    size = 3000 if weights else None
    made = Settings(prefixes, 1, batch if weights else 280 * 3, weights, size, seed)
    whole = Loader(made)
    resumed = Loader(made)
    for step in (stop, stop + 1):
        epoch, within = divmod(step, whole.steps)
        expected = whole.batch(epoch, within)
        for ranks in (world, other):
            shares = [resumed.batch(epoch, within, Share(rank, ranks)) for rank in range(ranks)]
            assert np.array_equal(np.concatenate(shares), expected)
    streams = [Loader(made).batches(stop, Share(rank, other)) for rank in range(other)]
    for step in (stop, stop + 1):
        joined = np.concatenate([next(stream) for stream in streams])
        assert np.array_equal(joined, whole.batch(*divmod(step, whole.steps)))


def test_epochs_have_orders_of_their_own(prefixes: tuple[str, str]) -> None:
    """Epoch e has the order that seed + e has in epoch 0, and the same samples are seen."""
    one, later = loader(prefixes), loader(prefixes, seed=1237)
    assert np.array_equal(one.batch(3, 2), later.batch(0, 2))
    assert not np.array_equal(one.batch(0, 2), one.batch(1, 2))
    assert np.array_equal(one.batch(0, 2), loader(prefixes).batch(0, 2))


def test_an_epoch_ends_with_its_last_whole_batch(prefixes: tuple[str, str]) -> None:
    """Steps are counted from 0; the samples left over are not seen in this epoch."""
    one = loader(prefixes[:1], batch=7)
    assert (one.size, one.steps) == (91, 13)
    with pytest.raises(IndexError, match="no step 13: an epoch has 13"):
        one.batch(0, 13)
    with pytest.raises(IndexError, match="no epoch -1"):
        one.batch(-1, 0)
    with pytest.raises(IndexError, match="from 0 to 90"):
        one.samples(0, np.array([91]))
    with pytest.raises(ValueError, match="91 samples are fewer than a batch of 92"):
        loader(prefixes[:1], batch=92)


@pytest.mark.parametrize(
    ("given_", "complaint"),
    [
        ({"batch": 0}, "at least one sample, not 0"),
        ({"batch": -4}, "at least one sample, not -4"),
        ({"seed": -1}, "the seed, -1, is not from 0"),
        ({"seed": 2**32}, "the seed, 4294967296, is not from 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    prefixes: tuple[str, str], given_: dict[str, int], complaint: str
) -> None:
    """Batches that hold nothing, and seeds that would be taken for others."""
    with pytest.raises(ValueError, match=complaint):
        loader(prefixes, **given_)


def test_a_shard_without_a_single_sample_is_named(
    prefixes: tuple[str, str], tmp_path: Path
) -> None:
    """Of many shards one is too small: the error says which, whoever builds the index."""
    given_ = (*prefixes, write(tmp_path / "tiny", [2, 2]))
    with pytest.raises(ValueError, match="tiny: 4 tokens are too few for one sample of 4"):
        loader(given_)
    with pytest.raises(ValueError, match="tiny: 4 tokens are too few"):
        Loader(Settings(given_, 4, 8), tmp_path / "cache")
    assert loader(given_, weights=(1.0, 1.0, 1.0), samples=16).size == 16


def test_a_size_is_kept_where_megatron_builds_more(prefixes: tuple[str, str]) -> None:
    """A hundred samples of a shard of 91 need a second epoch, of which only nine are seen."""
    assert loader(prefixes[:1], samples=100).size == 100


@pytest.mark.parametrize(
    ("share", "complaint"),
    [
        (Share(2, 2), "no rank 2 among 2"),
        (Share(-1, 2), "no rank -1"),
        (Share(0, 3), "cannot be divided among 3"),
    ],
)
def test_ranks_that_do_not_exist_are_refused(
    prefixes: tuple[str, str], share: Share, complaint: str
) -> None:
    """A batch is divided evenly, or not at all."""
    with pytest.raises(ValueError, match=complaint):
        loader(prefixes).batch(0, 0, share)


def test_samples_are_put_where_they_are_wanted(prefixes: tuple[str, str]) -> None:
    """A given array of a dtype that holds all tokens is filled: pinned memory, for example."""
    out = np.zeros((8, 5), dtype=np.int32)
    assert loader(prefixes).batch(0, 1, out=out) is out
    assert np.array_equal(out, loader(prefixes).batch(0, 1))
    with pytest.raises(ValueError, match=r"shape \(8, 5\), not \(7, 5\)"):
        loader(prefixes).batch(0, 1, out=out[:7])
    with pytest.raises(ValueError, match="uint8 cannot hold all uint16 tokens"):
        loader(prefixes).batch(0, 1, out=out.astype(np.uint8))


def test_a_cache_changes_nothing_but_where_the_order_lies(
    prefixes: tuple[str, str], tmp_path: Path
) -> None:
    """With a cache folder, batches are the same; the folder holds an index a shard and epoch, and the choice."""
    kept = Loader(Settings(prefixes, 4, 8), tmp_path / "cache")
    for epoch in (0, 1, 0):
        assert np.array_equal(kept.batch(epoch, 5), loader(prefixes).batch(epoch, 5))
    assert len(list((tmp_path / "cache").iterdir())) == 2 * 2 + 1
    mixed = kept.epoch(0)
    assert isinstance(mixed, Blend)
    assert not mixed.which.flags.writeable


@pytest.mark.parametrize(("weights", "size"), [(None, None), ((0.7, 0.3), 100)])
def test_the_order_can_be_prepared_by_several_processes(
    prefixes: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: tuple[float, float] | None,
    size: int | None,
) -> None:
    """Afterwards a loader builds nothing: each of its shards' indexes is in the cache."""
    made = Settings(prefixes, 4, 8, weights, size)
    prepare(made, tmp_path / "cache", workers=2, epoch=3)
    monkeypatch.setattr(samples, "build", None)
    found = blend(prefixes, weights, Request(4, size, 1237), tmp_path / "cache")
    monkeypatch.undo()
    assert len(list((tmp_path / "cache").iterdir())) == 2 + 1
    out = np.empty((8, 5), dtype=np.int64)
    found.gather(np.arange(8), out, np.arange(8))
    assert np.array_equal(out, Loader(made).batch(3, 0))


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order", 10**9),
        ("order", -5),
        ("places", 10**6),
        ("places", -7),
        ("shuffle", 4 * 10**9),
        ("shuffle", 400),
    ],
)
def test_a_damaged_order_gives_no_samples(
    prefixes: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: int,
    fast: bool,
) -> None:
    """Numbers in the cache's files that lie beyond the shard: an error, and no read beyond its end."""
    if not fast:
        monkeypatch.setattr(loops, "compiled", lambda _: None)
    made = Settings(prefixes[:1], 4, 8)
    Loader(made, tmp_path)
    (home,) = tmp_path.iterdir()
    array = np.load(home / f"{name}.npy")
    array[...] = value
    np.save(home / f"{name}.npy", array)
    with pytest.raises(BadShard, match=r"a: the order of its samples is none; .* remove"):
        Loader(made, tmp_path).batch(0, 0)


def test_identity_follows_content_and_settings_not_places(
    prefixes: tuple[str, str], tmp_path: Path
) -> None:
    """Copies of the shards elsewhere are the same; another seed or order of shards is not."""
    for prefix, name in zip(prefixes, "xy", strict=True):
        for old, new in zip(paths_of(prefix), paths_of(tmp_path / name), strict=True):
            shutil.copy(old, new)
    moved = loader((str(tmp_path / "x"), str(tmp_path / "y")))
    assert moved.identity() == loader(prefixes).identity()
    assert loader(prefixes, seed=7).identity() != loader(prefixes).identity()
    assert loader(prefixes[::-1]).identity() != loader(prefixes).identity()


@pytest.mark.parametrize("fast", [True, False])
def test_a_wrong_offset_is_refused_beforehand_and_when_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """An index that points past the tokens begins no training, and never gives other tokens."""
    if not fast:
        monkeypatch.setattr(loops, "compiled", lambda _: None)
    prefix = write(tmp_path / "bad", [5, 5, 5])
    idx = paths_of(prefix)[1]
    opened = loader((prefix,), batch=3)
    with idx.open("rb+") as file:
        file.seek(HEADER_BYTES + 12 + 8)
        file.write((26).to_bytes(8, "little"))
    with pytest.raises(BadShard, match=r"sequence 1 has 5 tokens from byte 26"):
        loader((prefix,), batch=3)
    with pytest.raises(BadShard, match=r"sequence [01]"):
        opened.batch(0, 0)
