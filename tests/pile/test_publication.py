"""What lies beside the corpus: card, datasheet, Croissant, manifest, checksums, and Parquet on request."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import lm_dataformat
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pile import corpus
from pile.card import _size_category
from pile.export.parquet import _batches
from pile.publication.datasheet import UNKNOWN
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
    card = (folder / "README.md").read_text(encoding="utf-8")
    sheet = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    notes = json.loads((folder / "manifest.json").read_bytes())["sources"]["notes"]
    assert f"| Notes | {notes['documents']:,} | {notes['text_bytes']:,} | " in card
    assert card.rstrip().count("| CC0-1.0 |") == 1
    assert "| letters | 40 | `mask_personal` | `invalid_json` 1 |  |" in card
    assert "| letters | 40 | invalid_json 1 |" in sheet
    assert "minhash" in sheet
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
    datasets = pytest.importorskip("datasets")
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
    duckdb = pytest.importorskip("duckdb")
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
    mlcroissant = pytest.importorskip("mlcroissant")
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


@pytest.mark.parametrize(("first", "after", "says"), [(1, 0, "more"), (0, 1, "fewer")])
def test_parquet_of_a_corpus_that_does_not_fit_its_provenance_is_refused(
    config: Path, tmp_path: Path, first: int, after: int, says: str
) -> None:
    """A row of provenance too few or too many: no line is left out in silence."""
    folder = folder_of(config)
    lines = next(iter(corpus.files(folder, "train")))
    table = pq.read_table(folder / corpus.provenance_name("train", 0))
    other = tmp_path / "provenance.parquet"
    pq.write_table(pa.concat_tables([table.slice(first), table.slice(0, after)]), other)
    with pytest.raises(ValueError, match=f"has {says} lines than"):
        list(_batches(lines, other))
