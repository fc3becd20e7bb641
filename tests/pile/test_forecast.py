"""What a run will take: by source and stage, from sizes and rates, and the mix without what is missing."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dedup import minhash
from pile import layout, ledger
from pile.config import load
from pile.forecast import bench, rates
from pile.forecast.amounts import Amount, published
from pile.forecast.forecast import Means, forecast
from pile.forecast.progress import left
from pile.forecast.rates import REFERENCE, UnreadableRates
from pile.forecast.text import core_hours, hours, told
from pile.graph import build
from pile.settings import Dedup
from sources.published import PILE_SET_NAMES
from sources.upstream.attempts import Interrupted, Patience, Retries
from tests.pile.small_corpus import write_raw
from tokenizer import encode

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "examples" / "pile-2020.toml"
GB = 10**9
ONE = Amount("notes", "europarl", "CC0-1.0", 2.0, GB, 4 * GB, GB, 1000, usd=3.0, basis="made up")
OTHER = replace(ONE, source="more", epochs=1.0, documents=3000)


@pytest.fixture(autouse=True)
def no_measured_rates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what was measured on this machine out of the tests, and its user's keys."""
    for name in ("GITHUB_TOKEN", "USPTO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PILE_KEYRING", str(tmp_path / "keyring.toml"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_core_hours_are_bytes_by_rates() -> None:
    """Reading takes what content by the reader's rate does, and writing text; workers share it."""
    found = forecast(load(RECIPE), [ONE], [], Means(REFERENCE, 4, 100.0))
    reading = (4 * GB / rates.READERS["europarl"] + GB / REFERENCE.stages["write"]) / 3600
    stages = {one.stage: one for one in found.stages}
    assert found.sources[0].core_hours == pytest.approx(reading)
    assert stages["extract"].hours == pytest.approx(reading / 4)
    assert stages["fetch"].hours == pytest.approx(GB / 100e6 / 3600)
    assert stages["tokenize"].bytes == 2 * GB
    assert found.core_hours == pytest.approx(sum(one.core_hours for one in found.stages))
    assert found.usd == 3.0
    assert found.disk == sum(one.disk for one in found.stages)
    documents = {one.stage: one.disk for one in found.stages}
    assert found.sources[0].disk == documents["fetch"] + documents["extract"]


def test_what_is_done_is_not_counted() -> None:
    """A finished stage takes nothing more, one that was begun what is left; downloads stay what they are."""
    whole = forecast(load(RECIPE), [ONE], [], Means(REFERENCE, 4, 100.0))
    left = {"extract.notes": 0.25, "mix": 0.0, "tokenize": 1.0}
    found = forecast(load(RECIPE), [ONE], [], Means(REFERENCE, 4, 100.0, left))
    before = {one.stage: one for one in whole.stages}
    after = {one.stage: one for one in found.stages}
    assert after["extract"].core_hours == pytest.approx(before["extract"].core_hours / 4)
    assert after["extract"].disk == before["extract"].disk // 4
    assert "mix" not in after
    assert after["tokenize"] == before["tokenize"]
    done = dict.fromkeys(
        ["extract.notes", "mix", "merge_counts", "train_tokenizer", "tokenize", "shard"], 0.0
    )
    here = replace(ONE, download=0, usd=0.0)
    nothing = forecast(load(RECIPE), [here], [], Means(REFERENCE, 4, 100.0, done))
    assert (nothing.core_hours, nothing.hours, nothing.disk) == (0, 0, 0)
    assert "nothing is left to do" in told(nothing)


def test_a_price_of_a_core_is_added() -> None:
    """Dollars of downloads and of cores stand apart; without a price of a core that is said."""
    config = load(RECIPE)
    assert "cores at no price" in told(forecast(config, [ONE], [], Means(REFERENCE, 4, 100.0)))
    table = config.run.model_copy(update={"usd_per_core_hour": 2.0})
    priced = config.model_copy(update={"run": table})
    found = forecast(priced, [ONE], [], Means(REFERENCE, 4, 100.0))
    assert found.usd == pytest.approx(3.0 + 2 * found.core_hours)


def test_stages_without_a_rate_are_named() -> None:
    """What was never measured is said to be left out of the figures, until it is done."""
    config = load(RECIPE)
    clean = config.clean.model_copy(update={"rules": ("normalise_nfc",)})
    dedup = Dedup(method="exact", keep={"notes": "first"})
    other = config.model_copy(update={"clean": clean, "dedup": dedup})
    found = forecast(other, [ONE], [], Means(REFERENCE, 4, 100.0))
    assert found.unreckoned == ("clean.notes", "dedup.notes")
    assert "not reckoned with, as not measured: clean.notes, dedup.notes" in told(found)
    done = Means(REFERENCE, 4, 100.0, {"clean.notes": 0.0})
    assert forecast(other, [ONE], [], done).unreckoned == ("dedup.notes",)
    assert forecast(config, [ONE], [], done).unreckoned == ()


def test_a_large_vocabulary_takes_four_bytes_a_token() -> None:
    """Beyond 65,536 entries, shards are twice as large."""
    config = load(RECIPE)
    table = config.tokenizer.model_copy(update={"vocabulary": 100_000})
    other = config.model_copy(update={"tokenizer": table})
    large = forecast(other, [ONE], [], Means(REFERENCE, 4, 100.0))
    small = forecast(config, [ONE], [], Means(REFERENCE, 4, 100.0))
    assert large.stages[-1].disk == pytest.approx(2 * small.stages[-1].disk, rel=1e-6)


def test_a_host_that_paces_is_waited_for() -> None:
    """Downloads take at least what the pace of the slowest host allows."""
    found = forecast(load(RECIPE), [replace(ONE, hours=50.0)], [], Means(REFERENCE, 4, 100.0))
    assert found.stages[0].hours == 50.0


def test_the_mix_is_renormalised_over_what_is_there() -> None:
    """A share is that of the sources at hand, and beside it that of all that are enabled."""
    found = forecast(load(RECIPE), [ONE], [OTHER], Means(REFERENCE, 1, 50.0))
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


def test_what_is_no_packed_text_is_not_unpacked() -> None:
    """Plain upstreams hold what they weigh; of papers only the TeX is read, not the figures."""
    tables = {table.name: table for table in load(RECIPE).enabled}
    plain = published(tables["gutenberg_pg19"])
    assert plain.content == plain.download == plain.text
    papers = published(tables["arxiv"])
    assert papers.text < papers.content < 2 * papers.text < papers.download
    packed = published(tables["wikipedia_en"])
    assert packed.content == 4 * packed.download


def test_downloads_of_unknown_size_are_said_to_be() -> None:
    """No size is not nothing; what is asked for one by one takes what its host's pace does."""
    tables = {table.name: table for table in load(RECIPE).enabled}
    repositories = published(tables["github"])
    assert not repositories.sized
    assert repositories.hours == pytest.approx(192_000 / 2 / 3600)
    found = forecast(load(RECIPE), [repositories], [], Means(REFERENCE, 4, 100.0))
    assert "downloads of unknown size are not in it: github" in told(found)
    assert published(tables["books3"]).sized


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


def test_a_bench_times_nothing_that_is_new_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tasks run over little text first, so that neither imports nor compiled kernels are timed."""
    sizes = []

    def timed(size: int) -> dict[str, bench._Timed]:
        sizes.append(size)
        seconds = 100.0 if len(sizes) == 1 else 1.0  # the first time compiles
        kinds = (*bench.KINDS, "train_tokenizer", f"extract.{rates.YARDSTICK}")
        return {kind: bench._Timed(1000, seconds) for kind in kinds}

    monkeypatch.setattr(bench, "_timed", timed)
    monkeypatch.setattr(encode, "warm", lambda: None)
    monkeypatch.setattr(minhash, "warm", lambda: None)
    found = bench.bench(lambda text: None, 1 << 20)
    assert sizes == [bench.LITTLE, 1 << 20]
    assert set(found.stages.values()) == {1000.0}
    assert found.learn_seconds == pytest.approx(rates.VOCABULARY / bench.VOCABULARY)


def test_a_bench_measures_every_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bench gives a rate for each kind of stage that a forecast asks for."""
    # What it warms in this process is not to be warm for other tests.
    monkeypatch.setattr(encode, "_PROCESS", replace(encode._PROCESS))
    monkeypatch.setattr(minhash, "_warmed", list(minhash._warmed))
    found = bench.bench(lambda text: None, 1 << 18)
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
    code, out, _ = pile("plan", "-c", str(config), "--published", "--json")
    assert json.loads(out)["forecast"]["sources"][0]["text"] == source["text"]


def test_a_plan_after_a_run_counts_what_was_read(
    tmp_path: Path, pile: Callable[..., tuple[int, str, str]]
) -> None:
    """Once a corpus is made its plan takes nothing; a further setting takes what depends on it."""
    write_raw(tmp_path)
    config = tmp_path / "pipeline.toml"
    text = (
        'schema = 1\n[sources.notes]\nreader = "local"\npile_set_name = "Notes"\n'
        'licence = "CC0-1.0"\nfiles = ["notes/*.txt"]\n[tokenizer]\nvocabulary = 300\n'
        '[run]\nengine = "serial"\n'
    )
    config.write_text(text, encoding="utf-8")
    assert pile("run", "-c", str(config))[0] == 0
    found = json.loads(pile("plan", "-c", str(config), "--json")[1])["forecast"]
    assert (found["core_hours"], found["hours"], found["disk"], found["stages"]) == (0, 0, 0, [])
    [source] = found["sources"]
    assert source["basis"] == "documents as read"
    assert source["documents"] == len(list((tmp_path / "notes").iterdir()))
    config.write_text(text.replace("300", "310"), encoding="utf-8")
    found = json.loads(pile("plan", "-c", str(config), "--json")[1])["forecast"]
    assert [one["stage"] for one in found["stages"]] == ["train_tokenizer", "tokenize"]
    assert found["core_hours"] > 0


def test_a_stage_that_was_begun_takes_what_is_left(
    tmp_path: Path, pile: Callable[..., tuple[int, str, str]]
) -> None:
    """Of two tasks of a stage one is done: its other half is to be done, and stages behind it whole."""
    write_raw(tmp_path)
    config = tmp_path / "pipeline.toml"
    config.write_text(
        'schema = 1\n[sources.notes]\nreader = "local"\npile_set_name = "Notes"\n'
        'licence = "CC0-1.0"\nfiles = ["notes/*.txt"]\n[tokenizer]\nvocabulary = 300\n'
        '[mix]\nval = 0.3\ntest = 0.3\n[run]\nengine = "serial"\n',
        encoding="utf-8",
    )
    assert pile("run", "-c", str(config))[0] == 0
    settings = load(config)
    graph = build(settings, lambda _: None)
    assert set(left(settings, graph).values()) == {0.0}
    stage = graph.named("tokenize")
    folder = layout.stage(settings.work, stage.name, stage.fingerprint)
    layout.manifest(folder).unlink()
    receipts = list(ledger.receipts(folder).values())
    ledger.rewrite(folder, receipts[:-1])
    share = left(settings, graph)["tokenize"]
    assert 0.0 < share < 1.0


def test_the_recipe_of_2020_is_planned_without_a_network(
    pile: Callable[..., tuple[int, str, str]],
) -> None:
    """Sources without a lawful upstream are left out, with what to do; the others share the mix.

    Keys and leave to spend that a run would be refused for are asked for now.
    """
    code, out, said = pile("plan", "-c", str(RECIPE), "--published", "--json")
    assert code == 0
    found = json.loads(out)
    assert {one["source"] for one in found["refused"]} == {"arxiv", "github", "uspto_backgrounds"}
    assert "left out: books3: The original has been withdrawn" in said
    assert len(found["skipped"]) + len(found["forecast"]["sources"]) == len(PILE_SET_NAMES)
    assert sum(one["share"] for one in found["forecast"]["sources"]) == pytest.approx(1.0)
    assert sum(one["share_of_all"] for one in found["forecast"]["sources"]) < 1.0


def test_a_plan_does_not_wait_for_an_upstream_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pile: Callable[..., tuple[int, str, str]]
) -> None:
    """Who asks for a plan without a network is answered at once: the source is left out, and why."""
    patiences: list[Patience] = []

    def refuse(*address: object, **options: object) -> None:
        raise OSError("the network is down")

    def wait(self: Retries, interrupted: Interrupted, reached: int) -> None:
        patiences.append(self._patience)
        raise self._failure(interrupted, "asked once")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(Retries, "wait", wait)
    config = tmp_path / "pipeline.toml"
    write_raw(tmp_path)
    config.write_text(
        'schema = 1\n[sources.notes]\nreader = "local"\npile_set_name = "Notes"\n'
        'licence = "CC0-1.0"\nfiles = ["notes/*.txt"]\n[sources.pubmed_abstracts]\n',
        encoding="utf-8",
    )
    code, out, said = pile("plan", "-c", str(config), "--json")
    assert code == 0
    assert "left out: pubmed_abstracts" in said
    [source] = json.loads(out)["forecast"]["sources"]
    assert source["share"] == 1.0
    assert source["share_of_all"] < 0.01
    assert [one.budget for one in patiences] == [10.0]


def test_hours_are_told_in_the_unit_one_thinks_in() -> None:
    """Seconds, minutes, hours, days; core-hours with three digits however few they are."""
    assert [core_hours(count) for count in (0, 0.00012345, 12.345, 12345.6)] == [
        "0",
        "0.000123",
        "12.3",
        "12,346",
    ]
    assert [hours(count) for count in (0.001, 0.5, 30, 240)] == ["4 s", "30 min", "30 h", "10 days"]
