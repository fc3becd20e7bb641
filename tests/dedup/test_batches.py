"""Signatures by compiled kernels, against those by NumPy and by datasketch."""

import subprocess
import sys
from hashlib import sha1

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import batches, kernels, minhash, reference
from dedup.exact import digest_rows
from dedup.scheme import FAMILIES, Scheme
from dedup.vectors import PAD

BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
)
NEARLY_BLANKS = "\u180e\u200b\u2030\u2060\u3001\ufeff\xc2\xa1\u0080\u1681\u205e\x08\x0e\x1b!"
texts = st.text(alphabet=BLANKS + NEARLY_BLANKS + "abcdefgé語😀", max_size=400)


def both(column, scheme):
    """Return what kernels and NumPy make of texts."""
    ids = [str(number) for number in range(len(column))]
    digests = []
    columns = [pa.array(column, pa.large_string())]
    signed, values = batches.sign_columns(columns, len(column), scheme, digests)
    made = (digest_rows(digests), signed, values)
    plain = minhash._signed_plainly(column, len(ids), scheme)
    return made, plain


def assert_equal(made, plain):
    """Compare digests, flags and values."""
    for ours, theirs in zip(made, plain, strict=True):
        assert np.array_equal(ours, theirs)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(texts, max_size=8),
    st.sampled_from(FAMILIES),
    st.integers(1, 7),
    st.sampled_from([1, 10, 16, 17, 64, 90]),
    st.sampled_from(["whitespace", "treebank"]),
)
def test_kernels_equal_numpy(column, family, n, permutations, words):
    """Over any texts and schemes, kernels and NumPy give the same bytes."""
    scheme = Scheme(family, words, n, permutations, digest="text")
    assert_equal(*both(column, scheme))


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, max_size=4), st.sampled_from(reference.AVAILABLE), st.integers(1, 4))
def test_kernels_equal_datasketch(column, family, n):
    """Published families give datasketch's own numbers."""
    scheme = Scheme(family, "whitespace", n, 12, seed=7)
    _, signed, values = both(column, scheme)[0]
    for row, text in enumerate(column):
        expected = reference.minhash(text, scheme)
        assert bool(signed[row]) is (expected is not None)
        if expected is not None:
            assert values[row].tolist() == expected.hashvalues.tolist()


def test_every_character_is_split_as_python_splits():
    """Of all characters, those are blanks that ``str.split`` takes for blanks."""
    points = [chr(point) for point in range(0x11000) if not 0xD800 <= point < 0xE000]
    text = "".join(f"a{point}b" for point in points)
    encoded = text.encode("utf-8")
    buffer = np.frombuffer(encoded + bytes(PAD), np.uint8)
    starts, ends = (np.empty(len(encoded), np.int32) for _ in range(2))
    firsts = np.empty(2, np.int64)
    kernels.find_words(buffer, np.array([[0, len(encoded)]]), starts, ends, firsts)
    found = [encoded[starts[word] : ends[word]] for word in range(firsts[1])]
    assert found == [word.encode("utf-8") for word in text.split()]


@pytest.mark.parametrize("length", [*range(140), 1000, 5000])
def test_sha1_of_any_length(length):
    """Messages of every length around the edges of blocks have SHA-1's first four bytes."""
    words = [bytes([97 + (length + number) % 26]) * length for number in range(20)]
    column = ["x " + word.decode("ascii") for word in words]
    edges = [0, *np.cumsum([len(text) for text in column]).tolist()]
    scheme = Scheme("datasketch-legacy", "whitespace", n=2 if length else 1, permutations=16)
    made = both(column, scheme)[0][2]
    factors, terms = minhash.permutations(scheme)
    for row, text in enumerate(column):
        message = text.encode("ascii").strip()
        hashed = np.uint64(int.from_bytes(sha1(message).digest()[:4], "little"))
        expected = ((hashed * factors + terms) % np.uint64((1 << 61) - 1)).astype(np.uint32)
        assert np.array_equal(made[row], expected)
    assert edges[-1] == sum(map(len, column))


@pytest.mark.parametrize("n", [1, 2, 13, 100, 1000])
def test_many_words_are_hashed_together(n):
    """Texts of more words than are hashed at a time have the hashes of all their n-grams."""
    generator = np.random.default_rng(n)
    words = ["w" * size for size in generator.integers(1, 40, 3000)]
    column = [" ".join(words), " ".join(words[:n]), " ".join(words[1:n])]
    assert_equal(*both(column, Scheme("fast", "whitespace", n)))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [1, 5, 60])
def test_long_texts_are_signed_in_parts(family, n, monkeypatch):
    """A text longer than a batch, with words longer than one too, has the signature of the whole."""
    generator = np.random.default_rng(n)
    words = ["x" * size for size in generator.integers(1, 30, 400)] + ["\u3000".join("yz" * 300)]
    words[200:200] = ["w" * 900, "語" * 500]
    column = [" ".join(words), "a b", "", "\n ".join(words[::-1]), "one two three four five six"]
    expected = both(column, Scheme(family, "whitespace", n))[1]
    monkeypatch.setattr(batches, "_BATCH", 256)
    monkeypatch.setattr(batches, "_LOOK_BACK", 50)
    assert_equal(both(column, Scheme(family, "whitespace", n))[0], expected)


def test_slices_and_chunks_of_columns(monkeypatch):
    """A column in chunks and slices, in bytes that it shares, is signed like its strings."""
    monkeypatch.setattr(minhash, "_warmed", [True])
    column = [f"some words in text {number}, and naïve ones" for number in range(50)] + [""] * 9
    for scheme in (Scheme("fast", "whitespace", 2), Scheme(), Scheme(digest="normalised")):
        for kind in (pa.string(), pa.large_string()):
            whole = pa.array(column, kind)
            chunked = pa.chunked_array([whole[:7], whole[7:7], whole[7:]])
            expected = minhash._signed_plainly(column, len(column), scheme)
            for given_as in (whole, chunked, iter(column)):
                made = minhash.sign(map(str, range(len(column))), given_as, scheme)
                assert_equal((made.digests, made.signed, made.values), expected)
            part = minhash.sign(map(str, range(5)), whole[40:45], scheme)
            assert np.array_equal(part.values, expected[2][40:45])


def test_bytes_that_are_no_text_are_refused(monkeypatch):
    """A column whose bytes are no UTF-8 is an error, as are nulls and unpaired ids."""
    monkeypatch.setattr(minhash, "_warmed", [True])
    broken = pa.array([b"fine", b"\xe2\x80"], pa.large_binary()).view(pa.large_string())
    with pytest.raises(ValueError, match="UTF8"):
        minhash.sign("ab", broken, Scheme())
    with pytest.raises(ValueError, match="null"):
        minhash.sign("ab", pa.array(["a", None]), Scheme())
    with pytest.raises(ValueError, match="more than 1 texts"):
        minhash.sign("a", ["a", "b"], Scheme())
    with pytest.raises(ValueError, match="2 texts for 3 ids"):
        minhash.sign("abc", ["a", "b"], Scheme())


def test_golden_fast_signature():
    """The numbers of the fast family are written down: they may not change unnoticed."""
    text = "the quick brown fox jumps over the lazy dog"
    made, plain = both([text], Scheme("fast", "whitespace", permutations=4))
    assert made[2].tolist() == plain[2].tolist() == GOLDEN_FAST


GOLDEN_FAST = [[814470044, 806480232, 983790484, 1110611313]]


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("family", ["datasketch-affine32", "fast"])
def test_estimates_are_of_the_jaccard_similarity(family, similarity):
    """Over 400 pairs of a known similarity, estimates are right on average, and spread as they must."""
    pairs, size, count = 400, 200, 128
    shared = round(2 * size * similarity / (1 + similarity))
    column = []
    for pair in range(pairs):
        common = [f"{pair}c{number}" for number in range(shared)]
        own = ([f"{pair}{side}{number}" for number in range(size - shared)] for side in "ab")
        column.extend(" ".join(common + words) for words in own)
    made = batches.sign_columns(
        [pa.array(column, pa.large_string())],
        2 * pairs,
        Scheme(family, "whitespace", n=1, permutations=count),
    )[1]
    true = shared / (2 * size - shared)
    agreeing = (made[::2] == made[1::2]).mean(axis=1)
    spread = np.sqrt(true * (1 - true) / count)
    assert agreeing.mean() == pytest.approx(true, abs=4 * spread / np.sqrt(pairs))
    assert agreeing.std() == pytest.approx(spread, rel=0.25)


def test_small_jobs_load_no_compiler():
    """Signing a few texts imports neither Numba nor its compiler."""
    program = """
import sys
from dedup.minhash import sign
from dedup.exact import digest_rows
from dedup.scheme import Scheme
sign("ab", ["some words", "and more"], Scheme())
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_large_columns_use_kernels(monkeypatch):
    """From a size on, kernels sign; `warm` has them sign everything."""
    used = []
    signing = batches.sign_columns
    monkeypatch.setattr(batches, "sign_columns", lambda *given: used.append(1) or signing(*given))
    monkeypatch.setattr(minhash, "_WORTH_COMPILING", 100)
    monkeypatch.setattr(minhash, "_warmed", [])
    minhash.sign("a", pa.array(["short"]), Scheme())
    assert not used
    minhash.sign("a", pa.array(["long " * 50]), Scheme())
    assert len(used) == 1
    minhash.warm()
    minhash.sign("a", ["short"], Scheme())
    assert len(used) == 3 + len(FAMILIES)
