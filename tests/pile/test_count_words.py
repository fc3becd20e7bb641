"""Counting as stages: many vocabularies from one count."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pile import corpus
from pile.stages import count_words
from pile.stages.count_words import Sample, count, merge
from pile.stages.train_tokenizer import train_on
from tokenizer.compare import vocabulary
from tokenizer.recipe import Recipe
from tokenizer.train import train

Pile = Callable[..., tuple[int, str, str]]

ALL = Sample(seed=1, share=1.0, reserved_run=0)
TEXTS = [f"tide {number} and boats\n    in the mud {number % 7}" for number in range(600)]


def write_corpus(folder: Path, texts: list[str], files: int) -> list[Path]:
    """Write texts as corpus files of a training split."""
    paths = []
    for number in range(files):
        path = folder / "train" / f"{number:05d}.jsonl.zst"
        path.parent.mkdir(parents=True, exist_ok=True)
        with corpus.LineWriter(path) as writer:
            for text in texts[number::files]:
                writer.add(corpus.Line(text, "Notes"))
        paths.append(path)
    return paths


def counted(folder: Path, files: list[Path], sample: Sample = ALL, rarest: int = 1) -> list[Path]:
    """Count the words of corpus files and add them up; return the files of counts."""
    parts = [folder / count(folder / "count", file, sample).parts[0].name for file in files]
    parts = [folder / "count" / part.relative_to(folder) for part in parts]
    return [
        folder / "sum" / merge(folder / "sum", parts, first, rarest).parts[0].name
        for first in range(0, 64, count_words.BUCKETS_A_TASK)
    ]


def test_what_is_learned_depends_on_the_text_alone(tmp_path: Path) -> None:
    """However the text is divided among files and tasks, it is the tokenizer of the whole."""
    found = set()
    for files in (1, 3):
        folder = tmp_path / str(files)
        counts = counted(folder, write_corpus(folder, TEXTS, files))
        receipt = train_on(folder, counts, Recipe(vocabulary_size=400), "auto")
        assert receipt.taken == receipt.given > 600
        found.add((folder / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    assert found == {train(TEXTS, Recipe(vocabulary_size=400))}


@pytest.mark.parametrize("reserved", [0, 3])
def test_kernels_and_hf_count_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserved: int
) -> None:
    """Files of counts are the same bytes, whoever counted, with runs of spaces or without."""
    sample = Sample(1, 0.5, reserved)
    digests = set()
    for limit in (0, 1 << 30):
        monkeypatch.setattr(count_words, "KERNELS_FROM", limit)
        folder = tmp_path / str(limit)
        receipt = count(folder, write_corpus(folder, TEXTS, 1)[0], sample)
        assert 200 < receipt.taken < 400
        path = folder / receipt.parts[0].name
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_rare_words_are_cut_if_asked_and_reported(tmp_path: Path) -> None:
    """Each count says what it took, gave and cut."""
    file = write_corpus(tmp_path, ["a a a b"], 1)[0]
    part = tmp_path / count(tmp_path, file, ALL).parts[0].name
    receipts = [merge(tmp_path / "sum", [part], first, 2) for first in range(0, 64, 8)]
    assert sum(receipt.taken for receipt in receipts) == 3
    assert sum(receipt.given for receipt in receipts) == 1
    assert sum(receipt.rejected.get("rare", 0) for receipt in receipts) == 2


def test_a_word_too_long_for_memory_costs_its_document_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted as rejected, as it will be when it is encoded."""
    monkeypatch.setattr(count_words, "LONGEST_WORD", 1 << 10)
    monkeypatch.setattr("tokenizer.pieces.LONGEST_WORD", 1 << 10)
    receipt = count(tmp_path, write_corpus(tmp_path, ["a", "x" * 2000, "b"], 1)[0], ALL)
    assert (receipt.taken, receipt.given, receipt.rejected) == (3, 2, {"unencodable": 1})


def set_tokenizer(folder: Path, lines: str) -> str:
    """Give the small corpus's config another [tokenizer]; return its path."""
    path = folder / "pipeline.toml"
    text = path.read_text(encoding="utf-8")
    head, _, tail = text.partition("[tokenizer]\n")
    path.write_text(f"{head}[tokenizer]\n{lines}\n[run]{tail.partition('[run]')[2]}", "utf-8")
    return str(path)


def test_another_vocabulary_learns_from_the_same_counts(small: Path, pile: Pile) -> None:
    """A larger vocabulary runs training and what follows; a rare cut the sums, reserved runs all."""

    def made(lines: str) -> list[str]:
        code, out, error = pile("run", "-c", set_tokenizer(small, lines), "--json")
        assert code in {0, 3}, error
        found: list[str] = json.loads(out)["made"]
        return found

    after = ["train_tokenizer", "tokenize", "shard", "report"]
    assert made("vocabulary = 400")[-6:] == ["count", "merge_counts", *after]
    assert made("vocabulary = 500") == after
    assert made('vocabulary = 500\nalphabet = "complete"') == after
    assert made("vocabulary = 500\nmin_word_count = 2") == ["merge_counts", *after]
    reserved = made('vocabulary = 500\nruns = "reserved"\ntrainer = "hf"')
    assert reserved == ["count", "merge_counts", *after]


def test_settings_reach_the_tokenizer(small: Path, pile: Pile) -> None:
    """Alphabet and runs of [tokenizer] decide what the file holds."""
    notes = small / "raw" / "notes"
    for number in range(30):
        code = "".join(f"if{n}:\n{' ' * (n % 30)}x\n" for n in range(200))
        (notes / f"code{number}.txt").write_text(f"{number}\n{code}", encoding="utf-8")
    found = {}
    for runs in ("added", "reserved"):
        lines = f'vocabulary = 500\nalphabet = "complete"\nruns = "{runs}"'
        assert pile("run", "-c", set_tokenizer(small, lines))[0] in {0, 3}
        path = small / "work" / "latest" / "tokenizer" / "tokenizer.json"
        found[runs] = vocabulary(path.read_text(encoding="utf-8"))
    assert len(found["added"].spelled) == len(found["reserved"].spelled) == 500
    assert "\u0100" in found["added"].spelled  # the byte 0x00, and 0xC0 below, in no UTF-8
    assert "\u00c0" in found["added"].spelled
    assert len(found["added"].unreachable) > 5
    assert found["reserved"].unreachable == ()
