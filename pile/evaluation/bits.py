"""How well a model predicts what a corpus holds out: sums by source, and what they come to."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pile.evaluation.held_out import HeldOut
from pile.evaluation.windows import Window, batches, windows


class NotFinite(Exception):  # noqa: N818 - the name says what is wrong with the model's answer
    """A model gave a loss that is no number, or one beyond any perplexity."""

    def __init__(self, what: str, loss: str) -> None:
        super().__init__(
            f"the model's loss on {what} is {loss}: its weights are broken, or need --dtype float32"
        )


class Model(Protocol):
    """A causal language model with its tokenizer, however it is run."""

    @property
    def prefix(self) -> int:
        """The token from which the first of a document is predicted."""

    @property
    def length(self) -> int:
        """How many tokens it sees."""

    def encode(self, text: str) -> Sequence[int]:
        """Return the ids of a text, with nothing added."""

    def nats(self, some: Sequence[Window]) -> list[float]:
        """Return for each window -log p of what is to be predicted, summed."""


_MOST_NATS = math.log(sys.float_info.max)


@dataclass(slots=True)
class Sums:
    """What was predicted of a source: documents, their UTF-8 bytes and tokens, and -log p in nats."""

    documents: int = 0
    bytes: int = 0
    tokens: int = 0
    nats: float = 0.0

    def add(self, other: "Sums") -> None:
        """Add what was predicted of another."""
        self.documents += other.documents
        self.bytes += other.bytes
        self.tokens += other.tokens
        self.nats += other.nats


@dataclass(frozen=True, slots=True)
class Figures:
    """A model on one source, or on all. Ratios are of sums, so that long documents count for more.

    ``bits_per_byte`` is (tokens / bytes) x nats a token / ln 2 (arXiv 2101.00027, 3.1), and
    ``byte_perplexity`` 2 to its power: the names and values of lm-evaluation-harness.
    ``token_perplexity`` depends on the tokenizer; compare it only between models of the same.
    """

    source: str
    documents: int
    bytes: int
    tokens: int
    bits_per_byte: float
    byte_perplexity: float
    token_perplexity: float
    tokens_per_byte: float

    @classmethod
    def of(cls, source: str, sums: Sums) -> "Figures":
        """Return what sums come to; a source without bytes has 0 bits. Raises `NotFinite`."""
        nats_a_byte = sums.nats / max(sums.bytes, 1)
        nats_a_token = sums.nats / max(sums.tokens, 1)
        if max(nats_a_byte, nats_a_token) > _MOST_NATS:
            raise NotFinite(source, f"{nats_a_token:,.0f} nats a token")
        return cls(
            source,
            sums.documents,
            sums.bytes,
            sums.tokens,
            bits_per_byte=nats_a_byte / math.log(2),
            byte_perplexity=math.exp(nats_a_byte),
            token_perplexity=math.exp(nats_a_token),
            tokens_per_byte=sums.tokens / max(sums.bytes, 1),
        )


def evaluate(documents: Iterable[HeldOut], model: Model, batch: int) -> dict[str, Sums]:
    """Score documents, ``batch`` windows at a time, and sum up by source.

    Memory holds some batches, and one document. Raises `NotFinite`.
    """
    found: dict[str, Sums] = {}
    for some in batches(_windows(documents, model, found), batch):
        for window, one in zip(some, model.nats(some), strict=True):
            if not math.isfinite(one):
                raise NotFinite(f"a document of {window.source}", str(one))
            found[window.source].nats += one
    return found


def _windows(
    documents: Iterable[HeldOut], model: Model, found: dict[str, Sums]
) -> Iterator[Window]:
    """Yield the windows of all documents, and count these."""
    for source, text in documents:
        ids = model.encode(text)
        counted = Sums(1, len(text.encode()), len(ids))
        found.setdefault(source, Sums()).add(counted)
        yield from windows(source, ids, model.prefix, model.length)


def figures(found: Mapping[str, Sums], order: Sequence[str]) -> list[Figures]:
    """Return the figures of each source, in an order, others after it by name; and of all, the last."""
    names = [*(name for name in order if name in found), *sorted(found.keys() - set(order))]
    whole = Sums()
    for name in names:
        whole.add(found[name])
    return [*(Figures.of(name, found[name]) for name in names), Figures.of(WHOLE, whole)]


WHOLE = "all"
"""What the sum over all sources is called."""
