"""Tests of what tokenizers are compared by."""

from pathlib import Path

import pytest

from tokenizer.compare import Fit, fit, pieces_of, shared, vocabulary
from tokenizer.encode import Encoder
from tokenizer.recipe import Recipe
from tokenizer.train import train


def test_tokens_are_counted_by_source(small_tokenizer: str) -> None:
    """A run of spaces and a newline are white space; a word with its space is not."""
    found = fit(small_tokenizer, {"code": ["    x\n", ""], "none": []})
    assert found == {"code": Fit(6, 3, 2), "none": Fit(0, 0, 0)}
    assert found["code"].tokens_per_byte == 0.5
    assert found["none"].space_share == 0.0


def test_unreachable_entries_hold_two_spaces_beside_tokens_for_runs() -> None:
    """Runs are cut out before merges can make them; without such tokens all can be reached."""
    texts = ["x      y      z"] * 9
    with_runs = vocabulary(train(texts, Recipe(vocabulary_size=300)))
    without = vocabulary(train(texts, Recipe(vocabulary_size=300, longest_space_run=0)))
    assert {with_runs.tokens[number] for number in with_runs.unreachable} >= {"  "}
    assert without.unreachable == ()


def test_vocabularies_overlap_by_entry(small_tokenizer: str) -> None:
    """A vocabulary has all of itself in common with itself, and the bytes with any other."""
    whole = vocabulary(small_tokenizer)
    assert shared(whole, whole) == 600
    assert shared(whole, vocabulary(train(["qqqq"] * 3, Recipe(vocabulary_size=600)))) == 245
    assert whole.longest(1) == (" " * 24,)


def test_tokens_of_a_text_make_up_the_text(small_tokenizer: str) -> None:
    """Characters of several tokens come with the last."""
    encoder = Encoder(small_tokenizer)
    text = "The tide 🙂 ok 潮"
    found = list(pieces_of(encoder, text))
    assert "".join(part for _, part in found) == text
    assert [number for number, _ in found] == encoder.encode([text]).ids.tolist()


@pytest.mark.real
def test_the_released_vocabulary_has_221_unreachable_entries(released_tokenizer: Path) -> None:
    """Entries with two spaces side by side, since runs of spaces are tokens of their own."""
    found = vocabulary(released_tokenizer.read_text(encoding="utf-8"))
    assert len(found.unreachable) == 221
    assert len(found.tokens) == 50_277
