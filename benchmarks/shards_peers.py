"""What Megatron-Core and GPT-NeoX do with the same input, measured in a process of its own.

Run by `benchmarks/shards.py` with a Python that has what they need: a
task's name and its arguments as JSON on the command line, its figures as JSON on stdout.
"""

import contextlib
import gc
import hashlib
import json
import multiprocessing
import resource
import runpy
import subprocess
import sys
import tempfile
import time
import types
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np


class Tokenizer:
    """As much of a tokenizer as GPTDataset asks for."""

    unique_identifiers = {"class": "Tokenizer"}  # noqa: RUF012 - read, never written
    vocab_size = 50_277
    eod = 0
    pad = -1
    special_tokens_dict: dict[str, str] = {}  # noqa: RUF012


def samples(prefix: str, length: int, number: int, passes: int) -> dict[str, Any]:
    """Take samples one by one from a GPTDataset, several times; the fastest pass counts."""
    from megatron.core.datasets.blended_megatron_dataset_builder import (
        BlendedMegatronDatasetBuilder,
    )
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig

    with tempfile.TemporaryDirectory() as cache:
        config = GPTDatasetConfig(
            random_seed=1234,
            sequence_length=length,
            blend_per_split=[([prefix], None), None, None],
            reset_position_ids=False,
            reset_attention_mask=False,
            eod_mask_loss=False,
            create_attention_mask=False,
            path_to_cache=cache,
            tokenizer=Tokenizer(),
        )
        builder = BlendedMegatronDatasetBuilder(GPTDataset, [None, 0, 0], lambda: True, config)
        dataset = builder.build()[0]
    best = 0.0
    for _ in range(passes):
        begun = time.process_time()
        for item in range(number):
            dataset[item]
        best = max(best, number / (time.process_time() - begun))
    digest = hashlib.sha256()
    for item in range(min(number, 500)):
        digest.update(dataset[item]["tokens"].numpy().astype("<i8").tobytes())
    return {"per_second": best, "sha256": digest.hexdigest()}


def index(lengths: str, order: str, length: int, passes: int) -> dict[str, Any]:
    """Build a sample index with Megatron's C++ helper."""
    from megatron.core.datasets import helpers

    sizes, documents = np.load(lengths), np.load(order)
    seconds = []
    for _ in range(passes):
        begun = time.perf_counter()
        found = helpers.build_sample_idx(sizes, documents, length, 1, int(sizes.sum()), True, True)
        seconds.append(time.perf_counter() - begun)
    return {"seconds": min(seconds), "sha256": hashlib.sha256(found.tobytes()).hexdigest()}


_encoder: Any = None


def _load(path: str) -> None:
    global _encoder  # noqa: PLW0603 - as Megatron's tool keeps its tokenizer in each process
    from tokenizers import Tokenizer as Loaded

    _encoder = Loaded.from_file(path)


def _encode(line: str) -> list[int]:
    ids: list[int] = _encoder.encode(json.loads(line)["text"]).ids
    return [*ids, 0] if ids else ids


def text(corpus: str, tokenizer: str, workers: int) -> dict[str, Any]:
    """Tokenise a .jsonl file as tools/preprocess_data.py does: a pool, and one builder."""
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    with tempfile.TemporaryDirectory() as folder:
        begun, cpu_begun = time.perf_counter(), _cpu_seconds()
        builder = IndexedDatasetBuilder(f"{folder}/out.bin", dtype=np.uint16)
        with (
            Path(corpus).open(encoding="utf-8") as lines,
            multiprocessing.Pool(workers, initializer=_load, initargs=(tokenizer,)) as pool,
        ):
            for ids in pool.imap(_encode, lines, 32):
                if ids:
                    builder.add_document(ids, [len(ids)])
        builder.finalize(f"{folder}/out.idx")
        seconds, cpu_seconds = time.perf_counter() - begun, _cpu_seconds() - cpu_begun
        paths = [Path(folder, f"out.{kind}") for kind in ("bin", "idx")]
        return _written(paths, seconds, cpu_seconds)


def _written(paths: list[Path], seconds: float, cpu_seconds: float) -> dict[str, Any]:
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "sha256": digests}


def neox_text(checkout: str, corpus: list[str], tokenizer: str, workers: int) -> dict[str, Any]:
    """Tokenise .jsonl.zst files with GPT-NeoX's own tools/datasets/preprocess_data.py.

    Its package asks for what only training needs; one name is all that this tool wants of it.
    """
    package = types.ModuleType("megatron")
    vars(package).update(__path__=[f"{checkout}/megatron"], print_rank_0=lambda *_: None)
    inner = types.ModuleType("megatron.data")
    vars(inner)["__path__"] = [f"{checkout}/megatron/data"]
    sys.modules |= {"megatron": package, "megatron.data": inner}
    tool = runpy.run_path(f"{checkout}/tools/datasets/preprocess_data.py", run_name="tool")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        words = ["--input", ",".join(corpus), "--output-prefix", f"{folder}/out"]
        words += ["--tokenizer-type", "HFTokenizer", "--vocab-file", tokenizer]
        words += ["--append-eod", "--workers", str(workers)]
        # A pool's processes look the encoder up by the name of its module.
        module = types.ModuleType("tool")
        vars(module).update(tool)
        sys.modules["tool"] = module
        begun, cpu_begun = time.perf_counter(), _cpu_seconds()
        tool["main"](words)
        seconds = time.perf_counter() - begun
        gc.collect()  # the tool leaves its pool to whoever ends it
        for child in multiprocessing.active_children():
            child.join(10)
        paths = [Path(folder, f"out_text_document.{kind}") for kind in ("bin", "idx")]
        return _written(paths, seconds, _cpu_seconds() - cpu_begun)


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those of its processes that have ended."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def versions(checkout: str = "", **_: object) -> dict[str, str]:
    """Return the versions of what was measured; of a checkout, its commit."""
    names = ("megatron-core", "torch", "transformers", "tokenizers", "numpy")
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    if checkout:
        words = ["git", "-C", checkout, "rev-parse", "HEAD"]
        commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
        found["gpt-neox"] = commit or "unknown"
    return found


TASKS = {"samples": samples, "index": index, "text": text, "neox_text": neox_text}

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    figures = TASKS[sys.argv[1]](**given)
    print(json.dumps({**figures, "versions": versions(**given)}))
