"""Learn a byte-level BPE from text.

HF ``tokenizers`` counts words and learns merges, on all cores unless ``RAYON_NUM_THREADS`` or
``TOKENIZERS_PARALLELISM=false`` say otherwise; the outcome does not depend on it, nor on how the
documents are ordered. It reads 2 to 4 MB a second, and keeps every distinct word in memory, not the
text.
"""

import json
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tokenizer.alphabet import CHARACTER_OF_BYTE, UTF8_BYTES
from tokenizer.files import tokenizer_json
from tokenizer.pair_bound import PairBound
from tokenizer.pieces import batches, pieces
from tokenizer.recipe import SPECIAL_TOKENS, Alphabet, Recipe


def train(texts: Iterable[str], recipe: Recipe) -> str:
    """Return the text of ``tokenizer.json``, learned from the documents, which are read once.

    The order of documents does not matter. Raises `tokenizer.pair_bound.SampleTooLarge` if there is
    more text than the trainer can count, `tokenizer.text.UnencodableText` for a document with a
    lone surrogate or a word too long for memory, and ValueError if there is no text at all.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    bound = PairBound()
    tokenizer.train_from_iterator(_bounded(texts, bound), trainer=_trainer(recipe))
    if not bound.text_bytes:
        raise ValueError("there is no text to train a tokenizer on")
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
