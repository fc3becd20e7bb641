"""The whole pipeline on a small corpus: what it makes, when it runs again, and that bytes agree."""

import dataclasses
import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import lm_dataformat
import pyarrow.parquet as pq
import pytest
from small_corpus import published, text, write_config, write_raw

from pile import corpus, lock
from shards.reader import Shard
from sources.registry import SOURCES
from sources.source import Document, Options, RawFile, Rejected
from tokenizer.encode import Encoder

Pile = Callable[..., tuple[int, str, str]]


def run(pile: Pile, folder: Path) -> dict[str, object]:
    """Run the pipeline of a folder and return what it says it did; one of its records is broken."""
    code, out, err = pile("run", "-c", str(folder / "pipeline.toml"), "--json")
    assert code == 3, err
    found: dict[str, object] = json.loads(out)
    assert found["damaged"] == {"extract.letters": 1}
    return found


def lines(folder: Path, split: str) -> list[corpus.Line]:
    """Return the documents of a split, in order."""
    latest = folder / "work" / "latest" / "corpus"
    return [line for path in corpus.files(latest, split) for line in corpus.read(path)]


def test_a_run_makes_corpus_tokenizer_shards_and_report(small: Path, pile: Pile) -> None:
    """Raw files in, training-ready shards out."""
    run(pile, small)
    latest = small / "work" / "latest"
    kinds = {line.pile_set_name for line in lines(small, "train")}
    assert kinds == {"Notes", "letters"}
    assert "<html" in (latest / "report" / "report.html").read_text(encoding="utf-8")
    encoder = Encoder.load(latest / "tokenizer" / "tokenizer.json")
    shard = Shard.open(latest / "shards" / "train-00000_text_document")
    texts = [encoder.decode(tokens[:-1]) for tokens in shard]
    assert texts == [line.text for line in lines(small, "train")]
    assert all(tokens[-1] == encoder.eod for tokens in shard)
    log = (small / "work" / "logs" / "events.jsonl").read_text(encoding="utf-8")
    stages = [
        event for event in map(json.loads, log.splitlines()) if event["event"] == "stage made"
    ]
    assert all(event["tasks"] and event["task_seconds"] >= 0 for event in stages)


def test_every_record_is_accounted_for(small: Path, pile: Pile) -> None:
    """Documents, rejections and duplicates of each stage add up."""
    run(pile, small)
    _, out, _ = pile("status", "-c", str(small / "pipeline.toml"), "--json")
    stages = {row["stage"]: row for row in json.loads(out)}
    letters = stages["extract.letters"]
    assert (letters["taken"], letters["given"], letters["rejected"]) == (
        40,
        39,
        {"invalid_json": 1},
    )
    assert stages["dedup.letters"]["rejected"] == {"exact": 1, "near": 1}
    assert stages["scatter"]["taken"] == 12 + 39
    assert stages["scatter"]["given"] == 12 + 37


def test_a_run_without_broken_records_ends_with_0(small: Path, pile: Pile) -> None:
    """Exit code 3 is for what is broken: without it, 0."""
    path = small / "raw" / "letters" / "a.jsonl.gz"
    good = [
        line for line in gzip.decompress(path.read_bytes()).splitlines() if b"not json" not in line
    ]
    path.write_bytes(gzip.compress(b"\n".join(good), mtime=0))
    assert pile("run", "-c", str(small / "pipeline.toml"))[0] == 0


def test_epochs_repeat_documents_of_the_training_split_only(small: Path, pile: Pile) -> None:
    """With 1.5 epochs a document is seen once or twice in training, and once if held out."""
    run(pile, small)
    notes = {text(number) for number in range(12)}
    held = [line.text for split in ("val", "test") for line in lines(small, split)]
    trained = [line.text for line in lines(small, "train") if line.text in notes]
    assert not set(held) & set(trained)
    assert {trained.count(note) for note in set(trained)} == {1, 2}
    assert set(held) | {line.text for line in lines(small, "train")} >= notes


def test_the_corpus_is_read_by_others(small: Path, pile: Pile, tmp_path: Path) -> None:
    """`lm_dataformat` and `datasets` read what we write, splits and all."""
    datasets = pytest.importorskip("datasets")
    run(pile, small)
    folder = small / "work" / "latest" / "corpus"
    ours = [line.text for line in lines(small, "train")]
    assert list(lm_dataformat.Reader(str(folder / "train")).stream_data()) == ours
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "validation", "test"]
    assert loaded["train"]["text"][:] == ours
    assert loaded["train"][0]["meta"] == {"pile_set_name": lines(small, "train")[0].pile_set_name}


def test_provenance_stands_line_by_line(small: Path, pile: Pile) -> None:
    """Row n of a provenance table says where line n of its corpus file comes from."""
    run(pile, small)
    folder = small / "work" / "latest" / "corpus"
    table = pq.read_table(folder / corpus.provenance_name("train", 0)).to_pylist()
    first = list(corpus.read(folder / corpus.file_name("train", 0)))
    assert [row["pile_set_name"] for row in table] == [line.pile_set_name for line in first]
    note = next(row for row in table if row["source"] == "notes")
    assert note["licence"] == "CC0-1.0"
    assert note["origin"].endswith(".txt")


def test_a_second_run_does_nothing_and_says_so(small: Path, pile: Pile) -> None:
    """When all is there, nothing is made."""
    run(pile, small)
    before = published(small / "work")
    assert run(pile, small)["made"] == []
    assert published(small / "work") == before
    assert "nothing to do" in pile("run", "-c", str(small / "pipeline.toml"))[1]


def test_a_deleted_part_is_made_again_alone(small: Path, pile: Pile) -> None:
    """Only the stage of the missing part runs, and gives the same bytes."""
    run(pile, small)
    before = published(small / "work")
    part = next((small / "work" / "stages" / "extract.letters").rglob("documents/*.parquet"))
    part.unlink()
    assert pile("status", "-c", str(small / "pipeline.toml"))[0] == 1
    assert run(pile, small)["made"] == ["extract.letters"]
    assert published(small / "work") == before


def test_a_changed_threshold_runs_only_what_depends_on_it(small: Path, pile: Pile) -> None:
    """Reading and signing stay; `pile why` names the setting that changed."""
    run(pile, small)
    write_config(small, threshold="threshold = 0.7")
    code, out, _ = pile("why", "spill.letters", "-c", str(small / "pipeline.toml"))
    assert code == 0
    assert "settings.bands[1]: 3 -> 5" in out
    made = run(pile, small)["made"]
    compared = ["spill.letters", "buckets.letters", "decide.letters", "dedup.letters"]
    tokens = ["count", "merge_counts", "train_tokenizer", "tokenize", "shard"]
    assert made == [*compared, "scatter", "hold_out", "mix", *tokens, "report"]
    write_config(small)
    assert run(pile, small)["made"] == []


def test_run_settings_decide_no_bytes(small: Path, pile: Pile) -> None:
    """Nothing below [run] makes a stage stale."""
    run(pile, small)
    write_config(small, workers="workers = 2", engine='engine = "auto"')
    assert run(pile, small)["made"] == []


def test_the_place_of_raw_files_decides_nothing(tmp_path: Path, pile: Pile) -> None:
    """The same raw files elsewhere give the same bytes under the same fingerprints."""
    trees = []
    for name in ("here", "there"):
        write_raw(tmp_path / name / "raw")
        write_config(tmp_path / name)
        run(pile, tmp_path / name)
        trees.append(published(tmp_path / name / "work"))
    fetched = {key for key in trees[0] if key.startswith("stages/fetch.")}
    assert trees[0].keys() == trees[1].keys()
    assert {key: trees[0][key] for key in trees[0].keys() - fetched} == {
        key: trees[1][key] for key in trees[1].keys() - fetched
    }


@pytest.mark.ray
def test_ray_and_serial_give_the_same_bytes(tmp_path: Path, pile: Pile) -> None:
    """One worker, two or three, on Ray or in this process: one tree of digests."""
    trees = []
    for engine, workers in (("serial", 1), ("ray", 1), ("ray", 2), ("ray", 3)):
        folder = tmp_path / f"{engine}{workers}"
        write_raw(folder / "raw")
        write_config(folder, engine=f'engine = "{engine}"', workers=f"workers = {workers}")
        run(pile, folder)
        trees.append({k: v for k, v in published(folder / "work").items() if "/fetch." not in k})
    assert all(tree == trees[0] for tree in trees)


def test_hash_seed_and_locale_decide_nothing(small: Path, tmp_path: Path) -> None:
    """Two processes with other hash seeds, time zones and locales give the same bytes."""
    trees = []
    for seed, zone, locale in (("0", "UTC", "C"), ("4242", "Asia/Tokyo", "C.UTF-8")):
        write_config(small, work=f'work = "work{seed}"')
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        subprocess.run(
            [sys.executable, "-m", "pile", "run", "-c", str(small / "pipeline.toml")],
            env=environment,
            cwd=tmp_path,
            check=False,
            capture_output=True,
        )
        trees.append(published(small / f"work{seed}"))
    assert trees[0] == trees[1]


def test_killed_at_any_moment_a_run_goes_on_to_the_same_bytes(small: Path, pile: Pile) -> None:
    """Killed again and again, then left to finish: the same tree as a run in peace."""
    write_config(small, work='work = "peace"')
    run(pile, small)
    write_config(small)
    command = [sys.executable, "-m", "pile", "run", "-c", str(small / "pipeline.toml")]
    for delay in (0.9, 1.2, 1.4, 1.6, 1.8, 2.0, 2.3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run(pile, small)
    assert published(small / "work") == published(small / "peace")


def test_a_truncated_raw_file_is_set_aside(small: Path, pile: Pile) -> None:
    """Nothing of it stays, its reason is told, the rest is made, and the exit code is 3."""
    raw = small / "raw" / "letters" / "a.jsonl.gz"
    (small / "raw" / "letters" / "b.jsonl.gz").write_bytes(raw.read_bytes())
    raw.write_bytes(raw.read_bytes()[:-100])
    code, out, _ = pile("run", "-c", str(small / "pipeline.toml"))
    assert code == 3
    assert "set aside by extract.letters: a.jsonl.gz" in out
    _, out, _ = pile("status", "-c", str(small / "pipeline.toml"), "--json")
    letters = next(row for row in json.loads(out) if row["stage"] == "extract.letters")
    assert letters["given"] == 39
    assert [bad["file"] for bad in letters["quarantined"]] == ["a.jsonl.gz"]
    assert pile("run", "-c", str(small / "pipeline.toml"))[0] == 3


@pytest.mark.parametrize("line", ["null", '{"task": "x"}', "5", '"text"'])
def test_damaged_bookkeeping_is_made_again(small: Path, pile: Pile, line: str) -> None:
    """A damaged receipt, manifest or remembered digest costs work, never the run."""
    run(pile, small)
    before = published(small / "work")
    stage = next((small / "work" / "stages" / "extract.notes").iterdir())
    for path in (stage / "receipts.jsonl", small / "work" / "hashes.jsonl"):
        path.write_text(line + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    (stage / "manifest.json").write_text(line, encoding="utf-8")
    assert run(pile, small)["made"] == ["extract.notes"]
    assert published(small / "work") == before


def test_a_full_disk_is_no_bad_file(
    small: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the machine fails at ends the run with 7, sets nothing aside, and is done next time."""

    def full(*_: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    reader = dataclasses.replace(SOURCES["local"], read=full)
    with monkeypatch.context() as patched:
        patched.setattr("pile.stages.extract.SOURCES", {"local": reader})
        code, _, err = pile("run", "-c", str(small / "pipeline.toml"))
    assert code == 7
    assert "extract.letters" in err
    assert "no space left on " in err
    assert run(pile, small)["quarantined"] == []


def test_a_reader_at_fault_sets_its_file_aside(
    small: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a reader raises over its file's content is that file's reason; the run goes on."""
    genuine = SOURCES["local"]

    def fails(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
        if raw.name == "03.txt":
            raise RecursionError("nested too deep")
        yield from genuine.read(path, raw, options)

    reader = dataclasses.replace(genuine, read=fails)
    monkeypatch.setattr("pile.stages.extract.SOURCES", {"local": reader})
    code, out, _ = pile("run", "-c", str(small / "pipeline.toml"))
    assert code == 3
    assert "set aside by extract.notes: 03.txt: RecursionError: nested too deep" in out


def test_a_second_run_at_once_is_refused(small: Path, pile: Pile) -> None:
    """The work directory has one writer; the other is told who it is."""
    with lock.hold(small / "work" / "lock"):
        code, _, err = pile("run", "-c", str(small / "pipeline.toml"))
    assert code == 4
    assert f"process {os.getpid()}" in err


def test_verify_finds_a_flipped_bit_anywhere(small: Path, pile: Pile) -> None:
    """Whatever published file changes, verify names it and exits with 6."""
    run(pile, small)
    config = str(small / "pipeline.toml")
    assert pile("verify", "-c", config)[0] == 0
    for path in sorted((small / "work" / "stages").rglob("*")):
        if path.suffix not in {".parquet", ".zst", ".bin", ".idx"} or "tokenizer" in path.parts:
            continue
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        code, out, _ = pile("verify", "-c", config)
        assert code == 6
        assert path.name in out
        path.write_bytes(whole)
    assert pile("verify", "-c", config)[0] == 0


def test_rejected_records_can_be_looked_at(small: Path, pile: Pile) -> None:
    """`pile show --rejected` prints reason, place and excerpt."""
    run(pile, small)
    config = str(small / "pipeline.toml")
    code, out, _ = pile("show", "letters", "--rejected", "-c", config)
    assert code == 0
    assert "invalid_json" in out
    assert "a.jsonl.gz:21" in out
    assert "{not json" in out
    code, out, _ = pile("show", "notes", "-n", "1", "-c", config, "--json")
    assert json.loads(out)[0]["text"] == text(0)


def test_cleaning_rules_apply_when_asked_for(small: Path, pile: Pile) -> None:
    """A rule changes the documents it is for, and the count of them is kept."""
    (small / "raw" / "notes" / "00.txt").write_text("cafe\u0301 " + text(0), encoding="utf-8")
    write_config(small, rules='rules = ["normalise_nfc"]')
    run(pile, small)
    config = str(small / "pipeline.toml")
    _, out, _ = pile("show", "clean.notes", "-n", "1", "-c", config, "--json")
    assert json.loads(out)[0]["text"].startswith("café ")
    _, out, _ = pile("report", "-c", str(small / "pipeline.toml"), "--json")
    notes = next(one for one in json.loads(out)["sources"] if one["name"] == "notes")
    assert notes["cleaned"] == {"normalise_nfc": 1}


def test_a_lone_surrogate_is_replaced_and_counted(small: Path, pile: Pile) -> None:
    """What no format downstream can hold becomes U+FFFD, and the report says how often."""
    path = small / "raw" / "letters" / "b.jsonl"
    path.write_text('{"id": "s", "text": "a \\ud800 b ' + "word " * 20 + '"}\n', encoding="utf-8")
    toml = small / "pipeline.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("*.jsonl.gz", "*.jsonl*"))
    run(pile, small)
    _, out, _ = pile("report", "-c", str(small / "pipeline.toml"), "--json")
    letters = next(one for one in json.loads(out)["sources"] if one["name"] == "letters")
    assert letters["surrogates"] == 1


def test_samples_are_shown_token_by_token(small: Path, pile: Pile) -> None:
    """A sample's tokens spell its beginning; the same seed draws the same documents."""
    run(pile, small)
    figures = json.loads(pile("report", "-c", str(small / "pipeline.toml"), "--json")[1])
    samples = [one for source in figures["sources"] for one in source["samples"]]
    assert samples
    for one in samples:
        assert "".join(one["tokens"]) == unicodedata.normalize("NFC", one["excerpt"])
    for source in figures["sources"]:
        whole = source["fit"]["tokens"] + sum(source["corpus_documents"].values())
        assert source["tokens"] == whole
        assert sum(source["densities"]) <= sum(source["corpus_documents"].values())
        assert source["once_documents"] == source["documents"] - sum(source["duplicates"].values())


def test_other_tokenizers_are_compared_if_asked(small: Path, pile: Pile) -> None:
    """The corpus's own beside itself shares all entries and takes as many tokens."""
    run(pile, small)
    copy = small / "other.json"
    copy.write_bytes((small / "work/latest/tokenizer/tokenizer.json").read_bytes())
    config = small / "pipeline.toml"
    table = '[report]\ncompare = ["other.json"]\n'
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{table}", encoding="utf-8")
    code, out, _ = pile("run", "-c", str(config), "--json")
    assert (code, json.loads(out)["made"]) == (3, ["report"])
    made = json.loads(pile("report", "-c", str(config), "--json")[1])["tokenizer"]
    (peer,) = made["peers"]
    assert (peer["name"], peer["fits"]) == ("other.json", peer["own"])
    own = json.loads(copy.read_bytes())["model"]["vocab"]
    assert (peer["shared"], peer["vocabulary"]) == (len(own), made["vocabulary"])
    copy.write_text("{}", encoding="utf-8")
    code, _, err = pile("run", "-c", str(config))
    assert code == 1
    assert "other.json is no tokenizer.json" in err
    copy.unlink()
    code, _, err = pile("run", "-c", str(config))
    assert code == 2
    assert "[report] compare" in err


def test_the_page_with_times_stands_beside_the_one_without(small: Path, pile: Pile) -> None:
    """What is published holds no times; the page in latest/ does, and can be written anew."""
    run(pile, small)
    latest = small / "work" / "latest"
    plain = (latest / "report" / "report.html").read_text(encoding="utf-8")
    timed = (latest / "report.html").read_text(encoding="utf-8")
    assert "core-hours" not in plain
    assert "core-hours" in timed
    (latest / "report.html").unlink()
    code, out, _ = pile("report", "-c", str(small / "pipeline.toml"))
    assert (code, out.strip()) == (0, str(latest / "report.html"))
    assert (latest / "report.html").read_text(encoding="utf-8") == timed
