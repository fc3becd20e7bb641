"""Tests of the side files of other trainers."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from shards.format import paths_of
from shards.reader import Shard
from shards.sides import short, write_datatrove, write_olmo
from shards.writer import ShardWriter


def test_datatrove_files_of_the_golden_documents(
    tmp_path: Path, golden_ids: list[list[int]]
) -> None:
    """Fifty ends of eight bytes, the first 3, 6, 7, 9, 11, 13; metadata as datatrove writes it."""
    with ShardWriter(
        *paths_of(tmp_path / "c"), np.dtype("<u2"), vocabulary=50_277, eod=0
    ) as writer:
        writer.add([token for ids in golden_ids for token in ids], [*map(len, golden_ids)])
        facts = writer.finish()
    index, metadata = tmp_path / "c.ds.index", tmp_path / "c.ds.metadata"
    write_datatrove(Shard.open(tmp_path / "c"), index, metadata, "20B_tokenizer.json")
    ends = np.frombuffer(index.read_bytes(), dtype="<u8")
    assert ends.size == 50
    assert ends[:6].tolist() == [3, 6, 7, 9, 11, 13]
    assert ends[-1] == facts.tokens
    assert metadata.read_bytes() == b"20B_tokenizer.json|2\n1816\n1.82 kT"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0.00 "),
        (9, "9.00 "),
        (10, "10.0 "),
        (999, "999 "),
        (1816, "1.82 k"),
        (9999, "10.0 k"),
        (999_999, "1.00 M"),
        (300_000_000_000, "300 G"),
        (5 * 10**12, "5.00 T"),
    ],
)
def test_counts_in_short(count: int, expected: str) -> None:
    """Three digits, rounded, as the package humanize has them."""
    assert short(count) == expected


def test_olmo_table_says_where_documents_lie_and_come_from(
    tmp_path: Path, small_shard: Path
) -> None:
    """A row a document: begin, end, id, source, line; the same bytes each time."""
    shard = Shard.open(small_shard)
    rows = [(f"wiki/{number}", "a,b.jsonl.zst", number + 1) for number in range(4)]
    write_olmo(shard, tmp_path / "a.csv.gz", rows)
    write_olmo(shard, tmp_path / "b.csv.gz", rows)
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode("utf-8") == (
        '0,4,wiki/0,"a,b.jsonl.zst",1\n4,5,wiki/1,"a,b.jsonl.zst",2\n'
        '5,7,wiki/2,"a,b.jsonl.zst",3\n7,10,wiki/3,"a,b.jsonl.zst",4\n'
    )
    digests = {hashlib.sha256((tmp_path / f"{name}.csv.gz").read_bytes()).digest() for name in "ab"}
    assert len(digests) == 1


@pytest.mark.parametrize("count", [3, 5])
def test_olmo_table_needs_a_description_of_every_document(
    tmp_path: Path, small_shard: Path, count: int
) -> None:
    """Fewer or more than the shard has are an error, and leave no file."""
    with pytest.raises(ValueError, match="has 4 documents"):
        write_olmo(Shard.open(small_shard), tmp_path / "x.csv.gz", [("id", "file", 1)] * count)
    assert not (tmp_path / "x.csv.gz").exists()
