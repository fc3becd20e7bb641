"""How tokenizers differ: what they make of texts, and what their vocabularies hold.

The published comparison of GPT-2's and GPT-NeoX-20B's tokens (arXiv 2204.06745) counts tokens of
each component of the Pile, with and without tokens that are all white space; so do these figures.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tokenizer.alphabet import BYTE_OF_CHARACTER
from tokenizer.encode import Encoder

_SPACES = frozenset("\t\n\v\f\r ")
_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class Fit:
    """What a tokenizer makes of a source: bytes of its text, tokens, those all white space."""

    text_bytes: int
    tokens: int
    space_tokens: int

    @property
    def tokens_per_byte(self) -> float:
        """Tokens for each byte of UTF-8; 0 if there is no text."""
        return self.tokens / self.text_bytes if self.text_bytes else 0.0

    @property
    def space_share(self) -> float:
        """Share of tokens that are all white space; 0 if there are none."""
        return self.space_tokens / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a tokenizer holds: texts of its tokens, by id; entries no text can give.

    ``spelled`` has the entries as the file spells them, added tokens apart.
    """

    tokens: Mapping[int, str]
    spelled: frozenset[str]
    unreachable: tuple[int, ...]

    def longest(self, count: int) -> tuple[str, ...]:
        """Return the longest tokens, ties by id."""
        ranked = sorted(self.tokens.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        return tuple(text for _, text in ranked[:count])


def fit(tokenizer_json: str, sources: Mapping[str, Iterable[str]]) -> dict[str, Fit]:
    """Return what a tokenizer makes of each source's documents, which are read once."""
    encoder = Encoder.load(tokenizer_json)
    spaces = space_tokens(tokenizer_json)
    return {name: _fit(encoder, spaces, texts) for name, texts in sources.items()}


def space_tokens(tokenizer_json: str) -> NDArray[np.bool_]:
    """Tell of every id whether its token is all white space."""
    tokens = vocabulary(tokenizer_json).tokens
    spaces = np.zeros(1 + max(tokens), dtype=np.bool_)
    for number, text in tokens.items():
        spaces[number] = bool(text) and _SPACES.issuperset(text)
    return spaces


def _fit(encoder: Encoder, spaces: NDArray[np.bool_], texts: Iterable[str]) -> Fit:
    text_bytes = tokens = space_count = 0
    unread = iter(texts)
    while batch := list(islice(unread, _DOCUMENTS)):
        ids = encoder.encode(batch).ids
        text_bytes += sum(len(text.encode("utf-8")) for text in batch)
        tokens += ids.size
        space_count += int(np.count_nonzero(spaces[ids]))
    return Fit(text_bytes, tokens, space_count)


def vocabulary(tokenizer_json: str) -> Vocabulary:
    """Return a tokenizer's tokens as text, bytes that are no UTF-8 as U+FFFD."""
    config = json.loads(tokenizer_json)
    added = {token["id"]: token["content"] for token in config.get("added_tokens") or ()}
    own = {number: text for text, number in config["model"]["vocab"].items() if number not in added}
    tokens = {number: _text(token) for number, token in own.items()} | added
    runs = any(set(content) == {" "} and len(content) == 2 for content in added.values())
    lost = [number for number in sorted(own) if runs and "  " in tokens[number]]
    spelled = frozenset(config["model"]["vocab"])
    return Vocabulary(dict(sorted(tokens.items())), spelled, tuple(lost))


def shared(first: Vocabulary, second: Vocabulary) -> int:
    """Return how many entries two vocabularies have in common, added tokens apart."""
    return len(first.spelled & second.spelled)


def pieces_of(encoder: Encoder, text: str) -> Iterator[tuple[int, str]]:
    """Yield the tokens of a text, in order: id, and the text that it and those before complete.

    A character that several tokens make up belongs to the last of them; those before are empty.
    """
    ids: Sequence[int] = encoder.encode([text]).ids.tolist()
    waiting: list[int] = []
    for number in ids:
        waiting.append(number)
        decoded = encoder.decode(waiting)
        if decoded.endswith("\ufffd") and len(waiting) < 4:
            yield number, ""
            continue
        yield number, decoded
        waiting = []


def _text(token: str) -> str:
    if not all(character in BYTE_OF_CHARACTER for character in token):
        return token
    return bytes(BYTE_OF_CHARACTER[character] for character in token).decode("utf-8", "replace")
