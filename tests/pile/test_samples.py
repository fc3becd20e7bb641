"""The whole pipeline over real raw files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Pile = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[2]

DOCUMENTS = {
    "wikipedia_en": 1023,
    "stackexchange": 1124,
    "pubmed_abstracts": 167,
    "pubmed_central": 24,
}
"""How many documents the published code made of the samples; ours also reads what it could not."""


@pytest.mark.real
def test_real_raw_files_go_all_the_way(samples: Path, tmp_path: Path, pile: Pile) -> None:
    """Eight sources in, verified shards out; cut and foreign files are set aside by name."""
    assert samples.is_dir()
    text = (ROOT / "examples" / "samples.toml").read_text(encoding="utf-8")
    config = tmp_path / "samples.toml"
    config.write_text(text.replace('work = "../work/samples"', 'work = "work"\nengine = "serial"'))
    code, out, err = pile("run", "-c", str(config), "--json")
    assert code == 3, err
    aside = {file for _, file, _ in json.loads(out)["quarantined"]}
    assert aside >= {"resiliparse_clipped.warc.gz", "viwiki_test.xml", "oa_file_list.head10000.csv"}
    assert pile("verify", "-c", str(config))[0] == 0
    _, out, _ = pile("report", "-c", str(config), "--json")
    figures = {one["name"]: one for one in json.loads(out)["sources"]}
    assert len(figures) == 8
    for one in figures.values():
        assert one["records"] == one["documents"] + sum(one["rejected"].values())
        assert one["documents"] > 0
        assert one["tokens"] > 0
    for name, least in DOCUMENTS.items():
        assert figures[name]["documents"] >= least
