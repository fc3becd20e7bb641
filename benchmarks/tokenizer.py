"""Compare encoding and training with other tokenizers, in one run, in CPU seconds of one thread.

    python benchmarks/tokenizer.py --tokenizer 20B_tokenizer.json --corpus FOLDER [--peers PYTHON]

``--corpus`` names a folder of UTF-8 text files. Peers that are not installed are named and left out;
``--peers`` names the Python of another environment that has them: tiktoken==0.14.0,
snaptokens==0.2.6, splintr-rs==0.22.0, gigabpe==0.1.0. Encoders warm up on the first half of the
documents and are measured on the second, which they have not seen. Figures are megabytes (10**6
bytes) of UTF-8 text a CPU second, so other load on the machine matters less.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

# This file has the name of the package that it measures.
sys.path = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent.resolve()]

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")

DOCUMENT = 50_000
"""Characters at which documents are cut."""

PEER_ENCODERS = ("snaptokens", "splintr-rs", "tiktoken")
PEER_TRAINERS = ("gigabpe",)
PACKAGES = ("tokenizers", "numba", "numpy")
BATCH = 500


def documents(folder: Path, budget: int) -> list[str]:
    """Return documents of a folder, files in the order of the SHA-1 of their paths."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files.sort(key=lambda path: hashlib.sha1(str(path.relative_to(folder)).encode()).hexdigest())
    found: list[str] = []
    for path in files:
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        found += [text[place : place + DOCUMENT] for place in range(0, len(text), DOCUMENT)]
        budget -= len(text)
        if budget <= 0:
            break
    return found


def digest(rows: list[list[int]]) -> list[str]:
    """Return a short hash of each document's ids, to compare across processes."""
    return [hashlib.sha1(json.dumps(row).encode()).hexdigest()[:16] for row in rows]


def encoder(name: str, tokenizer: str):
    """Return a function that gives documents' ids, as quickly as the library can."""
    if name == "pile":
        import numpy as np

        from tokenizer.encode import Encoder, warm

        warm()
        made = Encoder.load(Path(tokenizer))

        def ours(texts: list[str]) -> object:
            encoded = made.encode(texts)
            return np.split(encoded.ids, np.cumsum(encoded.lengths))[:-1]

        return ours
    if name == "tokenizers":
        from tokenizers import Tokenizer

        hf = Tokenizer.from_file(tokenizer)
        hf.encode_special_tokens = True
        return lambda texts: [e.ids for e in hf.encode_batch_fast(texts, add_special_tokens=False)]
    return peer_encoder(name, tokenizer)


def peer_encoder(name: str, tokenizer: str):
    """Return a peer's way; ImportError if it is not installed."""
    if name == "snaptokens":
        import snaptokens

        peer = snaptokens.Tokenizer.from_file(tokenizer)
    elif name == "splintr-rs":
        import splintr

        peer = splintr.from_json(tokenizer)
    else:
        import tiktoken  # noqa: F401 - present, but it reads no tokenizer.json

        raise ImportError("tiktoken has neither NFC nor runs of spaces as tokens: not comparable")
    return lambda texts: rows(peer.encode_batch_flat(texts))


def rows(flat: tuple[object, object]) -> list[list[int]]:
    """Return documents' ids from a flat buffer and offsets."""
    import array

    ids, offsets = flat[0], flat[1]
    if isinstance(ids, bytes):
        ids, offsets = array.array("I", ids), array.array("Q", offsets)
    return [ids[a:b] for a, b in pairwise(offsets)]


def encode_job(name: str, tokenizer: str, texts: list[str], limit: int) -> dict[str, object]:
    """Measure one encoder on the unseen half; hash the ids of all documents."""
    encode = encoder(name, tokenizer)
    half = len(texts) // 2
    seen, unseen = texts[:half], texts[half:][:limit]
    started = time.process_time()
    first = [row for place in range(0, half, BATCH) for row in encode(seen[place : place + BATCH])]
    cold = time.process_time() - started
    started = time.process_time()
    second = [encode(unseen[place : place + BATCH]) for place in range(0, len(unseen), BATCH)]
    spent = time.process_time() - started
    flat = [[int(i) for i in row] for row in (*first, *(row for part in second for row in part))]
    return {
        "cold": size(seen) / cold,
        "unseen": size(unseen) / spent,
        "ids": digest(flat),
    }


def train_job(name: str, texts: list[str], vocabulary: int) -> dict[str, object]:
    """Measure one trainer from text to tokenizer.json; return its merges."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "gigabpe":
            import gigabpe

            paths = []
            for number, text in enumerate(texts):
                path = Path(folder) / f"{number}.txt"
                path.write_text(text, encoding="utf-8", newline="")
                paths.append(str(path))
            started = time.process_time()
            gigabpe.train_tokenizer(
                paths, vocabulary, f"{folder}/out.json",
                special_tokens=["<|endoftext|>", "<|padding|>"], min_frequency=2,
                pretokenizer="bytelevel", threads=1,
            )  # fmt: skip
            spent = time.process_time() - started
            made = Path(f"{folder}/out.json").read_text(encoding="utf-8")
        else:
            from tokenizer.recipe import Recipe
            from tokenizer.train import train

            trainer = "kernels" if name == "pile" else "hf"
            train(["compile first"] * 2, Recipe(vocabulary_size=300), trainer)
            started = time.process_time()
            made = train(texts, Recipe(vocabulary_size=vocabulary), trainer)
            spent = time.process_time() - started
    merges = [
        merge if isinstance(merge, str) else " ".join(merge)
        for merge in json.loads(made)["model"]["merges"]
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": spent, "merges": merges, "peak_rss_mb": round(peak)}


def size(texts: list[str]) -> float:
    """Return megabytes of UTF-8."""
    return sum(len(text.encode()) for text in texts) / 1e6


def in_process(python: str, job: list[str], texts: Path) -> dict[str, object] | str:
    """Run one job in a process of its own; a string says why it could not be run."""
    command = [python, __file__, "--job", json.dumps(job), "--texts", str(texts)]
    root = Path(__file__).parent.parent
    run = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    if run.returncode:
        return run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "it crashed"
    found: dict[str, object] = json.loads(run.stdout)
    return found


def mismatches(found: list[str], reference: list[str]) -> int:
    """Count places where two lists differ, as far as the shorter goes, in the first half and on."""
    return sum(a != b for a, b in zip(found, reference, strict=False))


def packages() -> dict[str, str]:
    """Return versions of what is measured with."""
    found = {"python": platform.python_version(), "machine": platform.processor() or "?"}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            found["machine"] = f"{line.split(': ')[1]}, {os.cpu_count()} CPUs"
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def compare(arguments: argparse.Namespace) -> tuple[dict[str, object], list[str]]:
    """Run every job; return the figures, and lines that explain them."""
    texts = documents(arguments.corpus, 4_000_000 if arguments.quick else arguments.bytes)
    lines = [f"{len(texts):,} documents, {size(texts):.1f} MB; {packages()}"]
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        encode(arguments, path, figures, lines)
        train_all(arguments, path, figures, lines)
    return figures, lines


def encode(
    arguments: argparse.Namespace, path: Path, figures: dict[str, object], lines: list[str]
) -> None:
    """Run the encoders."""
    results: dict[str, dict[str, object]] = {}
    for name in ("tokenizers", "pile", *PEER_ENCODERS):
        python = sys.executable if name in ("tokenizers", "pile") else arguments.peers
        found = in_process(python, ["encode", name, str(arguments.tokenizer), str(10**9)], path)
        if isinstance(found, str):
            lines.append(f"encode {name:12} left out: {found}")
            continue
        results[name] = found
        wrong = mismatches(found["ids"], results["tokenizers"]["ids"])
        found["wrong"] = wrong
        lines.append(
            f"encode {name:12} {found['unseen']:8.1f} MB/s unseen, {found['cold']:8.1f} cold, "
            f"{wrong} documents differ from HF"
        )
    ours = results["pile"]
    exact = [r["unseen"] for name, r in results.items() if name in PEER_ENCODERS and not r["wrong"]]
    figures["encode_mb_s_core"] = round(ours["unseen"], 1)
    figures["encode_vs_best_exact_peer"] = round(ours["unseen"] / max(exact), 2) if exact else None
    figures["encode_vs_hf"] = round(ours["unseen"] / results["tokenizers"]["unseen"], 1)
    figures["encode_mismatches"] = ours["wrong"]


def train_all(
    arguments: argparse.Namespace, path: Path, figures: dict[str, object], lines: list[str]
) -> None:
    """Run the trainers."""
    size_ = 2_000 if arguments.quick else 50_254
    results: dict[str, dict[str, object]] = {}
    for name in ("hf", "pile", *PEER_TRAINERS):
        python = arguments.peers if name in PEER_TRAINERS else sys.executable
        found = in_process(python, ["train", name, str(size_)], path)
        if isinstance(found, str):
            lines.append(f"train  {name:12} left out: {found}")
            continue
        results[name] = found
        lines.append(
            f"train  {name:12} {found['seconds']:8.2f} CPU s, {found['peak_rss_mb']} MB at most, "
            f"{mismatches(found['merges'], results['hf']['merges'])} merges differ from HF"
        )
    ours = results["pile"]["seconds"]
    giga = results.get("gigabpe")
    theirs = results["hf"]["merges"]
    wrong = mismatches(results["pile"]["merges"], theirs)
    wrong += abs(len(theirs) - len(results["pile"]["merges"]))
    figures["train_vs_hf"] = round(results["hf"]["seconds"] / ours, 2)
    figures["train_vs_gigabpe"] = round(giga["seconds"] / ours, 2) if giga else None
    figures["train_mismatched_merges"] = wrong
    figures["train_peak_rss_mb"] = results["pile"]["peak_rss_mb"]


def main() -> None:
    """Compare, or run the one job that a comparison asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--peers", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--bytes", type=int, default=100_000_000, help="text at most")
    parser.add_argument("--quick", action="store_true", help="4 MB, 2,000 entries")
    parser.add_argument("--json", action="store_true", help="figures only, as JSON")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        kind, name, *rest = json.loads(arguments.job)
        texts = json.loads(arguments.texts.read_text(encoding="utf-8"))
        if kind == "encode":
            print(json.dumps(encode_job(name, rest[0], texts, int(rest[1]))))
        else:
            print(json.dumps(train_job(name, texts, int(rest[0]))))
        return
    if arguments.tokenizer is None or arguments.corpus is None:
        parser.error("--tokenizer and --corpus are needed")
    figures, lines = compare(arguments)
    if not arguments.json:
        print("\n".join(lines))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
