"""Decontamination: texts that share word n-grams with benchmarks, found and cut or dropped.

A text and a benchmark text are lower-cased and split at whitespace; every run of n words (13 by
default) that both hold is a hit, and says of which benchmarks. What is cut follows the Pile's
ablation: a hit goes with 200 characters on each side, pieces of more than 200 characters stay, and
a text that would fall into more than 10 pieces is dropped whole. (There, offsets left out the
blanks between words, so that cuts lay left of their hits. Here they are those of the text.)

Hits are exact. Where there is much text, kernels first hash its n-grams to 32 bits and only texts
with the hash of a benchmark's n-gram are looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.minhash import Strings, uses_kernels, whole_columns

WORDS = 13
MARGIN = 200
"""Characters that go on each side of a hit."""
LEAST_PIECE = 200
"""A piece of no more characters goes too."""
MOST_PIECES = 10
"""A text that falls into more pieces goes whole."""

_WORD = re.compile(r"\S+")
_BITS_A_GRAM = 64
_GRAMS_TOGETHER = 1 << 16
_TOGETHER = 1 << 10
"""Texts that are looked at together."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A run of words of a text, by characters, that benchmarks hold too; their names in order."""

    start: int
    stop: int
    benchmarks: tuple[str, ...]


@dataclass(frozen=True)
class Grams:
    """The word n-grams of benchmarks: the names of those that hold each.

    ``short`` counts the texts of each benchmark that have fewer than n words, and so no n-gram:
    nothing can be found of them.
    """

    n: int
    holders: Mapping[str, tuple[str, ...]]
    short: Mapping[str, int]

    @cached_property
    def hashes(self) -> NDArray[np.uint32]:
        """Return the hashes of all n-grams, sorted."""
        from dedup import batches  # noqa: PLC0415 - loads a compiler, which small jobs do without

        found = [np.empty(0, np.uint32)]
        grams = iter(self.holders)
        while some := list(islice(grams, _GRAMS_TOGETHER)):
            column = pa.array(some, pa.large_string())
            found.extend(made.copy() for _, _, made in batches.column_hashes(column, self.n))
        return np.unique(np.concatenate(found))

    @cached_property
    def bits(self) -> NDArray[np.bool_]:
        """Return a table that is true at the hash of every n-gram, modulo its length."""
        size = 1 << max((_BITS_A_GRAM * len(self.holders)).bit_length(), 16)
        found = np.zeros(min(size, 1 << 32), np.bool_)
        found[self.hashes & np.uint32(len(found) - 1)] = True
        return found

    def may_hold(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the places of hashes that are those of n-grams here."""
        places = np.flatnonzero(self.bits[hashes & np.uint32(len(self.bits) - 1)])
        near = np.searchsorted(self.hashes, hashes[places])
        known: NDArray[np.bool_] = (
            self.hashes[np.minimum(near, len(self.hashes) - 1)] == hashes[places]
        )
        return places[known].astype(np.int64)


def grams_of(benchmarks: Mapping[str, Iterable[str]], n: int = WORDS) -> Grams:
    """Return the n-grams of benchmarks, which are texts by name; raise ValueError for n below 1."""
    if n < 1:
        raise ValueError(f"n-grams of {n} words: there are none")
    holders: dict[str, tuple[str, ...]] = {}
    short = dict.fromkeys(sorted(benchmarks), 0)
    for name in short:
        for text in benchmarks[name]:
            words = text.lower().split()
            short[name] += len(words) < n
            for gram in _grams(words, n):
                known = holders.get(gram, ())
                if name not in known:
                    holders[gram] = (*known, name)
    return Grams(n, holders, short)


def find_hits(texts: Strings, grams: Grams) -> Iterator[tuple[Hit, ...]]:
    """Yield the hits of each text, in order of where they begin; they overlap where runs do.

    Raises ValueError for a null.
    """
    filtered = uses_kernels(texts)
    for column in whole_columns(texts):
        for start in range(0, len(column), _TOGETHER):
            strings: list[str] = column.slice(start, _TOGETHER).to_pylist()
            lowered = [text.lower() for text in strings] if filtered else []
            suspects = _suspects(lowered, grams) if filtered else range(len(strings))
            for number, text in enumerate(strings):
                yield _hits(text, grams) if number in suspects else ()


def cut_hits(
    text: str,
    hits: Sequence[Hit],
    margin: int = MARGIN,
    least_piece: int = LEAST_PIECE,
    most_pieces: int = MOST_PIECES,
) -> list[str]:
    """Return the pieces of a text that stay when hits are cut out; none if there are too many.

    A text without hits stays whole, however short.
    """
    if not hits:
        return [text]
    pieces: list[str] = []
    end = 0
    for hit in sorted(hits, key=lambda hit: hit.start):
        pieces.append(text[end : max(hit.start - margin, end)])
        end = max(end, hit.stop + margin)
    pieces.append(text[end:])
    pieces = [piece for piece in pieces if len(piece) > least_piece]
    return pieces if len(pieces) <= most_pieces else []


def _hits(text: str, grams: Grams) -> tuple[Hit, ...]:
    """Look up every n-gram of a text."""
    words = text.lower().split()
    spans: list[tuple[int, int]] = []
    found: list[Hit] = []
    for number, gram in enumerate(_grams(words, grams.n)):
        if holders := grams.holders.get(gram):
            # Lower case may be longer or shorter, but has the same words.
            spans = spans or [match.span() for match in _WORD.finditer(text)]
            last = spans[number + grams.n - 1]
            found.append(Hit(spans[number][0], last[1], holders))
    return tuple(found)


def _grams(words: Sequence[str], n: int) -> Iterator[str]:
    """Yield runs of n words."""
    return (" ".join(words[start : start + n]) for start in range(len(words) - n + 1))


def _suspects(lowered: Sequence[str], grams: Grams) -> frozenset[int]:
    """Return which texts hold an n-gram whose bit is set."""
    from dedup import batches  # noqa: PLC0415 - loads a compiler, which small jobs do without

    found: set[int] = set()
    column = pa.array(lowered, pa.large_string())
    for first, firsts, hashes in batches.column_hashes(column, grams.n):
        owners = np.searchsorted(firsts, grams.may_hold(hashes), side="right") - 1
        found.update((first + np.unique(owners)).tolist())
    return frozenset(found)
