"""Lists of web pages among the user's files: their pages are downloads."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pile.commands.show import show, show_rejected
from pile.config import load
from pile.downloads.raw_files import identity, locate
from pile.graph import build
from pile.run import run
from sources.source import Json
from sources.upstream import gather_pages
from sources.upstream.page import Missing, Page

WORDS = "It is not known who turned the clock back, or why they would have wanted it to be so. "


def line(url: str, scores: list[int]) -> str:
    """Return a line of a list."""
    entry: dict[str, Json] = {
        "url": url,
        "reddit_id": list(range(len(scores))),
        "subreddit": ["clocks"] * len(scores),
        "reddit_score": scores,
        "reddit_title": ["\u00c9bb\u2028"] * len(scores),
        "reddit_created_utc": [1_557_000_000] * len(scores),
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a pipeline of one list with two pages."""
    folder = tmp_path / "urls"
    folder.mkdir()
    (folder / "00000.urls.jsonl").write_text(
        line("https://news.example/\u00e9bb", [2, 5]) + line("https://gone.example/", [9]),
        encoding="utf-8",
    )
    path = tmp_path / "pipeline.toml"
    path.write_text(
        'schema = 1\n[sources.openwebtext2]\nfiles = ["urls/*.urls.jsonl"]\n'
        "[tokenizer]\nvocabulary = 300\n"
        '[run]\nwork = "work"\nengine = "serial"\ncontact = "us@example.org"\n',
        encoding="utf-8",
    )
    return path


def fake_page(url: str, *_: object) -> Page:
    """Answer as a host would."""
    if "gone" in url:
        raise Missing("gone", "404")
    body = f"<html lang=en><title>Ebb</title><p>{WORDS * 4}</p></html>".encode()
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    return Page(url, datetime(2026, 1, 2, tzinfo=UTC), "200 OK", headers, body)


def test_a_list_stands_for_its_pages(config: Path, tmp_path: Path) -> None:
    """Known by its content, wherever it lies; another list is another download."""
    settings = load(config)
    (first,) = locate(settings, settings.sources[0], lambda _: None)
    assert (first.raw.name, first.raw.form, first.is_local) == ("00000.warc.gz", "pages", False)
    shutil.move(tmp_path / "urls", tmp_path / "elsewhere")
    config.write_text(config.read_text().replace("urls/*", "elsewhere/*"), encoding="utf-8")
    settings = load(config)
    (second,) = locate(settings, settings.sources[0], lambda _: None)
    assert second.raw.url != first.raw.url
    assert identity(second) == identity(first)
    (tmp_path / "elsewhere/00000.urls.jsonl").write_text(line("https://b.example/", [3]))
    (third,) = locate(settings, settings.sources[0], lambda _: None)
    assert identity(third) != identity(first)


def test_pages_of_a_list_become_documents(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with what the list says of it; the others are rejected with the reason."""
    monkeypatch.setattr(gather_pages, "page", fake_page)
    settings = load(config)
    graph = build(settings, lambda _: None)
    run(settings, graph, lambda _: None)
    (document,) = show(settings, graph, "openwebtext2", 9)
    assert isinstance(document, dict)
    assert document["id"] == "openwebtext2/00000.warc.gz:1"
    assert document["text"] == (WORDS * 4).strip()
    meta = document["meta"]
    meta = json.loads(meta) if isinstance(meta, str) else meta
    assert isinstance(meta, dict)
    assert meta["url"] == "https://news.example/\u00e9bb"
    assert meta["reddit_score"] == [2, 5]
    assert meta["reddit_title"] == ["\u00c9bb\u2028"] * 2
    (rejected,) = show_rejected(settings, graph, "openwebtext2", 9)
    assert isinstance(rejected, dict)
    assert rejected["reason"] == "not_fetched"
    assert "reason: gone" in str(rejected["excerpt"])
