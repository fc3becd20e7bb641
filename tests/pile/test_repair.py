"""Whatever is damaged is found by verify, and repair puts the same bytes back."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_corpus import write_config, write_raw

from pile import draws, ledger, store
from pile.checks.repair import Repaired, repair
from pile.checks.verify import verify
from pile.config import load
from pile.graph import Graph, build
from pile.ledger import Part, Receipt
from pile.run import run

Pile = Callable[..., tuple[int, str, str]]
URL = "https://letters.example.org/"


def write_small(folder: Path, **replacements: str) -> Path:
    """Write the small corpus, one of its sources a download that comes from a folder nearby."""
    write_raw(folder / "raw")
    (folder / "raw" / "letters").rename(folder / "upstream")
    path = write_config(folder, **replacements)
    text = path.read_text(encoding="utf-8")
    text = text.replace("raw/letters/*.jsonl.gz", f"{URL}a.jsonl.gz")
    text += f'[run.mirrors]\n"{URL}" = "{folder / "upstream"}"\n'
    path.write_text(text, encoding="utf-8")
    return path


def run_small(folder: Path) -> None:
    """Run the small corpus to its end."""
    config = load(write_small(folder))
    run(config, build(config, lambda _: None), lambda _: None)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Folder of the small corpus, its run finished."""
    run_small(tmp_path)
    return tmp_path


def committed(folder: Path) -> dict[str, bytes]:
    """Return the content of every file that a run commits to: parts, records, downloads."""
    work = folder / "work"
    return {
        path.relative_to(work).as_posix(): path.read_bytes()
        for place in ("stages", "raw")
        for path in sorted((work / place).rglob("*"))
        if path.is_file()
    }


def found(folder: Path) -> set[str]:
    """Return the files that verify names, relative to the work directory."""
    config = load(folder / "pipeline.toml")
    graph = build(config, lambda _: None)
    names = set()
    for one in verify(config, graph):
        place = folder / "work" / "stages" / one.stage / graph.named(one.stage).fingerprint
        for problem in one.problems:
            owner = place.parents[1] / problem.stage / graph.named(problem.stage).fingerprint
            path = (owner / problem.file).resolve()
            names.add(path.relative_to((folder / "work").resolve()).as_posix())
    return names


def mend(folder: Path, share: float = 0.0) -> Repaired:
    """Repair as the command does."""
    config = load(folder / "pipeline.toml")
    graph = build(config, lambda _: None)
    return repair(config, graph, share, lambda _: None, lambda _: None)


def damaged(content: bytes, name: str, number: int, cuts: int) -> bytes:
    """Return a file's content cut, or with one bit flipped, where the number draws."""
    place = draws.key(number, "place", name) * len(content) >> 64
    if number < cuts:
        return content[:place]
    bit = 1 << draws.key(number, "bit", name) % 8
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def check_one(folder: Path, graph: Graph, name: str) -> set[str]:
    """Return the files that verify names in the stage that a file is of.

    Without those that nothing vouches for any more, as the manifest that listed them is damaged.
    """
    place, of, *_ = name.split("/")
    stage = f"fetch.{of}" if place == "raw" else of
    config = load(folder / "pipeline.toml")
    (one,) = verify(config, graph, [stage])
    own = folder / "work" / "stages" / stage / graph.named(stage).fingerprint
    work = (folder / "work").resolve()
    return {
        (own / problem.file).resolve().relative_to(work).as_posix()
        for problem in one.problems
        if not problem.what.startswith("is in no whole record")
    }


def damages(files: dict[str, bytes], times: int) -> Iterator[dict[str, bytes]]:
    """Yield so often two files of five, each cut or with one bit flipped, as drawn."""
    for n in range(times):
        chosen = {}
        for name, content in files.items():
            if content and draws.unit(n, "file", name) < 0.4:
                cuts = n + 1 if draws.unit(n, "cut", name) < 0.5 else 0
                chosen[name] = damaged(content, name, n, cuts)
        yield chosen


def test_whatever_is_cut_or_flipped_is_found_and_restored(finished: Path) -> None:
    """Over all committed files: verify names those that are damaged and no other; repair mends them."""
    whole = committed(finished)
    assert any(name.startswith("raw/letters/") for name in whole)
    assert found(finished) == set()
    count = 0
    for some in damages(whole, 8):
        for name, content in some.items():
            (finished / "work" / name).write_bytes(content)
        named = found(finished)
        assert set(some) <= named
        count += len(some)
        result = mend(finished)
        assert not result.left
        assert not result.changed
        assert committed(finished) == whole
    assert count > 200


def test_each_file_damaged_alone_is_named_alone(finished: Path) -> None:
    """A cut or a flipped bit of one file makes verify name that file and no other.

    `benchmarks/damage.py` does the same for 20 cuts and 200 flips of each file, and repairs them.
    """
    graph = build(load(finished / "pipeline.toml"), lambda _: None)
    count = 0
    for name, content in committed(finished).items():
        for number in range(8 if content else 0):
            path = finished / "work" / name
            path.write_bytes(damaged(content, name, number, 2))
            assert check_one(finished, graph, name) == {name}
            path.write_bytes(content)
            count += 1
    assert count > 500


def falsify(folder: Path, stage: str, row: int) -> str:
    """Change one text of a stage's documents, and every record of it accordingly; returns its id."""
    (place,) = (folder / "work" / "stages" / stage).iterdir()
    path = next((place / "documents").iterdir())
    table = pq.read_table(path)
    texts = table.column("text").to_pylist()
    texts[row] += "!"
    column = table.schema.get_field_index("text")
    pq.write_table(
        table.set_column(column, table.schema.field("text"), pa.array(texts, pa.large_string())),
        path,
        compression="zstd",
    )
    size, sha256 = store.digest(path)
    name = path.relative_to(place).as_posix()
    receipts = ledger.every(place)
    for task, receipt in receipts.items():
        parts = tuple(
            Part(name, size, sha256, part.counts) if part.name == name else part
            for part in receipt.parts
        )
        receipts[task] = dataclasses.replace(receipt, parts=parts)
    ledger.rewrite(place, receipts.values())
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    made = ledger.manifest(manifest["recipe"], receipts.values())
    store.publish_json(place / "manifest.json", ledger.sealed(made))
    return str(table.column("id")[row])


def test_a_sample_read_again_names_stage_part_row_and_document(finished: Path, pile: Pile) -> None:
    """A text that is not what its raw file gives, with all digests right, is found and mended."""
    whole = committed(finished)
    identity = falsify(finished, "extract.letters", 5)
    assert found(finished) == set()
    config = str(finished / "pipeline.toml")
    code, out, _ = pile("verify", "--sample", "5%", "-c", config)
    assert code == 6
    assert (
        f"extract.letters: documents/000000-000.parquet, row 5 ({identity}): differs in text" in out
    )
    assert "scatter: runs/letters/000000-000.buckets" in out  # what was made of the right text
    result = mend(finished, 0.05)
    assert not result.left
    assert "extract.letters: documents/000000-000.parquet" in result.changed
    assert committed(finished) == whole


def test_all_can_be_read_again(finished: Path, pile: Pile) -> None:
    """With a share of all, every task between raw files and corpus runs again with the same result."""
    config = str(finished / "pipeline.toml")
    code, out, err = pile("verify", "--sample", "100%", "-c", config)
    assert code == 0
    assert "tasks run again with the same result" in out
    assert "extract.letters" in err
    assert not list((finished / "work" / "verify").iterdir())
    assert pile("verify", "--sample", "7 %%", "-c", config)[0] == 2


def test_a_raw_file_of_the_users_own_is_named_and_left(finished: Path, pile: Pile) -> None:
    """A changed file whose size and time are as they were is found; only its owner can mend it."""
    path = finished / "raw" / "notes" / "03.txt"
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"No.", b"no."))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    config = str(finished / "pipeline.toml")
    code, out, _ = pile("repair", "-c", config)
    assert code == 6
    assert f"still wrong: fetch.notes: {path}" in out
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert pile("repair", "-c", config)[:2] == (0, "nothing to repair.\n")


def test_a_damaged_download_is_kept_until_there_is_another(finished: Path, pile: Pile) -> None:
    """Without its upstream nothing is thrown away, and no other corpus is made; exit 8."""
    raw = finished / "work" / "raw" / "letters" / "a.jsonl.gz"
    content = raw.read_bytes()
    damaged = content[:40] + b"?" + content[41:]
    raw.write_bytes(damaged)
    upstream = finished / "upstream" / "a.jsonl.gz"
    upstream.rename(finished / "elsewhere")
    config = str(finished / "pipeline.toml")
    code, _, err = pile("repair", "-c", config)
    assert code == 8
    assert "cannot be downloaded again" in err
    kept = raw.with_name("a.jsonl.gz.damaged")
    assert kept.read_bytes() == damaged
    (finished / "elsewhere").rename(upstream)
    assert pile("repair", "-c", config)[0] == 0
    assert raw.read_bytes() == content


def test_a_file_lost_from_a_folder_that_is_published_whole_is_made_again(finished: Path) -> None:
    """A run alone mends what is missing, folders of several files too."""
    whole = committed(finished)
    lost = next(name for name in whole if name.endswith("part.runs"))
    (finished / "work" / lost).unlink()
    config = load(finished / "pipeline.toml")
    run(config, build(config, lambda _: None), lambda _: None)
    assert committed(finished) == whole


def test_a_download_without_any_record_is_not_trusted(finished: Path) -> None:
    """With manifest and receipts damaged too nothing says what the file was: it is downloaded anew."""
    whole = committed(finished)
    fetched = [name for name in whole if name.startswith("stages/fetch.letters/")]
    for name in (*fetched, "raw/letters/a.jsonl.gz"):
        (finished / "work" / name).write_bytes(whole[name][: len(whole[name]) // 2])
    assert "raw/letters/a.jsonl.gz" in found(finished)
    assert not mend(finished).left
    assert committed(finished) == whole


def test_a_file_that_is_not_of_the_run_is_named_and_left(finished: Path, pile: Pile) -> None:
    """Readers of the corpus would take it for a part of it; not so what else lies there, as of trainers."""
    (corpus,) = (finished / "work" / "stages" / "mix").glob("*/corpus")
    for name in (".cache/upload", "NOTES.md", "train/indexmap.npy"):
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_bytes(b"mine")
    config = str(finished / "pipeline.toml")
    assert pile("verify", "-c", config)[0] == 0
    stranger = corpus / "train" / "00009.jsonl.zst"
    stranger.write_bytes((corpus / "train" / "00000.jsonl.zst").read_bytes())
    code, out, _ = pile("repair", "-c", config)
    assert code == 6
    assert f"still wrong: mix: {stranger}: is not of this run" in out
    assert stranger.exists()


def recount(folder: Path, stage: str, change: Callable[[Receipt], Receipt]) -> None:
    """Change the receipts of a stage, and its manifest accordingly, seals and all."""
    (place,) = (folder / "work" / "stages" / stage).iterdir()
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    beside = manifest["parts"]
    receipts = [change(one) for one in ledger.every(place).values()]
    ledger.rewrite(place, receipts)
    made = {**ledger.manifest(manifest["recipe"], receipts), "parts": beside}
    store.publish_json(place / "manifest.json", ledger.sealed(made))


@pytest.mark.parametrize("stage", ["sign.letters", "scatter", "mix", "tokenize", "shard"])
def test_documents_lost_between_stages_are_noticed(finished: Path, pile: Pile, stage: str) -> None:
    """Each stage's own sum is right, but it took one document less than the one before gave."""

    def less(receipt: Receipt) -> Receipt:
        return dataclasses.replace(receipt, taken=receipt.taken - 1, given=receipt.given - 1)

    recount(finished, stage, less)
    code, out, _ = pile("verify", "-c", str(finished / "pipeline.toml"), stage)
    assert code == 6
    assert "given by the stage before" in out


def test_what_is_published_of_sources_is_counted_anew(finished: Path, pile: Pile) -> None:
    """Documents and bytes by source of each corpus file, from its lines and its provenance."""

    def more(receipt: Receipt) -> Receipt:
        figures = json.loads(json.dumps(dict(receipt.figures)))
        figures["text_bytes"]["letters"] += 1
        return dataclasses.replace(receipt, figures=figures)

    recount(finished, "mix", more)
    code, out, _ = pile("verify", "-c", str(finished / "pipeline.toml"), "mix")
    assert code == 6
    assert "mix: corpus/train/00000.jsonl.zst: text_bytes by source are letters 1" in out


def test_lines_beside_another_source_are_named(finished: Path, pile: Pile) -> None:
    """A provenance table whose rows are in another order is found though every digest is right."""
    (place,) = (finished / "work" / "stages" / "mix").iterdir()
    path = place / "corpus" / "provenance" / "train" / "00000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(range(table.num_rows)[::-1])), path)
    size, sha256 = store.digest(path)
    name = path.relative_to(place).as_posix()

    def truly(receipt: Receipt) -> Receipt:
        parts = (
            Part(one.name, size, sha256, one.counts) if one.name == name else one
            for one in receipt.parts
        )
        return dataclasses.replace(receipt, parts=tuple(parts))

    recount(finished, "mix", truly)
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    for part in manifest["parts"]:
        if part["name"] == name:
            part.update(size=size, sha256=sha256)
    store.publish_json(place / "manifest.json", ledger.sealed(manifest))
    code, out, _ = pile("verify", "-c", str(finished / "pipeline.toml"), "mix")
    assert code == 6
    assert "by its provenance" in out


def test_verify_keeps_few_files_open(tmp_path: Path) -> None:
    """However many shards there are: a process may often have no more than 1,024 files."""
    path = write_small(tmp_path, shards="tokens = 64")
    config = load(path)
    run(config, build(config, lambda _: None), lambda _: None)
    assert len(list((tmp_path / "work" / "latest" / "shards").glob("*.bin"))) > 40
    command = f'ulimit -n 100; exec "{sys.executable}" -m pile verify -c "{path}"'
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
