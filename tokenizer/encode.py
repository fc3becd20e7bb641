"""Turn documents into token ids with any ``tokenizer.json`` that HF ``tokenizers`` loads.

HF ``tokenizers`` starts a thread per core unless ``TOKENIZERS_PARALLELISM=false`` is set before its
first use. Whoever runs several workers on a machine sets it for them; nothing here does.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tokenizer.alphabet import CHARACTER_OF_BYTE, UTF8_BYTES
from tokenizer.pieces import batches, can_be_cut, pieces, whole
from tokenizer.recipe import END_OF_TEXT
from tokenizer.text import UnencodableText, utf8

LiteralSpecials: TypeAlias = Literal["text", "tokens"]
"""What ``<|endoftext|>``, written out in a document, becomes: plain text, or the special token.

As a token it forges the end of a document; the tools of GPT-NeoX and Megatron make it one.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Documents as tokens: all ids one after the other, and the number of ids of each document."""

    ids: NDArray[np.uint32]
    lengths: NDArray[np.int64]


class Encoder:
    """A tokenizer, ready to encode.

    ``vocabulary_size`` is the largest id plus 1, added tokens included. ``eod`` is the id that ends
    a document. Truncation, padding and templates that the file may ask for are not applied: a
    document's ids are those of its text, no more and no less.
    """

    def __init__(
        self,
        tokenizer_json: str,
        literal_specials: LiteralSpecials = "text",
        eod_token: str = END_OF_TEXT,
    ) -> None:
        if literal_specials not in get_args(LiteralSpecials):
            raise ValueError(
                f"literal_specials is {literal_specials!r}: choose one of {get_args(LiteralSpecials)}"
            )
        config = _parsed(tokenizer_json)
        self._arguments = (tokenizer_json, literal_specials, eod_token)
        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = literal_specials == "text"
        self._missing = _missing_bytes(config)
        self._cut = pieces if can_be_cut(config) else whole
        self.vocabulary_size = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        self.eod = self._id_of(eod_token)

    @classmethod
    def load(
        cls,
        path_or_text: Path | str,
        literal_specials: LiteralSpecials = "text",
        eod_token: str = END_OF_TEXT,
    ) -> "Encoder":
        """Load a ``tokenizer.json``: a path, or the text of the file itself."""
        text = str(path_or_text)
        if not text.startswith("{"):
            text = Path(path_or_text).read_text(encoding="utf-8")
        return cls(text, literal_specials, eod_token)

    def __reduce__(self) -> tuple[Callable[..., "Encoder"], tuple[str, str, str]]:
        return Encoder, self._arguments

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode documents, in order; an empty document has no ids.

        Raises `UnencodableText`, which names the document by its place in ``texts``, for a lone
        surrogate, for a byte that the vocabulary lacks, and for a word too long for memory
        (`tokenizer.pieces.LONGEST_WORD`).
        """
        lengths = np.zeros(len(texts), dtype=np.int64)
        parts = [np.empty(0, dtype=np.uint32)]
        for numbers, batch in batches(self._without_missing(texts), self._cut):
            encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            for number, encoding in zip(numbers, encodings, strict=True):
                ids = np.array(encoding.ids, dtype=np.uint32)
                lengths[number] += ids.size
                parts.append(ids)
        return Encoded(np.concatenate(parts), lengths)

    def decode(self, ids: Sequence[int] | NDArray[Any]) -> str:
        """Return the text of ids, special tokens written out; bytes that are no UTF-8 as U+FFFD."""
        return self._tokenizer.decode(list(map(int, ids)), skip_special_tokens=False)

    def _id_of(self, eod_token: str) -> int:
        number = self._tokenizer.token_to_id(eod_token)
        if number is None:
            raise ValueError(f"the tokenizer has no token {eod_token!r} to end documents with")
        return number

    def _without_missing(self, texts: Iterable[str]) -> Iterator[str]:
        """Pass documents on, once it is sure that no byte of theirs would be dropped."""
        for number, text in enumerate(texts):
            if self._missing is not None:
                found = self._missing.search(self._normalised(text, number))
                if found is not None:
                    raise UnencodableText(
                        f"document {number}: byte 0x{found[0][0]:02X} has no token, so it would be "
                        'lost: train the tokenizer with alphabet = "utf8"'
                    )
            yield text

    def _normalised(self, text: str, number: int) -> bytes:
        encoded = utf8(text, number)
        normaliser = self._tokenizer.normalizer
        return encoded if normaliser is None else utf8(normaliser.normalize_str(text), number)


def _parsed(tokenizer_json: str) -> dict[str, Any]:
    config = json.loads(tokenizer_json)
    if not isinstance(config, dict) or "model" not in config:
        raise ValueError("this is no tokenizer.json: it has no model")
    if config["model"].get("dropout"):
        raise ValueError("the tokenizer has BPE dropout: it would encode differently each time")
    return config


def _missing_bytes(config: dict[str, Any]) -> re.Pattern[bytes] | None:
    """Return a pattern of the bytes of UTF-8 that a byte-level BPE has no token for."""
    splitter = config.get("pre_tokenizer") or {}
    steps = splitter.get("pretokenizers", [splitter])
    model = config["model"]
    if model.get("type", "BPE") != "BPE" or not any(
        step.get("type") == "ByteLevel" for step in steps
    ):
        return None
    missing = [byte for byte in UTF8_BYTES if CHARACTER_OF_BYTE[byte] not in model["vocab"]]
    return re.compile(b"[%s]" % re.escape(bytes(missing))) if missing else None
