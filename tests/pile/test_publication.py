"""What lies beside the corpus: card, datasheet, Croissant, manifest, checksums, and Parquet on request."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pile import corpus
from pile.publication.datasheet import UNKNOWN

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
    path = write_config(folder)
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
    assert "| letters | 40 | invalid_json 1 |" in sheet
    assert "minhash" in sheet
    assert sheet.count(UNKNOWN) > 10
    for section in ("Motivation", "Composition", "Collection", "Uses", "Distribution"):
        assert f"\n## {section}\n" in sheet


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
