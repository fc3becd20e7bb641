"""The files of a tokenizer: ``tokenizer.json``, and what transformers wants beside it.

``tokenizer.json`` is written in the layout of the released GPT-NeoX-20B file, from merges alone:
merges as ``"a b"``, which every version of HF ``tokenizers`` reads, and two spaces of indent.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tokenizer.recipe import END_OF_TEXT, PADDING, SPECIAL_TOKENS, Recipe

TOKENIZER_JSON = "tokenizer.json"


def tokenizer_json(
    vocabulary: Mapping[str, int], merges: Iterable[tuple[str, str]], recipe: Recipe
) -> str:
    """Return the text of ``tokenizer.json``: pure ASCII, no newline at the end.

    ``vocabulary`` maps tokens, spelled in the byte alphabet, to ids from 0 without gaps; ``merges``
    come in the order in which they were learned. Runs of spaces get the ids after the vocabulary.
    """
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    specials = [_added(vocabulary[token], token, special=True) for token in SPECIAL_TOKENS]
    runs = [
        _added(len(vocabulary) + place, run, special=False)
        for place, run in enumerate(recipe.space_runs)
    ]
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [*specials, *runs],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": _model(vocabulary, merges),
    }
    return json.dumps(document, indent=2)


def _model(vocabulary: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "vocab": dict(sorted(vocabulary.items(), key=lambda entry: entry[1])),
        "merges": [f"{left} {right}" for left, right in merges],
    }


def _added(number: int, content: str, *, special: bool) -> dict[str, Any]:
    return {
        "id": number,
        "special": special,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        # Special tokens are looked for in the text as it came, runs of spaces after NFC.
        "normalized": not special,
    }


def companions(model_max_length: int = 2048) -> dict[str, str]:
    """Return the files beside ``tokenizer.json``, name to text, for transformers 4 and 5.

    ``model_max_length`` is the longest sequence, in tokens, of the model it is meant for.
    ``<|endoftext|>`` begins and ends a text, and stands for what is unknown; the latter never
    occurs in byte-level text.
    """
    roles = {
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "pad_token": PADDING,
        "unk_token": END_OF_TEXT,
    }
    config = {
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": model_max_length,
        # transformers 4 knows no other name; transformers 5 loads it as GPTNeoXTokenizer.
        "tokenizer_class": "GPTNeoXTokenizerFast",
        **roles,
    }
    return {
        "tokenizer_config.json": json.dumps(config, indent=2, sort_keys=True) + "\n",
        "special_tokens_map.json": json.dumps(roles, indent=2) + "\n",
    }
