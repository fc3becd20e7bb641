"""Byte-level BPE written for the eye: the oracle of every faster encoder.

Reads the same ``tokenizer.json`` that `tokenizer.files` writes and gives the same ids as HF
``tokenizers``, one step at a time: added tokens, NFC, GPT-2's words, merges. Characters are
classified by this Python's Unicode version.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from tokenizer.alphabet import spelled

_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
)
"""Unicode's White_Space property; `str.isspace` has four control characters more."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a ``tokenizer.json`` says: ids of tokens, ranks of merges, added tokens by kind."""

    vocabulary: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int]
    specials: Mapping[str, int]
    runs: Mapping[str, int]


def load(tokenizer_json: str) -> Reference:
    """Read the text of a ``tokenizer.json`` as `tokenizer.files` writes it."""
    config: dict[str, Any] = json.loads(tokenizer_json)
    merges = (pair.split(" ") for pair in config["model"]["merges"])
    added = config["added_tokens"]
    return Reference(
        vocabulary=config["model"]["vocab"],
        ranks={(left, right): rank for rank, (left, right) in enumerate(merges)},
        specials={token["content"]: token["id"] for token in added if token["special"]},
        runs={token["content"]: token["id"] for token in added if not token["special"]},
    )


def encode(
    reference: Reference, text: str, literal_specials: Literal["text", "tokens"] = "text"
) -> list[int]:
    """Return the ids of a text; KeyError if a byte has no token."""
    specials = reference.specials if literal_specials == "tokens" else {}
    ids: list[int] = []
    for part, special in cut_out(specials, text):
        if special is not None:
            ids.append(special)
            continue
        for plain, run in cut_out(reference.runs, unicodedata.normalize("NFC", part)):
            ids += [run] if run is not None else plain_ids(reference, plain)
    return ids


def cut_out(tokens: Mapping[str, int], text: str) -> Iterator[tuple[str, int | None]]:
    """Yield the parts of a text: each token found, leftmost and longest, and what is between."""
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    pattern = "|".join(map(re.escape, longest_first))
    # The brackets make `re.split` keep what it splits at; an empty pattern would match everywhere.
    for part in re.split(f"({pattern})", text) if pattern else [text]:
        if part:
            yield part, tokens.get(part)


def plain_ids(reference: Reference, text: str) -> list[int]:
    """Return the ids of a text that holds no added token."""
    return [
        reference.vocabulary[token]
        for word in words(text)
        for token in merged(reference.ranks, spelled(word.encode("utf-8")))
    ]


def merged(ranks: Mapping[tuple[str, str], int], word: str) -> list[str]:
    """Join the pair that was learned first, the leftmost of several, until no pair was learned."""
    tokens = list(word)
    while True:
        pairs = list(pairwise(tokens))
        learned = [(ranks[pair], place) for place, pair in enumerate(pairs) if pair in ranks]
        if not learned:
            return tokens
        _, place = min(learned)
        tokens[place : place + 2] = ["".join(pairs[place])]


def words(text: str) -> Iterator[str]:
    """Split a text by GPT-2's rule: contractions, letters, digits, the rest, and white space.

    One plain space before a word belongs to the word.
    """
    start = 0
    while start < len(text):
        end = _end_of_word(text, start)
        yield text[start:end]
        start = end


def _end_of_word(text: str, start: int) -> int:
    for contraction in _CONTRACTIONS:
        if text.startswith(contraction, start):
            return start + len(contraction)
    first = (
        start + 1 if text[start] == " " and kind(text[start + 1 : start + 2]) != "space" else start
    )
    end = first
    while end < len(text) and kind(text[end]) == kind(text[first]):
        end += 1
    gives_up_its_last = kind(text[first]) == "space" and end < len(text) and end - start > 1
    return end - 1 if gives_up_its_last else end


def kind(character: str) -> str:
    """Return what a character is to GPT-2's rule: letter, digit, space, or other.

    No character at all, after the end of a text, counts as space.
    """
    if not character or character in _WHITE_SPACE:
        return "space"
    category = unicodedata.category(character)[0]
    return {"L": "letter", "N": "digit"}.get(category, "other")
