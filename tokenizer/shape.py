"""What a ``tokenizer.json`` consists of, in figures."""

import json
from dataclasses import dataclass

from tokenizer.alphabet import BYTE_OF_CHARACTER


@dataclass(frozen=True, slots=True)
class Shape:
    """Numbers of tokens of each kind, and the longest of the merged ones as text.

    ``vocabulary`` counts all tokens, ``added`` those that no merge made and no byte is.
    """

    vocabulary: int
    merges: int
    added: int
    longest: tuple[str, ...]


def describe(tokenizer_json: str, longest: int) -> Shape:
    """Return the shape of a tokenizer; ``longest`` tokens are shown, ties by id."""
    found = json.loads(tokenizer_json)
    vocabulary: dict[str, int] = found["model"]["vocab"]
    added = {token["content"] for token in found.get("added_tokens", [])}
    own = [token for token in vocabulary if token not in added]
    ranked = sorted(own, key=lambda token: (-len(token), vocabulary[token]))
    return Shape(
        vocabulary=len(vocabulary.keys() | added),
        merges=len(found["model"]["merges"]),
        added=len(added),
        longest=tuple(_text(token) for token in ranked[:longest]),
    )


def _text(token: str) -> str:
    """Spell a byte-level token as text; a token of another kind stays as it is."""
    if not all(character in BYTE_OF_CHARACTER for character in token):
        return token
    return bytes(map(BYTE_OF_CHARACTER.__getitem__, token)).decode("utf-8", "replace")
