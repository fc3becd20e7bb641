"""Tests of training."""

import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import tokenizer.pieces
import tokenizer.train
from tokenizer.alphabet import CHARACTER_OF_BYTE, UTF8_BYTES
from tokenizer.pair_bound import PairBound, SampleTooLarge
from tokenizer.recipe import Recipe
from tokenizer.text import UnencodableText
from tokenizer.train import train

SMALL = Recipe(vocabulary_size=600)


def test_ids_are_laid_out_as_in_the_release(small_tokenizer: str) -> None:
    """Special tokens, the bytes of UTF-8 in order of their characters, merges, runs of spaces."""
    model = json.loads(small_tokenizer)["model"]
    tokens = list(model["vocab"])
    assert list(model["vocab"].values()) == list(range(600))
    assert tokens[:2] == ["<|endoftext|>", "<|padding|>"]
    assert tokens[2:245] == sorted(CHARACTER_OF_BYTE[byte] for byte in UTF8_BYTES)
    assert tokens[245:] == [merge.replace(" ", "") for merge in model["merges"]]
    added = json.loads(small_tokenizer)["added_tokens"]
    assert [(token["id"], len(token["content"])) for token in added[2:]] == [
        (600 + place, 24 - place) for place in range(23)
    ]


def test_merges_are_learned_commonest_first() -> None:
    """Counts decide: 6 ab, 3 abab, and of the rest, each twice, the pair of the lowest ids."""
    model = json.loads(train(["abab abab abab cd cd"], SMALL))["model"]
    assert model["merges"] == ["a b", "ab ab", "c d", "Ġ abab", "Ġ cd"]


def test_rare_pairs_are_not_merged() -> None:
    """A pair must occur min_frequency times."""
    recipe = Recipe(vocabulary_size=600, min_frequency=3)
    assert json.loads(train(["abab abab abab cd cd"], recipe))["model"]["merges"] == [
        "a b",
        "ab ab",
    ]


def test_documents_can_come_in_any_order(texts: list[str], small_tokenizer: str) -> None:
    """Order and the kind of iterable leave no trace."""
    assert train(iter(texts[::-1]), SMALL) == small_tokenizer


def test_long_documents_are_read_in_pieces(
    texts: list[str], small_tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the pieces in which text is counted and passed on, the outcome is the same."""
    monkeypatch.setattr(tokenizer.pieces, "LONGEST_PIECE", 7)
    assert train(texts, SMALL) == small_tokenizer


@pytest.mark.parametrize(
    "setting",
    [
        {"RAYON_NUM_THREADS": "1", "PYTHONHASHSEED": "1"},
        {"RAYON_NUM_THREADS": "4", "PYTHONHASHSEED": "2"},
        {"TOKENIZERS_PARALLELISM": "false", "LC_ALL": "C"},
    ],
)
def test_bytes_do_not_depend_on_threads_or_hash_seed(
    texts: list[str], small_tokenizer: str, setting: dict[str, str]
) -> None:
    """Another process, with other threads, hash seed and locale, gives the same file."""
    program = (
        "import json, sys, hashlib\n"
        "from tokenizer.recipe import Recipe\n"
        "from tokenizer.train import train\n"
        "text = train(json.loads(sys.stdin.read()), Recipe(vocabulary_size=600))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(texts),
        env={**os.environ, **setting},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    assert run.stdout.strip() == hashlib.sha256(small_tokenizer.encode()).hexdigest()


def test_a_learned_alphabet_holds_the_bytes_seen() -> None:
    """As HF trainers do by default: what the text lacks has no token."""
    recipe = Recipe(vocabulary_size=600, min_frequency=9, alphabet="learned")
    assert list(json.loads(train(["bad cab é"], recipe))["model"]["vocab"]) == [
        *("<|endoftext|>", "<|padding|>", "a", "b", "c", "d"),
        *sorted(CHARACTER_OF_BYTE[byte] for byte in b" \xc3\xa9"),
    ]


def test_a_complete_alphabet_holds_all_bytes() -> None:
    """256 bytes, also those that no text has."""
    recipe = Recipe(vocabulary_size=600, min_frequency=9, alphabet="complete")
    assert len(json.loads(train(["bad"], recipe))["model"]["vocab"]) == 258


def test_literal_special_tokens_are_learned_as_text() -> None:
    """<|endoftext|> in a document is three words, none of which is the special token."""
    vocabulary = json.loads(train(["a<|endoftext|>b"] * 9, SMALL))["model"]["vocab"]
    assert {"<|", "endoftext", "|>"} <= vocabulary.keys()
    assert list(vocabulary).count("<|endoftext|>") == 1


def test_text_is_learned_in_nfc() -> None:
    """A letter with a combining mark counts as the one letter it composes to."""
    assert train(["e\u0301te\u0301 "] * 5, SMALL) == train(["été "] * 5, SMALL)


def test_what_is_learned_loads_and_encodes(small_tokenizer: str, texts: list[str]) -> None:
    """HF tokenizers takes the file, and gets each text back from its ids."""
    loaded = Tokenizer.from_str(small_tokenizer)
    assert loaded.get_vocab_size() == 623
    for text in texts:
        assert loaded.decode(loaded.encode(text).ids) == text


@pytest.mark.parametrize("documents", [[], [""], ["", ""]])
def test_no_text_is_an_error(documents: list[str]) -> None:
    """There is nothing to learn from nothing."""
    with pytest.raises(ValueError, match="no text"):
        train(documents, SMALL)


def test_a_lone_surrogate_is_named() -> None:
    """The document's number and the character's place are in the error."""
    with pytest.raises(UnencodableText, match=r"document 1: lone surrogate U\+D800 at character 2"):
        train(["fine", "ab\ud800"], SMALL)


def test_more_text_than_can_be_counted_is_refused(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer is stopped while it reads, and the rest is not read."""
    monkeypatch.setattr(tokenizer.train, "PairBound", functools.partial(PairBound, largest=20_000))
    left = iter(texts * 100_000)
    with pytest.raises(SampleTooLarge, match="set sample_bytes below"):
        train(left, SMALL, "hf")
    assert next(left)


def test_errors_of_the_documents_pass_through() -> None:
    """What goes wrong while texts are read is not lost in the trainer."""

    def broken() -> Iterator[str]:
        yield "some text"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        train(broken(), SMALL)


def test_little_text_is_left_to_hf(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Below `PATIENCE` nobody waits for kernels to be compiled; above it they learn the same."""
    asked = []
    monkeypatch.setattr(tokenizer.train, "_train_kernels", lambda *_: asked.append(1) or "kernels")
    assert train(texts, SMALL) != "kernels"
    monkeypatch.setattr(tokenizer.train, "PATIENCE", 1000)
    assert train(texts, SMALL) == "kernels"
    assert len(asked) == 1


def test_a_mistyped_trainer_is_refused(texts: list[str]) -> None:
    """A word misspelt does not choose another."""
    with pytest.raises(ValueError, match="choose one of"):
        train(texts, SMALL, "HF")  # type: ignore[arg-type]
