"""Schemes: what may be one, and how they are told apart."""

import json
from dataclasses import replace

import pytest

from dedup.scheme import METADATA_KEY, Scheme, SchemeMismatch, require_same, scheme_of


def test_default_scheme_is_the_piles():
    """5-grams of words, 10 permutations of seed 1, as datasketch of 2020 made them."""
    assert Scheme() == Scheme("datasketch-legacy", "treebank", 5, 10, 1, "text")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "legacy"}, "name 'legacy' is not one of datasketch-affine32, datasketch-legacy"),
        ({"words": "punkt"}, "words 'punkt' is not one of treebank, whitespace"),
        ({"digest": "md5"}, "digest 'md5' is not one of normalised, text"),
        ({"n": 0}, "n 0 is not within 1 and 1000"),
        ({"permutations": 0}, "permutations 0 is not within"),
        ({"seed": -1}, "seed -1 is not within"),
        ({"seed": 1 << 32}, "seed 4294967296 is not within"),
    ],
)
def test_what_is_no_scheme_is_refused(change, message):
    """The error names the field, the value and what it may be."""
    with pytest.raises(ValueError, match=message):
        Scheme(**change)


def test_metadata_gives_the_scheme_back():
    """A scheme survives an Arrow schema's metadata, among other entries."""
    scheme = Scheme("datasketch-affine32", "whitespace", 13, 128, 7, "normalised")
    assert scheme_of({b"other": b"", **scheme.metadata()}) == scheme


@pytest.mark.parametrize("metadata", [None, {}, {b"other": b"{}"}])
def test_metadata_without_a_scheme_is_refused(metadata):
    """A table that names no scheme is no table of signatures."""
    with pytest.raises(SchemeMismatch, match=r"no dedup\.scheme in the metadata"):
        scheme_of(metadata)


@pytest.mark.parametrize("change", [{"version": 0}, {"version": None}, {"colour": "red"}])
def test_metadata_of_another_version_is_refused(change):
    """Signatures of another version, or with fields that are not known, are to be made again."""
    (encoded,) = Scheme().metadata().values()
    with pytest.raises(SchemeMismatch, match="make them again"):
        scheme_of({METADATA_KEY: json.dumps({**json.loads(encoded), **change}).encode()})


def test_mismatch_names_what_differs():
    """The error says which fields differ and how."""
    require_same(Scheme(), Scheme())
    with pytest.raises(SchemeMismatch, match=r"n 5 and 13, seed 1 and 2$"):
        require_same(Scheme(), replace(Scheme(), n=13, seed=2))
