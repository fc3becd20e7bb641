"""Tests of shards of a chosen size, by mix or by source, with side files, from a run."""

import csv
import gzip
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_corpus import published, write_config, write_raw

from pile import corpus, ledger, store
from shards.reader import Shard
from tokenizer.encode import Encoder

Pile = Callable[..., tuple[int, str, str]]

BY_SOURCE = 'by = "source"\ntokens = 900\nsides = ["datatrove", "nanogpt", "olmo"]'.replace(
    "\n", "\n            "
)


def run(pile: Pile, folder: Path, shards: str, **settings: str) -> Path:
    """Run the small corpus with these settings of [shards]; return the folder of shards."""
    config = write_config(folder, shards=shards, **settings)
    code, out, err = pile("run", "-c", str(config), "--json")
    assert code in {0, 3}, out + err  # one raw record is broken JSON
    return folder / "work" / "latest" / "shards"


def texts(folder: Path, pattern: str) -> list[str]:
    """Decode all documents of the shards of a pattern, in order."""
    encoder = Encoder.load(folder.parent / "tokenizer" / "tokenizer.json")
    shards = [Shard.open(path.with_suffix("")) for path in sorted(folder.glob(f"{pattern}.idx"))]
    return [encoder.decode(tokens[:-1]) for shard in shards for tokens in shard]


def lines(folder: Path, split: str) -> list[tuple[corpus.Line, str, int]]:
    """Return the corpus's documents of a split, with their source and copy."""
    found = []
    for path in corpus.files(folder.parent / "corpus", split):
        origins = corpus.provenance(path, ("source", "epoch"))
        found += [(line, *rest) for line, rest in zip(corpus.read(path), origins, strict=True)]
    return found


def test_shards_have_at_most_the_tokens_asked_for(small: Path, pile: Pile) -> None:
    """Whole documents, in the order of the corpus, as many as fit; also by bytes."""
    folder = run(pile, small, "tokens = 700")
    shards = [Shard.open(path.with_suffix("")) for path in sorted(folder.glob("train-*.idx"))]
    assert len(shards) > 3
    assert all(shard.tokens.size <= 700 for shard in shards)
    for one, following in itertools.pairwise(shards):
        assert one.tokens.size + following[0].size > 700
    assert texts(folder, "train-*") == [line.text for line, _, _ in lines(folder, "train")]
    names = [path.name for path in sorted(folder.glob("train-*.idx"))]
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
    again = run(pile, small, "bytes = 1400")
    assert [path.name for path in sorted(again.glob("train-*.idx"))] == names
    assert {path.name: path.stat().st_size for path in again.glob("*.bin")} == sizes


def test_an_index_gets_its_name_after_its_tokens(
    small: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed between the two leaves tokens without index, which nothing opens."""
    named: list[Path] = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        named.append(Path(target))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    folder = run(pile, small, "tokens = 700").resolve()
    indexes = [path for path in named if path.suffix == ".idx"]
    assert {path for path in indexes if path.parent == folder} == set(folder.glob("*.idx"))
    assert {path.parent.name for path in indexes} == {"tokens", "shards"}
    assert all(named.index(path.with_suffix(".bin")) < named.index(path) for path in indexes)


def test_a_changed_size_encodes_nothing_anew(small: Path, pile: Pile) -> None:
    """Only shards and report depend on the size."""
    run(pile, small, "")
    config = write_config(small, shards="tokens = 700")
    _, out, _ = pile("run", "-c", str(config), "--json")
    assert json.loads(out)["made"] == ["shard", "report"]


def test_shards_of_one_source_hold_its_documents_once(small: Path, pile: Pile) -> None:
    """Copies are left out and counted; all else is in the order of the corpus."""
    folder = run(pile, small, 'by = "source"')
    for split in corpus.SPLITS:
        found = lines(folder, split)
        for source in ("notes", "letters"):
            once = [line.text for line, of, epoch in found if of == source and not epoch]
            assert texts(folder, f"{split}-{source}-*") == once
    copies = sum(epoch > 0 for _, _, epoch in lines(folder, "train"))
    assert copies > 0
    _, out, _ = pile("status", "-c", str(small / "pipeline.toml"), "--json")
    (row,) = (one for one in json.loads(out) if one["stage"] == "tokenize")
    assert row["rejected"] == {"repeated": copies}


def test_export_weighs_a_source_by_tokens_and_epochs(small: Path, pile: Pile) -> None:
    """Notes have 1.5 epochs, so their tokens count one and a half times; held-out ones once."""
    folder = run(pile, small, 'by = "source"')
    code, out, _ = pile("export", "megatron", "-c", str(small / "pipeline.toml"), "--json")
    assert code == 0
    blends = json.loads(Path(json.loads(out)[0]).read_text(encoding="utf-8"))
    for split, name in (("train", "train"), ("valid", "val")):
        weights, prefixes = blends[split][::2], blends[split][1::2]
        for weight, prefix in zip(weights, prefixes, strict=True):
            often = 1.5 if f"{name}-notes" in prefix and name == "train" else 1
            assert float(weight) == Shard.open(prefix).tokens.size * often
            assert Path(prefix).parent == folder.resolve()


def test_other_trainers_get_their_files_over_the_same_tokens(small: Path, pile: Pile) -> None:
    """The token file by another name takes no room; what lies beside it agrees with it."""
    folder = run(pile, small, BY_SOURCE)
    prefix = folder / "train-letters-00001_text_document"
    shard, bin_path = Shard.open(prefix), Path(f"{prefix}.bin")
    trove = folder / "datatrove" / "train" / "letters" / "00001.ds"
    olmo = folder / "olmo" / "train" / "letters" / "part-00001.npy"
    nano = folder / "nanogpt" / "letters" / "train-00001.bin"
    assert trove.samefile(bin_path)
    assert olmo.samefile(bin_path)
    assert nano.samefile(bin_path)
    assert (folder / "nanogpt" / "letters" / "val.bin").exists()  # the only one of its split
    assert pile("verify", "tokenize", "shard", "-c", str(small / "pipeline.toml"))[0] == 0
    code, out, _ = pile("show", "shard", "-n", "999", "-c", str(small / "pipeline.toml"), "--json")
    assert code == 0
    assert len(json.loads(out)) == len(texts(folder, "*"))  # documents, and no side files
    ends = np.fromfile(f"{trove}.index", dtype="<u8")
    assert ends.tolist() == np.cumsum(shard.lengths).tolist()
    metadata = Path(f"{trove}.metadata").read_text(encoding="utf-8").splitlines()
    assert metadata[:2] == ["tokenizer.json|2", str(shard.tokens.size)]
    rows = list(
        csv.reader(gzip.decompress(olmo.with_suffix(".csv.gz").read_bytes()).decode().splitlines())
    )
    assert [int(row[1]) for row in rows] == ends.tolist()
    for begin, end, identity, file, line in rows:
        path = folder.parent / "corpus" / file
        of = list(corpus.provenance(path, ("id", "epoch")))[int(line) - 1]
        assert of == (identity, 0)
        text = list(corpus.read(path))[int(line) - 1].text
        encoder = Encoder.load(folder.parent / "tokenizer" / "tokenizer.json")
        assert encoder.decode(shard.tokens[int(begin) : int(end) - 1]) == text


def test_the_same_shards_come_from_any_number_of_workers(tmp_path: Path, pile: Pile) -> None:
    """One process, and two and three workers on Ray: equal bytes in every file."""
    found = []
    for engine, workers in (("serial", 1), ("ray", 2), ("ray", 3)):
        folder = tmp_path / f"{engine}{workers}"
        write_raw(folder / "raw")
        run(pile, folder, BY_SOURCE, engine=f'engine = "{engine}"', workers=f"workers = {workers}")
        found.append(published(folder / "work"))
    assert found[0] == found[1] == found[2]
    assert any("olmo" in name for name in found[0])


def test_origins_find_every_document_in_the_corpus(small: Path, pile: Pile) -> None:
    """Row n tells the corpus file and the line whose text document n holds; dropped ones are skipped."""
    (small / "raw" / "notes" / "empty.txt").write_text("", encoding="utf-8")
    folder = run(pile, small, 'tokens = 900\n            empty_documents = "drop"')
    for path in sorted(folder.glob("*.idx")):
        rows = pq.read_table(folder / "origins" / f"{path.stem}.parquet").to_pylist()
        for text, row in zip(texts(folder, path.stem), rows, strict=True):
            whole = list(corpus.read(folder.parent / "corpus" / row["file"]))
            assert whole[row["line"] - 1].text == text


def test_verify_finds_tokens_of_another_text(small: Path, pile: Pile) -> None:
    """Swapped documents are right by every count and digest of a forger, and found by their text."""
    folder = run(pile, small, "tokens = 2000")
    config = str(small / "pipeline.toml")
    assert pile("verify", "tokenize", "shard", "-c", config)[0] == 0
    path = folder / "train-00000_text_document.bin"
    shard = Shard.open(path.with_suffix(""))
    shard_bytes = path.read_bytes()
    swapped = np.array(shard.tokens)
    swapped[0], swapped[1] = shard.tokens[1], shard.tokens[0]
    path.write_bytes(swapped.tobytes())
    forge(folder.resolve().parent, path)
    code, out, _ = pile("verify", "shard", "-c", config)
    assert code == 6
    wrong = "shard: shards/train-00000_text_document.bin, row 0 ("
    assert wrong in out
    assert "): has other tokens than its text" in out
    out = pile("verify", "shard", "--sample", "100%", "-c", config)[1]
    assert wrong in out
    assert pile("repair", "-c", config)[0] == 0
    assert path.read_bytes() == shard_bytes
    assert pile("verify", "shard", "--sample", "100%", "-c", config)[0] == 0


def forge(stage: Path, path: Path) -> None:
    """Put a file's new digest where the old one was, in receipts and manifest, and seal them."""
    _, new = store.digest(path)
    manifest = (stage / "manifest.json").read_text(encoding="utf-8")
    parts = json.loads(manifest)["parts"]
    (old,) = (one["sha256"] for one in parts if one["name"].endswith(f"/{path.name}"))
    sealed = ledger.sealed(json.loads(manifest.replace(old, new)))
    store.publish_json(stage / "manifest.json", sealed)
    receipts = (stage / "receipts.jsonl").read_text(encoding="utf-8").replace(old, new)
    lines = (ledger.sealed(json.loads(line)) for line in receipts.splitlines())
    store.publish_lines(stage / "receipts.jsonl", lines)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("token = 5", "[shards] has no key 'token'; did you mean 'tokens'?"),
        ('by = "sources"', "did you mean 'source'?"),
        ('sides = ["olmoo"]', "did you mean 'olmo'?"),
        ('sides = ["olmo", "olmo"]', "sides names a trainer twice"),
        ("tokens = 5\nbytes = 5", "give one of them"),
        ("tokens = -1", "greater than or equal to 0"),
        ('sides = ["nanogpt"]\n[tokenizer]\nvocabulary = 70000', "reads uint16 alone"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    tmp_path: Path, pile: Pile, line: str, says: str
) -> None:
    """The key, its line and the nearest valid one."""
    path = tmp_path / "pipeline.toml"
    path.write_text(f"[shards]\n{line}\n", encoding="utf-8")
    code, _, err = pile("plan", "-c", str(path))
    assert code == 2
    assert says in err
