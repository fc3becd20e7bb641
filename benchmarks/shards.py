"""How fast shards are written and read, beside Megatron and GPT-NeoX, in the same run.

    python benchmarks/shards.py --quick
    python benchmarks/shards.py --megatron-python /path/to/venv/bin/python
        --corpus corpus/train/*.jsonl.zst --tokenizer tokenizer.json --json
    python benchmarks/shards.py --only neox --workers 1 ...

Peers run in processes of their own: ``--megatron-python`` names a Python with megatron-core 0.16.1;
for text with tokenizers too, and for GPT-NeoX, whose checkout ``--neox`` names (commit ea7aefd), with
transformers, sentencepiece, lm_dataformat, tqdm and ftfy. What cannot be measured is left out, and the
output says why; it names machine, versions and input. Ratios above 1 mean faster than the peer; both must have given the same bytes, else it stops.
Text is compared with GPT-NeoX's own tool, and with the pattern of Megatron's on text already unpacked;
each peer runs between two runs of ours. Our workers write all shards twice: ratios ``once_started``
leave out their start, which takes seconds, however long a run; ``cpu`` are those of CPU seconds, of ours
once started, and of the peer all but its imports. They are what to look at where the machine is busy.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.memory import peak_mb
from shards import loops
from shards.dataset import Loader, Settings
from shards.format import dtype_for, paths_of
from shards.merge import copy, divide
from shards.samples import place
from shards.writer import ShardWriter

PARTS = ("write", "samples", "index", "neox", "megatron")
LENGTH = 2048
IDS = 50_277


def main() -> None:
    """Measure all that can be, and print it."""
    asked = arguments()
    if asked.only_write:
        print(json.dumps(write_documents(asked.only_write)))
        return
    figures: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    asked.input, asked.peers = {}, {}
    with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as folder:
        if "write" in asked.only:
            asked.input["written_documents"] = 1_000_000 if asked.quick else 20_000_000
            measure_writing(figures, asked.input["written_documents"])
        if "samples" in asked.only:
            measure_samples(figures, skipped, asked, Path(folder))
        if "index" in asked.only:
            measure_index(figures, skipped, asked, Path(folder))
        if {"neox", "megatron"} & set(asked.only):
            measure_text(figures, skipped, asked, Path(folder))
    figures |= dict.fromkeys(skipped)
    measured_on = {"input": asked.input, **machine(asked)}
    if asked.json:
        print(json.dumps({**figures, "skipped": skipped, **measured_on}, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:32} {skipped.get(name) or f'{value:,.2f}'}")
    for name, value in measured_on.items():
        print(f"{name:32} {json.dumps(value)}")


def machine(asked: argparse.Namespace) -> dict[str, Any]:
    """Say what was measured on, and with which versions."""
    libraries = ("pile", "numpy", "numba", "tokenizers")
    return {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
        "peers": asked.peers,
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the input, or less")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--megatron-python", default="", help="a Python that has megatron-core")
    parser.add_argument("--neox", default="", help="a checkout of GPT-NeoX")
    parser.add_argument("--corpus", nargs="*", default=[], help=".jsonl.zst files, two or more")
    parser.add_argument("--tokenizer", default="", help="tokenizer.json for the corpus")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--workers", nargs="*", type=int, default=[1, 2], help="for the corpus")
    parser.add_argument("--only-write", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def peer(asked: argparse.Namespace, task: str, **given: Any) -> dict[str, Any]:
    """Let Megatron do a task, and return its figures."""
    script = str(ROOT / "benchmarks" / "shards_peers.py")
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [asked.megatron_python, script, task, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        env=environment,
    )
    figures: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    asked.peers |= figures.pop("versions")
    return figures


def measure_writing(figures: dict[str, Any], documents: int) -> None:
    """Write many short documents in a fresh process, and see how much memory it took."""
    found = subprocess.run(
        [sys.executable, __file__, "--only-write", str(documents)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures |= json.loads(found.stdout)


def write_documents(documents: int) -> dict[str, float]:
    """Write documents of 0 to 39 tokens; return peak memory and speed."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(0, 40, 10_000)
    ids = draw.integers(2, IDS, int(lengths.sum()))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        paths = paths_of(Path(folder) / "many")
        with ShardWriter(*paths, dtype_for(IDS), vocabulary=IDS, eod=0) as shard:
            for _ in range(documents // lengths.size):
                shard.add(ids, lengths)
            shard.finish()
        seconds = time.perf_counter() - begun
    return {"write_peak_rss_mb": peak_mb(), "written_documents_per_second": documents / seconds}


def measure_samples(
    figures: dict[str, Any], skipped: dict[str, str], asked: argparse.Namespace, folder: Path
) -> None:
    """Take samples of 2,049 tokens from the page cache; CPU seconds, one core."""
    prefix = folder / "tokens"
    draw = np.random.default_rng(0)
    with ShardWriter(*paths_of(prefix), dtype_for(IDS), vocabulary=IDS, eod=0) as shard:
        for _ in range(6 if asked.quick else 60):
            lengths = draw.integers(100, 6_566, 1_000)
            shard.add(draw.integers(2, IDS, int(lengths.sum())), lengths)
        asked.input["sampled_tokens"] = shard.finish().tokens
    number = 4_000 if asked.quick else 20_000
    for batch in (1, 32):
        loader = Loader(Settings((str(prefix),), LENGTH, batch))
        out = np.empty((batch, LENGTH + 1), dtype=np.int64)
        found = max(_rate(loader, number // batch, out) for _ in range(4))
        name = "samples_per_second_core" if batch > 1 else "single_samples_per_second_core"
        figures[name] = found
    if not asked.megatron_python:
        skipped["samples_vs_gptdataset"] = "--megatron-python names no Python with megatron-core"
        return
    theirs = peer(asked, "samples", prefix=str(prefix), length=LENGTH, number=number, passes=4)
    first = loader.samples(0, np.arange(min(number, 500)))[:, :-1]
    _same("samples", hashlib.sha256(np.ascontiguousarray(first)).hexdigest(), theirs["sha256"])
    figures["gptdataset_samples_per_second"] = theirs["per_second"]
    figures["samples_vs_gptdataset"] = figures["samples_per_second_core"] / theirs["per_second"]


def _rate(loader: Loader, steps: int, out: np.ndarray[Any, Any]) -> float:
    """Return samples a CPU second over some steps."""
    steps = min(steps, loader.steps)
    loader.batch(0, 0, out=out)
    begun = time.process_time()
    for step in range(steps):
        loader.batch(0, step, out=out)
    return steps * loader.settings.batch / (time.process_time() - begun)


def measure_index(
    figures: dict[str, Any], skipped: dict[str, str], asked: argparse.Namespace, folder: Path
) -> None:
    """Place the samples of 2 x 10^9 tokens."""
    documents = 60_000 if asked.quick else 600_000
    lengths = np.random.default_rng(1).integers(100, 6_567, documents).astype(np.int32)
    order = np.random.default_rng(2).permutation(documents).astype(np.int32)
    tokens = asked.input["indexed_tokens"] = int(lengths.sum(dtype=np.int64))
    samples = (tokens - 1) // LENGTH
    places = np.empty((samples + 1, 2), dtype=np.int32)
    place(lengths, order, LENGTH, places)
    seconds = []
    for _ in range(7):
        begun = time.perf_counter()
        place(lengths, order, LENGTH, np.empty_like(places))
        seconds.append(time.perf_counter() - begun)
    figures["index_seconds"] = min(seconds)
    figures["index_is_compiled"] = float(loops.compiled(loops.place_samples) is not None)
    if not asked.megatron_python:
        skipped["index_vs_megatron"] = "--megatron-python names no Python with megatron-core"
        return
    files = {"lengths": str(folder / "lengths.npy"), "order": str(folder / "order.npy")}
    np.save(files["lengths"], lengths)
    np.save(files["order"], order)
    theirs = peer(asked, "index", **files, length=LENGTH, passes=7)
    _same("indexes", hashlib.sha256(places).hexdigest(), theirs["sha256"])
    figures["index_vs_megatron"] = theirs["seconds"] / min(seconds)


def measure_text(
    figures: dict[str, Any], skipped: dict[str, str], asked: argparse.Namespace, folder: Path
) -> None:
    """Tokenise .jsonl.zst files into shards, with one worker and with two."""
    names = [f"text_to_shards_vs_{one}" for one in ("megatron", "neox") if one in asked.only]
    if len(asked.corpus) < 2 or not asked.tokenizer:
        skipped |= dict.fromkeys(names, "it needs --corpus with two files or more, and --tokenizer")
        return
    from backports import zstd

    corpus = [Path(path).resolve() for path in sorted(asked.corpus)]
    plain = folder / "corpus.jsonl"
    plain.write_bytes(b"".join(zstd.decompress(path.read_bytes()) for path in corpus))
    asked.input |= {"corpus_files": len(corpus), "corpus_bytes": plain.stat().st_size}
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "text_to_shards_vs_megatron": ("text", {"corpus": str(plain)}),
        "text_to_shards_vs_neox": (
            "neox_text",
            {"corpus": [*map(str, corpus)], "checkout": asked.neox},
        ),
    }
    tasks = {name: known[name] for name in names}
    if not asked.megatron_python:
        skipped |= dict.fromkeys(tasks, "--megatron-python names no Python that could run it")
        tasks.clear()
    elif not asked.neox and tasks.pop("text_to_shards_vs_neox", None):
        skipped["text_to_shards_vs_neox"] = "--neox names no checkout of GPT-NeoX"
    ratios: dict[str, list[float]] = defaultdict(list)
    for workers in asked.workers:
        ours = _Ours(corpus, Path(asked.tokenizer), folder, workers)
        seconds = [ours.run()]
        megabytes = plain.stat().st_size / 1e6
        for name, (task, given) in tasks.items():
            theirs = peer(asked, task, **given, tokenizer=asked.tokenizer, workers=workers)
            seconds.append(ours.run())
            _same("shards", ours.digests(), theirs["sha256"])
            figures[f"{task}_peer_mb_per_second_{workers}_workers"] = megabytes / theirs["seconds"]
            # Before and after the peer, so that whoever else uses the machine slows down both.
            beside = [fmean(pair) for pair in zip(*seconds[-2:], strict=True)]
            ratios[name].append(theirs["seconds"] / beside[0])
            ratios[f"{name}_once_started"].append(theirs["seconds"] / beside[1])
            ratios[f"{name}_cpu"].append(theirs["cpu_seconds"] / beside[2])
        for kind, name in enumerate(("text", "text_once_started")):
            mean = fmean(one[kind] for one in seconds)
            figures[f"{name}_mb_per_second_{workers}_workers"] = megabytes / mean
        figures |= {f"{name}_{workers}_workers": found[-1] for name, found in ratios.items()}
    figures |= {name: min(found) for name, found in ratios.items()}


@dataclass
class _Ours:
    """Our way from a corpus to shards, one a file, as a run's workers do it."""

    corpus: list[Path]
    tokenizer: Path
    folder: Path
    workers: int
    runs: int = 0

    def run(self) -> tuple[float, float, float]:
        """Write all shards in new processes, twice.

        Returns seconds with their start, seconds without, and CPU seconds without.
        """
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # as the engine sets it for its workers
        begun = time.perf_counter()
        with ProcessPoolExecutor(self.workers) as pool:
            self._pass(pool)
            started = time.perf_counter()
            cpu = self._pass(pool)
            return started - begun, time.perf_counter() - started, cpu

    def _pass(self, pool: ProcessPoolExecutor) -> float:
        """Write all shards once; returns CPU seconds."""
        from pile.stages.tokenize import Encoding

        encoding = Encoding(self.tokenizer, "tokens", "drop")  # the peers' rules
        self.runs += 1
        waiting = [pool.submit(_tokenize, self._written, file, encoding) for file in self.corpus]
        return sum(one.result() for one in waiting)

    @property
    def _written(self) -> Path:
        return self.folder / f"{self.workers}-{self.runs}"

    def digests(self) -> list[str]:
        """Return the digests of the last run's shards, merged into one."""
        from pile.stages.tokenize import FOLDER, name_of

        (stretches,) = divide([self._written / FOLDER / name_of(file) for file in self.corpus])
        facts = copy(stretches, *paths_of(self._written / "merged"))
        return [facts.sha256_bin, facts.sha256_idx]


def _tokenize(folder: Path, file: Path, encoding: Any) -> float:
    from pile.stages.tokenize import tokenize

    begun = time.process_time()
    tokenize(folder, file, encoding)
    return time.process_time() - begun


def _same(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise SystemExit(f"{what} differ from the peer's: no ratio of them means anything")


if __name__ == "__main__":
    main()
