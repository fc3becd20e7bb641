"""What `pile status` reads: of a million files, none is kept in memory."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile import layout, ledger, store
from pile.config import Config, SourceTable, load
from pile.downloads.raw_files import plain
from pile.downloads.remembered import publish_plan
from pile.graph import build
from pile.ledger import Part, Receipt
from pile.states import read_manifest, state_of
from pile.summaries import Summary, read_summary
from sources.source import RawFile

TEXTS = st.text() | st.sampled_from(
    ['": ', '"', '\\": [', "  {", " ]\n", "\udcff", "seal", "{", "["]
)
COUNTS = st.dictionaries(TEXTS, st.integers(0, 1 << 60), max_size=3)
NAMES = st.text(max_size=20).filter(lambda name: "\0" not in name) | st.just("\udcff")
PARTS = st.builds(Part, NAMES, st.integers(0, 9), TEXTS, COUNTS)
RECEIPTS = st.builds(
    Receipt,
    TEXTS,
    st.lists(PARTS, max_size=3).map(tuple),
    st.integers(0, 9),
    st.integers(0, 9),
    COUNTS,
    st.lists(st.builds(ledger.Quarantined, TEXTS, TEXTS), max_size=2).map(tuple),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def publish(folder: Path, recipe: dict[str, object], receipts: list[Receipt]) -> None:
    """Publish a manifest as a run does."""
    found = ledger.manifest(recipe, receipts)  # type: ignore[arg-type]
    store.publish_json(layout.manifest(folder), ledger.sealed(found))


@given(st.dictionaries(TEXTS, JSON, max_size=3), st.lists(RECEIPTS, max_size=3))
def test_a_summary_says_what_the_manifest_does(
    tmp_path_factory: pytest.TempPathFactory, recipe: dict[str, object], receipts: list[Receipt]
) -> None:
    """Whatever texts are in it, read whole or line by line."""
    folder = tmp_path_factory.mktemp("stage")
    publish(folder, recipe, receipts)
    found, whole = read_summary(folder), read_manifest(folder)
    assert found is not None
    assert whole is not None
    assert (found.taken, found.given, found.rejected, found.quarantined) == tuple(
        whole[key] for key in ("taken", "given", "rejected", "quarantined")
    )
    assert found.bytes == sum(part["size"] for part in whole["parts"])


def test_no_damage_to_a_manifest_is_taken_for_a_summary(tmp_path: Path) -> None:
    """Any byte changed or cut: it is as if there were none; blanks between values say nothing."""
    parts = (Part("a.parquet", 1, "00", {"rows": 2}), Part("b.parquet", 3, "11"))
    publish(tmp_path, {"stage": "s"}, [Receipt("t", parts, 5, 4, {"short": 1})])
    path = layout.manifest(tmp_path)
    written = path.read_bytes()
    before = read_summary(tmp_path)
    assert before == Summary(5, 4, {"short": 1}, [], 4, whole=False)
    for place, byte in enumerate(written):
        for damaged in (
            written[:place] + bytes([byte ^ 1]) + written[place + 1 :],
            written[:place],
        ):
            path.write_bytes(damaged)
            found = read_summary(tmp_path)
            assert found is None or (found == before and json.loads(damaged) == json.loads(written))


def test_a_stage_is_done_only_while_its_parts_are_there(tmp_path: Path) -> None:
    """With their sizes; what it published is told nevertheless."""
    publish(tmp_path, {}, [Receipt("t", (Part("a", 1, ""), Part("b", 2, "")), 2, 2)])
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"xy")
    assert read_summary(tmp_path) == Summary(2, 2, {}, [], 3, whole=True)
    (tmp_path / "b").write_bytes(b"x")
    assert read_summary(tmp_path) == Summary(2, 2, {}, [], 3, whole=False)


def fetched(tmp_path: Path, files: int) -> Config:
    """Return a configuration whose one source has downloaded so many files."""
    path = tmp_path / "pipeline.toml"
    path.write_text(
        f'schema = 1\n[sources.github]\n[run]\nwork = "work{files}"\n', encoding="utf-8"
    )
    config = load(path)
    table: SourceTable = config.enabled[0]
    wanted = {"version": table.source.version, "options": plain(table.all_options)}
    raws = [RawFile(f"https://example.org/{n:06d}.tar.gz", f"{n:06d}.tar.gz") for n in range(files)]
    publish_plan(layout.plan(config.work, table.name, ledger.fingerprint(wanted)), raws)
    stage = build(config, print).named("fetch.github")
    folder = layout.stage(config.work, stage.name, stage.fingerprint)
    raw_folder = layout.raw_folder(config.work, "github")
    raw_folder.mkdir(parents=True)
    for raw in raws:
        (raw_folder / raw.name).write_bytes(b"x")
    parts = tuple(Part(f"../../../raw/github/{raw.name}", 1, "0" * 64) for raw in raws)
    publish(folder, stage.recipe, [Receipt("000000", parts, files, files)])  # type: ignore[arg-type]
    return config


def test_the_state_of_many_files_takes_no_more_memory_than_of_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither plan, recipe nor manifest is ever whole in memory: no file costs even 50 bytes."""
    monkeypatch.setattr(store, "CHUNK", 4096)
    few, many = 200, 4200
    peaks = {}
    for files in (few, many):
        config = fetched(tmp_path, files)
        tracemalloc.start()
        stage = build(config, print).named("fetch.github")
        found = state_of(config, stage)
        _, peaks[files] = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.state == "done"
        assert found.summary is not None
        assert found.summary.bytes == files
    assert peaks[many] - peaks[few] < 50 * (many - few)
