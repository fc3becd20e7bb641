"""Mix 5 and 50 million document records: how much memory it takes, and whether a million stays a million.

Records are ids and lengths alone: a document's text is its number and how long it would be. The rest is what a run does, by the same functions, one task after the other: documents draw and are scattered,
what is held out is gathered, the corpus files are merged and written. A hundredth is held out, and a
quarter of the documents comes 1.5 times. Each size has a process of its own; the system tells its peak.

    python benchmarks/mix.py                # 5 and 50 million: ten minutes, 20 GB below $TMPDIR
    python benchmarks/mix.py --quick        # a quarter of a million and one million, within a minute
    python benchmarks/mix.py --json         # the figures as one object
    python benchmarks/mix.py --peer PYTHON  # with a Python that has duckdb, which sorts as many by a hash

Times are seconds of CPU time. The peer reads the same parts and writes them in the order of a hash of
their ids, as Parquet, within 1.5 GB: no epochs, nothing held out, no lines.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path[0] = str(Path(__file__).parents[1])  # this folder has a file named as a package is

from pile import documents
from pile.ledger import Receipt
from pile.mixing.corpus_files import Run
from pile.mixing.splits import Cuts, Size, cut
from pile.mixing.targets import Range, Target
from pile.parts import PART_ROWS
from pile.settings import Mix
from pile.stages.hold_out import DIGESTS, hold_out
from pile.stages.mix import Removed, mix
from pile.stages.scatter import HELD, RUNS, Shuffle, scatter
from pile.stages.survivors import Part

PART = PART_ROWS
"""Records of a part of documents: as many as parts of short texts have in a run."""

RULE = Mix(val=0.005, test=0.005)
MEMORY = 256 << 20

PEER = """
import resource, sys, time
import duckdb
parts, out, scratch = sys.argv[1:]
began = time.process_time()
work = duckdb.connect(config={"threads": 1, "memory_limit": "1500MB", "temp_directory": scratch})
work.execute("set enable_progress_bar = false")
work.execute(f"copy (select id, text from read_parquet('{parts}') order by hash(id || '42')) "
             f"to '{out}' (format parquet, compression zstd)")
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.process_time() - began, used, duckdb.__version__)
"""


def write_parts(folder: Path, count: int) -> list[Path]:
    """Write records of their own as parts of documents."""
    folder.mkdir()
    paths = [folder / f"{number:05d}.parquet" for number in range(-(-count // PART))]
    for number, path in enumerate(paths):
        first, last = number * PART, min(count, (number + 1) * PART)
        lengths = np.random.default_rng(number).lognormal(7.5, 1.5, last - first).astype(int)
        columns = [
            pa.array([f"source/{one}" for one in range(first, last)], pa.string()),
            pa.array(
                [f"{a} {b}" for a, b in enumerate(lengths.tolist(), first)], pa.large_string()
            ),
            pa.array(["{}"] * len(lengths), pa.string()),
            pa.array([f"a.gz:{one}" for one in range(first, last)], pa.string()),
            pa.array(["CC0-1.0"] * len(lengths), pa.string()),
        ]
        with documents.PartWriter(path, documents.DOCUMENTS) as writer:
            writer.add(pa.RecordBatch.from_arrays(columns, schema=documents.DOCUMENTS))
    return paths


def described(paths: list[Path]) -> list[Part]:
    """Describe parts as a run does; every fourth is of the source that is repeated."""
    return [
        Part(
            number, "ab"[number % 4 == 0], path, path.stat().st_size, documents.rows(path), 0, None
        )
        for number, path in enumerate(paths)
    ]


def run(folder: Path, parts: list[Part], cuts: Cuts) -> Iterator[Receipt]:
    """Scatter, gather what is held out, and write the corpus."""
    for part in parts:
        shuffle = Shuffle(42, epochs(part), RULE.val, RULE.test, "hash", cuts)
        scatter(folder, part, shuffle, "X")
    held = [folder / HELD / f"{part.task}.run" for part in parts]
    hold_out(folder, held, RULE, cuts.train.files, MEMORY)
    runs = [Run(part.source, folder / RUNS / f"{part.task}.buckets") for part in parts]
    for split, number, buckets in cuts.files():
        target = Target(split, number, (Range(buckets),))
        yield mix(folder, target, runs, {"a": "A", "b": "B"}, Removed(folder / DIGESTS))


def epochs(part: Part) -> float:
    """Return how often the documents of a part come."""
    return 1.5 if part.source == "b" else 1.0


def measure(count: int, folder: Path) -> dict[str, float]:
    """Mix so many records in this process."""
    parts = described(write_parts(folder / "documents", count))
    cuts = cut(RULE, [Size(0, part.rows, epochs(part)) for part in parts])
    began = time.process_time()
    receipts = list(run(folder, parts, cuts))
    taken = time.process_time() - began
    written = sum(receipt.given for receipt in receipts)
    expected = sum(part.rows * (0.99 * epochs(part) + 0.01) for part in parts)
    if abs(written / expected - 1) > 0.001:
        raise RuntimeError(f"{written:,} lines of {count:,} records: something is lost")
    return {
        "seconds_per_million": taken / count * 1e6,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "buckets": len(cuts),
        "runs": len(parts),
        "lines": written,
    }


def peer(python: str, count: int, folder: Path) -> dict[str, float | str]:
    """Have DuckDB sort so many records."""
    write_parts(folder / "documents", count)
    places = [str(folder / name) for name in ("documents/*.parquet", "sorted.parquet", "scratch")]
    done = subprocess.run(
        [python, "-c", PEER, *places], check=True, capture_output=True, text=True
    ).stdout.split()
    return {
        "duckdb_seconds_per_million": float(done[0]) / count * 1e6,
        "duckdb_peak_rss_mb": float(done[1]),
        "duckdb": done[2],
    }


def apart(count: int) -> dict[str, float]:
    """Measure so many records in a process of its own."""
    command = [sys.executable, __file__, "--records", str(count)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=-1).stdout)
    return found


def name_of(count: int) -> str:
    """Return what figures of so many records are called."""
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1000}k"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--json", action="store_true", help="print the figures as one object")
    parser.add_argument("--peer", metavar="PYTHON", help="a Python with duckdb, to compare with")
    parser.add_argument("--records", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.records:
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(measure(options.records, Path(name))))
        return
    few, many = (250_000, 1_000_000) if options.quick else (5_000_000, 50_000_000)
    found: dict[str, float | str] = {}
    if options.peer:
        with tempfile.TemporaryDirectory() as name:
            found |= peer(options.peer, few, Path(name))
    for count in (few, many):
        figures = apart(count)
        print(f"{count:,} records: {figures}", file=sys.stderr)
        found |= {f"{key}_{name_of(count)}": value for key, value in figures.items()}
    per = [float(found[f"seconds_per_million_{name_of(count)}"]) for count in (few, many)]
    found["flatness"] = per[1] / per[0]
    report(found, as_json=options.json)


def report(found: dict[str, float | str], *, as_json: bool) -> None:
    """Print figures, machine and versions."""
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "pyarrow")}
    if as_json:
        print(json.dumps({**found, "machine": machine, "versions": versions}))
        return
    print(f"{machine}; Python {platform.python_version()}; {versions}", file=sys.stderr)
    for name, value in found.items():
        print(f"{name:<32} {value if isinstance(value, str) else f'{value:14.2f}'}")


if __name__ == "__main__":
    main()
