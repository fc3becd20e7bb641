"""Texts as the classifier sees them: an excerpt, cut into words, each word a hash of 32 bits.

Words stand between blanks, tabs, line ends and NUL, and ``</s>`` ends each text, as in fastText. Their
hash is fastText's: FNV-1a (Fowler, Noll, Vo), but of bytes with a sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pile.cleaning.quality import kernels

HEAD = 4000
"""Characters of a text of which the excerpt is the end."""

EXCERPT = 1500
"""Characters of a text that are looked at."""

LEAST = 100
"""A text teaches what is wanted only if its excerpt is longer, in characters."""

_LINE_ENDS = str.maketrans("\n\r", "  ")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of texts: those of text t are ``hashes[firsts[t]:firsts[t + 1]]``, its end included."""

    hashes: npt.NDArray[np.uint32]
    firsts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.firsts) - 1


def excerpt(text: str) -> str:
    """Return what is looked at: of the first 4,000 characters the last 1,500, on one line."""
    return text[:HEAD][-EXCERPT:].translate(_LINE_ENDS)


def words(excerpts: Sequence[str]) -> Words:
    """Cut excerpts into words and hash them."""
    encoded = [one.encode() for one in excerpts]
    edges = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(one) for one in encoded], out=edges[1:])
    text = np.frombuffer(b"".join(encoded), np.uint8)
    hashes = np.empty((len(text) + 1) // 2 + 2 * len(encoded), np.uint32)
    firsts = np.zeros(len(encoded) + 1, np.int64)
    made = kernels.hash_words(text, edges, hashes, firsts)
    return Words(hashes[:made].copy(), firsts)
