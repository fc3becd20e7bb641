"""An upper bound on how often any pair of tokens occurs while merges are learned.

The trainer of HF ``tokenizers`` counts pairs in 32 bits. Past 2**31 - 1 a count turns negative, the
commonest pair is passed over, and nothing is said (huggingface/tokenizers#2058).

Where two tokens meet, a last byte meets a first byte, and both are the same for every occurrence of
that pair of tokens. So no pair, at any moment of training, occurs more often than that pair of
bytes occurs in the text, and the commonest pair of bytes bounds all of them.
"""

from collections.abc import Sequence

import numpy as np

from tokenizer.alphabet import CHARACTER_OF_BYTE

LARGEST_COUNT = 2**31 - 1
"""The largest number of occurrences that the trainer can count."""


class SampleTooLarge(ValueError):  # noqa: N818 - the name says what is wrong with the sample
    """More training text than pairs can be counted in."""


class PairBound:
    """Counts pairs of bytes in the training text, as it goes by.

    Documents are counted as if joined by newlines, which can only raise the bound.
    """

    def __init__(self, largest: int = LARGEST_COUNT) -> None:
        self.largest = largest
        self.text_bytes = 0
        self._counts = np.zeros(256 * 256, dtype=np.int64)

    def add(self, documents: Sequence[bytes]) -> None:
        """Count more text, normalised UTF-8; raise `SampleTooLarge` once the bound is passed."""
        joined = np.frombuffer(b"\n".join(documents), dtype=np.uint8)
        self.text_bytes += sum(map(len, documents))
        pairs = (joined[:-1].astype(np.uint16) << 8) | joined[1:]
        self._counts += np.bincount(pairs, minlength=self._counts.size)
        if self.most() > self.largest:
            raise SampleTooLarge(self._explanation())

    def add_words(self, words: Sequence[bytes], counts: Sequence[int]) -> None:
        """Count words that occur so often; raise `SampleTooLarge` once the bound is passed."""
        text = np.frombuffer(b"".join(words), dtype=np.uint8).astype(np.int64)
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        often = np.repeat(np.array(counts, dtype=np.int64), lengths)
        self.text_bytes += int(often.sum())
        joined = np.ones(len(text), dtype=np.bool_)  # whether a byte and the next are of one word
        joined[np.cumsum(lengths)[lengths > 0] - 1] = False
        first = np.flatnonzero(joined)
        np.add.at(self._counts, text[first] << 8 | text[first + 1], often[first])
        if self.most() > self.largest:
            raise SampleTooLarge(self._explanation())

    def most(self) -> int:
        """Return how often the commonest pair of bytes occurs."""
        return int(self._counts.max())

    def _explanation(self) -> str:
        first, second = divmod(int(self._counts.argmax()), 256)
        pair = CHARACTER_OF_BYTE[first] + CHARACTER_OF_BYTE[second]
        return (
            f"after {self.text_bytes:,} bytes of training text the pair of bytes {pair!r} "
            f"(0x{first:02X} 0x{second:02X}) occurs {self.most():,} times; the trainer cannot count "
            f"beyond {self.largest:,} and would learn wrong merges without a word: "
            f"set sample_bytes below {self.text_bytes:,}"
        )
