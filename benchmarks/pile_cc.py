"""Measure each step from a WARC file to the documents kept, in CPU seconds of one thread.

    python benchmarks/pile_cc.py [WARC ...] [--quick] [--json]

Without files a WARC of made-up pages is measured: as many in other languages, and as large, as Common
Crawl has on the average. Megabytes (10**6 bytes) are those of the step's own input, and of the WARC as
decompressed, so that steps can be added up. Beside ours stand FastWARC (records) and jusText (text), where
they are installed. The filter is measured with a model of the default size, trained on the same documents.
"""

import argparse
import gzip
import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pile.cleaning.quality.model import score, slots_of
from pile.cleaning.quality.train import Recipe, train
from pile.cleaning.quality.words import excerpt, words
from pile.settings import Quality
from sources import pile_cc
from sources.archives import open_stream
from sources.formats.warc import decoded_body, parse_response, records
from sources.formats.web_text import main_text
from sources.source import Document, RawFile

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "was",
    "on",
    "with",
    "as",
    "be",
    "by",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "not",
    "but",
    "what",
    "all",
    "were",
    "when",
    "we",
    "there",
    "can",
    "an",
    "your",
    "which",
    "their",
    "said",
    "if",
    "do",
    "will",
    "each",
    "about",
    "how",
    "up",
    "out",
    "them",
    "then",
    "she",
    "many",
    "some",
    "so",
    "these",
    "would",
    "other",
    "into",
    "has",
    "more",
    "her",
    "two",
    "like",
    "him",
    "see",
    "time",
    "could",
    "no",
    "make",
    "than",
    "first",
    "been",
    "its",
    "who",
    "now",
    "people",
    "my",
    "made",
    "over",
    "did",
    "down",
    "only",
    "way",
    "find",
    "use",
    "may",
    "water",
    "long",
    "little",
    "very",
    "after",
    "words",
    "called",
]
FRENCH = [
    "le",
    "la",
    "les",
    "de",
    "des",
    "et",
    "une",
    "dans",
    "que",
    "pour",
    "qui",
    "sur",
    "avec",
    "il",
    "elle",
    "nous",
    "vous",
    "sont",
    "plus",
    "comme",
    "mais",
    "tout",
    "fait",
    "sans",
    "deux",
    "sous",
    "entre",
    "encore",
    "leur",
    "ses",
    "aux",
    "cette",
    "aussi",
    "bien",
    "temps",
    "jour",
    "monde",
    "homme",
    "vie",
    "main",
    "eau",
    "mer",
]
ENGLISH = 0.45
"""About the share of pages in Common Crawl whose first language is English."""


def drawn(name: str, count: int) -> np.ndarray:
    """Return numbers below 2^16, the same for a name in every run."""
    seed = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(seed, "big")).integers(0, 1 << 16, count)


def page(number: int) -> bytes:
    """Return a page with a menu, scripts, and paragraphs of made-up sentences."""
    english = (number * 0.618034) % 1 < ENGLISH
    pool = WORDS if english else FRENCH
    parts = ["<!DOCTYPE html><html><head><title>Page</title><script>"]
    parts.append("var a = {" + ",".join(f"k{n}:{n * number}" for n in range(600)) + "};")
    parts.append("</script></head><body><ul class='menu'>")
    parts += [f"<li><a href='/{n}/{number}'>Item {n}</a></li>" for n in range(120)]
    parts.append("</ul><div class='content'>")
    for paragraph in range(14):
        said = (pool[n % len(pool)] for n in drawn(f"{number} {paragraph}", 70))
        parts.append(f"<div class='p{paragraph}'><p>{' '.join(said).capitalize()}.</p></div>")
        parts.append(f"<div class='side'><a href='/more/{paragraph}'>Read more</a> | share</div>")
    parts.append("</div></body></html>")
    return "\n".join(parts).encode()


def made_up(path: Path, pages: int) -> None:
    """Write a WARC file, one gzip member a record."""
    with path.open("wb") as file:
        for number in range(pages):
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page(number)
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{number}\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
                f"Content-Length: {len(block)}\r\n\r\n"
            )
            file.write(gzip.compress(head.encode() + block + b"\r\n\r\n", 6, mtime=0))


class Steps:
    """CPU seconds and bytes of each step."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.rows: list[dict[str, object]] = []

    def measure(self, name: str, size: int, function: Callable[[], object]) -> object:
        """Run a step and remember what it took."""
        started = time.process_time()
        found = function()
        seconds = max(time.process_time() - started, 1e-9)
        self.rows.append(
            {
                "step": name,
                "seconds": round(seconds, 3),
                "input_mb": round(size / 1e6, 2),
                "mb_per_s": round(size / 1e6 / seconds, 1),
                "warc_mb_per_s": round(self.total / 1e6 / seconds, 1),
            }
        )
        return found


def html_of(path: Path) -> Iterator[bytes]:
    """Yield the bodies of a file's responses."""
    with open_stream(path) as stream:
        for record in records(stream, path.name, "response", pile_cc.LIMIT):
            message = parse_response(record.block) if record.block else None
            if message:
                yield decoded_body(message, pile_cc.LIMIT)


def peer_records(path: Path) -> int:
    """Read a file with FastWARC, headers and bodies."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with path.open("rb") as file:
        kinds = WarcRecordType.response
        return sum(len(one.reader.read()) for one in ArchiveIterator(file, record_types=kinds))


def peer_text(pages: Iterable[str]) -> int:
    """Extract text with jusText."""
    import justext

    stop = justext.get_stoplist("English")
    return sum(not part.is_boilerplate for one in pages for part in justext.justext(one, stop))


def languages(pages: Iterable[str]) -> list[str]:
    """Return the pages whose first language is English."""
    kept = []
    for one in pages:
        try:
            pile_cc.english(one)
        except pile_cc._UnfitError:  # what the reader rejects by
            continue
        kept.append(one)
    return kept


def filter_steps(steps: Steps, texts: list[str], whole: int) -> None:
    """Measure training and scoring on documents, half of which stand for those wanted."""
    settings = Quality()
    recipe = Recipe(settings.dims, settings.buckets, settings.words, 1, 5, 0.1, seed=1)
    examples = words([excerpt(text) for text in texts])
    wanted, order = np.arange(len(texts)) % 2 == 0, np.arange(len(texts))
    train(words(["a", "b"]), wanted[:2], np.arange(2), Recipe(2, 4, 4, 1, 1, 0.1, 1))  # compiled
    trained = steps.measure(
        "quality: training", whole, lambda: train(examples, wanted, order, recipe)
    )
    slots = slots_of(trained.words)
    score(trained, slots, words(["a"]))

    def scored() -> object:
        return score(trained, slots, words([excerpt(text) for text in texts]))

    steps.measure("quality: scoring", whole, scored)


def one_file(path: Path, *, peers: bool) -> list[dict[str, object]]:
    """Measure all steps over one file."""
    with open_stream(path) as stream:
        total = 0
        while piece := stream.read(1 << 20):
            total += len(piece)
    steps = Steps(total)
    bodies = steps.measure("WARC records, HTTP", total, lambda: list(html_of(path)))
    if peers:
        steps.measure("  FastWARC alone", total, lambda: peer_records(path))
    size = sum(map(len, bodies))
    pages = steps.measure(
        "charset", size, lambda: [one.decode("utf-8", "replace") for one in bodies]
    )
    english = steps.measure("language (CLD2)", size, lambda: languages(pages))
    size = sum(len(one.encode()) for one in english)
    steps.measure("main text", size, lambda: [main_text(one) for one in english])
    if peers:
        steps.measure("  jusText alone", size, lambda: peer_text(english))
    raw = RawFile(path.as_uri(), path.name)
    documents = steps.measure(
        "the whole reader", total, lambda: list(pile_cc.read(path, raw, pile_cc.SOURCE.defaults))
    )
    texts = [one.text for one in documents if isinstance(one, Document)]
    if len(texts) > 1:
        filter_steps(steps, texts, sum(len(text.encode()) for text in texts))
    return steps.rows


def main() -> None:
    """Measure files, or a made-up one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="300 pages, no peers")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = options.files
        if not files:
            files = [Path(folder) / "made-up.warc.gz"]
            made_up(files[0], 300 if options.quick else 3000)
        found = {path.name: one_file(path, peers=not options.quick) for path in files}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps({"files": found, "peak_mib": round(peak)}, indent=1))
        return
    for name, rows in found.items():
        print(f"{name}\n{'step':<22} {'s':>8} {'MB in':>9} {'MB/s':>8} {'WARC MB/s':>10}")
        for row in rows:
            cells = (row["seconds"], row["input_mb"], row["mb_per_s"], row["warc_mb_per_s"])
            print(f"{row['step']:<22} {cells[0]:>8} {cells[1]:>9} {cells[2]:>8} {cells[3]:>10}")
    print(f"peak memory {peak:,.0f} MiB (pages are held, to measure steps apart)")


if __name__ == "__main__":
    main()
