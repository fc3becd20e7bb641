"""A large raw file is read in pieces: the same documents, and none of a file that is damaged."""

import bz2
import dataclasses
import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_corpus import published, text

from sources.registry import SOURCES
from sources.source import Pieces

Pile = Callable[..., tuple[int, str, str]]

PIECE = 2_000


def page(number: int) -> str:
    """Return a page of a dump."""
    return (
        f"<page><title>No. {number}</title><ns>0</ns><id>{number}</id>"
        f"<revision><id>1</id><text>{text(number)}</text></revision></page>\n"
    )


def dump(first: int, count: int) -> bytes:
    """Return a dump whose streams end inside pages."""
    pages = "".join(map(page, range(first, first + count)))
    content = f"<mediawiki>\n{pages}</mediawiki>\n".encode()
    return b"".join(
        bz2.compress(content[place : place + 700]) for place in range(0, len(content), 700)
    )


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    """Folder with two dumps and a config that reads them."""
    (tmp_path / "a.xml.bz2").write_bytes(dump(1, 40))
    (tmp_path / "b.xml.bz2").write_bytes(dump(100, 30))
    (tmp_path / "small.xml.bz2").write_bytes(dump(500, 2))
    config = """
        schema = 1
        [corpus]
        name = "Wiki"
        seed = 7
        [sources.wikipedia_en]
        files = ["*.bz2"]
        [tokenizer]
        vocabulary = 400
        [run]
        work = "work"
        engine = "serial"
        """
    (tmp_path / "pipeline.toml").write_text(textwrap.dedent(config), encoding="utf-8")
    return tmp_path


def cut_files(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Let files larger than ``size`` be read in pieces of it."""
    genuine = SOURCES["wikipedia_en"]
    assert genuine.pieces is not None
    pieces = Pieces(size, genuine.pieces.suits, genuine.pieces.read)
    monkeypatch.setattr("sources.wikipedia_en.PIECE", size)
    reader = dataclasses.replace(genuine, pieces=pieces)
    monkeypatch.setattr("pile.stages.extract.SOURCES", {"wikipedia_en": reader})


def extracted(pile: Pile, folder: Path, code: int = 0) -> tuple[dict[str, object], list[object]]:
    """Run, and return the manifest of the stage and its documents in order."""
    assert pile("run", "-c", str(folder / "pipeline.toml"))[0] == code
    stage = next((folder / "work" / "stages" / "extract.wikipedia_en").iterdir())
    manifest = json.loads((stage / "manifest.json").read_text(encoding="utf-8"))
    names = [part["name"] for part in manifest["parts"] if part["name"].startswith("documents")]
    assert sorted(path.name for path in stage.rglob("documents/*")) == [
        Path(name).name for name in names
    ]
    return manifest, [row for name in names for row in pq.read_table(stage / name).to_pylist()]


def test_documents_are_those_of_the_whole_files(
    wiki: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, texts, origins and order are the same; only tasks and parts are others."""
    whole, documents = extracted(pile, wiki)
    assert (whole["tasks"], len(documents)) == (["000000"], 72)
    (wiki / "work").rename(wiki / "whole")
    cut_files(monkeypatch, PIECE)
    in_pieces, found = extracted(pile, wiki)
    tasks = in_pieces["tasks"]
    assert isinstance(tasks, list)
    assert len(tasks) > 5
    assert found == documents
    _, out, _ = pile("report", "-c", str(wiki / "pipeline.toml"), "--json")
    (figures,) = json.loads(out)["sources"]
    size = sum(path.stat().st_size for path in wiki.glob("*.bz2"))
    assert (figures["raw_files"], figures["raw_bytes"]) == (3, size)


def test_one_damaged_piece_sets_its_whole_file_aside(
    wiki: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named once, and nothing of it stays; other files are kept, and all records add up."""
    cut_files(monkeypatch, PIECE)
    path = wiki / "a.xml.bz2"
    content = bytearray(path.read_bytes())
    for place in (2 * PIECE + 700, 4 * PIECE + 700):  # two pieces
        content[place] ^= 255
    path.write_bytes(content)
    manifest, documents = extracted(pile, wiki, code=3)
    (aside,) = manifest["quarantined"]  # type: ignore[misc] # of a JSON manifest
    assert aside["file"] == "a.xml.bz2"
    assert manifest["taken"] == manifest["given"] == len(documents) == 32
    assert not any("a.xml.bz2" in str(document) for document in documents)
    config = str(wiki / "pipeline.toml")
    assert pile("verify", "-c", config)[0] == 0
    before = published(wiki / "work")
    next((wiki / "work" / "stages" / "extract.wikipedia_en").rglob("manifest.json")).unlink()
    assert pile("run", "-c", config)[0] == 3
    assert published(wiki / "work") == before
