"""The quality classifier: its words, its training, its scores, and what is kept by them."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.cleaning.quality import reference
from pile.cleaning.quality.model import BadModelError, Model, load, save, score, slots_of
from pile.cleaning.quality.rule import PUBLISHED_SHARES, chance, draw
from pile.cleaning.quality.train import NoExamplesError, Recipe, train, vocabulary
from pile.cleaning.quality.words import excerpt, words

SMALL = Recipe(dims=8, buckets=512, words=400, min_count=1, epochs=3, rate=0.3, seed=5)

anything = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \t\0\x0b\u00a0")), max_size=80
)
spoken = st.lists(st.sampled_from(["a", "lamp", "</s>", "naïve", "日本", "x" * 30]), max_size=12)


def corpus(count: int, twist: int) -> list[str]:
    """Make texts of one vocabulary, some words being commoner the higher ``twist``."""
    texts = []
    for number in range(count):
        drawn = hashlib.blake2b(f"{twist} {number}".encode(), digest_size=60).digest()
        texts.append(" ".join(f"w{byte % (40 if byte % 4 < twist else 90)}" for byte in drawn))
    return texts


def scores(model: Model, texts: list[str]) -> np.ndarray:
    """Score texts."""
    return score(model, slots_of(model.words), words(texts))


def auc(high: np.ndarray, low: np.ndarray) -> float:
    """Return the chance that one of the first is above one of the second."""
    return float((high[:, None] > low[None, :]).mean())


@pytest.fixture(scope="module")
def trained() -> Model:
    """Train on texts that differ in how common words are."""
    texts = corpus(200, 3) + corpus(200, 1)
    order = np.argsort([draw(1, str(number)) for number in range(400)])
    wanted = np.arange(400) < 200
    return train(words(texts), wanted, order, SMALL)


def test_an_excerpt_is_the_published_one() -> None:
    """Line ends are blanks; of the first 4,000 characters the last 1,500, of a shorter text all."""
    assert excerpt("a\r\nb\u2028c") == "a  b\u2028c"
    assert excerpt("x" * 2500 + "y" * 1500 + "z" * 9) == "y" * 1500
    assert excerpt("x" * 9 + "é" * 1500) == "é" * 1500
    assert len(excerpt("short")) == 5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(anything, spoken.map(" ".join)), max_size=6))
def test_words_are_those_of_the_reference(texts: list[str]) -> None:
    """Whatever characters a text holds, its words are cut and hashed as said."""
    found = words(texts)
    cut = [
        found.hashes[start:stop].tolist()
        for start, stop in zip(found.firsts[:-1], found.firsts[1:], strict=True)
    ]
    assert cut == [reference.words(text) for text in texts]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(spoken.map(" ".join), min_size=2, max_size=12),
    st.integers(0, 2**64 - 1),
    st.booleans(),
)
def test_training_is_that_of_the_reference(texts: list[str], seed: int, rare: bool) -> None:
    """The one vector kept is the second of the softmax's two; rows and scores agree too."""
    recipe = Recipe(8, 64, 4 if rare else 100, 1 + rare, 3, 0.5, seed)
    wanted = [number % 2 == 0 for number in range(len(texts))]
    ours = train(words(texts), np.array(wanted), np.arange(len(texts)), recipe)
    theirs = reference.train(texts, wanted, recipe)
    assert ours.words.tolist() == theirs.words.tolist()
    assert np.allclose(ours.rows, theirs.rows, atol=1e-5)
    assert np.allclose(ours.output, theirs.output, atol=1e-5)
    assert np.allclose(scores(ours, texts), [reference.score(theirs, one) for one in texts])


def test_it_tells_texts_apart_that_it_has_not_seen(trained: Model) -> None:
    """Texts of the two kinds, no one word of which is telling, are ranked right 19 times of 20."""
    unseen = auc(scores(trained, corpus(400, 3)[200:]), scores(trained, corpus(400, 1)[200:]))
    assert unseen > 0.95


def test_the_same_examples_give_the_same_bytes(trained: Model, tmp_path: Path) -> None:
    """Nothing but examples, their order and the recipe decides a model; another seed does."""
    texts = corpus(30, 2)
    wanted = np.arange(30) % 3 == 0
    written = []
    for number, recipe in enumerate((SMALL, SMALL, Recipe(8, 512, 400, 1, 3, 0.3, seed=6))):
        save(train(words(texts), wanted, np.arange(30), recipe), tmp_path / str(number))
        written.append((tmp_path / str(number)).read_bytes())
    assert written[0] == written[1] != written[2]
    assert hashlib.sha256(trained.rows.tobytes()).hexdigest()[:16] == PINNED


PINNED = "bbb8538b4a8decfa"
"""The beginning of the digest of a model's rows: it is to be the same on every machine."""


def test_the_commonest_words_are_known() -> None:
    """Rare words have no row, equally common ones enter in the order of their hashes."""
    hashes = np.array([9, 9, 9, 4, 4, 7, 7, 1], np.uint32)
    assert vocabulary(hashes, 10, 1).tolist() == [9, 4, 7, 1]
    assert vocabulary(hashes, 2, 1).tolist() == [9, 4]
    assert vocabulary(hashes, 10, 3).tolist() == [9]


def test_a_model_is_read_as_it_was_written(trained: Model, tmp_path: Path) -> None:
    """Mapped from its file it scores the same, and a process can hand it on."""
    save(trained, tmp_path / "m")
    read = load(tmp_path / "m")
    texts = corpus(20, 2)
    assert np.array_equal(scores(read, texts), scores(trained, texts))
    assert np.array_equal(scores(pickle.loads(pickle.dumps(read)), texts), scores(trained, texts))
    assert read.buckets == SMALL.buckets


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-1], "cut"),
        (lambda content: content[:40], "no quality model"),
        (lambda content: b"x" + content[1:], "no quality model"),
        (lambda content: content[:8] + b"\2" + content[9:], "another format"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "checksum"),
        (lambda content: content[:70] + bytes([content[70] ^ 1]) + content[71:], "checksum"),
    ],
)
def test_a_damaged_model_is_refused(trained: Model, tmp_path: Path, change, message: str) -> None:
    """Cut, foreign, of another version or with a bit turned: it is never scored with."""
    save(trained, tmp_path / "m")
    (tmp_path / "m").write_bytes(change((tmp_path / "m").read_bytes()))
    with pytest.raises(BadModelError, match=message):
        load(tmp_path / "m")


@pytest.mark.parametrize("wanted", [True, False])
def test_one_class_alone_teaches_nothing(wanted: bool) -> None:
    """Without examples of either class there is an error that says what to do."""
    with pytest.raises(NoExamplesError, match=r"raise \[quality\] sample"):
        train(words(["a", "b"]), np.array([wanted, wanted]), np.arange(2), SMALL)


def test_texts_of_nothing_are_scored_by_their_end(trained: Model) -> None:
    """An empty text and one of unknown words have scores too; no texts have none."""
    assert 0 < scores(trained, [""])[0] < 1
    assert len(scores(trained, [])) == 0


def test_the_chance_is_that_of_numpys_pareto() -> None:
    """``pareto(alpha) > 1 - s`` for the published draw is ``(2 - s) ** -alpha`` here."""
    assert (chance(0, 3), chance(1, 3)) == (0.125, 1.0)
    assert chance(0.5, 3) == pytest.approx(0.296, abs=5e-4)
    drawn = np.random.default_rng(1).pareto(3, 200_000)
    for s in (0.0, 0.3, 0.8, 1.0):
        assert (drawn > 1 - s).mean() == pytest.approx(chance(s, 3), abs=4e-3)


def test_a_larger_alpha_keeps_less_of_the_same() -> None:
    """What is kept at an alpha is kept at every smaller one, as each document draws once."""
    kept = {
        alpha: {n for n in range(500) if draw(7, f"pile_cc/{n}") < chance(n / 500, alpha)}
        for alpha in PUBLISHED_SHARES
    }
    assert all(kept[alpha] > kept[alpha + 1] for alpha in range(1, 9))
    assert 0.5 < len(kept[3]) / sum(chance(n / 500, 3) for n in range(500)) * 1 < 1.5
