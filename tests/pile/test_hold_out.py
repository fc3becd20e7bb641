"""What is held out, by keyed hash and as published, and what leaves the training split for it."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_corpus import text, write_config, write_raw

from pile import corpus, documents, draws
from pile.ledger import Receipt
from pile.mixing import arrays, bucketed
from pile.mixing.corpus_files import Run
from pile.mixing.splits import Cut, Cuts
from pile.mixing.targets import Held, Range, Target, published_targets
from pile.settings import Mix
from pile.stages.hold_out import DIGESTS, DOCUMENTS, hold_out
from pile.stages.mix import FOLDER, Removed, mix
from pile.stages.scatter import HELD, RUNS, Shuffle, scatter
from pile.stages.survivors import Part
from sources.source import Document

Pile = Callable[..., tuple[int, str, str]]

NAMES = {"notes": "Notes", "letters": "Letters"}
MEMORY = 16 << 20


def scatter_all(
    folder: Path, sources: dict[str, Sequence[Document]], shuffle: Shuffle
) -> list[Run]:
    """Scatter a part of each source; returns the runs."""
    runs = []
    for number, (source, found) in enumerate(sources.items()):
        path = folder / f"{source}.parquet"
        rows = documents.Rows(documents.DOCUMENTS)
        for document in found:
            rows.add(documents.document_row(document))
        with documents.PartWriter(path, documents.DOCUMENTS) as writer:
            batch = rows.take()
            assert batch is not None
            writer.add(batch)
        size = sum(len(document.text.encode()) for document in found)
        part = Part(number, source, path, path.stat().st_size, len(found), size, None)
        scatter(folder, part, shuffle, NAMES[source])
        runs.append(Run(source, folder / RUNS / source / f"{source}.buckets"))
    return runs


def gather(folder: Path, runs: Sequence[Run], rule: Mix, files: int) -> Receipt:
    """Gather what is held out."""
    parts = [folder / HELD / run.source / f"{run.source}.run" for run in runs]
    return hold_out(folder, parts, rule, files, MEMORY)


def write(folder: Path, runs: Sequence[Run], targets: Sequence[Target]) -> dict[str, Receipt]:
    """Write corpus files."""
    removed = Removed(folder / DIGESTS)
    return {target.task: mix(folder, target, runs, NAMES, removed) for target in targets}


def lines(folder: Path, split: str, number: int = 0) -> list[bytes]:
    """Return the lines of a corpus file, as they are."""
    path = folder / FOLDER / corpus.file_name(split, number)
    return [corpus.line_bytes(line) for line in corpus.read(path)] if path.exists() else []


def repeated(source: str, count: int, distinct: int) -> list[Document]:
    """Return documents of which each text stands under several ids."""
    return [
        Document(f"{source}/{number}", f"text {number % distinct}", f"{number}", "CC0-1.0")
        for number in range(count)
    ]


def test_no_text_that_is_held_out_is_trained_on(tmp_path: Path) -> None:
    """Of 2,000 documents with 600 texts, in two sources, all copies of held-out texts leave training."""
    sources = {
        "notes": repeated("notes", 1000, 300),
        "letters": [*repeated("letters", 700, 500), *repeated("letters/more", 300, 600)],
    }
    cuts = Cuts(Cut(2, 3), Cut(1), Cut(1))
    rule = Mix(val=0.05, test=0.05)
    runs = scatter_all(tmp_path, sources, Shuffle(3, 1.5, 0.05, 0.05, "hash", cuts))
    gathered = gather(tmp_path, runs, rule, cuts.train.files)
    targets = [Target(split, number, (Range(some),)) for split, number, some in cuts.files()]
    receipts = write(tmp_path, runs, targets)
    held = {
        json.loads(line)["text"] for split in ("val", "test") for line in lines(tmp_path, split)
    }
    assert gathered.given == sum(len(lines(tmp_path, split)) for split in ("val", "test"))
    trained = [json.loads(line)["text"] for n in range(2) for line in lines(tmp_path, "train", n)]
    assert len(held) > 50
    assert not held & set(trained)
    drawn = [text for run in runs for text in texts_of(run)]
    expected = Counter(drawn)
    assert Counter(trained) == Counter({t: n for t, n in expected.items() if t not in held})
    rejected = sum(
        (Counter(by_source(receipt, "held_out")) for receipt in receipts.values()), Counter[str]()
    )
    assert rejected["notes"] > 100
    assert rejected["letters"] > 100
    assert rejected.total() == expected.total() - len(trained) - gathered.given


def texts_of(run: Run) -> list[str]:
    """Return the texts of all copies of a run."""
    return [text for rows in bucketed.rows(run.path) for text in rows.column("text").to_pylist()]


def by_source(receipt: Receipt, reason: str) -> dict[str, int]:
    """Return how many copies a file left out for a reason, by source."""
    rejected: Any = receipt.figures.get("rejected", {})
    found: dict[str, int] = rejected.get(reason, {})
    return found


@pytest.mark.parametrize("shares", [(0.003, 0.002), (0.0, 0.0), (0.01, 0.0)])
def test_as_published_to_the_letter(tmp_path: Path, shares: tuple[float, float]) -> None:
    """Of each train file in its order the first hundredth is held out; equal lines leave all files.

    Validation and test are the first of them, the rest is held back. The reference does the same with
    lists of lines and a set of SHA-256, as the Pile's two scripts do with files.
    """
    val, test = shares
    sources = {"notes": repeated("notes", 3000, 2000), "letters": repeated("letters", 1500, 2100)}
    cuts = Cuts(Cut(3, 4), Cut(0), Cut(0))
    rule = Mix(val=val, test=test, hold_out="published")
    runs = scatter_all(tmp_path, sources, Shuffle(3, 2.0, val, test, "published", cuts))
    gathered = gather(tmp_path, runs, rule, cuts.train.files)
    listed: Any = gathered.figures["files"]
    held = [Held(**one) for one in listed]
    targets = published_targets([some for _, _, some in cuts.files()], held)
    receipts = write(tmp_path, runs, targets)

    files: list[list[tuple[int, bytes]]] = [[], [], []]
    for source, found in sources.items():
        for document in found:
            line = corpus.line_bytes(corpus.Line(document.text, NAMES[source]))
            order = draws.keys(3, "mix", [document.id], 3)[:, 2]
            for epoch in range(2):
                key = draws.later(order, np.array([epoch], np.uint64))
                files[int(draws.slots(key, 3)[0])].append((int(key[0]), line))
    shuffled = [[line for _, line in sorted(file)] for file in files]
    first = [file[: int(len(file) * 0.01)] for file in shuffled]
    sums = {hashlib.sha256(line).digest() for file in first for line in file}
    assert [one.lines for one in held] == [len(file) for file in shuffled]
    for number, (file, out) in enumerate(zip(shuffled, first, strict=True)):
        left = [line for line in file[len(out) :] if hashlib.sha256(line).digest() not in sums]
        assert lines(tmp_path, "train", number) == left
    ends = [(int(len(file) * val), int(len(file) * (val + test))) for file in shuffled]
    expected = [line for file, (end, _) in zip(first, ends, strict=True) for line in file[:end]]
    assert lines(tmp_path, "val") == expected
    expected = [
        line for file, (start, end) in zip(first, ends, strict=True) for line in file[start:end]
    ]
    assert lines(tmp_path, "test") == expected
    rejected = Counter[str]()
    for receipt in receipts.values():
        rejected.update(receipt.rejected)
    assert rejected["held_back"] == sum(
        len(out) - end for out, (_, end) in zip(first, ends, strict=True)
    )
    assert rejected["held_out"] > 0
    assert sum(receipt.taken for receipt in receipts.values()) == 2 * 4500


def test_what_is_held_out_is_listed_in_order(tmp_path: Path) -> None:
    """Digests and places are sorted, one each for every copy that is held out; and may be none."""
    cuts = Cuts(Cut(1), Cut(1), Cut(1))
    runs = scatter_all(
        tmp_path, {"notes": repeated("notes", 500, 90)}, Shuffle(3, 1.0, 0.2, 0.2, "hash", cuts)
    )
    receipt = gather(tmp_path, runs, Mix(val=0.2, test=0.2), 1)
    digests, places = (arrays.load(tmp_path / name) for name in (DIGESTS, DOCUMENTS))
    assert len(digests) == len(places) == receipt.given > 150
    assert sorted(digests.tolist()) == digests.tolist()
    assert sorted(set(places.tolist())) == places.tolist()
    texts = {hashlib.sha256(f"text {n}".encode()).digest()[:16] for n in range(90)}
    assert {bytes(one).ljust(16, b"\0") for one in digests.tolist()} <= texts
    runs = scatter_all(
        tmp_path, {"notes": repeated("notes", 5, 5)}, Shuffle(3, 1.0, 0.0, 0.0, "hash", cuts)
    )
    assert gather(tmp_path, runs, Mix(val=0.0, test=0.0), 1).given == 0
    assert len(arrays.load(tmp_path / DIGESTS)) == 0


def near_corpus(folder: Path, extra: str) -> Path:
    """Write the small corpus, with each letter once more in the notes, but for its last words."""
    write_raw(folder / "raw")
    for number in range(39):
        if number not in {7, 11, 20}:
            near = text(100 + number).replace("naïve café", "plain café")
            (folder / "raw" / "notes" / f"near-{number:02d}.txt").write_text(near, encoding="utf-8")
    path = write_config(folder)
    changed = path.read_text(encoding="utf-8").replace("[mix]", f"[mix]\n{extra}")
    path.write_text(changed, encoding="utf-8")
    return path


def test_what_is_like_a_held_out_document_leaves_training_on_request(
    tmp_path: Path, pile: Pile
) -> None:
    """Notes that differ from a held-out letter in a word go, and letters like a held-out note."""
    path = near_corpus(tmp_path, "near_duplicates = true")
    code, _, err = pile("run", "-c", str(path))
    assert code == 3, err
    latest = tmp_path / "work" / "latest" / "corpus"
    held, trained = (
        {
            line.text.replace("naïve café", "plain café")
            for split in splits
            for file in corpus.files(latest, split)
            for line in corpus.read(file)
        }
        for splits in (("val", "test"), ("train",))
    )
    assert len(held) > 8
    assert not held & trained
    manifest = json.loads((latest / "manifest.json").read_text(encoding="utf-8"))
    gone = {name: one["left_out"] for name, one in manifest["sources"].items()}
    assert gone["notes"]["near_held_out"] > 0
    assert gone["letters"]["near_held_out"] > 0
    for one in manifest["sources"].values():
        assert one["train"]["documents"] + one["left_out"]["near_held_out"] > 0
    assert sum(one["document_share"] for one in manifest["sources"].values()) == pytest.approx(1)
    table = pq.read_table(latest / corpus.provenance_name("train", 0))
    assert table.num_rows == sum(one["train"]["documents"] for one in manifest["sources"].values())
    assert pile("verify", "--sample", "100%", "-c", str(path))[0] == 0


PUBLISHED = """
schema = 1
[corpus]
seed = 7
[sources.notes]
reader = "local"
epochs = 2
files = ["notes.jsonl"]
pile_set_name = "Notes"
[sources.letters]
reader = "local"
files = ["letters.jsonl"]
pile_set_name = "Letters"
[dedup]
method = "minhash"
words = "whitespace"
scheme = "fast"
permutations = 128
[mix]
hold_out = "published"
near_duplicates = true
val = 0.004
test = 0.004
files = 2
[tokenizer]
vocabulary = 300
[report]
samples = 0
[run]
engine = "serial"
"""


def documents_of(folder: Path, source: str) -> list[Document]:
    """Return a source's documents as they go into the mix."""
    parts = sorted((folder / "work" / "stages" / f"extract.{source}").glob("*/documents/*.parquet"))
    return [document for part in parts for document in documents.read(part)]


def variant(number: int, kind: str) -> str:
    """Return a text that two kinds have alike, but for its end."""
    return f"{text(number, 50)} {kind}"


def test_near_duplicates_of_what_is_held_out_as_published_leave_training(
    tmp_path: Path, pile: Pile
) -> None:
    """Of each train file the first hundredth is held out; equal lines and texts like them go as well.

    Each of 300 notes comes twice, and there is a letter like it; so copies of one note may be held
    out in one file and trained on in the other, and what is held back counts as much as the splits.
    """
    for source in NAMES:
        lines_of = (json.dumps({"id": str(n), "text": variant(n, source)}) for n in range(300))
        (tmp_path / f"{source}.jsonl").write_text("\n".join(lines_of), encoding="utf-8")
    path = tmp_path / "pipeline.toml"
    path.write_text(PUBLISHED, encoding="utf-8")
    code, _, err = pile("run", "-c", str(path))
    assert code == 0, err

    files: list[list[tuple[int, str, int]]] = [[], []]
    for source, epochs in (("notes", 2), ("letters", 1)):
        for number, document in enumerate(documents_of(tmp_path, source)):
            assert document.text == variant(number, source)
            first = draws.keys(7, "mix", [document.id], 3)[:, 2]
            for epoch in range(epochs):
                key = draws.later(first, np.array([epoch], np.uint64))
                files[int(draws.slots(key, 2)[0])].append((int(key[0]), source, number))
    held = [sorted(file)[: len(file) // 100] for file in files]
    equal = {(source, number) for file in held for _, source, number in file}
    alike = {number for _, number in equal}
    assert len(alike) == 8

    latest = tmp_path / "work" / "latest" / "corpus"
    left_out = {"notes": Counter[str](), "letters": Counter[str]()}
    for file, (first_lines, every) in enumerate(zip(held, files, strict=True)):
        expected = []
        for key, source, number in sorted(every):
            split = (
                [one[0] for one in first_lines].index(key) if key <= first_lines[-1][0] else None
            )
            if split is not None:
                reason = "held_back" if split >= int(len(every) * 0.008) else ""
            elif (source, number) in equal:
                reason = "held_out"
            elif number in alike:
                reason = "near_held_out"
            else:
                expected.append(variant(number, source))
                continue
            left_out[source].update([reason] if reason else [])
        trained = corpus.read(latest / corpus.file_name("train", file))
        assert [line.text for line in trained] == expected
    sources = json.loads((latest / "manifest.json").read_text(encoding="utf-8"))["sources"]
    assert {name: one["left_out"] for name, one in sources.items()} == left_out
    assert {reason for one in left_out.values() for reason in one} == {
        "held_back",
        "held_out",
        "near_held_out",
    }
    assert pile("verify", "--sample", "100%", "-c", str(path))[0] == 0


def test_a_pipeline_holds_out_as_published(tmp_path: Path, pile: Pile) -> None:
    """With so few documents nothing is held out of a hundredth; and the run and its check say so."""
    write_raw(tmp_path / "raw")
    path = write_config(tmp_path)
    changed = path.read_text(encoding="utf-8")
    for old, new in (
        ("val = 0.1", 'hold_out = "published"\nfiles = 3\nval = 0.001'),
        ("test = 0.1", "test = 0.001"),
    ):
        changed = changed.replace(old, new)
    path.write_text(changed, encoding="utf-8")
    code, _, err = pile("run", "-c", str(path))
    assert code == 3, err
    latest = tmp_path / "work" / "latest" / "corpus"
    assert [file.name for file in corpus.files(latest, "train")] == [
        f"{number:05d}.jsonl.zst" for number in range(3)
    ]
    assert not corpus.files(latest, "val")
    assert pile("verify", "--sample", "100%", "-c", str(path))[0] == 0
