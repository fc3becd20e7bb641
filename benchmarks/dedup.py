"""Near-duplicate removal against other tools, in one run on one machine.

    python benchmarks/dedup.py --quick           # smaller, a few minutes
    python benchmarks/dedup.py                   # 1 GB and 20 million signatures
    python benchmarks/dedup.py --json            # the figures as one object
    python benchmarks/dedup.py --corpus x.parquet   # documents of one's own, column "text"

Rates are megabytes of UTF-8 text in a CPU second of one core. datasketch comes with this project;
other tools are looked for in an environment of their own, and left out where it lacks them:

    uv venv peers && uv pip install --python peers/bin/python \
        datasketch==2.0.0 rensa==0.5.0 text-dedup==0.4.0 datatrove==0.10.1 spacy tokenizers xxhash
    python benchmarks/dedup.py --peers peers/bin/python
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[0] = str(HERE.parent)  # not this file, which has the name of what it measures

from benchmarks.dedup_corpus import head, make_corpus
from dedup import minhash, reference
from dedup.bands import Bands
from dedup.batches import sign_columns
from dedup.clusters import decide
from dedup.decisions import SURVIVOR
from dedup.external import Workspace, decide_spilled, tables
from dedup.minhash import sign
from dedup.scheme import PUBLISHED, Scheme
from dedup.signatures import Signatures
from dedup.spill import Part, Spill

BANDS = {10: Bands(3, 3), 128: Bands(32, 4)}
PART = 500_000
SIMILARITIES = (0.5, 0.7, 0.8, 0.9)


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


def measure_signatures(source: Path, size: int, python: str, folder: Path) -> dict[str, Any]:
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
    little = head(source, few, 6_000_000)
    for count in (10, 128):
        for name in ("datasketch", "datasketch-legacy", "rensa", "text-dedup", "datatrove"):
            which = sys.executable if "sketch" in name else python
            spent = peer(which, name, "signatures", count, few)
            found[f"peer_{name}_{count}"] = spent and little / spent / 1e6
    return found | ratios(found)


def ratios(rates: dict[str, Any]) -> dict[str, Any]:
    """Compare rates with those of peers, at 10 and at 128 permutations; the lesser ratio counts."""
    compared = {
        "signature_vs_datasketch": [("signature", "datasketch")],
        "signature_vs_rensa": [("signature", "rensa")],
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
    file = pq.ParquetFile(source)
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
    source: Path, size: int, python: str, folder: Path, peers: int
) -> dict[str, Any]:
    """Run the whole way from documents to decisions."""
    progress("whole pipelines")
    found: dict[str, Any] = {"pipeline_bytes": size}
    few = folder / "some.parquet"
    little = head(source, few, peers)
    for count in (10, 128):
        started = time.process_time(), time.perf_counter()
        gone = pipeline(source, folder / f"pipeline-{count}", count)
        found[f"pipeline_mb_s_core_{count}"] = size / (time.process_time() - started[0]) / 1e6
        found[f"pipeline_wall_s_{count}"] = time.perf_counter() - started[1]
        found[f"pipeline_duplicates_{count}"] = gone
        rates = []
        for name in ("datasketch", "rensa"):
            spent = peer(
                sys.executable if name == "datasketch" else python, name, "pipeline", count, few
            )
            if spent is not None:
                rates.append(little / spent / 1e6)
                found[f"peer_{name}_pipeline_mb_s_{count}"] = rates[-1]
        found[f"pipeline_vs_best_peer_{count}"] = found[f"pipeline_mb_s_core_{count}"] / max(rates)
    found["pipeline_vs_best_peer"] = found["pipeline_vs_best_peer_10"]
    return found


def measure_published(source: Path, folder: Path, documents: int) -> dict[str, Any]:
    """Count signatures and decisions that are not datasketch's."""
    progress("published values and decisions")
    few = folder / "published.parquet"
    head(source, few, 2_000_000)
    texts = pq.read_table(few)["text"]
    differing = 0
    for name in PUBLISHED:
        scheme = Scheme(name, "whitespace")
        signed = sign(map(str, range(len(texts))), texts, scheme)
        for row, text in enumerate(texts.to_pylist()):
            expected = reference.minhash(text, scheme)
            if expected is not None:
                differing += int((signed.values[row] != expected.hashvalues).any())
    values = np.random.default_rng(3).integers(0, 40, (documents, 10)).astype(np.uint32)
    made = synthetic(values)
    sketches = [reference.from_values(row, made.scheme) for row in values]
    bands = BANDS[10]
    for keep, rule in (("first", reference.keep_first), ("last", reference.keep_last)):
        expected = np.array(rule(sketches, bands))
        decided = decide([made], bands, keep)  # type: ignore[arg-type]
        differing += int(np.count_nonzero((decided.kind != SURVIVOR) != expected))
        with tempfile.TemporaryDirectory(dir=folder) as name:
            spill = Spill(made.scheme, bands, keep, (Part(Path(name) / "part", len(made)),))  # type: ignore[arg-type]
            spill.write(0, made)
            gone = np.zeros(len(made), np.bool_)
            gone[decide_spilled(spill, Workspace(Path(name))).positions] = True
        differing += int(np.count_nonzero(gone != expected))
    return {
        "published_mismatches": differing,
        "published_documents": len(texts) * 2 + documents * 2,
    }


def synthetic(values: np.ndarray[Any, Any], first: int = 0) -> Signatures:
    """Return signatures of documents that differ in text."""
    count = len(values)
    numbers = np.arange(first, first + count, dtype=np.uint64)[:, None] * np.ones(2, np.uint64)
    digests = (numbers * np.uint64(0x9E3779B97F4A7C15)).view(np.uint8)
    ids = pa.array([f"made/{number}" for number in range(first, first + count)], pa.large_string())
    signed = np.ones(count, np.bool_)
    return Signatures(Scheme(permutations=values.shape[1]), ids, digests, signed, values)


def measure_recall(pairs: int) -> dict[str, Any]:
    """Compare how many planted pairs share a band with the theoretical S-curve."""
    progress("recall on planted pairs")
    found: dict[str, Any] = {}
    for family in ("fast", "datasketch-legacy"):
        for similarity in SIMILARITIES:
            shared = round(200 * similarity / (1 + similarity))
            texts = []
            for pair in range(pairs):
                common = [f"{pair}c{number}" for number in range(shared)]
                own = ([f"{pair}{s}{number}" for number in range(100 - shared)] for s in "ab")
                texts += [" ".join(common + rest) for rest in own]
            scheme = Scheme(family, "whitespace", 1, 10)
            values = sign(map(str, range(len(texts))), texts, scheme).values
            same = np.zeros(pairs, np.bool_)
            for band in BANDS[10].split(values):
                same |= (band[::2] == band[1::2]).all(axis=1)
            expected = BANDS[10].match_probability(shared / (200 - shared))
            found[f"recall_{family}_{similarity}"] = float(same.mean())
            found[f"recall_expected_{similarity}"] = expected
            error = abs(float(same.mean()) - expected)
            found["recall_error_max"] = max(error, found.get("recall_error_max", 0.0))
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"rows": rows, "us": spent / count * 1e6, "rss": peak, "gone": len(found.kind)})
    )


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
    """Yield all figures, a group at a time."""
    yield machine()
    quick = arguments.quick
    corpus = arguments.corpus or folder / "corpus.parquet"
    if not arguments.corpus:
        progress("making up documents")
        make_corpus(corpus, 60_000_000 if quick else 1_000_000_000)
    part = folder / "signed.parquet"
    size = head(corpus, part, 60_000_000 if quick else 200_000_000)
    yield measure_signatures(part, size, arguments.peers, folder)
    whole = sum(
        batch.column("text").nbytes
        for batch in pq.ParquetFile(corpus).iter_batches(columns=["text"])
    )
    few = 10_000_000 if quick else 50_000_000
    yield measure_pipeline(corpus, whole, arguments.peers, folder, few)
    yield measure_published(corpus, folder, 5_000 if quick else 100_000)
    yield measure_recall(4_000 if quick else 20_000)
    yield measure_scale([1_000_000, 2_000_000] if quick else [1_000_000, 5_000_000, 20_000_000])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--corpus", type=Path, help="Parquet with a column text")
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
