"""Near-duplicate removal against other tools, in one run on one machine.

    python benchmarks/dedup.py --quick           # smaller, a minute
    python benchmarks/dedup.py                   # 1 GB and 20 million signatures
    python benchmarks/dedup.py --json            # the figures as one object
    python benchmarks/dedup.py --corpus x.parquet   # documents of one's own, columns "id", "text"
    python benchmarks/dedup.py --only recall scale  # some groups of figures

Rates are megabytes of UTF-8 text in a CPU second of one core. datasketch comes with this project;
other tools are looked for in an environment of their own, and left out where it lacks them:

    uv venv peers && uv pip install --python peers/bin/python \
        datasketch==2.0.0 rensa==0.5.0 text-dedup==0.4.0 datatrove==0.10.1 spacy tokenizers "xxhash<4"
    python benchmarks/dedup.py --peers peers/bin/python
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[0] = str(HERE.parent)  # not this file, which has the name of what it measures

from benchmarks.dedup_corpus import head, make_corpus
from benchmarks.dedup_quality import (
    BANDS,
    measure_precision,
    measure_published,
    measure_recall,
    synthetic,
)
from benchmarks.memory import peak_mb
from dedup import minhash
from dedup.batches import sign_columns
from dedup.external import Workspace, decide_spilled, tables
from dedup.minhash import sign
from dedup.scheme import PUBLISHED, Scheme
from dedup.signatures import Signatures
from dedup.spill import Part, Spill

PART = 500_000
GROUPS = ("signatures", "pipeline", "published", "recall", "scale")


def progress(line: str) -> None:
    """Say what is being measured, where it is no output."""
    print(line, file=sys.stderr, flush=True)


def best(function: Callable[[], object], times: int = 3) -> float:
    """Return the least CPU seconds of a few calls."""
    spent = []
    for _ in range(times):
        started = time.process_time()
        function()
        spent.append(time.process_time() - started)
    return min(spent)


def peer(python: str, name: str, task: str, permutations: int, source: Path) -> float | None:
    """Return the CPU seconds of a peer; nothing if it is not there or fails, and say so."""
    target = source.with_name(f"{name}.out.parquet")
    script = [str(HERE / "dedup_peers.py"), name, task, str(permutations), str(source), str(target)]
    run = subprocess.run([python, *script], capture_output=True, text=True, check=False)
    if run.returncode:
        progress(f"  {name} left out: {(run.stderr.strip().splitlines() or ['no output'])[-1]}")
        return None
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    progress(
        f"  {name} {found['version']}: {task}, {permutations} permutations, {found['seconds']:.2f} s"
    )
    return float(found["seconds"])


def measure_signatures(
    source: Path, size: int, python: str, folder: Path, peers: int
) -> dict[str, Any]:
    """Sign the documents of a file, and fewer of them by peers."""
    progress("signatures from text")
    minhash.warm()
    table = pq.read_table(source)
    texts, ids = table["text"], table["id"]

    def rate(scheme: Scheme) -> float:  # without digests, which peers do not make
        columns = minhash.whole_columns
        return size / best(lambda: sign_columns(columns(texts), len(texts), scheme)) / 1e6

    found: dict[str, Any] = {}
    for count in (10, 128):
        scheme = Scheme("fast", "whitespace", 5, count)
        spent = best(lambda scheme=scheme: sign(ids, texts, scheme))  # type: ignore[misc]
        found[f"signature_and_digest_mb_s_core_{count}"] = size / spent / 1e6
    for count in (10, 128):
        found[f"signature_mb_s_core_{count}"] = rate(Scheme("fast", "whitespace", 5, count))
        for name in PUBLISHED:
            key = f"{name.replace('-', '_')}_mb_s_core_{count}"
            found[key] = rate(Scheme(name, "whitespace", 5, count))
    few = folder / "few.parquet"
    little = head(source, few, peers)
    for count in (10, 128):
        for name in (
            "datasketch",
            "datasketch-legacy",
            "rensa",
            "rensa-lists",
            "text-dedup",
            "datatrove",
        ):
            which = sys.executable if "sketch" in name else python
            spent = peer(which, name, "signatures", count, few)
            found[f"peer_{name}_{count}"] = spent and little / spent / 1e6
    return found | ratios(found)


def ratios(rates: dict[str, Any]) -> dict[str, Any]:
    """Compare rates with those of peers, at 10 and at 128 permutations; the lesser ratio counts."""
    compared = {
        "signature_vs_datasketch": [("signature", "datasketch")],
        "signature_vs_rensa": [("signature", "rensa")],
        "signature_vs_rensa_lists": [("signature", "rensa-lists")],
        "published_vs_datasketch": [
            ("datasketch_affine32", "datasketch"),
            ("datasketch_legacy", "datasketch-legacy"),
        ],
    }
    found: dict[str, Any] = {}
    for key, pairs in compared.items():
        known = []
        for count in (10, 128):
            for ours, theirs in pairs:
                if rates[f"peer_{theirs}_{count}"]:
                    known.append(
                        rates[f"{ours}_mb_s_core_{count}"] / rates[f"peer_{theirs}_{count}"]
                    )
                    found[f"{ours}_vs_{theirs}_{count}"] = known[-1]
        found[key] = min(known, default=None)
    return found


def pipeline(source: Path, folder: Path, permutations: int) -> int:
    """Read Parquet, sign, decide, write decisions; return how many documents go."""
    scheme = Scheme("fast", "whitespace", 5, permutations)
    folder.mkdir()
    file = pq.ParquetFile(source, memory_map=True)
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    parts = tuple(Part(folder / f"part-{at}", rows) for at, rows in enumerate(sizes))
    spill = Spill(scheme, BANDS[permutations], "first", parts)
    for at in range(file.num_row_groups):
        group = file.read_row_group(at, columns=["id", "text"], use_threads=False)
        spill.write(at, sign(group["id"], group["text"], scheme))
    found = decide_spilled(spill, Workspace(folder))
    for at, table in enumerate(tables(spill, found)):
        pq.write_table(table, folder / f"decisions-{at}.parquet", compression="zstd")
    return len(found.positions)


def measure_pipeline(
    source: Path, size: int, python: str, folder: Path, peers: int, rounds: int
) -> dict[str, Any]:
    """Run the whole way from documents to decisions; ours and peers in turn, the best of the rounds.

    The best peer is the fastest that is given sets of shingles, as it asks for. rensa takes lists
    with repeats too, which Python makes in less than half the time: that is ``rensa-lists``.
    """
    progress("whole pipelines")
    minhash.warm()
    found: dict[str, Any] = {"pipeline_bytes": size}
    few = folder / "some.parquet"
    little = head(source, few, peers)
    pipeline(few, folder / "loaded", 10)  # whatever is loaded once is loaded
    for count in (10, 128):
        spent: dict[str, list[float]] = {}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                started = time.process_time()
                found[f"pipeline_duplicates_{count}"] = pipeline(source, Path(work) / "run", count)
                spent.setdefault("ours", []).append(time.process_time() - started)
            for name in ("datasketch", "rensa", "rensa-lists"):
                which = sys.executable if name == "datasketch" else python
                seconds = peer(which, name, "pipeline", count, few)
                if seconds is not None:
                    spent.setdefault(name, []).append(seconds)
        ours = size / min(spent.pop("ours")) / 1e6
        found[f"pipeline_mb_s_core_{count}"] = ours
        rates = {name: little / min(seconds) / 1e6 for name, seconds in spent.items()}
        found |= {f"peer_{name}_pipeline_mb_s_{count}": rate for name, rate in rates.items()}
        listed = rates.pop("rensa-lists", None)
        found[f"pipeline_vs_best_peer_{count}"] = ours / max(rates.values())
        found[f"pipeline_vs_rensa_lists_{count}"] = listed and ours / listed
    found["pipeline_vs_best_peer"] = found["pipeline_vs_best_peer_10"]
    return found


def scale(count: int) -> None:
    """Decide about made-up signatures in this process, and print what it took."""

    def part(number: int, rows: int) -> Signatures:
        generator = np.random.default_rng(number)
        values = generator.integers(0, 1 << 32, (rows, 10), dtype=np.uint32)
        copies = np.flatnonzero(generator.random(rows) < 0.3)
        pool = generator.integers(0, count // 4, len(copies)).astype(np.uint64)[:, None]
        pool = (pool + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.arange(
            10, dtype=np.uint64
        )
        pool = ((pool ^ (pool >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)) >> np.uint64(32)
        same = generator.random((len(copies), 10)) < 0.8
        values[copies] = np.where(same, pool.astype(np.uint32), values[copies])
        return synthetic(values, number * PART)

    with tempfile.TemporaryDirectory() as name:
        folder, spent = Path(name), 0.0
        sizes = [min(PART, count - at) for at in range(0, count, PART)]
        parts = tuple(Part(folder / f"part-{at}", rows) for at, rows in enumerate(sizes))
        spill = Spill(Scheme(), BANDS[10], "first", parts)
        for number, rows in enumerate(sizes):
            made = part(number, rows)
            started = time.process_time()
            spill.write(number, made)
            spent += time.process_time() - started
        started = time.process_time()
        found = decide_spilled(spill, Workspace(folder, 256 << 20))
        rows = sum(table.num_rows for table in tables(spill, found))
        spent += time.process_time() - started
    us = spent / count * 1e6
    print(json.dumps({"rows": rows, "us": us, "rss": peak_mb(), "gone": len(found.kind)}))


def measure_scale(counts: list[int]) -> dict[str, Any]:
    """Decide about ever more signatures, each number in a process of its own."""
    progress("made-up signatures")
    figures: dict[str, Any] = {}
    for count in counts:
        command = [sys.executable, __file__, "--scale", str(count)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(run.stdout)
        progress(
            f"  {count}: {found['us']:.2f} us a document, {found['rss']:.0f} MB, {found['gone']} go"
        )
        figures[f"scale_us_per_document_{count}"] = found["us"]
        figures[f"scale_peak_rss_mb_{count}"] = found["rss"]
    times = [figures[f"scale_us_per_document_{count}"] for count in counts]
    figures["scale_spread"] = max(times) / min(times) - 1
    figures["peak_rss_mb_20m"] = figures.get("scale_peak_rss_mb_20000000")
    return figures


def machine() -> dict[str, Any]:
    """Say what was measured on."""
    libraries = ("numpy", "numba", "pyarrow", "datasketch")
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in libraries},
    }


def figures(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the figures that are asked for, a group at a time."""
    yield machine()
    quick, only = arguments.quick, arguments.only or GROUPS
    corpus = arguments.corpus or folder / "corpus.parquet"
    if not arguments.corpus:
        progress("making up documents")
        make_corpus(corpus, 30_000_000 if quick else 1_000_000_000)
    if "signatures" in only:
        part = folder / "signed.parquet"
        size = head(corpus, part, 30_000_000 if quick else 200_000_000)
        few = 1_000_000 if quick else 6_000_000
        yield measure_signatures(part, size, arguments.peers, folder, few)
    if "pipeline" in only:
        file = pq.ParquetFile(corpus)
        whole = sum(batch.column("text").nbytes for batch in file.iter_batches(columns=["text"]))
        few = 3_000_000 if quick else 20_000_000
        rounds = 1 if quick else 3
        yield measure_pipeline(corpus, whole, arguments.peers, folder, few, rounds)
    if "published" in only:
        progress("published values and decisions")
        yield measure_published(corpus, folder, 1_000 if quick else 100_000)
    if "recall" in only:
        progress("recall and precision on planted pairs")
        yield measure_recall(1_000 if quick else 20_000)
        yield measure_precision(500 if quick else 10_000, folder)
    if "scale" in only:
        yield measure_scale([500_000, 1_000_000] if quick else [1_000_000, 5_000_000, 20_000_000])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--corpus", type=Path, help="Parquet with a column text")
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="measure these groups alone")
    parser.add_argument("--peers", default=sys.executable, help="Python with the other tools")
    parser.add_argument("--scale", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.scale:
        scale(arguments.scale)
        return
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for group in figures(arguments, Path(name)):
            found |= group
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        for key, value in found.items():
            print(f"{key:42} {value:.3f}" if isinstance(value, float) else f"{key:42} {value}")


if __name__ == "__main__":
    main()
