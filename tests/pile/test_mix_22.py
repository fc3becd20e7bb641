"""A rebuild of 22 sources with known counts: their shares, and the same bytes however it is run."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_corpus import text
from tokenizers import Tokenizer
from typer.testing import CliRunner

from pile import corpus
from pile.cli import app
from pile.mixing.splits import Cut, Cuts
from pile.stages.scatter import Shuffle, draw
from sources.published import PILE_SET_NAMES, PUBLISHED

Pile = Callable[..., tuple[int, str, str]]

DOCUMENTS = {name: 10 + one.documents // 400_000 for name, one in PUBLISHED.items()}
"""A document for every 400,000 that the Pile has of each source, and ten: 576."""

HELD = 0.02


def write(folder: Path, run: str, mix: str = "", tokenizer: str = "vocabulary = 300") -> Path:
    """Write raw files of 22 sources, if there are none, and a config that reads them."""
    raw = folder / "raw"
    tables = []
    for place, (name, count) in enumerate(sorted(DOCUMENTS.items())):
        path = raw / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            texts = (text(1000 * place + number, 5 + number % 40) for number in range(count))
            lines = (json.dumps({"text": one, "id": str(n)}) for n, one in enumerate(texts))
            path.write_text("\n".join(lines), encoding="utf-8")
        tables.append(
            f'[sources.{name}]\nreader = "local"\nfiles = ["raw/{name}.jsonl"]\n'
            f"epochs = {PUBLISHED[name].epochs:g}\n"
        )
    path = folder / "pipeline.toml"
    path.write_text(
        "schema = 1\n[corpus]\nseed = 42\n"
        + "".join(tables)
        + f"[mix]\nval = {HELD / 2}\ntest = {HELD / 2}\nfiles = 3\n{mix}\n"
        + f"[tokenizer]\n{tokenizer}\n[report]\nsamples = 0\n[run]\nwork = 'work'\n{run}\n",
        encoding="utf-8",
    )
    return path


def build(pile: Pile, path: Path) -> Path:
    """Run, and return the corpus folder."""
    code, _, err = pile("run", "-c", str(path))
    assert code == 0, err
    return path.parent / "work" / "latest" / "corpus"


def manifest(folder: Path) -> dict[str, Any]:
    """Return what a corpus's manifest says of its sources."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return dict(found["sources"])


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file of a corpus."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build with one worker, in this process."""
    path = write(tmp_path_factory.mktemp("serial"), "engine = 'serial'")
    assert CliRunner().invoke(app, ["run", "-c", str(path)]).exit_code == 0
    return path.parent / "work" / "latest" / "corpus"


def deviation(epochs: float, held: float, documents: int) -> float:
    """Return the standard deviation of a source's copies in training."""
    whole, fraction = int(epochs), epochs % 1
    mean = (1 - held) * epochs
    square = (1 - held) * ((1 - fraction) * whole**2 + fraction * (whole + 1) ** 2)
    return float(np.sqrt(documents * (square - mean**2)))


def test_shares_are_epochs_times_documents(serial: Path) -> None:
    """Each of 22 sources is in training as often as its epochs say, within three deviations.

    Its share of the documents then is that of epochs times documents, as published.
    """
    drawn = {name: count * PUBLISHED[name].epochs for name, count in DOCUMENTS.items()}
    found = manifest(serial)
    assert set(found) == set(PILE_SET_NAMES)
    for name, count in DOCUMENTS.items():
        one, epochs = found[name], PUBLISHED[name].epochs
        assert one["available"]["documents"] == count
        assert one["epochs"] == epochs
        expected = count * epochs * (1 - HELD)
        assert abs(one["train"]["documents"] - expected) <= 3 * deviation(epochs, HELD, count)
        share = drawn[name] / sum(drawn.values())
        total = sum(other["train"]["documents"] for other in found.values())
        assert abs(one["document_share"] - share) <= 3 * (share * (1 - share) / total) ** 0.5
    lines = [line for file in corpus.files(serial, "train") for line in corpus.read(file)]
    for name, one in found.items():
        called = PILE_SET_NAMES[name]
        assert sum(line.pile_set_name == called for line in lines) == one["train"]["documents"]


def test_sources_are_interleaved(serial: Path) -> None:
    """Any third of the training split has each large source's share, within four deviations."""
    found = manifest(serial)
    for file in corpus.files(serial, "train"):
        names = [line.pile_set_name for line in corpus.read(file)]
        for name in ("pile_cc", "openwebtext2", "stackexchange", "github"):
            share = found[name]["document_share"]
            expected, deviates = len(names) * share, (len(names) * share * (1 - share)) ** 0.5
            assert abs(names.count(PILE_SET_NAMES[name]) - expected) < 4 * deviates


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_bytes_are_the_same_for_any_number_of_workers_on_ray(
    serial: Path, workers: int, tmp_path: Path, pile: Pile
) -> None:
    """Every file of the corpus, its manifest and checksums too."""
    path = write(tmp_path, f"engine = 'ray'\nworkers = {workers}")
    assert digests(build(pile, path)) == digests(serial)


@pytest.mark.parametrize("workers", [2, 3])
def test_bytes_are_the_same_for_any_number_of_workers_in_one_process(
    serial: Path, workers: int, tmp_path: Path, pile: Pile
) -> None:
    """The number says nothing there, and changes nothing."""
    path = write(tmp_path, f"engine = 'serial'\nworkers = {workers}")
    assert digests(build(pile, path)) == digests(serial)


def test_shares_of_the_pile_at_a_thousandth_of_its_size() -> None:
    """Of 168,000 documents: counts within three deviations, files as even as chance makes them."""
    cuts = Cuts(Cut(30), Cut(1), Cut(1))
    held = np.zeros(3)
    for name, one in PUBLISHED.items():
        count = 1000 + one.documents // 1000
        shuffle = Shuffle(42, one.epochs, 0.01, 0.01, "hash", cuts)
        copies = draw([f"{name}/{n}" for n in range(count)], np.arange(count), shuffle)
        by_split = np.bincount(copies.split, minlength=3)
        held += [count, *by_split[1:]]
        expected = count * one.epochs * 0.98
        assert abs(by_split[0] - expected) <= 3 * deviation(one.epochs, 0.02, count)
        files = np.bincount(copies.bucket[copies.split == 0], minlength=30)
        square = ((files - by_split[0] / 30) ** 2).sum() / (by_split[0] / 30)
        assert square < 29 + 5 * 58**0.5
    documents, val, test = held
    for one in (val, test):
        assert abs(one - documents * 0.01) < 3 * (documents * 0.0099) ** 0.5


def test_a_share_of_bytes_and_a_total(tmp_path: Path, pile: Pile) -> None:
    """Half of 300 kB of training text is Wikipedia's, a tenth EuroParl's; the others divide the rest."""
    mix = "unit = 'bytes'\ntotal = 300_000\n[mix.shares]\nwikipedia_en = 0.5\neuroparl = 0.1"
    found = manifest(build(pile, write(tmp_path, "engine = 'serial'", mix)))
    total = sum(one["train"]["text_bytes"] for one in found.values())
    assert total == pytest.approx(300_000, rel=0.05)
    assert found["wikipedia_en"]["byte_share"] == pytest.approx(0.5, abs=0.03)
    assert found["europarl"]["byte_share"] == pytest.approx(0.1, abs=0.03)
    cc, hn = found["pile_cc"], found["hackernews"]
    assert cc["epochs"] / hn["epochs"] == pytest.approx(0.5)  # as 1 to 2


def test_a_number_of_tokens(tmp_path: Path, pile: Pile) -> None:
    """Tokens are those of the given tokenizer, with an end of document each; 60,000 are what comes."""
    given = tmp_path / "tokenizer.json"
    first = write(tmp_path, "engine = 'serial'")
    given.write_bytes((build(pile, first).parent / "tokenizer/tokenizer.json").read_bytes())
    mix = "unit = 'tokens'\ntotal = 60_000\n[mix.shares]\npile_cc = 0.4"
    folder = build(pile, write(tmp_path, "engine = 'serial'", mix, f"file = '{given}'"))
    encode = Tokenizer.from_file(str(given)).encode
    tokens = {"Pile-CC": 0, "others": 0}
    for file in corpus.files(folder, "train"):
        for line in corpus.read(file):
            name = "Pile-CC" if line.pile_set_name == "Pile-CC" else "others"
            tokens[name] += len(encode(line.text).ids) + 1
    total = sum(tokens.values())
    assert total == pytest.approx(60_000, rel=0.05)
    assert tokens["Pile-CC"] / total == pytest.approx(0.4, abs=0.03)


def test_shares_out_of_reach_end_with_2(tmp_path: Path, pile: Pile) -> None:
    """Ten documents are no half of a million: the config and the source are named, nothing is mixed."""
    mix = "total = 1_000_000\n[mix.shares]\neuroparl = 0.5"
    path = write(tmp_path, "engine = 'serial'", mix)
    code, _, err = pile("run", "-c", str(path))
    assert code == 2
    assert f"{path}: [mix] europarl would have to come " in err
    assert "lower [mix.shares] or total, or give it more raw files" in err
    assert not (tmp_path / "work" / "latest").exists()
