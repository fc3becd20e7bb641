"""What a tokenizer in the GPT-NeoX manner is made of: the choices that decide its file.

The released GPT-NeoX-20B tokenizer holds two special tokens, the 243 bytes of UTF-8, and 50,009
merges: 50,254 entries. After these come 23 plain added tokens, runs of 24 down to 2 spaces, so that
50,277 ids are in use. Text is brought to NFC and split by GPT-2's rule, without a space put in front.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Alphabet: TypeAlias = Literal["utf8", "learned", "complete"]
"""Which bytes have a token of their own, whatever the merges.

``utf8``: the 243 that occur in UTF-8; no text is ever outside it, and it is what the release holds.
``learned``: those of the training text; other text cannot be encoded. ``complete``: all 256.
"""

Runs: TypeAlias = Literal["added", "reserved"]
"""How runs of spaces become tokens; their ids come after the merges in any case.

``added``, as released: merges are learned from text with its runs, and those that hold two spaces
side by side, 221 in the release, can never be reached. ``reserved``: runs are cut out of the training
text as they are when a text is encoded, so no entry is wasted on them.
"""

END_OF_TEXT = "<|endoftext|>"
PADDING = "<|padding|>"
SPECIAL_TOKENS: tuple[str, ...] = (END_OF_TEXT, PADDING)
"""Ids 0 and 1. GPT-NeoX finds both by these names."""

_SMALLEST = len(SPECIAL_TOKENS) + 256


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train a tokenizer; the defaults are the released one's.

    ``vocabulary_size`` counts the special tokens, the alphabet and the merges, but not the runs of
    spaces; a text too small for so many merges gives fewer. A pair is merged only if it occurs
    ``min_frequency`` times. ``longest_space_run`` 0 means no tokens for runs of spaces, and then
    ``runs`` says nothing.
    """

    vocabulary_size: int = 50_254
    min_frequency: int = 2
    longest_space_run: int = 24
    alphabet: Alphabet = "utf8"
    runs: Runs = "added"

    def __post_init__(self) -> None:
        if self.vocabulary_size < _SMALLEST:
            raise ValueError(
                f"vocabulary_size is {self.vocabulary_size}: the special tokens and the bytes "
                f"alone can take {_SMALLEST}"
            )
        if self.min_frequency < 1:
            raise ValueError(f"min_frequency is {self.min_frequency}: it must be at least 1")
        if self.longest_space_run < 0 or self.longest_space_run == 1:
            raise ValueError(
                f"longest_space_run is {self.longest_space_run}: it must be 0, or at least 2"
            )
        if self.alphabet not in get_args(Alphabet):
            raise ValueError(f"alphabet is {self.alphabet!r}: choose one of {get_args(Alphabet)}")
        if self.runs not in get_args(Runs):
            raise ValueError(f"runs is {self.runs!r}: choose one of {get_args(Runs)}")

    @property
    def space_runs(self) -> tuple[str, ...]:
        """Runs of spaces that are tokens, longest first: the order of their ids."""
        return tuple(" " * length for length in range(self.longest_space_run, 1, -1))

    @property
    def reserved_run(self) -> int:
        """The longest run of spaces that is cut out of training text; 0 if none is."""
        return self.longest_space_run if self.runs == "reserved" else 0
