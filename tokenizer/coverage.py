"""Which tokenizers the kernels cover: GPT-2's family.

Byte-level BPE over GPT-2's words, no normaliser or NFC, and as added tokens special ones and runs of
2, 3, … spaces: the released GPT-NeoX-20B and GPT-2 files, and what `tokenizer.train` writes.
"""

import sys
from typing import Any

from tokenizer.pieces import can_be_cut

_UNUSUAL = ("continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges")
_LARGEST_ID = (1 << 16) - 2
"""Kernels give an id 16 bits, of which all ones stand for the ends of a word."""

MOST = 0xFFFF
"""Merges at most: kernels give a rank 16 bits, and the last is for pairs that were never learned."""


def uncovered(config: dict[str, Any]) -> str | None:
    """Return why a tokenizer, as parsed from its JSON, is not for the kernels; None if it is."""
    model = config["model"]
    unusual = [name for name in _UNUSUAL if model.get(name)]
    if sys.byteorder != "little":
        return "this machine is big-endian"
    if model.get("type", "BPE") != "BPE" or not can_be_cut(config):
        return "it is no byte-level BPE over GPT-2's words"
    if unusual:
        return f"its model sets {unusual[0]}"
    if _largest_id(config) > _LARGEST_ID:
        return f"its ids go beyond {_LARGEST_ID:,}"
    if len(model["merges"]) > MOST:
        return f"it has more than {MOST:,} merges"
    return _unusual_added(config)


def _largest_id(config: dict[str, Any]) -> int:
    added = [token["id"] for token in config.get("added_tokens") or ()]
    return int(max([*config["model"]["vocab"].values(), *added]))


def _unusual_added(config: dict[str, Any]) -> str | None:
    lengths: list[int] = []
    for token in config.get("added_tokens") or ():
        content = token["content"]
        if token["special"]:
            if " " in content or not content:
                return f"its special token {content!r} holds a space"
        elif set(content) == {" "} and (token["normalized"] or config.get("normalizer") is None):
            lengths.append(len(content))
        else:
            return f"its added token {content!r} is no run of spaces"
    if sorted(lengths) != list(range(2, len(lengths) + 2)):
        return "its runs of spaces have gaps"
    return None
