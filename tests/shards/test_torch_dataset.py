"""Tests of the loader for PyTorch."""

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from shards.dataset import Loader, Settings, Share
from shards.format import BadShard, paths_of
from shards.writer import ShardWriter

torch = pytest.importorskip("torch")
adapter = pytest.importorskip("shards.torch_dataset")


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    """Return a loader of 79 samples of 9 tokens, 6 a step."""
    prefix = tmp_path / "shard"
    with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=60_000, eod=0) as shard:
        shard.add(np.arange(1, 561), [7] * 80)
        shard.finish()
    return Loader(Settings((str(prefix),), 8, 6), tmp_path / "cache")


def test_a_dataset_gives_the_samples_of_the_loader(loader: Loader) -> None:
    """One by one, several at once, and through a DataLoader: int64 tensors of L + 1 tokens."""
    dataset = adapter.TokenDataset(loader, epoch=1)
    assert isinstance(dataset, torch.utils.data.Dataset)
    assert len(dataset) == loader.size == 79
    expected = torch.from_numpy(loader.batch(1, 2))
    assert expected.dtype == torch.int64
    assert torch.equal(torch.stack([dataset[number] for number in range(12, 18)]), expected)
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=6, drop_last=True))
    assert len(batches) == loader.steps
    assert torch.equal(batches[2], expected)
    with pytest.raises(IndexError):
        dataset[79]


def test_workers_of_a_dataloader_give_the_same(loader: Loader) -> None:
    """Two processes that open the shards for themselves change nothing."""
    dataset = adapter.TokenDataset(loader)
    batches = torch.utils.data.DataLoader(dataset, batch_size=6, num_workers=2)
    for step, batch in zip(range(loader.steps), batches, strict=False):
        assert np.array_equal(batch.numpy(), loader.batch(0, step))


def test_a_dataset_is_sent_as_settings(loader: Loader) -> None:
    """Pickling sends names and numbers, not arrays."""
    sent = pickle.dumps(adapter.TokenDataset(loader))
    assert len(sent) < 1000
    assert torch.equal(pickle.loads(sent)[3], adapter.TokenDataset(loader)[3])


@pytest.mark.parametrize("ahead", [1, 3])
def test_prefetched_batches_are_those_of_the_loader(loader: Loader, ahead: int) -> None:
    """From any step on, across the end of an epoch, for any rank; the thread ends with the loop."""
    for share in (Share(), Share(1, 3)):
        first = loader.steps - 2
        batches = adapter.prefetched(loader, first, share, ahead=ahead)
        for step, batch in zip(range(first, first + 4), batches, strict=False):
            assert np.array_equal(batch.numpy(), loader.batch(*divmod(step, loader.steps), share))
        batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "shards-prefetch"]


def test_an_error_in_the_thread_is_raised_where_batches_are_taken(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong shard stops training with its own message, not with silence."""

    def broken(*_: object, **__: object) -> None:
        raise BadShard("sequence 7 does not lie where it should")

    monkeypatch.setattr(loader, "batch", broken)
    with pytest.raises(BadShard, match="sequence 7"):
        next(adapter.prefetched(loader))
    with pytest.raises(ValueError, match="cannot be divided among 4"):
        next(adapter.prefetched(loader, share=Share(0, 4)))
    with pytest.raises(ValueError, match="0 batches cannot be fetched ahead"):
        next(adapter.prefetched(loader, ahead=0))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_batches_arrive_on_a_gpu(loader: Loader) -> None:
    """The same numbers, on the device, whatever is computed meanwhile."""
    batches = adapter.prefetched(loader, device="cuda")
    for step, batch in zip(range(40), batches, strict=False):
        assert batch.is_cuda
        (torch.randn(1000, 1000, device="cuda") @ torch.randn(1000, 1000, device="cuda")).sum()
        assert np.array_equal(batch.cpu().numpy(), loader.batch(*divmod(step, loader.steps)))
    batches.close()
