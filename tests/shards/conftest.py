"""What the tests of shards share: a small shard, and the golden documents as tokens."""

import json
from pathlib import Path

import pytest

from shards.format import dtype_for, paths_of
from shards.writer import ShardWriter


@pytest.fixture
def golden_ids() -> list[list[int]]:
    """Ids the released GPT-NeoX-20B tokenizer gives golden.jsonl, special tokens taken as such."""
    path = Path(__file__).parent / "golden_ids.json"
    ids: list[list[int]] = json.loads(path.read_text(encoding="utf-8"))
    return ids


@pytest.fixture
def small_shard(tmp_path: Path) -> Path:
    """Prefix of a shard of four documents, the second of them empty; vocabulary 100, EOD 0."""
    prefix = tmp_path / "small"
    with ShardWriter(*paths_of(prefix), dtype_for(100), vocabulary=100, eod=0) as writer:
        writer.add([5, 6, 7, 99], [3, 0, 1])
        writer.add([1, 2], [2])
        writer.finish()
    return prefix
