"""`pile tokenizer`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pile.commands.tokenizer import barred, coloured, comparison
from pile.tokenizers import compare, texts
from tokenizer.published import PUBLISHED_TOKENS
from tokenizer.recipe import Recipe
from tokenizer.train import train

Pile = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Return a folder that holds a tokenizer of few entries."""
    folder = tmp_path / "small"
    folder.mkdir()
    text = train(["the tide and the    boats"] * 9, Recipe(vocabulary_size=270))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    return folder


def test_show_prints_tokens_between_bars_where_there_is_no_terminal(
    trained: Path, pile: Pile
) -> None:
    """Runs of spaces, newlines and characters of several tokens can be told apart."""
    code, out, _ = pile("tokenizer", "show", "the    tide\n潮", "-t", str(trained))
    assert code == 0
    assert out == "the|    |tide|↵\n|·|·|潮\n7 tokens\n"


def test_show_gives_ids_as_json_and_reads_files(trained: Path, tmp_path: Path, pile: Pile) -> None:
    """A name of a file stands for its text; the pieces make up the text."""
    path = tmp_path / "a.txt"
    path.write_text("the tide and q", encoding="utf-8")
    code, out, _ = pile("tokenizer", "show", str(path), "-t", str(trained), "--json")
    found = json.loads(out)
    assert code == 0
    assert "".join(token["text"] for token in found) == "the tide and q"
    assert all(isinstance(token["id"], int) for token in found)


def test_no_token_can_change_the_terminal() -> None:
    """Escapes and other controls are pictures of themselves, whether coloured or not."""
    hostile = [(1, "\x1b[2J\x07"), (2, "\u202e\x9b"), (3, "\x7f")]
    assert barred(hostile) == "␛[2J␇|\\u{202e}\\u{9b}|␡\n3 tokens"
    assert coloured([(1, "a"), (2, "b")]).count("\x1b[30;48;5;") == 2
    assert "\x1b[2J" not in coloured(hostile)


def test_compare_sets_tokenizers_beside_each_other(
    trained: Path, tmp_path: Path, pile: Pile
) -> None:
    """Entries, overlap, and what each makes of a text; the longest tokens are told shortly."""
    other = tmp_path / "other.json"
    other.write_text(train(["q " * 99], Recipe(vocabulary_size=300)), encoding="utf-8")
    text = tmp_path / "a.txt"
    text.write_text("the tide", encoding="utf-8")
    arguments = ("tokenizer", "compare", str(trained), str(other), "--text", str(text))
    code, out, _ = pile(*arguments)
    assert code == 0
    assert "A and B have 245 entries in common" in out
    assert "' \u00d724'" in out
    found = json.loads(pile(*arguments, "--json")[1])
    fits = found["sources"]["a.txt"]["fits"]
    assert [fit["tokens"] for fit in fits] == [2, 8]
    assert fits[0]["tokens_per_byte"] == 0.25
    assert found["sources"]["a.txt"]["published"] is None


def test_components_of_the_pile_stand_beside_what_was_published(trained: Path) -> None:
    """The paper's shares of white space, and its ratio of tokens."""
    shown = comparison(compare([trained], {"Github": ["the tide"]}, 0))
    assert shown.splitlines()[-1].split()[-3:] == ["31.7%", "16.5%", "0.768"]


def test_compare_reads_the_corpus_of_a_run(small: Path, pile: Pile) -> None:
    """What is held out is read first, by source, until there is enough."""
    config = str(small / "pipeline.toml")
    assert pile("run", "-c", config)[0] in {0, 3}
    tokenizer = str(small / "work" / "latest" / "tokenizer")
    code, out, _ = pile("tokenizer", "compare", tokenizer, "-c", config, "--json")
    assert code == 0
    assert len(json.loads(out)["sources"]) > 1
    assert pile("tokenizer", "show", "one two", "-c", config)[0] == 0


def test_text_is_read_up_to_a_bound(tmp_path: Path) -> None:
    """The text that passes the bound is the last one."""
    for name in "abc":
        (tmp_path / name).write_text("x" * 10, encoding="utf-8")
    files = [tmp_path / name for name in "abc"]
    assert sorted(texts(files, 11)) == ["a", "b"]
    assert texts(files, 0) == {}


def test_what_is_no_tokenizer_is_refused(tmp_path: Path, pile: Pile) -> None:
    """The file is named."""
    path = tmp_path / "x.json"
    path.write_text("[]", encoding="utf-8")
    code, _, error = pile("tokenizer", "show", "a", "-t", str(path))
    assert code == 2
    assert str(path) in error


def test_published_counts_add_up() -> None:
    """Columns add up to the totals that the paper prints, over 22 components."""
    rows = PUBLISHED_TOKENS.values()
    assert len(rows) == 22
    assert sum(row.gpt2 for row in rows) == 383_111_734
    assert sum(row.neox for row in rows) == 342_887_807
    assert sum(row.gpt2_words for row in rows) == 337_787_550
    assert sum(row.neox_words for row in rows) == 322_074_249
