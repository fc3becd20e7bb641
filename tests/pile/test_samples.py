"""The whole pipeline over real raw files."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sources.published import PILE_SET_NAMES

Pile = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[2]


def documented() -> dict[str, str]:
    """Return what docs/sources.md says that each source's real raw files come to."""
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    section = text.partition("## What real raw files come to")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return {line.split("`")[1]: line.rpartition(" | ")[0] for line in lines}


def row(one: Mapping[str, Any], aside: int) -> str:
    """Return the row of a source in the documentation, as its figures have it."""
    ordered = sorted(one["rejected"].items(), key=lambda entry: (-entry[1], entry[0]))
    rejected = ", ".join(f"{reason} {count}" for reason, count in ordered)
    return (
        f"| `{one['name']}` | {one['records']:,} | {one['documents']:,} "
        f"| {rejected or NONE} | {aside}"
    )


NONE = "\N{EN DASH}"

WITHOUT = {"hackernews", "ubuntu_irc"}
"""Sources of whose samples none is whole: stories without their comments, logs without their day."""


@pytest.mark.real
def test_real_raw_files_go_all_the_way(samples: Path, tmp_path: Path, pile: Pile) -> None:
    """All components but Github in, verified shards out; each figure is the documented one."""
    assert samples.is_dir()
    text = (ROOT / "examples" / "samples.toml").read_text(encoding="utf-8")
    config = tmp_path / "samples.toml"
    config.write_text(text.replace('work = "../work/samples"', 'work = "work"\nengine = "serial"'))
    code, out, err = pile("run", "-c", str(config), "--json")
    assert code == 3, err
    quarantined = json.loads(out)["quarantined"]
    aside = {file for _, file, _ in quarantined}
    assert aside >= {"resiliparse_clipped.warc.gz", "viwiki_test.xml", "oa_file_list.head10000.csv"}
    by_source = Counter(stage.removeprefix("extract.") for stage, _, _ in quarantined)
    assert pile("verify", "-c", str(config))[0] == 0
    _, out, _ = pile("report", "-c", str(config), "--json")
    figures = {one["name"]: one for one in json.loads(out)["sources"]}
    assert set(figures) == set(PILE_SET_NAMES) - {"github"}
    assert {name: row(one, by_source[name]) for name, one in figures.items()} == documented()
    for name, one in figures.items():
        assert one["records"] == one["documents"] + sum(one["rejected"].values())
        assert (one["documents"] > 0) == (one["tokens"] > 0) == (name not in WITHOUT)
