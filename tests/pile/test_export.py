"""Tests of what is handed over to training frameworks."""

import json
from pathlib import Path
from typing import Any

import pytest

from pile.export.megatron import blend_json, data_args
from pile.export.neox import data_yml
from pile.export.shard_list import (
    TrainingShard,
    Vocabulary,
    from_receipts,
    padding_explained,
    rows,
)
from pile.ledger import Receipt

SHARDS = (
    TrainingShard("/shards/train-00001_text_document", "train", 500, 2.5),
    TrainingShard("/shards/train-00000_text_document", "train", 1000),
    TrainingShard("/shards/val-00000_text_document", "val", 30),
    TrainingShard("/shards/test-00000_text_document", "test", 20),
)
VOCABULARY = Vocabulary("/tokenizer/tokenizer.json", 50_277)


def yaml(text: str) -> Any:
    """Read the YAML that GPT-NeoX's files are: JSON with comments and a last comma."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return json.loads("".join(lines).replace(",}", "}"))


def test_neox_gets_paths_and_weights_of_every_split() -> None:
    """Lists of equal length, by name of the shard; weights are tokens x epochs; mmap is said."""
    keys = yaml(data_yml(SHARDS, VOCABULARY))
    assert keys["train-data-paths"] == [SHARDS[1].prefix, SHARDS[0].prefix]
    assert keys["train-data-weights"] == [1000, 1250]
    assert keys["valid-data-paths"] == [SHARDS[2].prefix]
    assert keys["test-data-weights"] == [20]
    assert keys["data-impl"] == "mmap"
    assert keys["vocab-file"] == VOCABULARY.file
    assert "data-path" not in keys


def test_neox_file_is_yaml() -> None:
    """A YAML reader takes it, where there is one."""
    reader = pytest.importorskip("yaml")
    assert reader.safe_load(data_yml(SHARDS, VOCABULARY)) == yaml(data_yml(SHARDS, VOCABULARY))


def test_neox_file_says_how_many_tokens_and_rows_there_are() -> None:
    """Tokens to see each epoch once, and the padding of the vocabulary, for one who plans a run."""
    head = data_yml(SHARDS, VOCABULARY).partition("{")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "after 2,250 tokens" in head
    assert "50,277 ids" in head
    assert "50,432 on 2" in head


def test_neox_needs_all_splits_and_not_too_many_shards() -> None:
    """It takes three lists of paths, none empty, and numbers shards with one byte."""
    with pytest.raises(ValueError, match="no shards of val"):
        data_yml(SHARDS[:2], VOCABULARY)
    many = [TrainingShard(f"/{number}", "train", 1) for number in range(255)]
    with pytest.raises(ValueError, match="255 shards, GPT-NeoX takes 254"):
        data_yml([*SHARDS[2:], *many], VOCABULARY)
    assert data_yml([*SHARDS[2:], *many[1:]], VOCABULARY)


def test_megatron_gets_weights_and_prefixes_in_turn() -> None:
    """Text for both; a split without shards is null."""
    assert json.loads(blend_json(SHARDS[:3])) == {
        "train": ["1000", SHARDS[1].prefix, "1250", SHARDS[0].prefix],
        "valid": ["30", SHARDS[2].prefix],
        "test": None,
    }
    with pytest.raises(ValueError, match="no shards to train on"):
        blend_json(SHARDS[2:])


@pytest.mark.megatron
def test_megatron_reads_the_blend() -> None:
    """Megatron-Core's own function takes every split apart into prefixes and weights."""
    utils = pytest.importorskip("megatron.core.datasets.utils")
    blends = json.loads(blend_json(SHARDS[:3]))
    assert utils.get_blend_from_list(blends["train"]) == (
        [SHARDS[1].prefix, SHARDS[0].prefix],
        [1000.0, 1250.0],
    )
    assert utils.get_blend_from_list(blends["valid"]) == ([SHARDS[2].prefix], [30.0])
    assert utils.get_blend_from_list(blends["test"]) is None


def test_megatron_arguments_are_words() -> None:
    """A shell splits them where lines and spaces are; paths with spaces are refused."""
    words = data_args("/run/blend.json", VOCABULARY, "/run/cache").split()
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "--per-split-data-args-path": "/run/blend.json",
        "--tokenizer-type": "HuggingFaceTokenizer",
        "--tokenizer-model": "/tokenizer",
        "--make-vocab-size-divisible-by": "128",
        "--data-cache-path": "/run/cache",
    }
    for bad in ("/run/my cache", ""):
        with pytest.raises(ValueError, match="cannot be an argument"):
            data_args("/run/blend.json", VOCABULARY, bad)


@pytest.mark.parametrize(
    ("ids", "ranks", "expected"),
    [(50_277, 1, 50_304), (50_277, 2, 50_432), (50_277, 4, 50_688), (50_304, 1, 50_304)],
)
def test_rows_are_those_of_the_published_models(ids: int, ranks: int, expected: int) -> None:
    """Pythia has 50,304, 50,432 and 50,688 rows on 1, 2 and 4 ranks; GPT-NeoX-20B 50,432."""
    assert rows(ids, 128, ranks) == expected
    assert f"{expected:,} on {ranks}" in padding_explained(ids)


def test_a_finished_run_lists_its_shards() -> None:
    """Receipts give name, split and tokens; a source's shards to train on have its epochs."""
    receipts = {
        f"{name}_text_document": Receipt(
            name, figures={"split": split, "source": source, "shard": {"tokens": tokens}}
        )
        for name, split, source, tokens in (
            ("val-notes-00000", "val", "notes", 7),
            ("train-notes-00000", "train", "notes", 90),
            ("train-web-00000", "train", "web", 50),
            ("train-00000", "train", "", 20),
        )
    }
    epochs = {"notes": 2.5, "web": 0.5}
    assert from_receipts(Path("/made/shards"), receipts, epochs) == (
        TrainingShard("/made/shards/train-00000_text_document", "train", 20),
        TrainingShard("/made/shards/train-notes-00000_text_document", "train", 90, 2.5),
        TrainingShard("/made/shards/train-web-00000_text_document", "train", 50),
        TrainingShard("/made/shards/val-notes-00000_text_document", "val", 7),
    )


@pytest.mark.parametrize(
    "arguments", [("p", "valid", 5), ("p", "train", 0), ("p", "train", 5, 0.0)], ids=str
)
def test_shards_that_mean_nothing_are_refused(arguments: tuple[Any, ...]) -> None:
    """An unknown split, no tokens, no epochs."""
    with pytest.raises(ValueError, match=r"^p: "):
        TrainingShard(*arguments)
    with pytest.raises(ValueError, match="listed twice"):
        blend_json([SHARDS[0], SHARDS[0]])
