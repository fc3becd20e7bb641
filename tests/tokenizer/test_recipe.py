"""Tests of the recipe: its defaults, and what it refuses."""

import re

import pytest

from tokenizer.recipe import Recipe


def test_defaults_are_those_of_the_release() -> None:
    """50,254 entries, and a token for each run of 24 down to 2 spaces."""
    recipe = Recipe()
    assert recipe.vocabulary_size + len(recipe.space_runs) == 50_277
    assert list(map(len, recipe.space_runs)) == list(range(24, 1, -1))


def test_runs_of_spaces_can_be_left_out() -> None:
    """A longest run of 0 means none."""
    assert Recipe(longest_space_run=0).space_runs == ()
    assert Recipe(longest_space_run=2).space_runs == ("  ",)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"vocabulary_size": 257}, "can take 258"),
        ({"min_frequency": 0}, "at least 1"),
        ({"longest_space_run": 1}, "0, or at least 2"),
        ({"longest_space_run": -1}, "0, or at least 2"),
        ({"alphabet": "latin"}, re.escape("choose one of ('utf8', 'learned', 'complete')")),
    ],
)
def test_impossible_recipes_are_refused(wrong: dict[str, int], complaint: str) -> None:
    """What cannot be trained is refused before any text is read."""
    with pytest.raises(ValueError, match=complaint):
        Recipe(**wrong)  # type: ignore[arg-type]
