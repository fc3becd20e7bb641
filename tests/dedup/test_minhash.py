"""Signatures of texts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import minhash as module
from dedup import reference
from dedup.exact import text_digest
from dedup.minhash import permutations, sign
from dedup.scheme import FAMILIES, Scheme
from dedup.signatures import UNSIGNED

WORD = Scheme(words="whitespace", n=1)
AFFINE_WORD = Scheme("datasketch-affine32", words="whitespace", n=1)
FOX = "the quick brown fox jumps over the lazy dog"


def signature(text, scheme):
    """Return the signature of one text as a list of numbers."""
    return sign(["x"], [text], scheme).values[0].tolist()


@pytest.mark.parametrize(
    ("scheme", "text", "expected"),
    [
        (
            WORD,
            "a",
            "297616339 2290196162 2013617805 1974455217 943679155 1389563710 3441619470 306660385 1880086018 1350152209",
        ),
        (
            AFFINE_WORD,
            "a",
            "2904905777 3279783878 3976308567 3422658618 2031517866 259457013 469413899 1138524922 2772053071 2059816919",
        ),
        (
            Scheme(words="whitespace"),
            FOX,
            "2106687621 183870673 201817220 434003653 1687277134 163965896 832230694 465211760 708936047 306453374",
        ),
        (
            Scheme("datasketch-affine32", words="whitespace"),
            FOX,
            "707988300 703985941 1143343736 1423150739 132867325 1186216280 92961899 859053781 492253862 1639209895",
        ),
        (
            Scheme(words="whitespace", n=2, permutations=4, seed=42),
            "naïve\n語",
            "3282428103 3034463429 3886235763 4089967321",
        ),
    ],
)
def test_golden_signatures(scheme, text, expected):
    """Signatures are the numbers that datasketch 1.6.5 and 2.0.0 give, written down."""
    assert signature(text, scheme) == [int(number) for number in expected.split()]


def test_first_numbers_of_the_two_families():
    """Of the word "a" under seed 1 and 4 permutations, the families' first numbers differ."""
    assert signature("a", Scheme(words="whitespace", n=1, permutations=4))[0] == 297616339
    affine = Scheme("datasketch-affine32", words="whitespace", n=1, permutations=4)
    assert signature("a", affine)[0] == 2508805792


@pytest.mark.parametrize(("family", "expected"), [(FAMILIES[0], True), (FAMILIES[1], False)])
def test_how_many_permutations_decides_affine_ones(family, expected):
    """The first 10 of 128 permutations are those of 10 in the legacy family alone."""
    few, many = (permutations(Scheme(family, permutations=count)) for count in (10, 128))
    assert np.array_equal(few, many[:, :10]) is expected


@settings(max_examples=60)
@given(
    st.lists(st.text(alphabet="ab .'\né", max_size=60), max_size=6),
    st.sampled_from(reference.AVAILABLE),
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(0, (1 << 32) - 1),
)
def test_signatures_are_datasketchs(texts, family, n, count, seed):
    """Over any texts and settings, signatures equal datasketch's bit for bit."""
    scheme = Scheme(family, "whitespace", n, count, seed)
    signed = sign(map(str, range(len(texts))), texts, scheme)
    for row, text in enumerate(texts):
        expected = reference.minhash(text, scheme)
        assert bool(signed.signed[row]) is (expected is not None)
        if expected is not None:
            assert signed.values[row].tolist() == expected.hashvalues.tolist()


def test_short_texts_have_digests_but_no_signature():
    """Texts of fewer words than a shingle are marked unsigned, and still told apart."""
    signed = sign(["1", "2", "3"], ["", "one two three four", FOX], Scheme())
    assert signed.signed.tolist() == [False, False, True]
    assert (signed.values[:2] == UNSIGNED).all()
    assert [row.tobytes() for row in signed.digests[:2]] == [
        text_digest(""),
        text_digest("one two three four"),
    ]


def test_repeats_do_not_count():
    """A signature is of the set of shingles: repeating a text's words leaves it as it is."""
    assert signature("a b c " * 50, WORD) == signature("c a b", WORD)


def test_blocks_and_pieces_do_not_show():
    """Signatures do not depend on how hashes are grouped on the way."""
    scheme = Scheme(words="whitespace")
    texts = [f"{FOX} {number} " * (number % 7) for number in range(40)]
    ids = [str(number) for number in range(40)]
    expected = sign(ids, texts, scheme)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", 50)
        patch.setattr("dedup.shingles.PIECE", 30)
        found = sign(ids, texts, scheme)
    assert np.array_equal(found.values, expected.values)
    assert np.array_equal(found.signed, expected.signed)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_arrow_columns_are_taken(kind):
    """Arrow columns, whole, sliced or in chunks, give what their strings give."""
    texts = [f"{FOX} {number}" for number in range(600)]
    ids = [f"id/{number}" for number in range(600)]
    expected = sign(ids, texts, Scheme())
    column = pa.chunked_array([pa.array(texts[:7], kind), pa.array(texts[7:], kind)])
    signed = sign(pa.array(ids, kind), column, Scheme())
    assert signed.ids.equals(expected.ids)
    assert np.array_equal(signed.values, expected.values)
    part = sign(pa.array(ids, kind)[5:9], column.slice(5, 4), Scheme())
    assert np.array_equal(part.values, expected.values[5:9])


def test_no_texts_give_no_rows():
    """An empty part has arrays of the right shapes."""
    signed = sign([], [], Scheme())
    assert (len(signed), signed.values.shape, signed.digests.shape) == (0, (0, 10), (0, 16))


@pytest.mark.parametrize(
    ("ids", "message"),
    [(["1"], "more than 1 texts for 1 ids"), (["1", "2", "3"], "2 texts for 3 ids")],
)
def test_as_many_ids_as_texts(ids, message):
    """Ids and texts that do not pair up are refused."""
    with pytest.raises(ValueError, match=message):
        sign(ids, ["a", "b"], Scheme())


def test_null_text_is_refused():
    """A null is no text."""
    with pytest.raises(ValueError, match="1 of 2 strings are null"):
        sign(["1", "2"], pa.array(["a", None]), Scheme())
