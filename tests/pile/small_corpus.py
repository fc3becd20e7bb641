"""A corpus small enough to run the whole pipeline on in a second."""

import gzip
import hashlib
import json
import textwrap
from pathlib import Path

WORDS = [
    "river",
    "stone",
    "lamp",
    "winter",
    "garden",
    "letter",
    "copper",
    "field",
    "harbour",
    "candle",
    "story",
    "machine",
    "orchard",
    "valley",
    "signal",
    "paper",
    "winding",
    "silver",
    "morning",
    "quiet",
    "engine",
    "window",
    "bridge",
    "northern",
    "market",
    "summer",
    "teacher",
]


def text(number: int, words: int = 60) -> str:
    """Return a text of its own for each number, made of common words."""
    chosen = []
    for place in range(words):
        digest = hashlib.sha256(f"{number} {place}".encode()).digest()
        chosen.append(WORDS[digest[0] % len(WORDS)])
    return " ".join(chosen).capitalize() + f". No. {number}: naïve café, 日本語.\n"


def write_raw(folder: Path) -> None:
    """Write the raw files of two sources of one's own: plain texts, and JSON lines."""
    notes, letters = folder / "notes", folder / "letters"
    notes.mkdir(parents=True)
    letters.mkdir()
    for number in range(12):
        (notes / f"{number:02d}.txt").write_text(text(number), encoding="utf-8")
    lines = [
        json.dumps({"id": str(n), "text": text(100 + n)}, ensure_ascii=False) for n in range(40)
    ]
    lines[7] = lines[6].replace('"id": "6"', '"id": "7"')  # an exact duplicate
    near = text(110, 59) + " almost"
    lines[11] = json.dumps({"id": "11", "text": near}, ensure_ascii=False)
    lines[20] = "{not json"
    content = ("\n".join(lines) + "\n").encode()
    (letters / "a.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))


def write_config(folder: Path, **replacements: str) -> Path:
    """Write a config for these raw files; ``replacements`` are lines by key."""
    values = {
        "threshold": "threshold = 0.5",
        "engine": 'engine = "serial"',
        "workers": "workers = 1",
        "work": 'work = "work"',
        "rules": "rules = []",
        "shards": "",
        **replacements,
    }
    path = folder / "pipeline.toml"
    path.write_text(
        textwrap.dedent(
            f"""
            schema = 1
            [corpus]
            name = "Small"
            seed = 7
            [sources.notes]
            reader = "local"
            epochs = 1.5
            licence = "CC0-1.0"
            pile_set_name = "Notes"
            files = ["raw/notes/*.txt"]
            [sources.letters]
            reader = "local"
            files = ["raw/letters/*.jsonl.gz"]
            [clean]
            {values["rules"]}
            [dedup]
            method = "minhash"
            {values["threshold"]}
            [dedup.keep]
            letters = "first"
            [mix]
            val = 0.1
            test = 0.1
            file_bytes = 65536
            [tokenizer]
            vocabulary = 400
            [shards]
            {values["shards"]}
            [run]
            {values["work"]}
            {values["engine"]}
            {values["workers"]}
            """
        ),
        encoding="utf-8",
    )
    return path


def published(work: Path) -> dict[str, str]:
    """Return the digest of every published file; ledgers are in the order tasks ended."""
    return {
        path.relative_to(work).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((work / "stages").rglob("*"))
        if path.is_file() and path.name != "receipts.jsonl"
    }
