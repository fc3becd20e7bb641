"""Files for Megatron-LM: a blend of shards for each split, and the arguments that name it.

``pretrain_gpt.py $(cat data.args)`` with the model's own arguments; the tokenizer is loaded from
the folder of ``tokenizer.json``.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from pile.export.shard_list import TrainingShard, Vocabulary, of_split

MOST_SHARDS = 32_766
"""Megatron numbers the shards of a split with 16 bits."""

_NAMES = {"train": "train", "val": "valid", "test": "test"}


def blend_json(shards: Sequence[TrainingShard]) -> str:
    """Return the text of the file for ``--per-split-data-args-path``.

    For each split, weights and prefixes in turn, or null if it has no shards. Weights are tokens x
    epochs. ValueError without shards to train on, or with more than Megatron can number.
    """
    blends: dict[str, list[str] | None] = {}
    for split, name in _NAMES.items():
        chosen = of_split(shards, split)
        if len(chosen) > MOST_SHARDS:
            raise ValueError(
                f"{split} has {len(chosen):,} shards, Megatron takes {MOST_SHARDS:,}: make them "
                f"larger ([shards] tokens)"
            )
        pairs = [(repr(shard.weight), shard.prefix) for shard in chosen]
        blends[name] = [text for pair in pairs for text in pair] or None
    if blends["train"] is None:
        raise ValueError("there are no shards to train on")
    return json.dumps(blends, indent=1, ensure_ascii=False) + "\n"


def data_args(blend: str, vocabulary: Vocabulary, cache: str) -> str:
    """Return the arguments that name a blend's file, the tokenizer, and a folder for the cache.

    One a line, without quotes: paths with white space are refused. The cache must be on a file
    system that all ranks share, and must not be used for other shards under the same names.
    """
    arguments = {
        "--per-split-data-args-path": blend,
        "--tokenizer-type": "HuggingFaceTokenizer",
        "--tokenizer-model": str(Path(vocabulary.file).parent),
        "--make-vocab-size-divisible-by": "128",
        "--data-cache-path": cache,
    }
    for path in arguments.values():
        if not path or path.split() != [path]:
            raise ValueError(f"{path!r} cannot be an argument: choose a path without white space")
    return "".join(f"{name} {value}\n" for name, value in arguments.items())
