"""What the kernels of the classifier do, said plainly: one text, one word, one row at a time."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pile.cleaning.quality.model import Floats, Model
from pile.cleaning.quality.train import Recipe

SEPARATORS = re.compile(rb"[ \t\n\v\f\r\0]+")
END = b"</s>"

_64 = (1 << 64) - 1


def words(text: str) -> list[int]:
    """Return the hashes of a text's words and of its end."""
    found: list[int] = []
    for word in [*filter(None, SEPARATORS.split(text.encode())), END]:
        found.append(fnv(word))
        if word == END:
            break
    return found


def fnv(word: bytes) -> int:
    """Hash a word with FNV-1a, its bytes taken as numbers from -128 to 127."""
    hashed = 2166136261
    for byte in word:
        signed = byte - 256 if byte >= 128 else byte
        hashed = (hashed ^ (signed & 0xFFFFFFFF)) * 16777619 & 0xFFFFFFFF
    return hashed


def features(hashes: Sequence[int], known: Sequence[int], buckets: int) -> list[int]:
    """Return the rows of the words that are known, and those of all pairs of neighbours."""
    place = {hashed: row for row, hashed in enumerate(known)}
    signed = [hashed - (1 << 32) if hashed >= 1 << 31 else hashed for hashed in hashes]
    pairs = [
        ((signed[at] & _64) * 116049371 + signed[at + 1] & _64) % buckets
        for at in range(len(signed) - 1)
    ]
    return [place[h] for h in hashes if h in place] + [len(known) + pair for pair in pairs]


def initial(shape: tuple[int, int], seed: int) -> Floats:
    """Return rows to begin with, by SplitMix64 (Steele, Lea and Flood 2014)."""
    rows = np.empty(shape[0] * shape[1], np.float32)
    for place in range(len(rows)):
        state = (seed + (place + 1) * 0x9E3779B97F4A7C15) & _64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _64
        drawn = ((state ^ (state >> 31)) >> 40) / (1 << 24)
        rows[place] = (2 * drawn - 1) / shape[1]
    return rows.reshape(shape)


def train(texts: Sequence[str], wanted: Sequence[bool], recipe: Recipe) -> Model:
    """Learn from texts, with both vectors of the softmax."""
    hashed = [words(text) for text in texts]
    counts: dict[int, int] = {}
    for one in hashed:
        for word in one:
            counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    known = [word for word in ordered if counts[word] >= recipe.min_count][: recipe.words]
    rows = initial((len(known) + recipe.buckets, recipe.dims), recipe.seed)
    output = np.zeros((2, recipe.dims), np.float32)
    total, seen = recipe.epochs * sum(map(len, hashed)), 0
    for _ in range(recipe.epochs):
        for one, is_wanted in zip(hashed, wanted, strict=True):
            step = recipe.rate * (1 - seen / total)
            _learn(features(one, known, recipe.buckets), is_wanted, (rows, output), step)
            seen += len(one)
    return Model(np.array(known, np.uint32), rows, output[1].copy())


def _learn(found: list[int], wanted: bool, weights: tuple[Floats, Floats], step: float) -> None:
    rows, output = weights
    hidden = rows[found].mean(axis=0) if found else np.zeros(rows.shape[1], np.float32)
    chances = softmax(output @ hidden)
    change = np.zeros_like(hidden)
    for label in (0, 1):
        pull = np.float32(step * ((label == wanted) - chances[label]))
        change += pull * output[label]
        output[label] += pull * hidden
    for row in found:
        rows[row] += change / np.float32(len(found))


def softmax(scores: npt.NDArray[np.floating]) -> list[float]:
    """Return the chances of classes."""
    powers = [math.exp(float(score - scores.max())) for score in scores]
    return [power / sum(powers) for power in powers]


def score(model: Model, text: str) -> float:
    """Return the chance that a text is wanted."""
    found = features(words(text), model.words.tolist(), model.buckets)
    hidden = model.rows[found].mean(axis=0) if found else np.zeros(len(model.output))
    return softmax(np.array([-(model.output @ hidden), model.output @ hidden]))[1]
