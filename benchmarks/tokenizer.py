"""Compare encoding and training with other tokenizers, in one run, in CPU seconds of one thread.

    python benchmarks/tokenizer.py --tokenizer 20B_tokenizer.json --corpus FOLDER [--peers PYTHON]

``--corpus`` names a folder of UTF-8 text files. Peers that are not installed are named and left out;
``--peers`` names the Python of another environment that has them: tiktoken==0.14.0,
snaptokens==0.2.6, splintr-rs==0.22.0, gigabpe==0.1.0. Encoders warm up on the first half of the
documents and are measured on the second, which they have not seen; time ends with ids, in whatever
form a library gives them quickest. All encoders run in turn, `ROUNDS` times, each time in a new
process, and the best of each counts: what else a shared machine does only ever slows. Figures are
megabytes (10**6 bytes) of UTF-8 text a CPU second.
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
import unicodedata
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

# This file has the name of the package that it measures.
sys.path = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent.resolve()]

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")

DOCUMENT = 50_000
"""Characters at which documents are cut."""

FILE_DOCUMENTS = 1_000
"""Documents of a file of training text."""

PEER_ENCODERS = ("snaptokens", "splintr-rs", "tiktoken")
PEER_TRAINERS = ("gigabpe",)
PACKAGES = ("tokenizers", "numba", "numpy")
BATCH = 500
ROUNDS = 5


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
    """Return three functions: from texts to input, from that to output, from output to documents' ids.

    The second is what is timed: ours has an Arrow column, as the tokenize stage has, the others the
    list of strings that they take, and each gives ids in whatever form it is quickest.
    """
    if name == "pile":
        import pyarrow as pa

        from tokenizer.encode import Encoder, warm

        warm()
        made = Encoder.load(Path(tokenizer))
        return lambda texts: pa.array(texts, pa.large_string()), made.encode_column, our_rows
    if name == "tokenizers":
        from tokenizers import Tokenizer

        hf = Tokenizer.from_file(tokenizer)
        hf.encode_special_tokens = True
        return list, lambda texts: ids_of(hf, texts), list
    return list, peer_encoder(name, tokenizer), rows


def ids_of(hf, texts: list[str]) -> list[list[int]]:
    """Return documents' ids by HF; to keep its own results would take gigabytes."""
    return [found.ids for found in hf.encode_batch_fast(texts, add_special_tokens=False)]


def our_rows(encoded) -> list[list[int]]:
    """Return documents' ids out of all ids and their numbers."""
    import numpy as np

    return [part.tolist() for part in np.split(encoded.ids, np.cumsum(encoded.lengths))[:-1]]


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
    return peer.encode_batch_flat


def rows(flat: tuple[object, object]) -> list[list[int]]:
    """Return documents' ids from a flat buffer and offsets."""
    import array

    ids, offsets = flat[0], flat[1]
    if isinstance(ids, bytes):
        ids, offsets = array.array("I", ids), array.array("Q", offsets)
    return [list(ids[a:b]) for a, b in pairwise(offsets)]


def encode_job(name: str, tokenizer: str, texts: list[str]) -> dict[str, object]:
    """Measure one encoder on the unseen half; hash the ids of all documents."""
    prepare, encode, documents_of = encoder(name, tokenizer)
    half = len(texts) // 2
    seen, unseen = texts[:half], texts[half:]
    cold, first = timed(encode, [prepare(batch) for batch in batches(seen)])
    spent, second = timed(encode, [prepare(batch) for batch in batches(unseen)])
    return {
        "cold": size(seen) / cold,
        "unseen": size(unseen) / spent,
        "ids": digest([row for found in (*first, *second) for row in documents_of(found)]),
    }


def batches(texts: list[str]) -> list[list[str]]:
    """Return texts some at a time."""
    return [texts[place : place + BATCH] for place in range(0, len(texts), BATCH)]


def timed(encode, inputs: list[object]) -> tuple[float, list[object]]:
    """Return the CPU seconds that all batches take, and what comes out."""
    started = time.process_time()
    found = [encode(batch) for batch in inputs]
    return time.process_time() - started, found


def text_files(texts: list[str], folder: Path) -> list[str]:
    """Write documents in NFC to files of `FILE_DOCUMENTS`; each ends with a newline."""
    paths: list[str] = []
    part: list[bytes] = []
    for number, text in enumerate(texts, 1):
        line = unicodedata.normalize("NFC", text).rstrip("\n") + "\n"
        part.append(line.encode())
        if number == len(texts) or number % FILE_DOCUMENTS == 0:
            path = folder / f"{len(paths):05d}.txt"
            path.write_bytes(b"".join(part))
            paths.append(str(path))
            part = []
    return paths


def train_job(name: str, paths: list[str], vocabulary: int) -> dict[str, object]:
    """Run one trainer from text files to tokenizer.json, on one core; all take lines as documents.

    Seconds are CPU seconds of the whole process, from its start to the file: imports and loading
    of compiled kernels too, which ``load`` states by themselves.
    """
    from benchmarks.memory import peak_mb

    load = 0.0
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out.json"
        if name == "gigabpe":
            import gigabpe

            gigabpe.train_tokenizer(
                paths, vocabulary, out, special_tokens=["<|endoftext|>", "<|padding|>"],
                min_frequency=2, pretokenizer="bytelevel", threads=1,
            )  # fmt: skip
        elif name == "hf":
            train_hf(paths, vocabulary, out)
        else:
            load = train_ours(paths, vocabulary, Path(out))
        spent = time.process_time()
        made = Path(out).read_text(encoding="utf-8")
    merges = [
        merge if isinstance(merge, str) else " ".join(merge)
        for merge in json.loads(made)["model"]["merges"]
    ]
    return {"seconds": spent, "load": load, "merges": merges, "peak_rss_mb": round(peak_mb())}


def train_hf(paths: list[str], vocabulary: int, out: str) -> None:
    """Let HF tokenizers train, with the same recipe but for the alphabet, which is what it saw."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.normalizers import NFC
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    hf = Tokenizer(BPE())
    hf.normalizer = NFC()
    hf.pre_tokenizer = ByteLevel(add_prefix_space=False)
    specials = ["<|endoftext|>", "<|padding|>"]
    trainer = BpeTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=specials, show_progress=False
    )
    hf.train(paths, trainer)
    hf.save(out)


def train_ours(paths: list[str], vocabulary: int, out: Path) -> float:
    """Count lines, learn, write; return the CPU seconds until kernels were there."""
    import numpy as np

    from tokenizer import count, learn  # noqa: F401 - loading is timed
    from tokenizer.recipe import Recipe
    from tokenizer.train import train_counts

    few = {"word": [b"ab", b"abab"], "count": [2, 3]}
    import pyarrow as pa

    train_counts(pa.table(few, count.SCHEMA), Recipe(vocabulary_size=300))
    counter = count.Counter(out.parent)
    counter.add_buffer(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    load = time.process_time()
    for path in paths:
        text = np.fromfile(path, np.uint8)
        offsets = np.concatenate(([0], np.flatnonzero(text == 10) + 1))
        counter.add_buffer(text, offsets)
    counter.finish(out.parent / "counts.parquet")
    recipe = Recipe(vocabulary_size=vocabulary, alphabet="learned")
    out.write_text(train_counts(count.read(out.parent / "counts.parquet"), recipe))
    return load


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
        if arguments.only != "train":
            path = Path(folder) / "texts.json"
            path.write_text(json.dumps(texts), encoding="utf-8")
            encode(arguments, path, figures, lines)
        if arguments.only != "encode":
            paths = text_files(texts, Path(folder))
            train_all(arguments, paths, figures, lines)
    return figures, lines


def encode(
    arguments: argparse.Namespace, path: Path, figures: dict[str, object], lines: list[str]
) -> None:
    """Run the encoders."""
    results: dict[str, dict[str, object]] = {}
    absent: dict[str, str] = {}
    for _ in range(1 if arguments.quick else ROUNDS):
        for name in ("tokenizers", "pile", *PEER_ENCODERS):
            if name in absent:
                continue
            python = sys.executable if name in ("tokenizers", "pile") else arguments.peers
            found = in_process(python, ["encode", name, str(arguments.tokenizer)], path)
            if isinstance(found, str):
                absent[name] = found
            else:
                results[name] = better(found, results.get(name, found))
    lines += [f"encode {name:12} left out: {why}" for name, why in absent.items()]
    for name, found in results.items():
        found["wrong"] = mismatches(found["ids"], results["tokenizers"]["ids"])
        lines.append(
            f"encode {name:12} {found['unseen']:8.1f} MB/s unseen, {found['cold']:8.1f} cold, "
            f"{found['wrong']} documents differ from HF"
        )
    ours = results["pile"]
    exact = [r["unseen"] for name, r in results.items() if name in PEER_ENCODERS and not r["wrong"]]
    figures["encode_mb_s_core"] = round(ours["unseen"], 1)
    figures["encode_vs_best_exact_peer"] = round(ours["unseen"] / max(exact), 2) if exact else None
    figures["encode_vs_hf"] = round(ours["unseen"] / results["tokenizers"]["unseen"], 1)
    figures["encode_mismatches"] = ours["wrong"]


def better(found: dict[str, object], before: dict[str, object]) -> dict[str, object]:
    """Return the higher rates of two rounds, whose ids must be the same."""
    if found["ids"] != before["ids"]:
        raise ValueError("an encoder gave other ids for the same documents")
    return {**found, **{rate: max(found[rate], before[rate]) for rate in ("cold", "unseen")}}


def train_all(
    arguments: argparse.Namespace,
    paths: list[str],
    figures: dict[str, object],
    lines: list[str],
) -> None:
    """Run the trainers: all on as much text as HF tokenizers is given, and all but it on the whole."""
    vocabulary = 2_000 if arguments.quick else 50_254
    some = first_bytes(paths, arguments.hf_bytes)
    train_each(arguments.peers, ("pile",), paths[:1], 300, [])  # compiles what is not on disk yet
    results = train_each(arguments.peers, ("hf", "pile", *PEER_TRAINERS), some, vocabulary, lines)
    hf, ours = results["hf"], results["pile"]
    figures["train_vs_hf"] = round(hf["seconds"] / ours["seconds"], 2)
    wrong = mismatches(ours["merges"], hf["merges"])
    wrong += abs(len(hf["merges"]) - len(ours["merges"]))
    if len(paths) > len(some):
        results = train_each(arguments.peers, ("pile", *PEER_TRAINERS), paths, vocabulary, lines)
    ours, giga = results["pile"], results.get("gigabpe")
    figures["train_vs_gigabpe"] = round(giga["seconds"] / ours["seconds"], 2) if giga else None
    if giga:
        wrong += mismatches(ours["merges"], giga["merges"]) if len(paths) > len(some) else 0
    figures["train_mismatched_merges"] = wrong
    figures["train_peak_rss_mb"] = ours["peak_rss_mb"]


def first_bytes(paths: list[str], budget: int) -> list[str]:
    """Return the first files, until they have so many bytes."""
    taken: list[str] = []
    for path in paths:
        if budget <= 0:
            break
        taken.append(path)
        budget -= Path(path).stat().st_size
    return taken


def train_each(
    peers: str, names: tuple[str, ...], paths: list[str], vocabulary: int, lines: list[str]
) -> dict[str, dict[str, object]]:
    """Run trainers over files, each in a process of its own on one core."""
    megabytes = sum(Path(path).stat().st_size for path in paths) / 1e6
    results: dict[str, dict[str, object]] = {}
    for name in names:
        python = peers if name in PEER_TRAINERS else sys.executable
        listed = Path(paths[0]).parent / "paths.json"
        listed.write_text(json.dumps(paths), encoding="utf-8")
        started = time.perf_counter()
        found = in_process(python, ["train", name, str(vocabulary)], listed)
        wall = time.perf_counter() - started
        if isinstance(found, str):
            lines.append(f"train  {name:12} left out: {found}")
            continue
        results[name] = found
        lines.append(
            f"train  {name:12} {megabytes:6.0f} MB: {found['seconds']:7.2f} CPU s on one core, of "
            f"which {found['load']:.2f} to load; {wall:.2f} s in all; "
            f"{found['peak_rss_mb']} MB at most"
        )
    return results


def main() -> None:
    """Compare, or run the one job that a comparison asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--peers", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--bytes", type=int, default=100_000_000, help="text at most")
    parser.add_argument(
        "--hf-bytes", type=int, default=100_000_000, help="for HF's trainer, at most"
    )
    parser.add_argument("--only", choices=("encode", "train"), help="one part alone")
    parser.add_argument("--quick", action="store_true", help="4 MB, 2,000 entries")
    parser.add_argument("--json", action="store_true", help="figures only, as JSON")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        kind, name, *rest = json.loads(arguments.job)
        texts = json.loads(arguments.texts.read_text(encoding="utf-8"))
        if kind == "encode":
            print(json.dumps(encode_job(name, rest[0], texts)))
        else:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            print(json.dumps(train_job(name, texts, int(rest[0]))))
        return
    if arguments.corpus is None or (arguments.tokenizer is None and arguments.only != "train"):
        parser.error("--tokenizer and --corpus are needed")
    figures, lines = compare(arguments)
    if not arguments.json:
        print("\n".join(lines))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
