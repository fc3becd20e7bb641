"""What the kernels measure, said plainly."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pile.cleaning.words.classes import is_symbol

LONGEST_TOP_GRAM = 4
"""Words of the longest n-gram of which the most frequent one is looked for; the shortest has 2."""

DUPLICATE_GRAMS = (5, 6, 7, 8, 9, 10)
"""Words of the n-grams of which all that came before are looked for."""

_PARAGRAPH, _LINE = re.compile("\n{2,}"), re.compile("\n+")


@dataclass(frozen=True, slots=True)
class Shape:
    """Counts of a text's words and lines.

    ``plain`` words are not punctuation and symbols alone, ``plain_characters`` theirs; ``stop_words``
    counts the different ones that occur. ``ellipses`` are ``...`` and ``…``; lines are as
    `str.splitlines` has them, blank ones too.
    """

    words: int
    plain: int
    plain_characters: int
    alphabetic: int
    stop_words: int
    hashes: int
    ellipses: int
    lines: int
    bullet_lines: int
    ellipsis_lines: int


class Pieces(NamedTuple):
    """Lines or paragraphs: how many there are, how many came before, and the characters of these."""

    number: int
    repeated: int
    repeated_characters: int


@dataclass(frozen=True, slots=True)
class Repetition:
    """Counts of what repeats in a text of so many ``characters``.

    Lines stand between line feeds, paragraphs between two or more. ``top`` holds for 2-, 3- and 4-grams the characters in the one that
    occurs most often, its words joined by blanks, 0 if none occurs twice. ``duplicate`` holds for each of
    `DUPLICATE_GRAMS` the characters of words in n-grams that came before, overlaps counted once.
    """

    characters: int
    paragraphs: Pieces
    lines: Pieces
    top: tuple[int, ...]
    duplicate: tuple[int, ...]


def shape(text: str, stop_words: Sequence[str]) -> Shape:
    """Return the shape of a text's words and lines."""
    words = text.split()
    plain = [word for word in words if not all(map(is_symbol, word))]
    lines = text.splitlines()
    return Shape(
        words=len(words),
        plain=len(plain),
        plain_characters=sum(map(len, plain)),
        alphabetic=sum(any(map(str.isalpha, word)) for word in words),
        stop_words=len(set(stop_words) & set(words)),
        hashes=text.count("#"),
        ellipses=text.count("...") + text.count("…"),
        lines=len(lines),
        bullet_lines=sum(line.lstrip().startswith(("•", "-")) for line in lines),
        ellipsis_lines=sum(line.rstrip().endswith(("...", "…")) for line in lines),
    )


def repetition(text: str) -> Repetition:
    """Return how much of a text repeats."""
    words = text.split()
    inside = text.strip("\n")
    return Repetition(
        len(text),
        _repeated(_PARAGRAPH.split(inside)),
        _repeated(_LINE.split(inside)),
        tuple(_top_gram(words, n) for n in range(2, LONGEST_TOP_GRAM + 1)),
        tuple(_duplicate_grams(words, n) for n in DUPLICATE_GRAMS),
    )


def _repeated(pieces: Sequence[str]) -> Pieces:
    seen: set[str] = set()
    again = [piece for piece in pieces if piece in seen or seen.add(piece)]  # type: ignore[func-returns-value]
    return Pieces(len(pieces), len(again), sum(map(len, again)))


def _top_gram(words: Sequence[str], n: int) -> int:
    counts = Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    if not counts:
        return 0
    gram, count = max(counts.items(), key=lambda item: item[1])  # of equals the first
    return count * len(" ".join(gram)) if count > 1 else 0


def _duplicate_grams(words: Sequence[str], n: int) -> int:
    seen: set[tuple[str, ...]] = set()
    repeated, at = 0, 0
    while at + n <= len(words):
        gram = tuple(words[at : at + n])
        if gram in seen:
            repeated += sum(map(len, gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return repeated
