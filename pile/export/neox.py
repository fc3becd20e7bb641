"""A configuration file for GPT-NeoX: which shards it trains on, and with which tokenizer.

It is given beside a model's own file, which must name none of these keys:
``./deepy.py train.py model.yml data.yml``.
"""

import json
from collections.abc import Sequence

from pile.export.shard_list import TrainingShard, Vocabulary, of_split, padding_explained

MOST_SHARDS = 254
"""GPT-NeoX numbers the shards of a split with one byte."""

_NAMES = {"train": "train", "val": "valid", "test": "test"}


def data_yml(shards: Sequence[TrainingShard], vocabulary: Vocabulary) -> str:
    """Return the text of a YAML file for GPT-NeoX.

    Weights are tokens x epochs. ValueError if a split has no shards, for GPT-NeoX takes paths for
    all three or for none; or if one has more than it can number.
    """
    keys: dict[str, object] = {}
    for split, name in _NAMES.items():
        chosen = of_split(shards, split)
        _check_number(split, len(chosen))
        keys[f"{name}-data-paths"] = [shard.prefix for shard in chosen]
        keys[f"{name}-data-weights"] = [shard.weight for shard in chosen]
    keys |= {
        # Left out, GPT-NeoX guesses the format by a function that gives back nothing.
        "data-impl": "mmap",
        "pack-impl": "packed",
        "tokenizer-type": "HFTokenizer",
        "vocab-file": vocabulary.file,
        "make-vocab-size-divisible-by": 128,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in keys.items()]
    return "\n".join([*_head(shards, vocabulary), "{", *lines, "}", ""])


def _head(shards: Sequence[TrainingShard], vocabulary: Vocabulary) -> list[str]:
    tokens = sum(shard.weight for shard in shards if shard.split == "train")
    return [
        "# Shards for GPT-NeoX; give this file beside the model's own, which must not name these keys.",
        f"# Training sees each epoch once after {tokens:,.0f} tokens:",
        "# train-iters x global batch x seq-length.",
        f"# Vocabulary: {padding_explained(vocabulary.ids)}.",
    ]


def _check_number(split: str, number: int) -> None:
    if not number:
        raise ValueError(
            f"there are no shards of {split}: GPT-NeoX takes train, val and test, or none by name; "
            f"hold out more documents ([mix] val and test)"
        )
    if number > MOST_SHARDS:
        raise ValueError(
            f"{split} has {number} shards, GPT-NeoX takes {MOST_SHARDS}: make them larger "
            f"([shards] tokens)"
        )
