"""Tables in buckets: each is read alone, and damage is noticed where it is read."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.mixing import bucketed
from pile.mixing.bucketed import CorruptBucketError

SCHEMA = pa.schema([pa.field("text", pa.large_string(), nullable=False)])


def batch(texts: list[str]) -> pa.RecordBatch:
    """Return texts as rows."""
    return pa.record_batch([pa.array(texts, pa.large_string())], schema=SCHEMA)


@given(filled=st.dictionaries(st.integers(0, 9), st.lists(st.text(), min_size=1), max_size=6))
def test_every_bucket_is_read_alone(
    filled: dict[int, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever buckets are filled, any range of them gives back what was written, and no more."""
    path = tmp_path_factory.mktemp("buckets") / "a.buckets"
    bucketed.write(path, 10, ((bucket, batch(filled[bucket])) for bucket in sorted(filled)))
    for first, stop in ((0, 10), (3, 7), (9, 10), (4, 4)):
        found = bucketed.open_buckets(path, first, stop)
        for bucket in range(first, stop):
            rows = found.read(bucket)
            texts = rows.column("text").to_pylist() if rows else None
            assert texts == filled.get(bucket)
    every = [text for rows in bucketed.rows(path) for text in rows.column("text").to_pylist()]
    assert every == [text for bucket in sorted(filled) for text in filled[bucket]]


def test_damage_is_noticed(tmp_path: Path) -> None:
    """A changed byte, a file cut short, and another's file are errors that name it."""
    path = tmp_path / "a.buckets"
    bucketed.write(path, 3, [(1, batch(["some text"] * 50))])
    whole = path.read_bytes()
    for place in range(0, 200, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CorruptBucketError, match=r"a\.buckets: bucket 1 is damaged"):
            bucketed.open_buckets(path, 0, 3).read(1)
    for length in (0, 5, len(whole) - 8):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptBucketError, match=r"a\.buckets"):
            bucketed.open_buckets(path, 0, 3).read(1)
