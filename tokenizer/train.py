"""Learn a byte-level BPE from text, or from words counted before.

Kernels count words (`tokenizer.count`) and learn merges (`tokenizer.learn`); they give the merges
that HF ``tokenizers`` gives, and go on where it would overflow. They have to be compiled once a
machine, so text of less than `PATIENCE` characters is left to HF ``tokenizers``.

HF ``tokenizers`` counts words and learns merges, on all cores unless ``RAYON_NUM_THREADS`` or
``TOKENIZERS_PARALLELISM=false`` say otherwise; the outcome does not depend on it, nor on how the
documents are ordered. It reads 2 to 4 MB a second, and keeps every distinct word in memory, not the
text.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tokenizer.alphabet import BYTE_OF_CHARACTER, CHARACTER_OF_BYTE, UTF8_BYTES
from tokenizer.count_plain import splitter
from tokenizer.files import tokenizer_json
from tokenizer.pair_bound import PairBound
from tokenizer.pieces import batches, pieces
from tokenizer.recipe import SPECIAL_TOKENS, Alphabet, Recipe

Trainer: TypeAlias = Literal["auto", "kernels", "hf"]
"""Who learns: ``auto`` is HF ``tokenizers`` for little text, the kernels otherwise."""

PATIENCE = 16 << 20
"""Characters of training text below which ``auto`` leaves it to HF ``tokenizers``."""


def train(texts: Iterable[str], recipe: Recipe, trainer: Trainer = "auto") -> str:
    """Return the text of ``tokenizer.json``, learned from the documents, which are read once.

    Neither the order of documents nor the trainer matters. Raises `tokenizer.text.UnencodableText`
    for a document with a lone surrogate or a word too long for memory, ValueError if there is no
    text at all, and, from HF ``tokenizers`` only, `tokenizer.pair_bound.SampleTooLarge` if there is
    more text than it can count.
    """
    if trainer not in get_args(Trainer):
        raise ValueError(f"trainer is {trainer!r}: choose one of {get_args(Trainer)}")
    unread = iter(texts)
    begun = _first(unread) if trainer == "auto" else []
    if trainer == "hf" or (trainer == "auto" and sum(map(len, begun)) < PATIENCE):
        return _train_hf(chain(begun, unread), recipe)
    return _train_kernels(chain(begun, unread), recipe)


def _first(texts: Iterator[str]) -> list[str]:
    """Return documents of `PATIENCE` characters, or all there are."""
    taken: list[str] = []
    characters = 0
    for text in texts:
        taken.append(text)
        characters += len(text) + 1  # so that empty documents end this too
        if characters >= PATIENCE:
            break
    return taken


def _train_kernels(texts: Iterable[str], recipe: Recipe) -> str:
    from tokenizer import count  # noqa: PLC0415 - Numba takes a second to load

    with TemporaryDirectory(prefix="pile-counts-") as folder:
        counter = count.Counter(Path(folder), reserved_run=recipe.reserved_run)
        counter.add(texts)
        counter.finish(Path(folder) / "counts.parquet")
        return train_counts(count.read(Path(folder) / "counts.parquet"), recipe)


def train_counts(counts: pa.Table, recipe: Recipe, trainer: Trainer = "kernels") -> str:
    """Return the text of ``tokenizer.json``, learned from words and how often they occur.

    ``counts`` has the columns of `tokenizer.count.SCHEMA`, and no word twice. If ``recipe`` reserves
    runs of spaces, they were cut out in counting. Raises as `train`.
    """
    from tokenizer import count  # noqa: PLC0415 - Numba takes a second to load

    text, offsets = count.word_buffers(counts)
    if not text.size:
        raise ValueError("there is no text to train a tokenizer on")
    occurrences = counts["count"].to_numpy()
    size = int(np.dot(np.diff(offsets), occurrences))
    if trainer == "hf" or (trainer == "auto" and size < PATIENCE):
        return _counts_to_hf(counts, recipe)
    return _counts_to_kernels(text, offsets, occurrences, recipe)


def _counts_to_hf(counts: pa.Table, recipe: Recipe) -> str:
    """Let HF ``tokenizers`` learn from each word as often as it occurs."""
    bound = PairBound()
    bound.add_words(counts["word"].to_pylist(), counts["count"].to_pylist())
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    pairs = zip(counts["word"].to_pylist(), counts["count"].to_pylist(), strict=True)
    words = chain.from_iterable(repeat(word.decode("utf-8"), often) for word, often in pairs)
    return _learned(tokenizer, words, recipe)


def _counts_to_kernels(
    text: NDArray[np.uint8], offsets: NDArray[np.int64], tally: NDArray[np.int64], recipe: Recipe
) -> str:
    from tokenizer import learn  # noqa: PLC0415 - Numba takes a second to load

    seen = np.flatnonzero(np.bincount(text, minlength=256)).tolist()
    characters = sorted({*_given_alphabet(recipe.alphabet), *(CHARACTER_OF_BYTE[b] for b in seen)})
    alphabet = [BYTE_OF_CHARACTER[character] for character in characters]
    merges, names = learn.merges(text, offsets, tally, alphabet, recipe)
    vocabulary = {name: number for number, name in enumerate([*SPECIAL_TOKENS, *names])}
    return tokenizer_json(vocabulary, merges, recipe)


def _train_hf(texts: Iterable[str], recipe: Recipe) -> str:
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = splitter(recipe.reserved_run)
    bound = PairBound()
    learned = _learned(tokenizer, _bounded(texts, bound), recipe)
    if not bound.text_bytes:
        raise ValueError("there is no text to train a tokenizer on")
    return learned


def _learned(tokenizer: Tokenizer, texts: Iterable[str], recipe: Recipe) -> str:
    tokenizer.train_from_iterator(texts, trainer=_trainer(recipe))
    model = json.loads(tokenizer.to_str())["model"]
    return tokenizer_json(model["vocab"], model["merges"], recipe)


def _trainer(recipe: Recipe) -> BpeTrainer:
    return BpeTrainer(
        vocab_size=recipe.vocabulary_size,
        min_frequency=recipe.min_frequency,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=_given_alphabet(recipe.alphabet),
        show_progress=False,
    )


def _given_alphabet(alphabet: Alphabet) -> list[str]:
    given = {"learned": (), "utf8": UTF8_BYTES, "complete": range(256)}[alphabet]
    return [CHARACTER_OF_BYTE[byte] for byte in given]


def _bounded(texts: Iterable[str], bound: PairBound) -> Iterator[str]:
    """Pass documents on in pieces, each after it was counted."""
    nfc = NFC()
    for _, batch in batches(texts, pieces):
        bound.add(
            [(text if text.isascii() else nfc.normalize_str(text)).encode() for text in batch]
        )
        yield from batch
