"""Tests of the files of a tokenizer."""

import hashlib
import json
from pathlib import Path

import pytest

from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON, companions, tokenizer_json
from tokenizer.recipe import Recipe

PROBES = [
    "",
    "Hello world",
    " Hello  world",
    "    return x\n",
    " " * 25 + "x" + " " * 49 + "y",
    "e\u0301\u212b\ufb01",
    "a\u3000b\r\n\tc",
    "before<|endoftext|>after <|padding|>",
    "潮が引くと、 it's 12",
]


def folder_of(text: str, folder: Path) -> Path:
    """Write all files of a tokenizer to a folder."""
    for name, content in {TOKENIZER_JSON: text, **companions()}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_transformers_loads_the_folder_and_gives_the_same_ids(
    tmp_path: Path, small_tokenizer: str, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, by AutoTokenizer, as GPT-NeoX's tokenizer."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    transformers = pytest.importorskip("transformers")
    loaded = transformers.AutoTokenizer.from_pretrained(folder_of(small_tokenizer, tmp_path))
    assert type(loaded).__name__.startswith("GPTNeoXTokenizer")
    encoder = Encoder(small_tokenizer, literal_specials="tokens")
    for text in [*texts, *PROBES]:
        ids = encoder.encode([text]).ids.tolist()
        assert loaded(text)["input_ids"] == ids
        assert loaded.decode(ids) == encoder.decode(ids)
    roles = (loaded.bos_token_id, loaded.eos_token_id, loaded.unk_token_id, loaded.pad_token_id)
    assert roles == (0, 0, 0, 1)
    assert len(loaded) == encoder.vocabulary_size
    assert loaded.model_max_length == 2048


def test_companions_agree_with_each_other() -> None:
    """Older tools read special_tokens_map.json, newer ones tokenizer_config.json."""
    files = companions(model_max_length=4096)
    config = json.loads(files["tokenizer_config.json"])
    assert config["model_max_length"] == 4096
    assert config["add_prefix_space"] is False
    assert config["clean_up_tokenization_spaces"] is False
    assert json.loads(files["special_tokens_map.json"]).items() <= config.items()


def test_merges_are_written_for_every_version_of_tokenizers() -> None:
    """Each merge is one string, its parts parted by a space; the file is ASCII."""
    vocabulary = {"<|endoftext|>": 0, "<|padding|>": 1, "a": 2, "Ġ": 3, "Ġa": 4}
    text = tokenizer_json(vocabulary, [("Ġ", "a")], Recipe(longest_space_run=2))
    config = json.loads(text)
    assert text.isascii()
    assert config["model"]["merges"] == ["Ġ a"]
    assert config["added_tokens"][-1] == {
        "id": 5,
        "special": False,
        "content": "  ",
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": True,
    }


def test_the_released_file_is_rebuilt_to_the_byte(released_tokenizer: Path) -> None:
    """Given the released vocabulary and merges, the default recipe gives the released file."""
    released = released_tokenizer.read_text(encoding="utf-8")
    model = json.loads(released)["model"]
    merges = [tuple(merge.split(" ")) for merge in model["merges"]]
    assert tokenizer_json(model["vocab"], merges, Recipe()) == released
    assert hashlib.sha256(released.encode()).hexdigest() == (
        "56ac4821e129d2c520fdaba60abd920fa852ada51b45c0dd52bbb6bd8c985ade"
    )
