"""`pile urls`: from dumps to lists, whole or not at all."""

import json
from pathlib import Path

import pytest
import zstandard
from typer.testing import CliRunner

from pile.cli import app
from pile.commands.urls import Lists, write_lists

RUN = CliRunner()


def dump(folder: Path, month: str, urls: list[str]) -> Path:
    """Write a dump of submissions, one for each address."""
    path = folder / f"RS_{month}.zst"
    posts = [
        {"id": f"{month[-1]}{n}", "is_self": False, "url": url, "score": 3, "created_utc": 1}
        for n, url in enumerate(urls)
    ]
    path.write_bytes(zstandard.compress(b"".join(json.dumps(p).encode() + b"\n" for p in posts)))
    return path


@pytest.fixture
def dumps(tmp_path: Path) -> list[Path]:
    """Two months with a page in common."""
    first = [f"https://a.example/{n}" for n in range(5)]
    return [
        dump(tmp_path, "2019-01", first),
        dump(tmp_path, "2019-02", [first[0], "https://i.imgur.com/1", "https://z.example/1"]),
    ]


def test_lists_hold_so_many_pages_each(dumps: list[Path], tmp_path: Path) -> None:
    """All pages in order, counts beside them, and nothing else is left."""
    done = RUN.invoke(app, ["urls", *map(str, dumps), "-o", str(tmp_path / "urls"), "--per-file", "4", "--json"])  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["pages"], found["files"], found["submissions"], found["given"]) == (6, 2, 8, 7)
    assert found["rejected"] == {"blocked_domain": 1}
    names = sorted(path.name for path in (tmp_path / "urls").iterdir())
    assert names == ["00000.urls.jsonl", "00001.urls.jsonl", "counts.json"]
    lines = [
        json.loads(line)
        for name in names[:2]
        for line in (tmp_path / "urls" / name).read_text(encoding="utf-8").splitlines()
    ]
    assert [line["url"] for line in lines] == [
        *(f"https://a.example/{n}" for n in range(5)),
        "https://z.example/1",
    ]
    assert lines[0]["reddit_score"] == [3, 3]
    assert not list(tmp_path.glob(".*"))


def test_workers_and_order_decide_nothing(dumps: list[Path], tmp_path: Path) -> None:
    """The same lists to the byte, and each dump counts once."""
    one = write_lists(dumps, Lists(tmp_path / "one"), 1, len_of, len_of)
    two = write_lists([*reversed(dumps), dumps[0]], Lists(tmp_path / "two"), 2, len_of, len_of)
    assert one.rejected == two.rejected
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def len_of(count: int) -> None:
    """Hear progress."""
    assert count >= 0


def test_a_cut_dump_leaves_nothing(dumps: list[Path], tmp_path: Path) -> None:
    """Neither lists nor runs; the message names it."""
    dumps[1].write_bytes(dumps[1].read_bytes()[:-5])
    done = RUN.invoke(app, ["urls", *map(str, dumps), "-o", str(tmp_path / "urls"), "--workers", "1"])  # fmt: skip
    assert done.exit_code == 1
    assert dumps[1].name in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in dumps]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["RS_1.zst", "-o", "urls"], "no such file"),
        (["RS_2019-01.zst", "-o", "."], "is there already"),
        (["RS_2019-01.zst", "-o", "urls", "--fidelity", "exact"], "published, corrected"),
    ],
)
def test_what_cannot_be_done_is_said(
    dumps: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    """Before anything is read."""
    assert dumps
    monkeypatch.chdir(tmp_path)
    done = RUN.invoke(app, ["urls", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr
