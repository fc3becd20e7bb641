"""How fast this machine is: the whole pipeline, in one process, over texts made up for it.

What is timed are the very tasks of a run, by the processor time that each takes. All of them run once
before over little text, so that libraries and kernels are loaded, and these compiled where they never
were, which a machine and a process do once.
"""

import bz2
import hashlib
import json
import os
import platform
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dedup import minhash as signing
from pile.config import load
from pile.forecast import rates
from pile.forecast.rates import YARDSTICK, Rates
from pile.graph import build
from pile.run import Event, StageMade, run
from tokenizer import encode as encoding
from tokenizer.count import Counter

FULL = 16 << 20
"""Bytes of made-up text that are timed: what makes a corpus file that the kernels take on."""

LITTLE = 1 << 18
"""Bytes of made-up text that are run before, untimed."""

PAGES = 6
"""A sixth of as many bytes is made up as a dump of Wikipedia."""

VOCABULARY = 8_000
WORD_LETTERS = "etaoinshrdlcumwfgypbvk"
KNOWN_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class _Timed:
    """What the tasks of one kind of stage read, in bytes of text, and took, in seconds of a core."""

    text: int
    seconds: float


def bench(say: Callable[[str], None], size: int = FULL) -> Rates:
    """Measure this machine; takes half a minute, and one more where kernels are yet to be compiled."""
    say("loading the kernels, which are compiled once a machine")
    _warm()
    say(f"timing every stage over {size / 1e6:.0f} MB of made-up text")
    found = _timed(size)
    learn = found.pop("train_tokenizer").seconds * rates.VOCABULARY / VOCABULARY
    read = found.pop(f"extract.{YARDSTICK}")
    stages = {kind: one.text / max(one.seconds, 1e-3) for kind, one in sorted(found.items())}
    return Rates(_machine(), read.text / max(read.seconds, 1e-3), stages, learn)


def _warm() -> None:
    """Run everything once: little text leaves kernels out that much text takes, so these go first."""
    signing.warm()
    encoding.warm()
    with tempfile.TemporaryDirectory(prefix="pile-bench-") as folder:
        Counter(Path(folder)).add(["a word"])
    _timed(LITTLE)


def _timed(size: int) -> dict[str, _Timed]:
    """Run the pipeline over made-up text; returns what each kind of stage read and took."""
    with tempfile.TemporaryDirectory(prefix="pile-bench-") as name:
        folder = Path(name)
        pages = _write(folder, size)
        config = load(folder / "bench.toml")
        graph = build(config, lambda path: None)
        texts: dict[str, int] = {}

        def watch(event: Event) -> None:
            if isinstance(event, StageMade) and event.stage.name.startswith("extract."):
                entries = event.manifest["parts"]
                texts[event.stage.name] = sum(
                    part["counts"].get("text_bytes", 0) for part in entries
                )

        spent = run(config, graph, watch).spent
        whole = sum(texts.values())
        kinds: defaultdict[str, float] = defaultdict(float)
        for stage, one in spent.items():
            kinds[_kind(stage)] += one.cpu_seconds
        notes = texts["extract.notes"]
        read = {f"extract.{YARDSTICK}": pages, "write": notes, "dedup": notes}
        return {
            kind: _Timed(read.get(kind, whole), seconds)
            for kind, seconds in kinds.items()
            if kind in {*KINDS, "train_tokenizer", f"extract.{YARDSTICK}"}
        }


KINDS = ("write", "dedup", "mix", "count", "tokenize", "shard")
"""Kinds of stages that are timed besides readers; each stands for the stages of `_KIND` too."""

_KIND = {
    "extract.notes": "write",
    "sign": "dedup",
    "spill": "dedup",
    "buckets": "dedup",
    "decide": "dedup",
    "scatter": "mix",
    "hold_out": "mix",
    "merge_counts": "count",
}


def _kind(stage: str) -> str:
    if stage.startswith("extract."):
        return _KIND.get(stage, stage)
    first = stage.partition(".")[0]
    return _KIND.get(first, first)


def _write(folder: Path, size: int) -> int:
    """Write raw files and a configuration; returns the bytes of the dump's content."""
    texts = _texts()
    with (folder / "notes.jsonl").open("w", encoding="utf-8") as lines:
        for _ in range(size // _TEXT):
            lines.write(json.dumps({"text": next(texts)}) + "\n")
    dump = _dump(texts, size // PAGES // _TEXT).encode()
    (folder / "enwiki-bench.xml.bz2").write_bytes(bz2.compress(dump))
    (folder / "bench.toml").write_text(_CONFIG, encoding="utf-8")
    return len(dump)


_TEXT = 4096

_CONFIG = f"""
schema = 1
[corpus]
name = "bench"
[sources.{YARDSTICK}]
files = ["enwiki-bench.xml.bz2"]
[sources.notes]
reader = "local"
pile_set_name = "Notes"
licence = "CC0-1.0"
files = ["notes.jsonl"]
[dedup]
method = "minhash"
[dedup.keep]
notes = "first"
[tokenizer]
vocabulary = {VOCABULARY}
trainer = "kernels"
[shards]
tokens = 4_000_000
[report]
samples = 0
[run]
engine = "serial"
"""


def _texts() -> Iterator[str]:
    """Yield texts of 4 KiB, of words that are as unequally frequent as those of a language."""
    words = [_word(number) for number in range(KNOWN_WORDS)]
    number = 0
    while True:
        draws = hashlib.shake_128(f"bench {number}".encode()).digest(2 * _TEXT)
        number += 1
        chosen = []
        length = 0
        for place in range(0, len(draws), 4):
            drawn = int.from_bytes(draws[place : place + 4], "little") / 2**32
            word = words[int(KNOWN_WORDS**drawn) - 1]
            chosen.append(word if place % 44 else f"{word}.\n{word.capitalize()}")
            length += len(word) + 1
            if length > _TEXT:
                break
        yield " ".join(chosen)


def _word(number: int) -> str:
    digest = hashlib.sha256(f"word {number}".encode()).digest()
    return "".join(WORD_LETTERS[byte % len(WORD_LETTERS)] for byte in digest[: 2 + digest[31] % 9])


def _dump(texts: Iterator[str], pages: int) -> str:
    """Return a MediaWiki export of pages with links, templates and references."""
    head = (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">'
    )
    return (
        head + "".join(_page(number + 1, next(texts)) for number in range(pages)) + "</mediawiki>"
    )


def _page(number: int, text: str) -> str:
    body = "\n\n".join(
        f"'''{line[:20]}''' [[{line[20:40]}|{line[20:30]}]]{{{{cite|{line[:9]}}}}} {line}"
        for line in text.split("\n")
    )
    return (
        f"<page><title>Page {number}</title><ns>0</ns><id>{number}</id><revision><id>{number}</id>"
        "<timestamp>2026-01-01T00:00:00Z</timestamp><model>wikitext</model>"
        f"<format>text/x-wiki</format><text>{body}</text></revision></page>"
    )


def _machine() -> str:
    """Name this machine and its number of cores."""
    return f"{platform.node() or 'this machine'}, {platform.machine()}, {os.cpu_count()} cores"
