"""Duplicates inside sources and across them, against earlier corpora, and how they are looked at."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pile.config import ConfigError, load
from pile.settings import Decontaminate
from pile.stages import extract
from pile.stages.decontaminate import BadBenchmarkError, Benchmark, decontaminate

Pile = Callable[..., tuple[int, str, str]]

WORDS = [f"word{number:02d}" for number in range(60)]
LONG = " ".join(WORDS)
NEAR = " ".join([*WORDS, "and", "then", "some", "more"])
OTHER = " ".join(reversed(WORDS))


def write(folder: Path, dedup: str, **sources: list[str]) -> Path:
    """Write sources of one file a text, and a configuration that deduplicates them."""
    tables = []
    for name, texts in sources.items():
        (folder / "raw" / name).mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts):
            (folder / "raw" / name / f"{number}.txt").write_text(text, encoding="utf-8")
        tables.append(f'[sources.{name}]\nreader = "local"\nfiles = ["raw/{name}/*.txt"]\n')
    mix = '[mix]\nval = 0.0\ntest = 0.0\n[tokenizer]\nvocabulary = 300\n[run]\nengine = "serial"\n'
    path = folder / "pipeline.toml"
    path.write_text(f"schema = 1\n{''.join(tables)}{dedup}\n{mix}", encoding="utf-8")
    return path


def decisions(folder: Path, source: str) -> dict[str, str | None]:
    """Return what the newest decisions say of each document: what it is a duplicate of."""
    parts = (folder / "work" / "stages" / f"dedup.{source}").glob("*/*.parquet")
    rows = itertools.chain.from_iterable(pq.read_table(part).to_pylist() for part in parts)
    return {row["id"]: row["kept"] if row["duplicate"] else None for row in rows}


ACROSS = """
[dedup]
method = "minhash"
scope = "all"
priority = ["books", "web"]
words = "whitespace"
permutations = 128
"""


def test_across_sources_the_better_one_stays(tmp_path: Path, pile: Pile) -> None:
    """Priority, not order or length, decides between sources."""
    config = write(tmp_path, ACROSS, web=[NEAR, OTHER], books=[LONG])
    assert pile("run", "-c", str(config))[0] == 0
    assert decisions(tmp_path, "books") == {"books/0.txt": None}
    assert decisions(tmp_path, "web") == {"web/0.txt": "books/0.txt", "web/1.txt": None}


def test_the_longest_of_a_source_stays(tmp_path: Path, pile: Pile) -> None:
    """Inside a source, too, a cluster's longest document can be what stays."""
    table = '[dedup]\nmethod = "minhash"\nwords = "whitespace"\n[dedup.keep]\nweb = "longest"\n'
    config = write(tmp_path, table, web=[LONG, NEAR, LONG])
    assert pile("run", "-c", str(config))[0] == 0
    assert decisions(tmp_path, "web") == {
        "web/0.txt": "web/1.txt",
        "web/1.txt": None,
        "web/2.txt": "web/1.txt",
    }


@pytest.mark.parametrize("check", ["signature", "shingles"])
def test_a_check_joins_only_what_is_similar(tmp_path: Path, pile: Pile, check: str) -> None:
    """Bands of one number join nearly everything; the check takes it apart again."""
    half = " ".join([*WORDS[:30], *reversed(WORDS[:30])])
    table = f'{ACROSS}bands = 128\nrows = 1\nthreshold = 0.8\ncheck = "{check}"\n'
    config = write(tmp_path, table, books=[LONG], web=[half, NEAR])
    assert pile("run", "-c", str(config))[0] == 0
    assert decisions(tmp_path, "web") == {"web/0.txt": None, "web/1.txt": "books/0.txt"}


def test_new_documents_are_matched_against_an_earlier_corpus(tmp_path: Path, pile: Pile) -> None:
    """A saved index holds what stays; it is not touched, and can be handed on again and again."""
    table = '[dedup]\nmethod = "minhash"\nwords = "whitespace"\nindex = true\n{}[dedup.keep]\nweb = "first"\n'
    for name, texts in (("one", [LONG, NEAR]), ("two", [OTHER, NEAR]), ("three", [OTHER, LONG])):
        (tmp_path / name).mkdir()
        before = {"one": "", "two": "one", "three": "two"}[name]
        earlier = f'earlier = "../{before}/work/latest/index"\n' if before else ""
        config = write(tmp_path / name, table.format(earlier), web=texts)
        code, _, errors = pile("run", "-c", str(config))
        # The third has nothing new, and nothing to train a tokenizer on.
        assert code == (1 if name == "three" else 0), errors
    assert decisions(tmp_path / "one", "web") == {"web/0.txt": None, "web/1.txt": "web/0.txt"}
    assert decisions(tmp_path / "two", "web") == {"web/0.txt": None, "web/1.txt": "web/0.txt"}
    assert decisions(tmp_path / "three", "web") == {
        "web/0.txt": "web/0.txt",
        "web/1.txt": "web/0.txt",
    }


def test_clusters_are_read_side_by_side(tmp_path: Path, pile: Pile) -> None:
    """`pile show --duplicates` puts what goes beside what stays."""
    config = write(tmp_path, ACROSS, web=[NEAR, LONG], books=[LONG])
    pile("run", "-c", str(config))
    code, out, _ = pile("show", "web", "--duplicates", "--json", "-c", str(config))
    (cluster,) = json.loads(out)
    assert (code, cluster["kept"], cluster["text"]) == (0, "books/0.txt", LONG)
    assert [(one["id"], one["kind"]) for one in cluster["duplicates"]] == [
        ("web/0.txt", "near"),
        ("web/1.txt", "exact"),
    ]
    _, out, _ = pile("show", "web", "--duplicates", "-c", str(config))
    assert "books/0.txt  stays" in out
    assert "web/1.txt  goes: exact, 1.00 like books/0.txt" in out
    assert pile("show", "notes", "--duplicates", "-c", str(config))[0] == 2


def test_the_report_shows_clusters(tmp_path: Path, pile: Pile) -> None:
    """Such with near duplicates first, then the largest; texts begin shortly before they differ."""
    long = "".join(f"line {number} of a story\n" for number in range(60))
    texts = [f"{long}The end.", f"{long}The last word.", LONG, LONG, LONG]
    config = write(tmp_path, f"{ACROSS}\n[report]\nclusters = 2\n", web=texts, books=[OTHER])
    assert pile("run", "-c", str(config))[0] == 0
    figures = json.loads(pile("report", "-c", str(config), "--json")[1])
    assert figures["dedup"]["stays"] == "first of books, first of web"
    books, web = figures["sources"]
    assert (books["duplicates"], books["clusters"]) == ({}, [])
    near, exact = web["clusters"]
    assert (near["kept"], near["size"]) == ("web/0.txt", 1)
    (pair,) = near["duplicates"]
    assert (pair["id"], pair["kind"]) == ("web/1.txt", "near")
    assert pair["here"] == texts[1][pair["skipped"] :]
    assert pair["there"] == texts[0][pair["skipped"] :]
    assert 0 < len(pair["here"]) < 200
    assert (exact["kept"], exact["size"], len(exact["duplicates"])) == ("web/2.txt", 2, 2)
    assert exact["duplicates"][0]["here"] == exact["duplicates"][0]["there"] == LONG


def test_the_report_finds_what_stays_in_another_source(tmp_path: Path, pile: Pile) -> None:
    """Where sources are compared with each other, the text that stays is that of the better one."""
    config = write(tmp_path, ACROSS, web=[NEAR, OTHER], books=[LONG])
    assert pile("run", "-c", str(config))[0] == 0
    _, web = json.loads(pile("report", "-c", str(config), "--json")[1])["sources"]
    ((pair,),) = [one["duplicates"] for one in web["clusters"]]
    assert web["clusters"][0]["kept"] == "books/0.txt"
    assert (LONG.endswith(pair["there"]), NEAR.endswith(pair["here"])) == (True, True)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('scope = "all"', "wants priority"),
        ('priority = ["web"]', "goes with scope"),
        ('check = "signature"\n[dedup.keep]\nweb = "first"', "check nothing, as published"),
        ('index = true\n[dedup.keep]\nweb = "last"', "cannot go with 'last'"),
        ("bands = 3", "come together"),
        ('scope = "all"\npriority = ["wbe"]', "did you mean 'web'"),
    ],
)
def test_rules_that_do_not_agree_are_refused(tmp_path: Path, table: str, message: str) -> None:
    """Each message says what goes with what."""
    config = write(tmp_path, f'[dedup]\nmethod = "minhash"\n{table}\n', web=[LONG])
    with pytest.raises(ConfigError, match=message):
        load(config)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('earlier = "nowhere"', "holds no saved index"),
        ('earlier = "work/latest/index"\npermutations = 20', "was made with"),
    ],
)
def test_an_index_that_cannot_be_matched_is_refused(
    tmp_path: Path, pile: Pile, settings: str, message: str
) -> None:
    """A missing index, and one of other settings, end with 2 and a remedy."""
    table = '[dedup]\nmethod = "minhash"\nindex = true\n{}\n[dedup.keep]\nweb = "first"\n'
    config = write(tmp_path, table.format(""), web=[LONG])
    assert pile("run", "-c", str(config))[0] == 0
    write(tmp_path, table.format(settings), web=[LONG])
    code, _, errors = pile("plan", "-c", str(config))
    assert code == 2
    assert message in errors


@pytest.mark.parametrize("harm", ["missing", "cut", "changed"])
def test_an_index_that_is_not_whole_is_refused(tmp_path: Path, pile: Pile, harm: str) -> None:
    """A file that a copy lacks or cut ends with 2 before anything runs, a changed one fails the run."""
    table = '[dedup]\nmethod = "minhash"\nindex = true\n{}\n[dedup.keep]\nweb = "first"\n'
    config = write(tmp_path, table.format(""), web=[LONG, OTHER])
    assert pile("run", "-c", str(config))[0] == 0
    shutil.copytree(tmp_path / "work/latest/index", tmp_path / "copy")
    (values,) = (tmp_path / "copy").rglob("*.values")
    content = values.read_bytes()
    values.unlink()
    if harm != "missing":
        values.write_bytes(content[:-4] if harm == "cut" else bytes([content[0] ^ 1]) + content[1:])
    write(tmp_path, table.format('earlier = "copy"'), web=[LONG, OTHER])
    code, _, errors = pile("run" if harm == "changed" else "plan", "-c", str(config))
    assert code == (1 if harm == "changed" else 2)
    assert values.name in errors
    assert "copy the index" in errors


def stages_of(folder: Path, name: str) -> list[Path]:
    """Return the files of a stage of which something would be lost, by their names."""
    return sorted(
        path
        for path in (folder / "work" / "stages" / name).rglob("*")
        if path.suffix in {".parquet", ".run", ".runs", ".values", ".ids", ".places"}
    )


@pytest.mark.parametrize(
    "stage", ["sign.web", "spill.all", "buckets.all", "decide.all", "dedup.web"]
)
def test_a_lost_task_redoes_only_itself(
    tmp_path: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Of four parts or many bands, the one whose file is lost is made again, and no other."""
    monkeypatch.setattr(extract, "GROUP_BYTES", 1)  # a part of documents for each raw file
    config = write(tmp_path, ACROSS, web=[NEAR, OTHER, f"{OTHER} more", "short"], books=[LONG])
    assert pile("run", "-c", str(config))[0] == 0
    found = stages_of(tmp_path, stage)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}
    lost = found[-1]
    lost.unlink()
    assert pile("run", "-c", str(config))[0] == 0
    assert {path: path.read_bytes() for path in found} == {
        path: content for path, (_, content) in before.items()
    }
    again = {path for path in found if path.stat().st_mtime_ns != before[path][0]}
    task = {path for path in found if path.parent == lost.parent}  # four files of a spilled part
    assert again == (task if stage == "spill.all" else {lost})
    assert len(found) > len(again) or stage == "decide.all"


def documents_of(folder: Path, stage: str) -> dict[str, str]:
    """Return id and text of the documents that a stage gave on."""
    parts = sorted((folder / "work" / "stages" / stage).glob("*/documents/*.parquet"))
    rows = itertools.chain.from_iterable(pq.read_table(part).to_pylist() for part in parts)
    return {row["id"]: row["text"] for row in rows}


def receipts(folder: Path, stage: str) -> list[dict[str, Any]]:
    """Return the receipts of a stage."""
    (path,) = (folder / "work" / "stages" / stage).glob("*/receipts.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_that_came_before_are_cut(tmp_path: Path, pile: Pile) -> None:
    """The first document keeps a repeated line; one that had nothing else is rejected."""
    menu = "Home | News | Sport | Weather | All rights reserved"
    texts = [f"{menu}\nfirst page\n{LONG}", f"{menu}\nsecond page\n{OTHER}", f"{menu}\n"]
    config = write(tmp_path, '[lines]\nsources = ["web"]\n', web=texts)
    assert pile("run", "-c", str(config))[0] == 0
    assert documents_of(tmp_path, "lines.web") == {
        "web/0.txt": texts[0],
        "web/1.txt": f"second page\n{OTHER}",
    }
    (receipt,) = receipts(tmp_path, "lines.web")
    assert (receipt["taken"], receipt["given"]) == (3, 2)
    assert receipt["rejected"] == {"only_repeated_lines": 1}
    assert receipt["figures"]["documents_cut"] == 2
    code, out, _ = pile("show", "lines.web", "--rejected", "-c", str(config))
    assert (code, "reason: only_repeated_lines" in out) == (0, True)


@pytest.mark.parametrize("action", ["drop", "cut"])
def test_benchmarks_are_taken_out(tmp_path: Path, pile: Pile, action: str) -> None:
    """A run of thirteen words that a benchmark holds drops its document, or is cut from it."""
    question = " ".join(WORDS[20:40])
    around = [" ".join(f"{side}{number}" for number in range(100)) for side in ("left", "right")]
    lines = [json.dumps({"text": one}) for one in (question, "too short")]
    (tmp_path / "quiz.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table = (
        f'[decontaminate]\naction = "{action}"\nmargin = 0\n'
        '[decontaminate.benchmarks]\nquiz = "quiz.jsonl"\n'
    )
    texts = [f"{around[0]} {question} {around[1]}", OTHER]
    config = write(tmp_path, table, web=texts)
    assert pile("run", "-c", str(config))[0] == 0
    (receipt,) = receipts(tmp_path, "decontaminate.web")
    assert receipt["figures"]["hits"] == {"quiz": 1}
    manifest = json.loads((tmp_path / "work/latest/corpus/manifest.json").read_text("utf-8"))
    assert manifest["sources"]["web"]["benchmarks"] == {"quiz": 1}
    card = (tmp_path / "work/latest/corpus/README.md").read_text("utf-8")
    assert "| source | benchmark | documents | texts too short |" in card
    assert "| web | quiz | 1 | 1 |" in card
    page = (tmp_path / "work/latest/report/report.html").read_text("utf-8")
    assert "<span>Text of benchmarks</span>" in page
    left = documents_of(tmp_path, "decontaminate.web")
    if action == "drop":
        assert left == {"web/1.txt": OTHER}
        assert receipt["rejected"] == {"contaminated": 1}
    else:
        assert left == {"web/0.txt": f"{around[0]} \n\n {around[1]}", "web/1.txt": OTHER}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no text; give another file, or leave it out"),
        ('{"x": 1}', "leave out what is no text"),
    ],
)
def test_a_benchmark_that_is_no_text_is_named(
    tmp_path: Path, pile: Pile, content: str, message: str
) -> None:
    """With its key and path: nothing of it could be found."""
    (tmp_path / "quiz.jsonl").write_text(content, encoding="utf-8")
    table = '[decontaminate.benchmarks]\nquiz = "quiz.jsonl"\n'
    code, _, errors = pile("run", "-c", str(write(tmp_path, table, web=[LONG])))
    assert code == 1
    assert f"[decontaminate.benchmarks] quiz = '{tmp_path}/quiz.jsonl': " in errors
    assert message in errors


def test_a_benchmark_changed_under_a_run_is_refused(tmp_path: Path) -> None:
    """The recipe has the digest of the file as it was, so that must be what is looked for."""
    path = tmp_path / "quiz.jsonl"
    path.write_text(json.dumps({"text": LONG}), encoding="utf-8")
    rule = Decontaminate(benchmarks={"quiz": str(path)})
    planned = (Benchmark("quiz", path, "0" * 64),)
    with pytest.raises(BadBenchmarkError, match="changed since this run began"):
        decontaminate(tmp_path, tmp_path / "none.parquet", planned, rule)


def test_a_benchmark_that_is_not_there_is_named(tmp_path: Path, pile: Pile) -> None:
    """A wrong path ends with 2 before anything runs."""
    table = '[decontaminate.benchmarks]\nquiz = "nowhere.jsonl"\n'
    code, _, errors = pile("plan", "-c", str(write(tmp_path, table, web=[LONG])))
    assert code == 2
    assert "quiz = " in errors
    assert "no such file" in errors
