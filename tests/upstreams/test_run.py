"""One run over all 22 sources: 17 downloaded from their upstreams' stand-ins, five from local files.

Of the 17, OpenWebText2 is a list of pages that the user has, beside files of the user's.
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from real_files import real
from sites import HTML
from standin import NOT_FOUND, Reply, Standin, file
from typer.testing import CliRunner
from worlds import EXAMPLES, World, settle

from pile.cli import app
from sources.published import PILE_SET_NAMES
from sources.registry import SOURCES
from sources.source import Document, Option, Options, RawFile, Source, nothing_to_download
from sources.upstream.public_address import ALLOW_PRIVATE

LOCAL = sorted(
    name
    for name, source in SOURCES.items()
    if source.plan is nothing_to_download and name in PILE_SET_NAMES
)
LINKED = "openwebtext2"
PAGES = "news.example"
WORDS = "It is not known who turned the clock back, or why they would have wanted it to be so. "
END = """
[mix]
val = 0.05
test = 0.05
[tokenizer]
vocabulary = 400
[run]
work = "work"
engine = "serial"
contact = "guest@example.org"
"""


def written(value: Option) -> str:
    """Return an option as TOML has it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def write_config(folder: Path, world: World, mirrors: Mapping[str, str]) -> Path:
    """Write a config of all sources; without mirrors, all are read from local files."""
    tables = []
    for name in sorted(PILE_SET_NAMES):
        options = dict(world.options.get(name, {}))
        if name == LINKED:
            options = {"files": (f"{folder}/{name}/*",)}
        elif name in LOCAL:
            options = {"files": (f"{EXAMPLES}/{name}/**/*",)}
        elif not mirrors:
            options["files"] = (f"{folder}/raw/{name}/**/*",)
        lines = [f"{key} = {written(value)}" for key, value in options.items()]
        tables.append("\n".join([f"[sources.{name}]", *lines]))
    led = [f"{json.dumps(start)} = {json.dumps(place)}" for start, place in mirrors.items()]
    text = "\n".join([*tables, END, "[run.mirrors]", *led])
    path = folder / "pipeline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_links(folder: Path, standin: Standin) -> None:
    """Put a list of two web pages beside files of OpenWebText2; one of the two is gone."""
    shutil.copytree(EXAMPLES / LINKED, folder / LINKED)
    urls = [f"{standin.url}{PAGES}/{name}.html" for name in ("clock", "gone")]
    lines = [json.dumps({"url": url, "reddit_score": [7]}) + "\n" for url in urls]
    (folder / LINKED / "linked.urls.jsonl").write_text("".join(lines), encoding="utf-8")
    page = f"<html lang=en><title>Clock</title><p>{WORDS * 4}</p></html>".encode()
    standin.hosts[PAGES] = lambda ask: file(page, HTML) if "clock" in ask.path else NOT_FOUND
    # The stand-in is one site to those who ask it for pages.
    standin.hosts["robots.txt"] = lambda _: file(
        b"User-agent: *\nDisallow: /private/\n", "text/plain"
    )


def write_raw(folder: Path, world: World) -> None:
    """Put a world's raw files on disk, by source and name."""
    for name, files in world.raws.items():
        for raw, content in files.items():
            path = folder / "raw" / name / raw
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def call(*arguments: str) -> tuple[int, str, str]:
    """Call the command line: exit code, stdout, stderr."""
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def stages(config: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of every stage."""
    _, out, _ = call("status", "-c", str(config), "--json")
    return {one["stage"]: one for one in json.loads(out)}


def read_here(source: Source, options: Options, folder: Path) -> Counter[str]:
    """Read a source's raw files without a pipeline: how many documents, and rejections by reason."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    raws = [(path, RawFile(path.as_uri(), path.relative_to(folder).as_posix())) for path in paths]
    groups: dict[str, list[tuple[Path, RawFile]]] = {}
    for path, raw in raws:
        key = source.grouping.key(raw, options) if source.grouping else raw.name
        groups.setdefault(key, []).append((path, raw))
    found: Counter[str] = Counter()
    for group in groups.values():
        items = (
            source.grouping.read(group, options)
            if source.grouping
            else source.read(*group[0], options)
        )
        found.update("" if isinstance(item, Document) else item.reason for item in items)
    return found


def corpus(work: Path) -> dict[str, bytes]:
    """Return the files of a run's corpus."""
    folder = work / "latest" / "corpus"
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.zst"))}


@pytest.fixture
def trusted(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-in see the keys of sources, as a mirror otherwise may not."""
    here = urlsplit(standin.url).netloc
    sources = {
        name: replace(
            source, keys=tuple(replace(key, hosts=(*key.hosts, here)) for key in source.keys)
        )
        for name, source in SOURCES.items()
    }
    monkeypatch.setattr("pile.config.SOURCES", sources)
    monkeypatch.setenv(ALLOW_PRIVATE, "yes")


def check(world: World, standin: Standin, folder: Path) -> None:
    """Run over all upstreams, again, and over the same files at hand; compare."""
    far, near = folder / "far", folder / "near"
    far.mkdir()
    near.mkdir()
    write_raw(near, world)
    config = write_config(far, world, standin.mirrors())
    write_links(far, standin)
    code, out, err = call("run", "-c", str(config))
    assert code in {0, 3}, err + out
    assert "set aside" not in out
    assert {ask.host for ask in standin.asked} <= set(standin.hosts)
    _, again, _ = call("run", "-c", str(config), "--json")
    assert json.loads(again)["made"] == []
    known = stages(config)
    for name, source in SOURCES.items():
        if name in world.raws:
            extracted = known[f"extract.{name}"]
            options = {**source.defaults, **world.options.get(name, {})}
            found = read_here(source, options, near / "raw" / name)
            counted = Counter({"": extracted["given"], **extracted["rejected"]})
            assert counted == found, name
            assert extracted["taken"] == found.total()
    assert sorted(standin.paths(PAGES)) == ["clock.html", "gone.html"]
    shutil.copytree(EXAMPLES / LINKED, near / LINKED)
    shutil.copy(far / f"work/raw/{LINKED}/linked.warc.gz", near / LINKED)
    code, out, err = call("run", "-c", str(write_config(near, world, {})))
    assert code in {0, 3}, err + out
    assert corpus(far / "work") == corpus(near / "work")


def test_all_sources_run_from_their_upstreams(
    world: World, standin: Standin, trusted: None, tmp_path: Path
) -> None:
    """What comes of downloads is what comes of the same files at hand; nothing comes twice."""
    assert len({*world.raws, *LOCAL}) == len(PILE_SET_NAMES) == 22
    check(world, standin, tmp_path)
    assert {ask.host for ask in standin.asked} == set(standin.hosts)
    asked = [(ask.host, ask.path) for ask in standin.asked if ask.path and not ask.query]
    assert len(set(asked)) == len(asked)


def test_a_run_without_keys_does_not_begin(
    world: World,
    standin: Standin,
    trusted: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says which key is missing and where to get it; no file is fetched."""
    monkeypatch.delenv("USPTO_API_KEY")
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "none.toml"))
    config = write_config(tmp_path, world, standin.mirrors())
    write_links(tmp_path, standin)
    code, _, err = call("run", "-c", str(config))
    assert code == 2
    assert "USPTO_API_KEY" in err
    assert "https://data.uspto.gov/myodp" in err
    assert not (tmp_path / "work/raw").exists()


def test_a_listing_of_another_form_ends_its_source_alone(
    world: World, standin: Standin, trusted: None, tmp_path: Path
) -> None:
    """The message names the listing and what to do; the other sources are whole."""
    standin.hosts["irclogs.ubuntu.com"] = lambda _: Reply(b"<html>We have moved.</html>")
    config = write_config(tmp_path, world, standin.mirrors())
    write_links(tmp_path, standin)
    code, out, _ = call("run", "-c", str(config))
    assert code == 8
    assert "left out: ubuntu_irc" in out
    assert "https://irclogs.ubuntu.com/ lists no log" in out
    assert "bring the files by hand" in out
    assert corpus(tmp_path / "work")


@pytest.mark.real
def test_real_raw_files_run_from_their_upstreams(
    samples: Path,
    standin: Standin,
    trusted: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As do real files, behind the same listings, for all sources but GitHub, which has no samples."""
    check(settle(real(samples), standin, monkeypatch), standin, tmp_path)
