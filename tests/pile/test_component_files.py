"""A component's file that the user holds stands in for its upstream."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
import zstandard

from pile.config import load
from sources import published
from sources.published import ComponentFile
from sources.registry import SOURCES

Pile = Callable[..., tuple[int, str, str]]

CONTENT = zstandard.compress(
    b"".join(
        json.dumps({"text": f"Paper {n} is about the weather of the day. " * 5}).encode() + b"\n"
        for n in range(20)
    )
)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Return a config that plugs a file into the table of a component."""
    (tmp_path / "arxiv.jsonl.zst").write_bytes(CONTENT)
    path = tmp_path / "pipeline.toml"
    path.write_text(
        'schema = 1\n[sources.arxiv]\nreader = "local"\nfiles = ["arxiv.jsonl.zst"]\n'
        '[tokenizer]\nvocabulary = 300\n[run]\nwork = "work"\nengine = "serial"\n',
        encoding="utf-8",
    )
    return str(path)


def test_it_is_the_component(config: str) -> None:
    """By name and licence, unless the table says otherwise."""
    (table,) = load(Path(config)).sources
    assert (table.pile_set_name, table.licence) == ("ArXiv", SOURCES["arxiv"].licence)
    text = Path(config).read_text(encoding="utf-8")
    named = text.replace("files =", 'licence = "CC0-1.0"\npile_set_name = "Papers"\nfiles =')
    Path(config).write_text(named, encoding="utf-8")
    (table,) = load(Path(config)).sources
    assert (table.pile_set_name, table.licence) == ("Papers", "CC0-1.0")


@pytest.mark.parametrize(
    ("is_published", "note"),
    [
        (True, "arxiv.jsonl.zst: this is arxiv.jsonl.zst of 2020, as published"),
        (False, "arxiv.jsonl.zst: same name as the arxiv.jsonl.zst of 2020, other content"),
    ],
)
def test_its_content_is_told(
    config: str, pile: Pile, monkeypatch: pytest.MonkeyPatch, is_published: bool, note: str
) -> None:
    """By the run, by status, and in the report."""
    if is_published:
        digest = hashlib.sha256(CONTENT).hexdigest()
        known = MappingProxyType({digest: ComponentFile("arxiv.jsonl.zst", "arxiv")})
        monkeypatch.setattr(published, "COMPONENT_FILES", known)
    code, _, said = pile("run", "-c", config)
    assert code == 0, said
    assert f"arxiv: {note}" in said
    assert f"fetch.arxiv: {note}" in pile("status", "-c", config)[1]
    rows = json.loads(pile("status", "-c", config, "--json")[1])
    assert {row["stage"]: row["recognised"] for row in rows}["fetch.arxiv"] == [note]
    figures = json.loads(pile("report", "-c", config, "--json")[1])
    (source,) = figures["sources"]
    assert source["documents"] == 20
    assert source["recognised"] == [
        {
            "name": "arxiv.jsonl.zst",
            "published": {"name": "arxiv.jsonl.zst", "source": "arxiv"},
            "as_published": is_published,
        }
    ]
    page = pile("report", "-c", config)[1].strip()
    assert f"ArXiv: {note}." in Path(page).read_text(encoding="utf-8")
