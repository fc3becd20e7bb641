"""Words found by kernels are those of the rules in Python, whatever the text."""

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import batches, characters, minhash, shingles, spaced, treebank
from dedup.columns import buffers
from dedup.scheme import Scheme

MARKS = "\"'`.,:;?!()[]{}<>*@#$%&-_/\\|~=+^\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e\u2013\u2026"
BLANKS = " \n\t\u00a0\u2003\u3000"
VARIANTS = "\u0130\u0131\u017f\u212a\u03a3\u01c5\u24b6\u2167\u0663\u00b2\u0307\u00c9\u00e9\u00df\u8a9e\U0001f600"
TOKENS = [
    *MARKS,
    *BLANKS,
    *VARIANTS,
    *(
        "``",
        "''",
        "--",
        "..",
        "...",
        "'s",
        "'S",
        "'\u017f",
        "'m",
        "'ll",
        "'LL",
        "'re",
        "'ve",
        "n't",
    ),
    *(
        "N'T",
        "'t",
        "'T",
        "is",
        "was",
        "\u0131s",
        "i\u017f",
        "can",
        "not",
        "cannot",
        "CanNot",
        "d'ye",
    ),
    *("gim", "me", "g\u0131mme", "G\u0130MME", "gonna", "gotta", "lemme", "wanna", "more'n", "'n"),
    *("Mr", "mr", "ph.d", "e.g", "i.e", "U.S", "\u212a", "etc", "Inc", "12", "7", "x", "A", "the"),
    *("The", "This", "Meanwhile", "however", "ab", "example.com", "don't", "rock'n'roll", "O'Neil"),
]
hostile = st.lists(st.sampled_from(TOKENS), max_size=14).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def words_of(texts, n=5):
    """Return what kernels make of texts: all words with a space behind each, one string a text."""
    found = [""] * len(texts)
    for first, made, places in spaced.spaced(*buffers(pa.array(texts, pa.large_string())), n):
        for number in range(len(places) - 1):
            run = made[places[number] : places[number + 1]]
            found[first + number] += run.tobytes().decode("utf-8")
    return found


def expected(texts):
    """Return the same by the rules in Python."""
    return ["".join(f"{word} " for word in treebank.words(text)) for text in texts]


@settings(max_examples=1500, deadline=None)
@given(st.lists(hostile, max_size=12))
def test_kernels_find_the_words_of_the_rules(texts):
    """Over marks, quotes, clitics, abbreviations and letters with odd variants, words are equal."""
    assert words_of(texts) == expected(texts)


@settings(max_examples=500, deadline=None)
@given(st.lists(anything, max_size=5))
def test_kernels_find_the_words_of_any_text(texts):
    """So they are over all of Unicode."""
    assert words_of(texts) == expected(texts)


@pytest.mark.parametrize(
    "frame",
    ["{}", "a{}b", "'{}", "'{} ", "x'{}y", "{}. the", "{}. The", "a. {}b", "1.{}", "a:{}", "{}'s",
     "{}gonna", "gonna{}", '"{}"', '{}." A', "wanna{}", "'tis{}", "{}n't"],
)  # fmt: skip
def test_every_character_is_split_as_the_rules_split(frame):
    """Each character that Unicode has, beside what rules look at, gives the rules' own words."""
    points = (point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000)
    texts = [frame.format(chr(point)) for point in points if point < 0x3100 or point % 61 == 0]
    assert words_of(texts) == expected(texts)


def test_properties_are_those_of_python():
    """Every code point has the properties that ``str`` and ``re`` give it."""
    checks = {
        characters.ALNUM: str.isalnum,
        characters.UPPER: str.isupper,
        characters.LOWER: str.islower,
        characters.DIGIT: str.isdigit,
        characters.DECIMAL: str.isdecimal,
        characters.BLANK: str.isspace,
    }
    found = characters.table()
    for bit, check in checks.items():
        assert [check(chr(point)) for point in range(sys.maxunicode + 1)] == (
            found & bit != 0
        ).tolist()


def test_only_the_kelvin_sign_becomes_an_ascii_letter():
    """What kernels take for granted of ``str.lower``, and of what digits become by it."""
    beyond = [chr(point) for point in range(0x80, sys.maxunicode + 1)]
    assert [one for one in beyond if one.lower().isascii()] == ["\u212a"]
    assert all(one.lower()[-1].isdigit() == one.isdigit() for one in beyond)


@pytest.mark.parametrize(
    "run", ['"', "'", "''\"", "[", ".(", "a.)", ":", "--", "`\u201c", "x'y", "\u00bb:"]
)
def test_long_runs_fit(run):
    """What grows most by the rules has room, however long the run of non-blanks is."""
    text = run * (40_000 // len(run))
    assert words_of([text, f"a {text} b"]) == expected([text, f"a {text} b"])


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_long_texts_are_split_in_pieces(n, monkeypatch):
    """A text of many pieces, blanks between them or none for long, is signed as the rules sign it."""
    monkeypatch.setattr(shingles, "PIECE", 40)
    monkeypatch.setattr(spaced, "_BATCH", 30)
    generator = np.random.default_rng(n)
    words = ["w\u00e9" * size for size in generator.integers(1, 30, 200)]
    texts = [" ".join(words), "a.b\u3000" * 50, "x", "", "'s. A " * 20, "\u8a9e" * 300, "\n" * 200]
    scheme = Scheme("fast", "treebank", n)
    signed, values = batches.sign_columns([pa.array(texts, pa.large_string())], len(texts), scheme)
    plain = minhash._signed_plainly(texts, len(texts), scheme)
    assert np.array_equal(signed, plain[1])
    assert np.array_equal(values, plain[2])
