"""Samples here are those of Megatron-Core's GPTDataset and BlendedDataset: the same, in order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shards.blend import Blend, blend
from shards.format import paths_of
from shards.samples import Request
from shards.writer import ShardWriter

pytestmark = pytest.mark.megatron
pytest.importorskip("megatron.core.datasets.indexed_dataset")


class Tokenizer:
    """As much of a tokenizer as the datasets ask for."""

    unique_identifiers = {"class": "Tokenizer"}  # noqa: RUF012 - read, never written
    vocab_size = 50_277
    eod = 0
    pad = -1
    special_tokens_dict: dict[str, str] = {}  # noqa: RUF012


def write(prefix: Path, documents: int, seed: int, dtype: str = "<u2") -> str:
    """Write documents of up to 300 tokens drawn by a seed."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(0, 300, documents)
    with ShardWriter(*paths_of(prefix), np.dtype(dtype), vocabulary=50_277, eod=0) as shard:
        shard.add(draw.integers(2, 50_277, lengths.sum()), lengths)
        shard.finish()
    return str(prefix)


def theirs(
    prefixes: list[str], weights: list[float] | None, length: int, size: int | None, seed: int
) -> Any:
    """Return Megatron-Core's dataset over shards, as its own builder makes it."""
    from megatron.core.datasets.blended_megatron_dataset_builder import (  # noqa: PLC0415
        BlendedMegatronDatasetBuilder,
    )
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig  # noqa: PLC0415

    config = GPTDatasetConfig(
        random_seed=seed,
        sequence_length=length,
        blend_per_split=[(prefixes, weights), None, None],
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        create_attention_mask=False,
        path_to_cache=None,
        tokenizer=Tokenizer(),
    )
    built = BlendedMegatronDatasetBuilder(GPTDataset, [size, 0, 0], lambda: True, config).build()
    return built[0]


def their_samples(dataset: Any) -> NDArray[np.int64]:
    """Return all samples of a dataset, tokens and the last label."""
    items = [dataset[number] for number in range(len(dataset))]
    rows = [np.append(item["tokens"].numpy(), item["labels"].numpy()[-1]) for item in items]
    return np.array(rows, dtype=np.int64)


def our_samples(
    prefixes: list[str], weights: list[float] | None, length: int, size: int | None, seed: int
) -> NDArray[np.int64]:
    """Return all samples of a blend."""
    ordered = blend(prefixes, weights, Request(length, size, seed))
    out = np.empty((len(ordered), length + 1), dtype=np.int64)
    ordered.gather(np.arange(len(ordered)), out, np.arange(len(ordered)))
    return out


@pytest.mark.parametrize("size", [None, 1, 100, 140, 180, 500])
@pytest.mark.parametrize(("length", "seed", "dtype"), [(64, 1234, "<u2"), (97, 7, "<i4")])
def test_samples_of_one_shard_are_megatrons(
    tmp_path: Path, size: int | None, length: int, seed: int, dtype: str
) -> None:
    """One epoch and several, with the last one apart and not: every token of every sample."""
    prefix = write(tmp_path / "one", 60, seed, dtype)
    dataset = theirs([prefix], None, length, size, seed)
    assert np.array_equal(their_samples(dataset), our_samples([prefix], None, length, size, seed))


@pytest.mark.parametrize(
    ("weights", "size"),
    [
        (None, None),
        (None, 200),
        ([0.7, 0.2, 0.1], 400),
        ([123.0, 456.5, 789.25], 1000),
        ([0.1, 0.1, 0.1], 333),
    ],
)
def test_blends_are_megatrons(
    tmp_path: Path, weights: list[float] | None, size: int | None
) -> None:
    """By sizes and by weights, for a given number of samples and for all."""
    counts = (40, 90, 15)
    prefixes = [write(tmp_path / f"{count}", count, count) for count in counts]
    dataset = theirs(prefixes, weights, 50, size, 1234)
    ours = blend(prefixes, weights, Request(50, size))
    assert isinstance(ours, Blend)
    assert np.array_equal(dataset.dataset_index, ours.which)
    assert np.array_equal(dataset.dataset_sample_index, ours.numbers)
    assert np.array_equal(their_samples(dataset), our_samples(prefixes, weights, 50, size, 1234))
