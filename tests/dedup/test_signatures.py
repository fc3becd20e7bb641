"""Signatures as tables, and parts of them together."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.minhash import sign
from dedup.scheme import Scheme, SchemeMismatch
from dedup.signatures import Signatures, concatenate

TEXTS = [f"a text of some words that ends in {number}" for number in range(9)] + ["", "short"]
IDS = [f"source/{number}" for number in range(len(TEXTS))]


def same(one, other):
    """Say whether two sets of signatures are equal in all they hold."""
    return (
        one.scheme == other.scheme
        and one.ids.equals(other.ids)
        and np.array_equal(one.digests, other.digests)
        and np.array_equal(one.signed, other.signed)
        and np.array_equal(one.values, other.values)
    )


@pytest.mark.parametrize("count", [0, len(TEXTS)])
def test_table_gives_signatures_back(count, tmp_path):
    """Signatures survive Arrow and Parquet, with their scheme, however many there are."""
    signed = sign(IDS[:count], TEXTS[:count], Scheme(digest="normalised"))
    path = tmp_path / "part.parquet"
    pq.write_table(signed.to_table(), path)
    assert same(Signatures.from_table(signed.to_table()), signed)
    assert same(Signatures.from_table(pq.read_table(path)), signed)


def test_slices_of_a_table_can_be_read():
    """A slice of a table holds the signatures of its documents."""
    signed = sign(IDS, TEXTS, Scheme())
    part = Signatures.from_table(signed.to_table().slice(3, 7))
    assert same(part, sign(IDS[3:10], TEXTS[3:10], Scheme()))


def test_same_signatures_give_the_same_bytes(tmp_path):
    """Writing twice gives one Parquet file, byte for byte."""
    for name in ("one", "two"):
        pq.write_table(sign(IDS, TEXTS, Scheme()).to_table(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_parts_make_a_whole():
    """Parts of documents, put together in order, are the signatures of all."""
    cuts = [0, 4, 4, 9, len(TEXTS)]
    parts = [sign(IDS[start:stop], TEXTS[start:stop], Scheme()) for start, stop in pairwise(cuts)]
    assert same(concatenate(iter(parts)), sign(IDS, TEXTS, Scheme()))


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"n": 4}, {"name": "datasketch-affine32"}, {"words": "whitespace"}]
)
def test_parts_of_different_schemes_are_refused(change):
    """Signatures of another seed, n, family or words are never put together."""
    parts = [sign(IDS, TEXTS, scheme) for scheme in (Scheme(), replace(Scheme(), **change))]
    with pytest.raises(SchemeMismatch, match=f"cannot be compared: {next(iter(change))} "):
        concatenate(parts)


def test_no_parts_are_refused():
    """Nothing has no scheme."""
    with pytest.raises(ValueError, match="no parts"):
        concatenate([])


def test_other_tables_are_refused():
    """A table without a scheme, or with other columns, is no table of signatures."""
    table = sign(IDS, TEXTS, Scheme()).to_table()
    with pytest.raises(SchemeMismatch, match=r"no dedup\.scheme"):
        Signatures.from_table(table.replace_schema_metadata())
    with pytest.raises(ValueError, match="not the columns of signatures"):
        Signatures.from_table(table.drop_columns(["digest"]))
    mixed = table.replace_schema_metadata(Scheme(permutations=9).metadata())
    with pytest.raises(ValueError, match="not the columns of signatures"):
        Signatures.from_table(mixed)
    assert table.schema.field("signature").type == pa.list_(
        pa.field("item", pa.uint32(), nullable=False), 10
    )
