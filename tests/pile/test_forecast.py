"""What a run will take: by source and stage, from sizes and rates, and the mix without what is missing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dedup import minhash
from pile.config import load
from pile.forecast import rates
from pile.forecast.amounts import Amount, published
from pile.forecast.bench import bench
from pile.forecast.forecast import forecast
from pile.forecast.rates import REFERENCE, UnreadableRates
from pile.forecast.text import hours
from sources.published import PILE_SET_NAMES
from tests.pile.small_corpus import write_raw
from tokenizer import encode

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "examples" / "pile-2020.toml"
GB = 10**9
ONE = Amount("notes", "local", "CC0-1.0", 2.0, GB, GB, 4 * GB, GB, 1000, 3.0, 0.0, "made up")
OTHER = replace(ONE, source="more", epochs=1.0, documents=3000)


@pytest.fixture(autouse=True)
def no_measured_rates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what was measured on this machine out of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_core_hours_are_bytes_by_rates() -> None:
    """Reading takes what content by the reader's rate does, in all and by source; workers share it."""
    found = forecast(load(RECIPE), [ONE], [], REFERENCE, 4, 100.0)
    reading = 4 * GB / rates.READERS["local"] / 3600
    stages = {one.stage: one for one in found.stages}
    assert found.sources[0].core_hours == pytest.approx(reading)
    assert stages["extract"].hours == pytest.approx(reading / 4)
    assert stages["fetch"].hours == pytest.approx(GB / 100e6 / 3600)
    assert stages["tokenize"].bytes == 2 * GB
    assert found.core_hours == pytest.approx(sum(one.core_hours for one in found.stages))
    assert found.usd == 3.0


def test_a_host_that_paces_is_waited_for() -> None:
    """Downloads take at least what the pace of the slowest host allows."""
    found = forecast(load(RECIPE), [replace(ONE, hours=50.0)], [], REFERENCE, 4, 100.0)
    assert found.stages[0].hours == 50.0


def test_the_mix_is_renormalised_over_what_is_there() -> None:
    """A share is that of the sources at hand, and beside it that of all that are enabled."""
    found = forecast(load(RECIPE), [ONE], [OTHER], REFERENCE, 1, 50.0)
    [one] = found.sources
    assert one.share == 1.0
    assert one.share_of_all == pytest.approx(2 * 1000 / (2 * 1000 + 3000))


def test_a_faster_machine_reads_every_source_faster() -> None:
    """The measured yardstick scales the readers that are not measured."""
    twice = replace(REFERENCE, machine="here", yardstick=2 * REFERENCE.yardstick)
    assert twice.reader("arxiv") == 2 * REFERENCE.reader("arxiv")


def test_every_reader_has_a_rate_and_every_component_an_amount() -> None:
    """No component is planned without a rate; the published text is what is reckoned with."""
    assert set(PILE_SET_NAMES) | {"local"} == set(rates.READERS)
    tables = {table.name: table for table in load(RECIPE).enabled}
    assert published(tables["wikipedia_en"]).text == 18_150_000_000


def test_measured_rates_are_kept_and_taken(tmp_path: Path) -> None:
    """What `pile bench` kept is what the next plan reckons with; a broken file says what to do."""
    assert rates.known() == REFERENCE
    measured = replace(REFERENCE, machine="here", learn_seconds=9.0)
    place = rates.keep(measured)
    assert place == tmp_path / "cache" / "pile" / "rates.json"
    assert rates.known() == replace(measured, stages=dict(REFERENCE.stages))
    place.write_text('{"machine": "here"}')
    with pytest.raises(UnreadableRates, match="run `pile bench` again"):
        rates.known()


def test_a_bench_measures_every_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bench gives a rate for each kind of stage that a forecast asks for."""
    # What it warms in this process is not to be warm for other tests.
    monkeypatch.setattr(encode, "_PROCESS", replace(encode._PROCESS))
    monkeypatch.setattr(minhash, "_warmed", list(minhash._warmed))
    found = bench(lambda text: None, 1 << 18)
    assert found.stages.keys() == REFERENCE.stages.keys()
    assert min(found.yardstick, found.learn_seconds, *found.stages.values()) > 0


def test_a_plan_tells_what_a_run_takes(
    tmp_path: Path, pile: Callable[..., tuple[int, str, str]]
) -> None:
    """`pile plan` ends with sources, stages and totals, from the sizes of the files at hand."""
    write_raw(tmp_path)
    config = tmp_path / "pipeline.toml"
    config.write_text(
        'schema = 1\n[sources.notes]\nreader = "local"\npile_set_name = "Notes"\n'
        'licence = "CC0-1.0"\nfiles = ["notes/*.txt"]\n',
        encoding="utf-8",
    )
    code, out, _ = pile("plan", "-c", str(config), "--workers", "3")
    assert code == 0
    assert "with 3 workers" in out
    code, out, _ = pile("plan", "-c", str(config), "--json")
    [source] = json.loads(out)["forecast"]["sources"]
    assert source["text"] == sum(file.stat().st_size for file in (tmp_path / "notes").iterdir())
    assert source["share"] == 1.0


def test_the_recipe_of_2020_is_planned_without_a_network(
    pile: Callable[..., tuple[int, str, str]],
) -> None:
    """Sources without a lawful upstream are left out, with what to do; the others share the mix."""
    code, out, said = pile("plan", "-c", str(RECIPE), "--published", "--json")
    assert code == 0
    found = json.loads(out)
    assert "left out: books3: The original has been withdrawn" in said
    assert len(found["skipped"]) + len(found["forecast"]["sources"]) == len(PILE_SET_NAMES)
    assert sum(one["share"] for one in found["forecast"]["sources"]) == pytest.approx(1.0)
    assert sum(one["share_of_all"] for one in found["forecast"]["sources"]) < 1.0


def test_hours_are_told_in_the_unit_one_thinks_in() -> None:
    """Seconds, minutes, hours, days."""
    assert [hours(count) for count in (0.001, 0.5, 30, 240)] == ["4 s", "30 min", "30 h", "10 days"]
