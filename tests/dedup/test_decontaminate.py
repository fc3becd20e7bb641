"""Benchmarks in texts: found, attributed, cut out."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import minhash
from dedup.decontaminate import Hit, cut_hits, find_hits, grams_of

QUESTION = "Which of the Two trains, both of which leave at nine, arrives first in Ghent or Bruges?"
ANSWER = "which of the two trains, both of which leave at nine, arrives never in any town"


def test_hits_are_attributed():
    """A run of 13 words, whatever its case and blanks, is a hit of all benchmarks that hold it."""
    grams = grams_of({"trains": [QUESTION], "towns": ["no", ANSWER]})
    text = "So: \t" + QUESTION.upper().replace(" ", "\n ") + " said he."
    (found,) = find_hits([text], grams)
    assert {name for hit in found for name in hit.benchmarks} == {"trains"}
    assert len(found) == len(QUESTION.split()) - 12
    assert text[found[0].start : found[0].stop].lower().split() == QUESTION.lower().split()[:13]
    assert grams.short == {"towns": 1, "trains": 0}
    shared = grams_of({"b": [QUESTION], "a": [ANSWER]}, n=5)
    assert next(find_hits(["two trains, both of which"], shared))[0].benchmarks == ("a", "b")


def test_twelve_words_are_no_hit():
    """A run one word shorter is not found."""
    grams = grams_of({"trains": [QUESTION]})
    assert list(find_hits([" ".join(QUESTION.split()[:12]) + " x"], grams)) == [()]


WORDS = st.lists(st.sampled_from(["a", "B", "c", "İ", "ǅ", "é"]), max_size=14).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=5), st.lists(WORDS, max_size=5), st.integers(1, 4))
def test_hits_are_the_runs_that_both_hold(texts, benchmark, n):
    """With and without the kernels, hits are those found by looking at every run of words."""
    grams = grams_of({"it": benchmark}, n)
    runs = {
        tuple(words[at : at + n])
        for words in (text.lower().split() for text in benchmark)
        for at in range(len(words) - n + 1)
    }
    expected = []
    for text in texts:
        words = text.lower().split()
        expected.append([tuple(words[at : at + n]) in runs for at in range(len(words) - n + 1)])
    for warmed in ([], [True]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(minhash, "_warmed", warmed)
            found = list(find_hits(pa.array(texts, pa.string()), grams))
        assert [len(hits) for hits in found] == [sum(known) for known in expected]
        for text, hits in zip(texts, found, strict=True):
            assert all(tuple(text[hit.start : hit.stop].lower().split()) in runs for hit in hits)


def test_cuts_leave_long_pieces():
    """A hit goes with 200 characters on each side; pieces of 200 characters or less go too."""
    text = "a" * 500 + "HIT" + "b" * 400 + "HIT" + "c" * 401
    hits = [Hit(903, 906, ("x",)), Hit(500, 503, ("x",))]
    assert cut_hits(text, hits) == ["a" * 300, "c" * 201]
    assert cut_hits(text, hits, margin=0, least_piece=0) == ["a" * 500, "b" * 400, "c" * 401]
    assert cut_hits("short", []) == ["short"]
    assert cut_hits("short", [Hit(1, 2, ("x",))]) == []


def test_texts_in_too_many_pieces_go():
    """Ten pieces stay, eleven go."""
    text = ("x" * 601 + "#") * 10 + "x" * 601
    hits = [Hit(at, at + 1, ("x",)) for at in range(601, len(text), 602)]
    assert cut_hits(text, hits) == []
    assert len(cut_hits(text, hits[1:])) == 10


def test_no_words_are_refused():
    """An n-gram has words."""
    with pytest.raises(ValueError, match="n-grams of 0 words"):
        grams_of({}, 0)
