"""Bits per UTF-8 byte that the Pile published of its test set (arXiv 2101.00027, Table 2)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pile.evaluation.bits import WHOLE


@dataclass(frozen=True, slots=True)
class Bits:
    """Three models on one component: the smallest and the largest GPT-2, and the largest GPT-3.

    Of most components a tenth of the test documents was measured.
    """

    gpt2: float
    gpt2_xl: float
    gpt3_davinci: float


PUBLISHED_BITS: Mapping[str, Bits] = MappingProxyType(
    {
        "pile_cc": Bits(1.0878, 0.9355, 0.7070),
        "pubmed_central": Bits(1.0759, 0.9044, 0.6544),
        "books3": Bits(1.1959, 1.0287, 0.7052),
        "openwebtext2": Bits(1.1111, 0.9171, 0.6242),
        "arxiv": Bits(1.3548, 1.1381, 0.7702),
        "github": Bits(1.7912, 1.6486, 0.5635),
        "freelaw": Bits(1.0512, 0.8747, 0.6006),
        "stackexchange": Bits(1.2981, 1.0504, 0.7321),
        "uspto_backgrounds": Bits(0.8288, 0.6969, 0.5280),
        "pubmed_abstracts": Bits(0.9524, 0.7810, 0.6201),
        "gutenberg_pg19": Bits(1.2655, 1.0829, 0.7115),
        "opensubtitles": Bits(1.2465, 1.1129, 0.9130),
        "wikipedia_en": Bits(1.1285, 0.9655, 0.5953),
        "dm_mathematics": Bits(2.6911, 2.4377, 2.0228),
        "ubuntu_irc": Bits(1.8466, 1.6024, 0.9915),
        "bookcorpus2": Bits(1.1295, 0.9783, 0.7788),
        "europarl": Bits(2.3177, 1.7650, 0.7519),
        "hackernews": Bits(1.4433, 1.3361, 0.9457),
        "youtube_subtitles": Bits(2.0387, 1.6694, 0.9469),
        "philpapers": Bits(1.3203, 1.1327, 0.8059),
        "nih_exporter": Bits(0.9099, 0.7694, 0.6239),
        "enron_emails": Bits(1.5888, 1.4222, 1.0201),
        WHOLE: Bits(1.2253, 1.0468, 0.7177),
    }
)
"""By slug of the component, and of all."""


def beside(sources: Collection[str]) -> dict[str, Bits]:
    """Return what was published of some sources; of the whole only if they are all 22 components."""
    known = {name: bits for name, bits in PUBLISHED_BITS.items() if name in sources}
    if set(sources) != {*PUBLISHED_BITS}:
        known.pop(WHOLE, None)
    return known
