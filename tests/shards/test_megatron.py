"""Shards opened by Megatron-Core's own reader give the documents that were written."""

from pathlib import Path

import numpy as np
import pytest

from shards.format import paths_of
from shards.reader import Shard
from shards.writer import EmptyDocuments, ShardWriter

pytestmark = pytest.mark.megatron
indexed_dataset = pytest.importorskip("megatron.core.datasets.indexed_dataset")


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("dtype", ["<u2", "<i4"])
@pytest.mark.parametrize("empty", ["keep", "drop"])
def test_megatron_reads_what_was_written(
    tmp_path: Path, golden_ids: list[list[int]], dtype: str, empty: EmptyDocuments, mmap: bool
) -> None:
    """Lengths, dtype, document boundaries and every token, by either way of reading."""
    prefix = tmp_path / "golden"
    with ShardWriter(
        *paths_of(prefix), np.dtype(dtype), vocabulary=50_277, eod=0, empty=empty
    ) as shard:
        ids = [token for document in golden_ids for token in document]
        shard.add(ids, [len(document) for document in golden_ids])
        facts = shard.finish()
    written = [[*document, 0] for document in golden_ids if document or empty == "keep"]
    # Bound to a name: its arrays are views that die with it.
    dataset = indexed_dataset.IndexedDataset(str(prefix), mmap=mmap)
    assert len(dataset) == facts.documents == len(written)
    assert dataset.index.dtype == np.dtype(dtype)
    assert dataset.sequence_lengths.tolist() == [len(document) for document in written]
    assert dataset.document_indices.tolist() == list(range(len(written) + 1))
    assert [dataset[number].tolist() for number in range(len(dataset))] == written
    assert [tokens.tolist() for tokens in Shard.open(prefix)] == written


def test_megatrons_own_shards_are_read_here(tmp_path: Path, golden_ids: list[list[int]]) -> None:
    """The other way round: what Megatron's builder writes opens, and holds the same bytes."""
    prefix = tmp_path / "theirs"
    bin_path, idx_path = paths_of(prefix)
    builder = indexed_dataset.IndexedDatasetBuilder(str(bin_path), dtype=np.uint16)
    documents = [[*document, 0] for document in golden_ids]
    for document in documents:
        builder.add_document(document, [len(document)])
    builder.finalize(str(idx_path))
    assert [tokens.tolist() for tokens in Shard.open(prefix)] == documents
    ours = tmp_path / "ours"
    with ShardWriter(*paths_of(ours), np.dtype("<u2"), vocabulary=50_277, eod=0) as shard:
        ids = [token for document in golden_ids for token in document]
        shard.add(ids, [len(document) for document in golden_ids])
        shard.finish()
    assert bin_path.read_bytes() == paths_of(ours)[0].read_bytes()
    assert idx_path.read_bytes() == paths_of(ours)[1].read_bytes()
