"""The slow way itself."""

import datasketch
import pytest

from dedup import reference
from dedup.bands import Bands
from dedup.scheme import Scheme

WORDS = Scheme(words="whitespace", n=2)


def test_shingle_set_has_no_repeats():
    """The set holds each pair of neighbouring words once."""
    assert reference.shingle_set("a b a b", WORDS) == {b"a b", b"b a"}


def test_short_text_has_no_minhash():
    """A text without shingles has nothing to compare."""
    assert reference.minhash("one", WORDS) is None


def test_minhash_is_of_the_scheme():
    """Seed, permutations and family are handed to datasketch."""
    found = reference.minhash("a b c", Scheme(words="whitespace", n=2, permutations=7, seed=3))
    assert isinstance(found, datasketch.MinHash)
    assert (len(found), found.seed) == (7, 3)


@pytest.mark.parametrize(
    ("rule", "expected"), [("keep_first", [False, True, False]), ("keep_last", [True, True, False])]
)
def test_rules_differ_on_chains(rule, expected):
    """Of a chain the first rule keeps both ends, the last rule the last document."""
    scheme = Scheme(permutations=3)
    chain = [reference.from_values(row, scheme) for row in ([1, 1, 1], [1, 2, 2], [3, 2, 3])]
    assert getattr(reference, rule)(chain, Bands(3, 1)) == expected


def test_old_datasketch_has_one_family(monkeypatch):
    """Before datasketch 2.0 there were the legacy permutations alone; others are refused."""
    monkeypatch.setattr(reference, "_HAS_SCHEMES", False)
    with pytest.raises(ValueError, match="no permutations 'affine32'"):
        reference.minhash("a b c", Scheme("datasketch-affine32", words="whitespace", n=2))
