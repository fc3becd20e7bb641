"""What the conductor costs besides the work itself.

Runs the same small corpus serially and on Ray with one and two workers, measures tasks that do
nothing, and compares the shuffle (scatter and mix) with the least that could be done: reading the
same documents from Parquet and writing the same lines as `.jsonl.zst`.

    python benchmarks/pipeline.py            # a table, about two minutes
    python benchmarks/pipeline.py --quick    # smaller, within a minute
    python benchmarks/pipeline.py --json     # the figures as one object
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # this folder has a file named as a package is

from pile import corpus, documents
from pile.engine import Task, Workers, open_engine
from pile.ledger import Receipt
from pile.mixing.corpus_files import Run
from pile.mixing.splits import Size, cut
from pile.mixing.targets import Range, Target
from pile.settings import Mix
from pile.stages.mix import Removed, mix
from pile.stages.scatter import RUNS, Shuffle, scatter
from pile.stages.survivors import Part
from sources.source import Document

TEXT_BYTES = 3000
"""About what a text has."""

WORDS = [hashlib.sha256(str(n).encode()).hexdigest()[: 2 + n % 9] for n in range(4096)]


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes, on the wall."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def text(number: int) -> str:
    """Return about 3 kB of text of its own for each number."""
    digest = hashlib.shake_128(str(number).encode()).digest(1000)
    return " ".join(WORDS[a * 16 + b % 16] for a, b in zip(digest[::2], digest[1::2], strict=True))


def write_parts(folder: Path, parts: int, rows: int) -> list[Path]:
    """Write document parts to shuffle."""
    paths = [folder / f"{part:03d}.parquet" for part in range(parts)]
    for part, path in enumerate(paths):
        gathered = documents.Rows(documents.DOCUMENTS)
        with documents.PartWriter(path, documents.DOCUMENTS) as writer:
            for row in range(rows):
                number = part * rows + row
                document = Document(f"x/{number}", text(number), f"{path.name}:{row}", "CC0-1.0")
                batch = gathered.add(documents.document_row(document))
                if batch is not None:
                    writer.add(batch)
            rest = gathered.take()
            if rest is not None:
                writer.add(rest)
    return paths


def described_part(number: int, path: Path) -> Part:
    """Describe a part as a run does."""
    rows = documents.rows(path)
    return Part(number, "x", path, path.stat().st_size, rows, TEXT_BYTES * rows, None)


def shuffle(folder: Path, parts: Sequence[Path]) -> None:
    """Scatter and mix one epoch of the parts."""
    described = [described_part(number, path) for number, path in enumerate(parts)]
    rule = Mix(val=0, test=0, files=len(parts))
    cuts = cut(rule, [Size(part.text_bytes, part.rows, 1.0) for part in described])
    for part in described:
        scatter(folder, part, Shuffle(1, 1.0, 0.0, 0.0, "hash", cuts), "X")
    runs = [Run("x", folder / RUNS / f"{part.task}.buckets") for part in described]
    for split, number, buckets in cuts.files():
        mix(folder, Target(split, number, (Range(buckets),)), runs, {"x": "X"}, Removed())


def copy(folder: Path, parts: Sequence[Path]) -> None:
    """Read the parts and write their lines, in order."""
    for part in parts:
        with corpus.LineWriter(folder / f"{part.stem}.jsonl.zst") as writer:
            for one in documents.texts(part):
                writer.add(corpus.Line(one, "X"))


def nothing(count: int) -> list[Task]:
    """Return tasks that do nothing."""
    return [Task("nothing", f"{n}", Receipt, {"task": f"{n}"}) for n in range(count)]


def measure_engines(count: int) -> dict[str, float]:
    """Start Ray, and run tasks that do nothing on both engines."""
    found: dict[str, float] = {}
    with open_engine(Workers("serial")) as run:
        taken = seconds(lambda: list(run(nothing(count))))
        found["serial_ms_per_task"] = 1000 * taken / count
    started = time.perf_counter()
    with open_engine(Workers("ray", 2)) as run:
        list(run(nothing(2)))
        found["ray_start_s"] = time.perf_counter() - started
        taken = seconds(lambda: list(run(nothing(count))))
        found["ray_ms_per_task"] = 1000 * taken / count
    return found


def measure_shuffle(parts: int, rows: int) -> dict[str, float]:
    """Compare the shuffle with a plain copy of the same documents."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_parts(folder, parts, rows)
        size = sum(len(one.encode()) for path in paths for one in documents.texts(path)) / 1e6
        plain = seconds(lambda: copy(folder, paths))
        shuffled = seconds(lambda: shuffle(folder, paths))
    return {
        "text_mb": size,
        "copy_mb_s": size / plain,
        "shuffle_mb_s": size / shuffled,
        "shuffle_vs_copy": plain / shuffled,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--json", action="store_true", help="print the figures as one object")
    options = parser.parse_args()
    figures = {
        **measure_engines(200 if options.quick else 1000),
        **measure_shuffle(4, 2000 if options.quick else 12_000),
    }
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    versions = {name: importlib.metadata.version(name) for name in ("ray", "pyarrow", "zstandard")}
    if options.json:
        print(json.dumps({**figures, "machine": machine, "versions": versions}))
        return
    print(f"{machine}; Python {platform.python_version()}; {versions}", file=sys.stderr)
    for name, value in figures.items():
        print(f"{name:<20} {value:10.2f}")


if __name__ == "__main__":
    main()
