"""Turn documents into token ids with any ``tokenizer.json`` that HF ``tokenizers`` loads.

Kernels encode what they cover (`tokenizer.coverage`), HF ``tokenizers`` all else, with the same ids.
Kernels are compiled once a machine, which takes a quarter of a minute, and loaded once a process,
which takes a few seconds. So the first `PATIENCE` bytes that a process encodes are left to HF
``tokenizers``, which needs about as long for them, unless `warm` was called before.

HF ``tokenizers`` starts a thread per core unless ``TOKENIZERS_PARALLELISM=false`` is set before its
first use. Whoever runs several workers on a machine sets it for them; nothing here does.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tokenizer.alphabet import CHARACTER_OF_BYTE, UTF8_BYTES
from tokenizer.coverage import uncovered
from tokenizer.pieces import LONGEST_WORD, batches, can_be_cut, pieces, whole
from tokenizer.recipe import END_OF_TEXT
from tokenizer.text import UnencodableText, utf8

if TYPE_CHECKING:
    from tokenizer.fast import Kernels

PATIENCE = 16 << 20
"""Bytes of text, about, that a process encodes before it loads the kernels by itself."""

_BATCH = 1 << 21
"""Characters that the kernels are given at a time."""

_MADE_BY_NFC = frozenset(";K`")
"""Characters of ASCII that NFC makes of others: of U+037E, U+212A and U+1FEF."""

LiteralSpecials: TypeAlias = Literal["text", "tokens"]
"""What ``<|endoftext|>``, written out in a document, becomes: plain text, or the special token.

As a token it forges the end of a document; the tools of GPT-NeoX and Megatron make it one.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Documents as tokens: all ids one after the other, and the number of ids of each document."""

    ids: NDArray[np.uint32]
    lengths: NDArray[np.int64]


_Part: TypeAlias = tuple[list[int], NDArray[np.uint32], NDArray[np.int64]]
"""Numbers of documents, the ids of parts of them, and how many each part has."""


@dataclass(slots=True)
class _Process:
    """What this process did so far: characters encoded, and whether `warm` was called."""

    encoded: int = 0
    warm: bool = False


_PROCESS = _Process()


def warm() -> None:
    """Compile or load the kernels now, and let every encoder of this process use them at once."""
    from tokenizer import fast  # noqa: PLC0415 - Numba takes a second to load

    fast.warm()
    _PROCESS.warm = True


class Encoder:
    """A tokenizer, ready to encode. Threads may share it, and take turns; each encodes faster with its own.

    ``vocabulary_size`` is the largest id plus 1, added tokens included. ``eod`` is the id that ends
    a document. Truncation, padding and templates that the file may ask for are not applied: a
    document's ids are those of its text, no more and no less.

    ``keeps_text`` is whether decoding gives back the text, composed (NFC) at most: a normaliser
    that lower-cases, say, loses some of it. ``uncovered`` says why the kernels are not for this tokenizer; it is None if they are.
    ``fallbacks`` counts documents that are not for the kernels, in use or not: all if the tokenizer
    is not, else those with literal special tokens, where these become tokens.
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
        config = _with_ids_in_use(config, self._tokenizer)
        self._missing = _missing_bytes(config)
        self._cut = pieces if can_be_cut(config) else whole
        self._config = config
        self._kernels: Kernels | None = None
        self._as_tokens = _specials(config) if literal_specials == "tokens" else ()
        self._findable = _findable(self._as_tokens)
        self.keeps_text = (config.get("normalizer") or {"type": "NFC"})["type"] == "NFC"
        self.uncovered = uncovered(config)
        self.fallbacks = 0
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
        kernels = self._ready_kernels(sum(map(len, texts)))
        if kernels is not None and self._plain(texts):
            return Encoded(*kernels.encode(*_joined(texts)))
        return self._encode_in_parts(texts, kernels)

    def encode_column(self, column: pa.Array | pa.ChunkedArray) -> Encoded:
        """Encode the documents of an Arrow column; as `encode` for the rest.

        They are read from its buffers if it is of one `pa.large_string` without nulls, else from those of
        a copy. A null is an empty document.
        """
        column = _as_large_strings(column)
        text, offsets = _buffers(column)
        size = int(offsets[-1] - offsets[0])
        longest = int(np.diff(offsets).max(initial=0))
        kernels = self._ready_kernels(size)
        if kernels is not None and self._missing is None and longest <= LONGEST_WORD:
            text, offsets = kernels.readable(text, offsets)
            if not self._may_hold_special(kernels, text, offsets):
                return Encoded(*kernels.encode(text, offsets))
        return self._encode_in_parts(column.to_pylist(), kernels)

    def _may_hold_special(
        self, kernels: "Kernels", text: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> bool:
        """Tell whether a literal special token may be among documents that is to become a token."""
        if not self._as_tokens:
            return False
        return self._findable is None or kernels.hold(text, offsets, self._findable)

    @property
    def _covers_all(self) -> bool:
        """Whether no text needs a look before kernels may have it."""
        return not self._as_tokens and self._missing is None

    def _plain(self, texts: Sequence[str]) -> bool:
        """Tell whether kernels may have all documents as they are."""
        return self._covers_all and max(map(len, texts), default=0) <= LONGEST_WORD // 4

    def _encode_in_parts(self, texts: Sequence[str], kernels: "Kernels | None") -> Encoded:
        lengths = np.zeros(len(texts), dtype=np.int64)
        parts = [np.empty(0, dtype=np.uint32)]
        for numbers, ids, counts in self._parts(texts, kernels):
            parts.append(ids)
            np.add.at(lengths, numbers, counts)
        return Encoded(np.concatenate(parts), lengths)

    def _parts(self, texts: Sequence[str], kernels: "Kernels | None") -> Iterator[_Part]:
        """Yield the ids of the documents, some at a time, in order."""
        checked = self._without_missing(texts)
        if kernels is None:
            self.fallbacks += self._left_to_hf(texts)
            yield from self._by_hf(checked, 0)
            return
        first = 0
        for holds_special, group in groupby(checked, self._holds_special):
            documents = list(group)
            if holds_special:
                self.fallbacks += len(documents)
                yield from self._by_hf(documents, first)
            else:
                yield from self._by_kernels(kernels, documents, first)
            first += len(documents)

    def _by_hf(self, texts: Iterable[str], first: int) -> Iterator[_Part]:
        for numbers, batch in batches(texts, self._cut, first):
            encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            found = [encoding.ids for encoding in encodings]
            ids = np.fromiter(chain.from_iterable(found), dtype=np.uint32)
            yield numbers, ids, np.array(list(map(len, found)), dtype=np.int64)

    def _by_kernels(self, kernels: "Kernels", texts: list[str], first: int) -> Iterator[_Part]:
        for numbers, batch in batches(texts, self._cut, first, _BATCH):
            ids, counts = kernels.encode(*_joined(batch))
            yield numbers, ids, counts

    def _ready_kernels(self, characters: int) -> "Kernels | None":
        """Return the kernels, once it is worth while to wait for them."""
        if self.uncovered is not None:
            return None
        _PROCESS.encoded += characters
        if self._kernels is None and (_PROCESS.warm or _PROCESS.encoded > PATIENCE):
            from tokenizer import fast  # noqa: PLC0415 - Numba takes a second to load

            self._kernels = fast.Kernels(self._config)
        return self._kernels

    def _left_to_hf(self, texts: Sequence[str]) -> int:
        """Count documents that the kernels do not cover, though HF has all of them for now."""
        if self.uncovered is not None:
            return len(texts)
        return sum(map(self._holds_special, texts))

    def _holds_special(self, text: str) -> bool:
        """Tell whether a literal special token, in the text or its NFC, is to become a token."""
        if not self._as_tokens:
            return False
        forms = (text,) if text.isascii() else (text, unicodedata.normalize("NFC", text))
        return any(token in form for form in forms for token in self._as_tokens)

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


def _joined(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts as kernels read them; `UnencodableText` names one that is no text."""
    from tokenizer import fast  # noqa: PLC0415 - Numba takes a second to load

    try:
        return fast.joined([text.encode("utf-8") for text in texts])
    except UnicodeEncodeError:
        for number, text in enumerate(texts):
            utf8(text, number)
        raise


def _as_large_strings(column: pa.Array | pa.ChunkedArray) -> pa.LargeStringArray:
    """Return a column in one piece and of one type; a null, behind which text may lie, as no text."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if column.type != pa.large_string():
        column = column.cast(pa.large_string())
    return column.fill_null("") if column.null_count else column


def _buffers(column: pa.LargeStringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a column of texts, and where each begins and the last ends."""
    if not len(column):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, text = column.buffers()
    places = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(text or b"", np.uint8), places


def _parsed(tokenizer_json: str) -> dict[str, Any]:
    config = json.loads(tokenizer_json)
    if not isinstance(config, dict) or "model" not in config:
        raise ValueError("this is no tokenizer.json: it has no model")
    if config["model"].get("dropout"):
        raise ValueError("the tokenizer has BPE dropout: it would encode differently each time")
    return config


def _with_ids_in_use(config: dict[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
    """Return a configuration with the ids that added tokens have, whatever ids the file gives them.

    HF ``tokenizers`` numbers those that the vocabulary lacks from its end on, without gaps.
    """
    stated = config.get("added_tokens") or ()
    ids = [tokenizer.token_to_id(token["content"]) for token in stated]
    added = [
        token if number is None else {**token, "id": number}
        for token, number in zip(stated, ids, strict=True)
    ]
    return {**config, "added_tokens": added}


def _specials(config: dict[str, Any]) -> tuple[str, ...]:
    added = config.get("added_tokens") or ()
    return tuple(token["content"] for token in added if token["special"])


def _findable(tokens: Sequence[str]) -> tuple[bytes, ...] | None:
    """Return tokens as the bytes of every text that holds them, or None if NFC may make them of others."""
    if all(token.isascii() and not _MADE_BY_NFC.intersection(token) for token in tokens):
        return tuple(token.encode("ascii") for token in tokens if token)
    return None


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
