"""Github: from archives of repositories to their text files."""

import base64
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import file_kinds, licence_texts
from sources.github import API, SOURCE, draw
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/github/made-up/teapot.tar.gz"


def outcomes(
    path: Path, name: str = "made-up/teapot.tar.gz", options: Mapping[str, Option] | None = None
) -> list[Document | Rejected]:
    """Read a file as the source does, all documents kept unless the options say otherwise."""
    merged = {**SOURCE.defaults, "keep": 1.0, **(options or {})}
    return list(SOURCE.read(path, RawFile("", name), merged))


def archive(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Pack files of a repository below one folder."""
    path = folder / "x.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(f"top-0a1b2c3/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def reason(folder: Path, content: bytes, name: str = "a.txt") -> str:
    """Return why a file of this content gives no document; nothing if it gives one."""
    (only,) = outcomes(archive(folder, {name: content}))
    return only.reason if isinstance(only, Rejected) else ""


def test_every_file_has_an_outcome_in_archive_order() -> None:
    """Names first, then bytes, then characters decide."""
    top = "made-up/teapot.tar.gz:made-up-teapot-0a1b2c3/"
    found = outcomes(EXAMPLE)
    assert all(outcome.origin.startswith(top) for outcome in found)
    assert [(o.origin.removeprefix(top), getattr(o, "reason", "")) for o in found] == [
        (".editorconfig", "file_name"),
        (".github/workflows/test.yml", ""),
        ("LICENSE", "file_name"),
        ("README.md", ""),
        ("assets/spout.dat", "file_name"),
        ("assets/steam.raw", "binary"),
        ("menu.json", "json"),
        ("notes/empty.txt", "no_content"),
        ("notes/key.txt", "not_plain"),
        ("notes/latin.txt", ""),
        ("notes/minified.js", "long_lines"),
        ("notes/pi.txt", "digits"),
        ("src/teapot/__init__.py", ""),
        ("src/teapot/kettle.js", ""),
        ("src/lid.py", "unreadable_member"),
    ]


def test_a_file_is_a_document_under_its_repositorys_licence() -> None:
    """Told from the text at its top."""
    assert outcomes(EXAMPLE)[3] == Document(
        id="github/made-up/teapot/README.md",
        text='# teapot\n\nShort, stout, tested.\n\n```python\nfrom teapot import pour\npour("Assam")\n```\n',
        origin="made-up/teapot.tar.gz:made-up-teapot-0a1b2c3/README.md",
        licence="MIT",
        meta={"repository": "made-up/teapot", "path": "README.md"},
    )


def test_licences_can_be_required() -> None:
    """Of a repository under another licence every file is rejected."""
    assert (
        len(
            [
                o
                for o in outcomes(EXAMPLE, options={"licences": ("MIT",)})
                if isinstance(o, Document)
            ]
        )
        == 5
    )
    other = outcomes(EXAMPLE, options={"licences": ("Apache-2.0",)})
    assert {getattr(outcome, "reason", "") for outcome in other} == {"licence"}


def test_a_part_of_the_documents_is_drawn(tmp_path: Path) -> None:
    """By default 16 %, as in Table 1: the same in every run, and the less in the more."""
    path = archive(tmp_path, {f"{number:04}.txt": b"line\n" for number in range(2000)})

    def kept(keep: float) -> set[str]:
        found = outcomes(path, options={"keep": keep})
        assert {o.reason for o in found if isinstance(o, Rejected)} <= {"not_sampled"}
        return {o.id for o in found if isinstance(o, Document)}

    assert SOURCE.defaults["keep"] == 0.16
    assert len(kept(1.0)) == 2000
    assert not kept(0.0)
    # Of 2,000 draws of 0.16, 320 are expected; 50 off is three standard deviations.
    assert 270 < len(kept(0.16)) < 370
    assert kept(0.16) < kept(0.5)
    assert draw("github/a/b/c.py") == draw("github/a/b/c.py") != draw("github/a/b/d.py")


def test_no_bound_on_characters_is_none(tmp_path: Path) -> None:
    """``max_characters = 0`` takes what a bound would not."""
    path = archive(tmp_path, {"a.txt": b"line\n" * 30_000})
    (bounded,) = outcomes(path)
    assert isinstance(bounded, Rejected)
    assert bounded.reason == "too_long"
    (free,) = outcomes(path, options={"max_characters": 0})
    assert isinstance(free, Document)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".hidden", "file_name"),
        (".hidden/a", ""),
        (".git/config", "git_folder"),
        ("my.github.txt", "file_name"),
        ("LICENSE.md", "file_name"),
        ("LICENSES/a", ""),
        ("node_modules/a", ""),
        ("a.min.js", "file_name"),
        ("app", "file_name"),
        ("a.lock", "file_name"),
        ("a.LOCK", ""),
    ],
)
def test_names(tmp_path: Path, name: str, expected: str) -> None:
    """Only the base name counts, and its letters' case does."""
    assert reason(tmp_path, b"text\nand text\n", name) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no_content"),
        (b"\n", "no_content"),
        (b"a\0b\n", "binary"),
        (b"\x1b[31mred\n", ""),
        ("a\nb\n".encode("utf-16"), ""),
        (b"\xff\xfea", "binary"),
        (b'{"a": 1}\n', "json"),
        (b"[1]\n[2]\n", ""),
        (b"[" * 50_000 + b"\n" * 500, ""),
        (b"123456789\na", "digits"),
        (b"12345678\na", ""),
        (b"x" * 199 + b"\n", ""),
        (b"x" * 200 + b"\n", "long_lines"),
        (b"no newline", "long_lines"),
        (b"a\n" * 50_000, "too_long"),
        (b"a\n" * 49_999, ""),
    ],
)
def test_contents(tmp_path: Path, content: bytes, expected: str) -> None:
    """As published, with the limit of the Pile's last step."""
    assert reason(tmp_path, content) == expected


def test_charsets(tmp_path: Path) -> None:
    """UTF-8 keeps its byte order mark, others are told."""
    files = {
        "bom.txt": b"\xef\xbb\xbfa\nb\n",
        "latin.txt": "Café crème, très sucré.\n".encode("latin-1") * 2,
        "russian.txt": "Привет, мир! Это простой текст на русском языке.\n".encode("cp1251") * 3,
    }
    assert [o.text for o in outcomes(archive(tmp_path, files)) if isinstance(o, Document)] == [
        "\ufeffa\nb\n",
        "Café crème, très sucré.\n" * 2,
        "Привет, мир! Это простой текст на русском языке.\n" * 3,
    ]


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_of_a_kind(content: bytes) -> None:
    """Text, or one of those explained; text has no NUL outside UTF-16."""
    kind = file_kinds.kind(content)
    assert kind == "text" or kind in file_kinds.REASONS
    if kind == "text" and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert b"\0" not in content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apache License\n  Version 2.0, January 2004\n", "Apache-2.0"),
        (
            "Copyright me\nRedistribution and use in source and binary forms, with or",
            "BSD-2-Clause",
        ),
        (
            "Redistribution and use in source and binary forms... Neither the name of",
            "BSD-3-Clause",
        ),
        (
            "Redistribution and use in source and binary forms. All advertising materials mentioning features",
            "unknown",
        ),
        ("GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007", "GPL-3.0"),
        ("x " * 2000 + "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007", "unknown"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("All rights reserved.", "unknown"),
    ],
)
def test_licence_texts(text: str, expected: str) -> None:
    """Exactly, or not at all."""
    assert licence_texts.identifier(text) == expected


def test_several_licences_are_named() -> None:
    """How they belong together is not known."""
    assert licence_texts.joint({"MIT", "Apache-2.0", "unknown"}) == "several: Apache-2.0, MIT"
    assert licence_texts.joint({"unknown"}) == licence_texts.joint(set()) == "unknown"


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    """It does not pass for a smaller repository."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(EXAMPLE.read_bytes()[:-10])
    with pytest.raises(UnreadableFile, match="cut"):
        outcomes(path)


def test_plan_takes_the_repositories_it_is_given() -> None:
    """At a ref, or at the head of the main branch; nothing is asked for."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    options = {**SOURCE.defaults, "repositories": ("made-up/teapot", "made-up/tea.pot@v1/x")}
    assert list(SOURCE.plan(options, get)) == [
        RawFile(f"{API}repos/made-up/teapot/tarball", "made-up/teapot.tar.gz"),
        RawFile(f"{API}repos/made-up/tea.pot/tarball/v1%2Fx", "made-up/tea.pot.tar.gz"),
    ]
    with pytest.raises(ValueError, match="no repository"):
        list(SOURCE.plan({**options, "repositories": ("../up",)}, get))


def test_plan_searches_otherwise() -> None:
    """Page by page, up to the count, sorted by name."""
    asked = []

    def get(url: str) -> bytes:
        asked.append(url)
        page = len(asked)
        return json.dumps(
            {"total_count": 300, "items": [{"full_name": f"o/r{page}{n:02}"} for n in range(100)]}
        ).encode()

    planned = list(SOURCE.plan({**SOURCE.defaults, "count": 101}, get))
    assert len(planned) == 101
    assert planned[-1].name == "o/r200.tar.gz"
    assert asked[1] == (
        f"{API}search/repositories?q=stars%3A%3E100&sort=stars&order=desc&per_page=100&page=2"
    )
    with pytest.raises(ValueError, match="no answer of a search"):
        list(SOURCE.plan(SOURCE.defaults, lambda _: b'{"message": "rate limit"}'))
    with pytest.raises(ValueError, match="GitHub gives 1 to 1000"):
        list(SOURCE.plan({**SOURCE.defaults, "count": 1001}, get))


@pytest.mark.real
def test_documents_equal_the_original_of_a_made_up_repository(golden: Path, tmp_path: Path) -> None:
    """All 25 are equal; JavaScript, which newer libmagic does not call text, comes on top."""
    files = json.loads((golden / "github_edge_repo.json").read_text(encoding="utf-8"))
    path = archive(tmp_path, {name: base64.b64decode(files[name]) for name in sorted(files)})
    with (golden / "github.jsonl").open(encoding="utf-8") as lines:
        entries = [entry for entry in map(json.loads, lines) if "edge" in entry["file"]]
    found = {o.meta["path"]: o.text for o in outcomes(path) if isinstance(o, Document)}
    more = {name: found.pop(name) for name in ("node_modules/pkg/index.js", "script.js")}
    assert all(more.values())
    assert found == {entry["record"]: entry["text"] for entry in entries}
    assert len(found) == 25


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "more"),
    [("pytest-dev/pluggy", {"src/pluggy/_compat.py"}), ("simonw/hacker-news-to-sqlite", set())],
)
def test_documents_equal_the_original_of_real_repositories(
    samples: Path, golden: Path, tmp_path: Path, name: str, more: set[str]
) -> None:
    """All 72 are equal; one Python file that newer libmagic takes for JavaScript comes on top."""
    clone = samples / "github" / name
    if not clone.exists():
        pytest.skip(f"{clone} is not there: a clone of github.com/{name}")
    with (golden / "github.jsonl").open(encoding="utf-8") as lines:
        entries = [entry for entry in map(json.loads, lines) if f":{name}@" in entry["file"]]
    commit = entries[0]["file"].partition("@")[2]
    path = tmp_path / "x.tar.gz"
    command = ["git", "-C", str(clone), "archive", "--format=tar.gz", "--prefix=top/"]
    subprocess.run([*command, "-o", str(path), commit], check=True)
    found = {o.meta["path"]: o.text for o in outcomes(path) if isinstance(o, Document)}
    expected = {entry["record"]: entry["text"] for entry in entries}
    assert set(found) - set(expected) == more
    assert {name: found[name] for name in expected} == expected
