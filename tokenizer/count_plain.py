"""Count words with HF ``tokenizers``: for little text, where kernels are not worth their start.

The words are those that `tokenizer.count` counts, and those that HF's own trainer would.
"""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split

from tokenizer.alphabet import BYTE_OF_CHARACTER
from tokenizer.pieces import batches, pieces


def splitter(reserved_run: int) -> PreTokenizer:
    """Return what splits text into words for HF ``tokenizers``, without runs that are reserved."""
    by_rule: PreTokenizer = ByteLevel(add_prefix_space=False)
    if not reserved_run:
        return by_rule
    without_runs = Split(Regex(f" {{2,{reserved_run}}}"), "removed")
    both: PreTokenizer = Sequence([without_runs, by_rule])
    return both


def words(texts: Iterable[str], reserved_run: int = 0) -> dict[bytes, int]:
    """Return how often each word occurs, in bytes of UTF-8; raises as `tokenizer.count.Counter`."""
    split, nfc = splitter(reserved_run), NFC()
    counts: Counter[str] = Counter()
    for _, batch in batches(texts, pieces):
        for text in batch:
            composed = text if text.isascii() else nfc.normalize_str(text)
            counts.update(word for word, _ in split.pre_tokenize_str(composed))
    return {bytes(map(BYTE_OF_CHARACTER.__getitem__, word)): n for word, n in counts.items()}
