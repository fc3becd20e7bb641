"""Which documents are duplicates, against datasketch run as the Pile ran it."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dedup import clusters, reference
from dedup.bands import Bands
from dedup.clusters import decide
from dedup.decisions import EXACT, NEAR, NONE, SURVIVOR
from dedup.exact import digests
from dedup.minhash import sign
from dedup.scheme import Scheme, SchemeMismatch
from dedup.signatures import Signatures

PILE = Bands(3, 3)
WORDS = Scheme(words="whitespace")
RULES = {"first": reference.keep_first, "last": reference.keep_last}
both_rules = pytest.mark.parametrize("keep", sorted(RULES))


def signatures_of(values, *, texts=None):
    """Return signatures with these numbers; documents differ in text unless texts are given."""
    values = np.asarray(values, np.uint32)
    names = [str(number) for number in range(len(values))]
    return Signatures(
        Scheme(permutations=values.shape[1]),
        pa.array(names, pa.large_string()),
        digests(names if texts is None else texts),
        np.ones(len(values), np.bool_),
        values,
    )


def expected_duplicates(values, bands, keep):
    """Ask datasketch which signatures are duplicates."""
    scheme = Scheme(permutations=values.shape[1])
    return RULES[keep]([reference.from_values(row, scheme) for row in values], bands)


def mutated_texts(count, vocabulary, seed):
    """Make up texts, four of five of them copies of an earlier one with some words changed."""
    generator = np.random.default_rng(seed)
    texts = []
    for number in range(count):
        words = generator.integers(0, vocabulary, generator.integers(3, 60)).astype(str)
        if number and generator.random() < 0.8:
            words = np.array(texts[generator.integers(0, number)].split())
            changed = generator.random(len(words)) < generator.choice([0.0, 0.01, 0.05, 0.1])
            words[changed] = generator.integers(0, vocabulary, changed.sum()).astype(str)
        texts.append(" ".join(words))
    return texts


@both_rules
def test_agrees_with_datasketch_on_thousands_of_signatures(keep):
    """Over 2,000 signatures full of chains, the duplicates are datasketch's, one by one."""
    values = np.random.default_rng(5).integers(0, 10, (2000, 10)).astype(np.uint32)
    decided = decide([signatures_of(values)], PILE, keep)
    expected = expected_duplicates(values, PILE, keep)
    assert (decided.kind == NEAR).tolist() == expected
    assert 500 < sum(expected) < 1700


@both_rules
def test_agrees_with_datasketch_on_thousands_of_texts(keep):
    """Over 1,500 texts with copies, near copies and short ones, so too from text to decision."""
    texts = mutated_texts(1500, vocabulary=1000, seed=11)
    decided = decide([sign(map(str, range(1500)), texts, WORDS)], PILE, keep)
    published = RULES[keep]([reference.minhash(text, WORDS) for text in texts], PILE)
    signed = decided.signed
    assert (decided.kind != SURVIVOR)[signed].tolist() == np.array(published)[signed].tolist()
    kinds = np.bincount(decided.kind, minlength=3)
    assert (kinds > 100).all()
    assert np.count_nonzero(~signed) > 5


@settings(max_examples=100)
@given(
    arrays(np.uint32, st.tuples(st.integers(1, 14), st.just(6)), elements=st.integers(0, 2)),
    st.sampled_from([Bands(2, 1), Bands(3, 1), Bands(2, 2), Bands(3, 2), Bands(2, 3)]),
    st.sampled_from(sorted(RULES)),
)
def test_agrees_with_datasketch_on_any_signatures(values, bands, keep):
    """Whatever the signatures, the bands and the rule, the duplicates are datasketch's."""
    decided = decide([signatures_of(values)], bands, keep)
    assert (decided.kind == NEAR).tolist() == expected_duplicates(values, bands, keep)


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from([(0, 0, 0), (0, 1, 1), (2, 1, 3), (2, 4, 4), (5, 5, 3)]),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(sorted(RULES)),
)
def test_exact_stage_does_not_change_survivors(values, keep):
    """Taking equal texts out first leaves the survivors of the published way, which did not."""
    values = np.array(values, np.uint32)
    texts = [str(row) for row in values.tolist()]
    decided = decide([signatures_of(values, texts=texts)], Bands(3, 1), keep)
    assert (decided.kind != SURVIVOR).tolist() == expected_duplicates(values, Bands(3, 1), keep)
    assert np.count_nonzero(decided.kind == EXACT) == len(texts) - len(set(texts))


CHAIN = [[1, 1, 1], [1, 2, 2], [3, 2, 3]]
"""A and B share a band, B and C another, A and C none."""


def test_chain_by_the_first_rule():
    """Keeping the first, C stays: B, which it resembles, was never kept."""
    decided = decide([signatures_of(CHAIN)], Bands(3, 1), "first")
    assert decided.kind.tolist() == [SURVIVOR, NEAR, SURVIVOR]
    assert decided.matched.tolist() == [NONE, 0, NONE]
    assert decided.kept.tolist() == [0, 0, 2]


def test_chain_by_the_last_rule():
    """Keeping the last, C alone stays, and A leads to it through B."""
    decided = decide([signatures_of(CHAIN)], Bands(3, 1), "last")
    assert decided.kind.tolist() == [NEAR, NEAR, SURVIVOR]
    assert decided.matched.tolist() == [1, 2, NONE]
    assert decided.kept.tolist() == [2, 2, 2]


def test_best_match_is_reported():
    """Of several matches the most similar is named; of equals the first or the last."""
    values = [[1, 9, 9, 9], [2, 8, 8, 3], [1, 2, 8, 3], [1, 2, 7, 7], [7, 2, 7, 7]]
    first = decide([signatures_of(values)], Bands(2, 1), "first")
    assert first.matched.tolist() == [NONE, NONE, 0, 0, NONE]
    assert first.similarity[2:4].tolist() == [0.25, 0.25]
    last = decide([signatures_of(values)], Bands(2, 1), "last")
    assert last.matched.tolist() == [3, NONE, 3, 4, NONE]
    assert last.similarity[[0, 2, 3]].tolist() == [0.25, 0.5, 0.75]
    tied = [[1, 1, 5], [2, 2, 6], [2, 1, 7]]
    assert decide([signatures_of(tied)], Bands(2, 1), "first").matched[2] == 0
    assert decide([signatures_of(tied[::-1])], Bands(2, 1), "last").matched[0] == 2


@both_rules
def test_every_duplicate_leads_to_a_survivor(keep):
    """Matches run towards the favoured end, and every document's `kept` is a survivor."""
    values = np.random.default_rng(2).integers(0, 8, (1000, 10)).astype(np.uint32)
    decided = decide([signatures_of(values)], PILE, keep)
    duplicates = np.flatnonzero(decided.kind != SURVIVOR)
    survivors = np.flatnonzero(decided.kind == SURVIVOR)
    assert len(duplicates) > 300
    if keep == "first":
        assert (decided.matched[duplicates] < duplicates).all()
        assert np.array_equal(decided.matched[duplicates], decided.kept[duplicates])
    else:
        assert (decided.matched[duplicates] > duplicates).all()
    assert (decided.kind[decided.kept] == SURVIVOR).all()
    assert np.array_equal(decided.kept[survivors], survivors)
    agreeing = (values[duplicates] == values[decided.matched[duplicates]]).mean(axis=1)
    assert np.allclose(decided.similarity[duplicates], agreeing)
    assert (agreeing >= 0.3).all()
    assert np.isnan(decided.similarity[survivors]).all()


@both_rules
def test_short_texts_do_not_collapse(keep):
    """Texts without a signature are duplicates of equal texts only, as published they were all one."""
    texts = ["", "a b", "c d", "a b", "one two three four five", ""]
    decided = decide([sign("123456", texts, WORDS)], PILE, keep)
    kept = {"first": [0, 1, 2, 1, 4, 0], "last": [5, 3, 2, 3, 4, 5]}[keep]
    assert decided.kept.tolist() == kept
    assert set(decided.kind.tolist()) == {SURVIVOR, EXACT}
    assert decided.signed.tolist() == [False] * 4 + [True, False]


@both_rules
def test_exact_duplicate_of_a_near_duplicate_leads_on(keep):
    """A copy of a near-duplicate is exact, and leads to the survivor of the cluster."""
    values = [[1, 1], [1, 2], [1, 2]] if keep == "first" else [[1, 2], [1, 2], [1, 1]]
    texts = ["x", "y", "y"] if keep == "first" else ["y", "y", "x"]
    decided = decide([signatures_of(values, texts=texts)], Bands(2, 1), keep)
    assert sorted(decided.kind.tolist()) == [SURVIVOR, EXACT, NEAR]
    assert len(set(decided.kept.tolist())) == 1


def test_normalised_digests_find_equal_wording():
    """With normalised digests, texts that differ in case and blanks alone are exact duplicates."""
    texts = ["One two three", "one  TWO three", "one two four"]
    for digest, expected in (("text", 0), ("normalised", 1)):
        scheme = Scheme(digest=digest)
        assert decide([sign("abc", texts, scheme)], PILE, "first").counts()["exact"] == expected


@both_rules
@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 200), max_size=5))
def test_parts_do_not_show(keep, cuts):
    """However documents are cut into parts, in one order, the table of decisions is the same."""
    texts = mutated_texts(200, vocabulary=200, seed=3)
    ids = [f"source/{number}" for number in range(200)]
    whole = sign(ids, texts, WORDS)
    edges = [0, *sorted(cuts), 200]
    parts = [
        Signatures.from_table(whole.to_table().slice(start, stop - start))
        for start, stop in pairwise(edges)
    ]
    expected = decide([whole], PILE, keep).to_table()
    assert decide(parts, PILE, keep).to_table().equals(expected, check_metadata=True)


def test_chunks_do_not_show(monkeypatch):
    """How many documents are looked at together changes nothing."""
    values = np.random.default_rng(4).integers(0, 8, (300, 10)).astype(np.uint32)
    expected = decide([signatures_of(values)], PILE, "first").to_table()
    monkeypatch.setattr(clusters, "_CHUNK", 7)
    assert decide([signatures_of(values)], PILE, "first").to_table().equals(expected)


@pytest.mark.parametrize(("shared", "distinct"), [(30, 35), (50, 25), (70, 15), (80, 10), (90, 5)])
def test_recall_follows_the_curve(shared, distinct):
    """Of 1,500 planted pairs of a known similarity, as many are found as the bands promise."""
    bands, pairs = Bands(3, 3), 1500
    texts = []
    for pair in range(pairs):
        common = [f"{pair}c{number}" for number in range(shared)]
        own = ([f"{pair}{side}{number}" for number in range(distinct)] for side in "ab")
        texts.extend(" ".join(common + words) for words in own)
    scheme = Scheme(words="whitespace", n=1)
    decided = decide([sign(map(str, range(len(texts))), texts, scheme)], bands, "first")
    expected = bands.match_probability(shared / (shared + 2 * distinct))
    found = np.count_nonzero(decided.kind[1::2] == NEAR) / pairs
    assert found == pytest.approx(expected, abs=0.04)
    assert (decided.kind[::2] == SURVIVOR).mean() > 0.99


def test_parts_of_different_schemes_are_refused():
    """Signatures made in two ways are never compared."""
    parts = [sign("a", ["text"], WORDS), sign("b", ["text"], Scheme(seed=2, words="whitespace"))]
    with pytest.raises(SchemeMismatch, match="seed 1 and 2"):
        decide(parts, PILE, "first")


def test_bands_beyond_the_signature_are_refused():
    """Bands that need longer signatures are an error, not fewer bands."""
    with pytest.raises(ValueError, match="need signatures of 12 permutations"):
        decide([sign("a", ["text"], WORDS)], Bands(4, 3), "first")


@both_rules
def test_no_documents_give_no_decisions(keep):
    """An empty part is decided like any other."""
    assert decide([sign([], [], WORDS)], PILE, keep).counts()["documents"] == 0


PROGRAM = """
import hashlib
from dedup.bands import Bands
from dedup.clusters import decide
from dedup.minhash import sign
from dedup.scheme import Scheme
texts = [f"it's text {n % 17} of some words, more or less {n % 5}" for n in range(200)]
for keep in ("first", "last"):
    table = decide([sign(map(str, range(200)), texts, Scheme())], Bands(3, 3), keep).to_table()
    print(hashlib.sha256(repr((table.schema, table.to_pylist())).encode()).hexdigest())
"""


def test_hash_seed_does_not_show():
    """Two processes with different hash seeds print the same digests of their decisions."""
    outputs = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(run.stdout.split())
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0])) == 2
