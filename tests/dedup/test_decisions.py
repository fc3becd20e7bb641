"""Decisions as counts and as a table."""

import json

import pyarrow as pa
import pytest

from dedup.bands import Bands
from dedup.clusters import decide
from dedup.decisions import METADATA_KEY
from dedup.minhash import sign
from dedup.scheme import Scheme, scheme_of

SCHEME = Scheme(words="whitespace", n=1)
TEXTS = ["a b c d e f g h i j", "k l m", "a b c d e f g h i k", "k l m", ""]
IDS = [f"source/{name}" for name in "abcde"]


@pytest.fixture
def decided():
    """Five documents: a survivor, another, a near-duplicate, an exact one, and one unsigned."""
    return decide([sign(IDS, TEXTS, SCHEME)], Bands(5, 2), "first")


def test_counts_add_up(decided):
    """Survivors and duplicates are all the documents."""
    assert decided.counts() == {
        "documents": 5,
        "survivors": 3,
        "exact": 1,
        "near": 1,
        "unsigned": 1,
    }


def test_table_names_documents(decided):
    """The table names the match and the survivor by id, and leaves a survivor's match empty."""
    rows = decided.to_table().to_pylist()
    assert [row["id"] for row in rows] == IDS
    assert [row["duplicate"] for row in rows] == [False, False, True, True, False]
    assert [row["kind"] for row in rows] == [None, None, "near", "exact", None]
    assert [row["matched"] for row in rows] == [None, None, "source/a", "source/b", None]
    assert [row["kept"] for row in rows] == ["source/" + name for name in "ababe"]
    assert [row["similarity"] for row in rows] == [None, None, pytest.approx(0.8), 1.0, None]


def test_table_can_be_had_in_slices(decided):
    """Slices hold the same rows, whose matches may lie outside of them."""
    slices = [decided.to_table(0, 2), decided.to_table(2, 4), decided.to_table(4)]
    assert pa.concat_tables(slices).equals(decided.to_table())


def test_table_says_how_it_was_made(decided):
    """The schema's metadata holds the scheme of the signatures, the bands and the rule."""
    metadata = decided.to_table().schema.metadata
    assert scheme_of(metadata) == SCHEME
    assert json.loads(metadata[METADATA_KEY]) == {"bands": 5, "rows": 2, "keep": "first"}
