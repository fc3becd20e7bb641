"""What lies beside the corpus: card, datasheet, Croissant, manifest, checksums, and Parquet on request."""

import hashlib
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import duckdb
import lm_dataformat
import mlcroissant
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from pile import corpus, documents
from pile.card import _size_category, card
from pile.export.configs import NothingToExportError
from pile.export.parquet import _write
from pile.publication.datasheet import UNKNOWN, datasheet
from pile.publication.facts import Facts, SourceFacts, Split
from pile.publication.questions import QUESTIONS

Pile = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the small corpus once; returns its pipeline.toml."""
    from small_corpus import write_config, write_raw  # noqa: PLC0415 - conftest brings it

    from pile.config import load  # noqa: PLC0415
    from pile.graph import build  # noqa: PLC0415
    from pile.run import run  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("small")
    write_raw(folder / "raw")
    path = write_config(folder, rules='rules = ["mask_personal"]')
    settings = load(path)
    run(settings, build(settings, lambda _: None), lambda _: None)
    return path


def folder_of(config: Path) -> Path:
    """Return the published folder."""
    return config.parent / "work" / "latest" / "corpus"


def rows(config: Path) -> list[tuple[str, str]]:
    """Return id and text of every line of the corpus."""
    folder = folder_of(config)
    found = []
    for split in corpus.SPLITS:
        for file in corpus.files(folder, split):
            number = int(file.name.partition(".")[0])
            table = pq.read_table(folder / corpus.provenance_name(split, number))
            texts = [line.text for line in corpus.read(file)]
            found += list(zip(table.column("id").to_pylist(), texts, strict=True))
    return found


def test_the_sums_are_those_of_all_files(config: Path) -> None:
    """SHA256SUMS lists every other file of the folder with its digest, as sha256sum reads it."""
    folder = folder_of(config)
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert {tuple(line.split("  ")[::-1]) for line in lines} == {
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }


def test_the_manifest_holds_the_whole_recipe(config: Path) -> None:
    """Each stage before the corpus is there with its settings, each raw file with its checksum."""
    found = json.loads((folder_of(config) / "manifest.json").read_bytes())
    assert {"mix", "scatter", "extract.notes", "fetch.letters"} <= found["recipes"].keys()
    files = found["recipes"]["fetch.notes"]["settings"]["files"]
    assert len(files) == 12
    assert all(file["checksum"].startswith("sha256:") for file in files)
    assert found["sources"]["notes"]["documents"] + found["sources"]["letters"]["documents"] == len(
        rows(config)
    )


def test_the_card_and_the_datasheet_tell_what_the_run_knows(config: Path) -> None:
    """Licences, epochs and figures by source; rejections by reason; what is not known is said to be."""
    folder = folder_of(config)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    sheet = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    notes = json.loads((folder / "manifest.json").read_bytes())["sources"]["notes"]
    assert f"| Notes | {notes['documents']:,} | {notes['text_bytes']:,} | " in readme
    assert readme.rstrip().count("| CC0-1.0 |") == 1
    assert (
        "| letters | 40 | `mask_personal` | `invalid_json` 1 | `exact` 1, `near` 1 |  |" in readme
    )
    assert "| letters | 40 | invalid_json 1 |" in sheet
    assert (
        "removed by minhash, inside each source: letters (exact 1, near 1). What it does not find "
        "is still there. They were not looked for in Notes."
    ) in sheet
    assert sheet.count(UNKNOWN) > 10


def test_the_datasheet_asks_all_questions_of_the_paper(config: Path) -> None:
    """57 in seven sections, in their order; each has an answer, and what is answered was asked."""
    sheet = (folder_of(config) / "DATASHEET.md").read_text(encoding="utf-8")
    asked = [text for questions in QUESTIONS.values() for text in questions.values()]
    found = [line.strip("*") for line in sheet.splitlines() if line.startswith("**")]
    assert found == asked
    assert len(asked) == 57
    assert [line[3:] for line in sheet.splitlines() if line.startswith("## ")] == list(QUESTIONS)
    for piece in sheet.split("\n**")[1:]:
        assert piece.partition("**\n\n")[2].strip()


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a Markdown text as a renderer sees them: rows of cells."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in itertools.pairwise(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif before.type in {"th_open", "td_open"}:
            found[-1][-1].append("".join(one.content for one in token.children or ()))
    return found


def test_the_card_renders(config: Path) -> None:
    """Its front matter is what the Hub takes; its tables are tables, with a row a split and a source."""
    found = DatasetCard.load(folder_of(config) / "README.md")
    assert found.data.license == "other"
    assert re.fullmatch(r"[a-z0-9.-]+", found.data.license_name)
    assert [file["split"] for file in found.data.configs[0]["data_files"]] == [
        *("train", "validation", "test")
    ]
    splits, sources, cleaning = tables(found.text)
    assert [row[0] for row in splits] == ["split", "train", "val", "test"]
    assert [row[0] for row in sources] == ["source", "letters", "Notes"]
    assert [row[-1] for row in sources] == ["licence", "as the user states", "CC0-1.0"]
    assert [row[0] for row in cleaning] == ["source", "letters", "Notes"]
    sheet = (folder_of(config) / "DATASHEET.md").read_text(encoding="utf-8")
    assert [len(table) for table in tables(sheet)] == [3, 3, 3]


def facts_of(**more: Any) -> Facts:
    """Return the facts of a corpus of one source."""
    usual: dict[str, Any] = {
        "name": "mine",
        "pile_set_name": "Mine",
        "licence": "MIT",
        "epochs": 1.0,
        "read": 3,
        "access": "local",
        "homepage": "",
        "documents": 3,
        "text_bytes": 9,
        "rejected": {},
    }
    settings = {"dedup": "none", "scope": "source", "mix": {"hold_out": "hash"}}
    source = SourceFacts(**{**usual, **more})
    return Facts("A\nB", 1, "f", (source,), (Split("train", 3, 9),), (), {}, settings)


def test_names_with_bars_and_breaks_stay_in_their_cells() -> None:
    """Whatever a user calls a source or its licence, the card's tables have their columns."""
    called = {"pile_set_name": "Mine | \\| yours", "licence": "MIT |\nBSD"}
    text = card(facts_of(**called, rejected={"empty": 1}))
    assert "\n# A B\n" in text
    _, sources, cleaning = tables(text.partition("\n# ")[2])
    assert sources[1] == ["Mine | \\| yours", "3", "9", "100.00 %", "1", "MIT | BSD"]
    assert cleaning[1][0] == "Mine | \\| yours"


def test_the_datasheet_tells_what_was_drawn_and_taken_out() -> None:
    """Less than all documents of a source, and those that held text of benchmarks, by benchmark."""
    sheet = datasheet(facts_of(epochs=0.5, benchmarks={"quiz": 2}))
    assert "by source: Mine 0.5. Where those are below 1, that share of the documents" in sheet
    assert "text of a benchmark, left out or cut: quiz 2." in sheet
    assert "Duplicates were not looked for." in sheet
    plain = datasheet(facts_of())
    assert "below 1" not in plain
    assert "benchmark" not in plain


def test_a_card_says_how_large_it_is() -> None:
    """In the words of the Hub."""
    sizes = [999, 1000, 9_999, 10_000, 123_456, 210_000_000, 5_000_000_000_000]
    assert [_size_category(size) for size in sizes] == [
        "n<1K",
        "1K<n<10K",
        "1K<n<10K",
        "10K<n<100K",
        "100K<n<1M",
        "100M<n<1B",
        "n>1T",
    ]


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_the_folder(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, streaming: bool
) -> None:
    """All splits by the card, whole or as a stream: the texts in their order."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    loaded = datasets.load_dataset(
        str(folder_of(config)), streaming=streaming, cache_dir=str(tmp_path / "cache")
    )
    assert list(loaded) == ["train", "validation", "test"]
    found = [row["text"] for split in loaded.values() for row in split]
    assert found == [text for _, text in rows(config)]
    assert loaded["train"].features["meta"] == {"pile_set_name": datasets.Value("string")}


def test_lm_dataformat_reads_each_split(config: Path) -> None:
    """The Pile's own reader gives texts and the names of their sources."""
    read = [
        (text, meta["pile_set_name"])
        for split in corpus.SPLITS
        for text, meta in lm_dataformat.Reader(str(folder_of(config) / split)).stream_data(
            get_meta=True
        )
    ]
    assert [text for text, _ in read] == [text for _, text in rows(config)]
    assert {name for _, name in read} == {"Notes", "letters"}


def test_duckdb_reads_the_folder(config: Path, pile: Pile) -> None:
    """Lines and provenance as they lie there, and texts with provenance from the export."""
    folder = folder_of(config)
    lines = duckdb.sql(f"select text from read_json('{folder}/*/*.jsonl.zst')").fetchall()
    assert sorted(text for (text,) in lines) == sorted(text for _, text in rows(config))
    counted = duckdb.sql(
        f"select source, count(*) from '{folder}/provenance/*/*.parquet' group by source"
    ).fetchall()
    sources = json.loads((folder / "manifest.json").read_bytes())["sources"]
    assert dict(counted) == {name: one["documents"] for name, one in sources.items()}
    pile("export", "parquet", "-c", str(config))
    exported = config.parent / "work" / "export" / "parquet"
    sizes = duckdb.sql(
        f"select source, sum(strlen(text)) from '{exported}/*/*.parquet' group by source"
    ).fetchall()
    assert dict(sizes) == {name: one["text_bytes"] for name, one in sources.items()}


def test_polars_reads_the_folder(config: Path, pile: Pile) -> None:
    """Lines and provenance as they lie there, and texts with provenance from the export."""
    polars = pytest.importorskip("polars")
    folder = folder_of(config)
    files = [file for split in corpus.SPLITS for file in corpus.files(folder, split)]
    lines = [text for file in files for text in polars.read_ndjson(file)["text"]]
    assert lines == [text for _, text in rows(config)]
    table = polars.read_parquet(f"{folder}/provenance/*/*.parquet")
    assert sorted(table["id"]) == sorted(identity for identity, _ in rows(config))
    pile("export", "parquet", "-c", str(config))
    exported = config.parent / "work" / "export" / "parquet"
    lazy = polars.scan_parquet(f"{exported}/*/*.parquet").select("id", "text").collect()
    assert sorted(lazy.rows()) == sorted(rows(config))


def test_croissant_describes_each_file_and_column(config: Path) -> None:
    """Every corpus file is there with its digest; fields name files and columns that exist."""
    folder = folder_of(config)
    found = json.loads((folder / "croissant.json").read_bytes())
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    files = [one for one in found["distribution"] if one["@type"] == "cr:FileObject"]
    for one in files:
        content = (folder / one["contentUrl"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one["sha256"]
    columns = [field["source"]["extract"]["column"] for field in found["recordSet"][1]["field"]]
    assert columns == ["id", "source", "pile_set_name", "origin", "licence", "epoch"]
    assert set(columns) == set(corpus.PROVENANCE.names)
    for one in (one for one in found["distribution"] if one["@type"] == "cr:FileSet"):
        for pattern in one["includes"]:
            assert list(folder.glob(pattern))


def test_croissant_is_valid_by_mlcroissant(config: Path) -> None:
    """The reference reader finds no error, and reads the provenance."""
    dataset = mlcroissant.Dataset(jsonld=str(folder_of(config) / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert sum(1 for _ in dataset.records("provenance")) == len(rows(config))


def test_parquet_holds_texts_and_provenance(config: Path, pile: Pile) -> None:
    """Each line is a row, in order; a second export takes the place of the first."""
    for _ in range(2):
        code, out, _ = pile("export", "parquet", "-c", str(config))
        assert code == 0
    tables = [pq.read_table(path) for path in out.split()]
    found = [
        pair
        for table in tables
        for pair in zip(
            table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True
        )
    ]
    assert found == rows(config)
    assert len(list((config.parent / "work" / "export" / "parquet").rglob("*.parquet"))) == len(
        tables
    )


def test_long_texts_do_not_gather_in_memory(
    config: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row group of the export is closed by its bytes, however few rows those are; the rows are the same."""
    monkeypatch.setattr(documents, "BATCH_BYTES", 1000)
    code, out, _ = pile("export", "parquet", "-c", str(config))
    assert code == 0
    files = [pq.ParquetFile(path) for path in out.split()]
    assert sum(file.num_row_groups for file in files) > len(rows(config)) / 4
    texts = [text for file in files for text in file.read(["text"]).column(0).to_pylist()]
    assert texts == [text for _, text in rows(config)]


@pytest.mark.parametrize("more", [-1, 1])
def test_a_damaged_corpus_is_not_exported(config: Path, tmp_path: Path, more: int) -> None:
    """A line too many or too few for its provenance is an error that names the file."""
    file = corpus.files(folder_of(config), "train")[0]
    table = folder_of(config) / corpus.provenance_name("train", 0)
    lines = list(corpus.read(file))
    with corpus.LineWriter(tmp_path / "changed") as writer:
        writer.extend((lines * 2)[: len(lines) + more])
    with pytest.raises(NothingToExportError, match=r"changed or its provenance is damaged"):
        _write(tmp_path / "out.parquet", tmp_path / "changed", table)
