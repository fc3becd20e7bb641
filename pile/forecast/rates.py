"""How fast stages run on one core: as measured on this machine, else on one that is known.

Rates are bytes a second of one core. Those of readers are of a raw file's decompressed content, of all
else of UTF-8 text. `pile bench` measures the stages, and one source's extraction as a yardstick of all
readers: their rates are those of `READERS` by the ratio of the two machines.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pile import store
from sources.source import Json

VOCABULARY = 50_254
"""Entries of the vocabulary that ``learn_seconds`` are of."""

YARDSTICK = "wikipedia_en"
"""The reader that is measured: wikitext in XML in bzip2, all of it Python and C, nothing compiled here."""

READERS: Mapping[str, float] = MappingProxyType(
    {
        "arxiv": 0.08e6,
        "bookcorpus2": 13.3e6,
        "books3": 13.9e6,
        "dm_mathematics": 246e6,
        "enron_emails": 11.8e6,
        "europarl": 55e6,
        "freelaw": 12e6,
        "github": 26e6,
        "gutenberg_pg19": 255e6,
        "hackernews": 8.1e6,
        "local": math.inf,  # what lines of JSON take is measured with writing them as documents
        "nih_exporter": 20.6e6,
        "opensubtitles": 22e6,
        "openwebtext2": 79e6,
        "philpapers": 1.9e6,
        "pile_cc": 6.8e6,
        "pubmed_abstracts": 31e6,
        "pubmed_central": 0.38e6,
        "stackexchange": 18e6,
        "ubuntu_irc": 97e6,
        "uspto_backgrounds": 42e6,
        "wikipedia_en": 10e6,
        "youtube_subtitles": 39e6,
    }
)
"""Decompressed bytes a second of a core of the reference machine, by `benchmarks/sources.py`.

Reading alone: what documents take to be written is the rate ``write`` of stages.
"""


class UnreadableRates(Exception):  # noqa: N818 - the name says what is wrong with the file
    """A file of measured rates that is none; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes a second of one core, by kind of stage, and the yardstick's reader.

    ``learn_seconds`` is what learning `VOCABULARY` takes once words are counted.
    """

    machine: str
    yardstick: float
    stages: Mapping[str, float]
    learn_seconds: float

    def reader(self, name: str) -> float:
        """Return the rate of a source's reader here."""
        return READERS[name] * self.yardstick / REFERENCE.yardstick

    def learning(self, vocabulary: int) -> float:
        """Return the seconds that a vocabulary takes to be learnt once words are counted."""
        return self.learn_seconds * vocabulary / VOCABULARY


REFERENCE = Rates(
    machine="reference: AMD EPYC (Zen 4), 2 virtual cores",
    yardstick=5.0e6,
    stages=MappingProxyType(
        {
            "count": 33e6,
            "dedup": 55e6,
            "mix": 36e6,
            "shard": 570e6,
            "tokenize": 80e6,
            "write": 60e6,
        }
    ),
    learn_seconds=1.4,
)
"""What is reckoned with where nothing was measured: `pile bench` on the machine it names."""


def path() -> Path:
    """Return where this user's measured rates lie: below ``XDG_CACHE_HOME``, else ``~/.cache``."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pile" / "rates.json"


def known() -> Rates:
    """Return the rates of this machine if they were measured, else the reference. Raises `UnreadableRates`."""
    try:
        text = path().read_bytes()
    except FileNotFoundError:
        return REFERENCE
    try:
        found = json.loads(text)
        stages = {name: float(rate) for name, rate in found["stages"].items()}
        rates = Rates(
            str(found["machine"]), float(found["yardstick"]), stages, float(found["learn_seconds"])
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableRates(
            f"{path()} holds no rates ({error}): run `pile bench` again"
        ) from error
    if REFERENCE.stages.keys() - stages.keys() or min(rates.yardstick, *stages.values()) <= 0:
        raise UnreadableRates(f"{path()} lacks rates of some stages: run `pile bench` again")
    return rates


def keep(rates: Rates) -> Path:
    """Write rates where `known` finds them; returns that place."""
    place = path()
    place.parent.mkdir(parents=True, exist_ok=True)
    store.publish_bytes(place, json.dumps(as_json(rates), indent=1).encode())
    return place


def as_json(rates: Rates) -> dict[str, Json]:
    """Return rates as they are kept and printed, in bytes a second of one core."""
    return {
        "machine": rates.machine,
        "yardstick": rates.yardstick,
        "stages": dict(rates.stages),
        "learn_seconds": rates.learn_seconds,
    }
