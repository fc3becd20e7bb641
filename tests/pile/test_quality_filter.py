"""The quality filter in a run: what it keeps, that nothing is lost, and that bytes agree."""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_corpus import published

from pile.cleaning.quality.model import load as load_model
from pile.cleaning.quality.rule import chance, draw
from pile.cleaning.quality.train import NoExamplesError, Recipe
from pile.config import ConfigError, load
from pile.settings import Quality
from pile.stages.quality_examples import shares
from pile.stages.quality_model import learn

Pile = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[2]

CONFIG = """schema = 1
[corpus]
name = "Filtered"
seed = 7
[sources.good]
reader = "local"
files = ["raw/good/*.jsonl"]
[sources.web]
reader = "local"
files = ["raw/web/*.jsonl"]
[dedup]
method = "exact"
[dedup.keep]
web = "last"
[mix]
val = 0.0
test = 0.0
[tokenizer]
vocabulary = 300
[run]
work = "work"
engine = "serial"
"""

QUALITY = """[quality]
sources = ["web"]
like = ["good"]
sample = 0.5
dims = 8
buckets = 4096
rate = 0.5
epochs = 20
"""

GOOD = [f"calm{number}" for number in range(60)]
POOR = [f"loud{number}" for number in range(60)]
BOTH = [f"word{number}" for number in range(60)]


def prose(kind: str, number: int) -> str:
    """Make a text, a third of whose words tell what kind it is of."""
    drawn = hashlib.blake2b(f"{kind} {number}".encode(), digest_size=45).digest()
    own = GOOD if kind != "poor" else POOR
    return " ".join((own if place % 3 == 0 else BOTH)[b % 60] for place, b in enumerate(drawn))


def write(folder: Path, quality: str = QUALITY) -> Path:
    """Write raw files, three a source, and the config."""
    kinds = {"good": ["good"], "web": ["fair", "poor"]}
    for source, own in kinds.items():
        (folder / "raw" / source).mkdir(parents=True, exist_ok=True)
        for file in range(3):
            rows = [(kind, number) for number in range(file, 300, 3) for kind in own]
            lines = [json.dumps({"id": f"{k}{n}", "text": prose(k, n)}) for k, n in rows]
            path = folder / "raw" / source / f"{file}.jsonl"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "pipeline.toml"
    path.write_text(CONFIG + quality, encoding="utf-8")
    return path


def made(folder: Path, stage: str) -> dict[str, Any]:
    """Return a stage's newest manifest."""
    found = max((folder / "work" / "stages" / stage).glob("*/manifest.json"))
    manifest: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return {**manifest, "folder": found.parent}


def rows(folder: Path, stage: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a stage's parts."""
    found = made(folder, stage)
    for part in found["parts"]:
        if part["name"].startswith(prefix):
            yield from pq.read_table(found["folder"] / part["name"]).to_pylist()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run once; folder with what it made."""
    from typer.testing import CliRunner  # noqa: PLC0415

    from pile.cli import app  # noqa: PLC0415 - the fixture outlives the one of each test

    folder = tmp_path_factory.mktemp("filtered")
    result = CliRunner().invoke(app, ["run", "-c", str(write(folder))])
    assert result.exit_code == 0, result.output
    return folder


def test_what_reads_like_the_wanted_is_kept_the_likelier(finished: Path) -> None:
    """Of the web's fair texts about a third stays, of its poor ones about an eighth."""
    kept = [row["text"] for row in rows(finished, "filter.web", "documents/")]
    fair, poor = (sum(text.startswith(kind) for text in kept) for kind in ("calm", "loud"))
    assert fair + poor == len(kept)
    assert fair > 75
    assert 15 < poor < 65


def test_each_document_is_kept_or_rejected_as_its_own_draw_says(finished: Path) -> None:
    """Kept ones won, at the score in their meta; all others are rejected records with theirs."""
    read = {row["origin"]: row["id"] for row in rows(finished, "extract.web", "documents/")}
    kept = list(rows(finished, "filter.web", "documents/"))
    lost = list(rows(finished, "filter.web", "rejected/"))
    assert {row["origin"] for row in kept} | {row["origin"] for row in lost} == read.keys()
    assert len(kept) + len(lost) == len(read) == 600
    for row in kept:
        assert draw(7, row["id"]) < chance(json.loads(row["meta"])["quality"], 3) + 1e-3
    for row in lost:
        assert row["reason"] == "low_quality"
        score = float(row["detail"].removeprefix("score "))
        assert draw(7, read[row["origin"]]) >= chance(score, 3) - 1e-3
        assert row["excerpt"].startswith(("calm", "loud"))
        assert len(row["excerpt"]) <= 200


def test_the_stages_add_up(finished: Path) -> None:
    """Examples, filter and all that follows count what they took, gave and rejected."""
    examples, filtered = made(finished, "examples.web"), made(finished, "filter.web")
    assert examples["taken"] == 900
    assert examples["given"] == made(finished, "quality.web")["taken"]
    assert filtered["taken"] == filtered["given"] + filtered["rejected"]["low_quality"] == 600
    assert made(finished, "sign.web")["taken"] == filtered["given"]
    assert made(finished, "scatter")["taken"] == filtered["given"] + 300


def test_as_many_examples_are_drawn_of_either_kind(finished: Path) -> None:
    """Half of what is wanted, and about that many of the web."""
    drawn = list(rows(finished, "examples.web", ""))
    wanted = sum(row["wanted"] for row in drawn)
    assert 120 < wanted < 180
    assert 120 < len(drawn) - wanted < 180


def test_the_report_tells_what_was_kept(finished: Path) -> None:
    """Scores, shares kept by alpha, and the paper's beside them; records still balance."""
    latest = finished / "work" / "latest" / "report"
    figures = json.loads((latest / "figures.json").read_text(encoding="utf-8"))
    good, web = figures["sources"]
    assert web["records"] == web["documents"] + sum(web["rejected"].values())
    assert (good["scores"], sum(web["scores"])) == ([], 600)
    assert web["kept_at"]["3"] == web["documents"] == made(finished, "filter.web")["given"]
    assert sorted(web["kept_at"].values(), reverse=True) == list(web["kept_at"].values())
    page = (latest / "report.html").read_text(encoding="utf-8")
    assert "Documents kept by the quality filter" in page
    assert "58.9%" in page


def test_the_run_is_verified(finished: Path, pile: Pile) -> None:
    """`pile verify` checks the new parts too, and `pile show` opens them."""
    config = str(finished / "pipeline.toml")
    assert pile("verify", "-c", config)[0] == 0
    assert "low_quality" in pile("show", "filter.web", "--rejected", "-c", config)[1]
    assert '"quality":0.' in pile("show", "filter.web", "-c", config)[1]


def test_switched_off_nothing_of_it_is_made(finished: Path, tmp_path: Path, pile: Pile) -> None:
    """Without [quality] the stages are not there; they take up where they were when it is back."""
    shutil.copytree(finished, tmp_path / "copy", symlinks=True)
    path = tmp_path / "copy" / "pipeline.toml"
    path.write_text(CONFIG, encoding="utf-8")
    code, out, _ = pile("run", "-c", str(path), "--json")
    first = json.loads(out)
    assert code == 0
    assert not [name for name in (*first["made"], *first["kept"]) if "filter" in name]
    assert {"extract.web", "extract.good"} <= set(first["kept"])
    path.write_text(CONFIG + QUALITY, encoding="utf-8")
    assert json.loads(pile("run", "-c", str(path), "--json")[1])["made"] == []


def test_another_alpha_draws_again_but_learns_nothing_anew(
    finished: Path, tmp_path: Path, pile: Pile
) -> None:
    """A model is kept as long as what it learnt from; a larger alpha keeps a part of the same."""
    shutil.copytree(finished, tmp_path / "copy", symlinks=True)
    path = tmp_path / "copy" / "pipeline.toml"
    path.write_text(CONFIG + QUALITY + "alpha = 9.0\n", encoding="utf-8")
    found = json.loads(pile("run", "-c", str(path), "--json")[1])
    assert {"examples.web", "quality.web"} <= set(found["kept"])
    assert "filter.web" in found["made"]
    before = {row["id"] for row in rows(finished, "filter.web", "documents/")}
    folders = sorted((tmp_path / "copy" / "work" / "stages" / "filter.web").iterdir())
    counts = [json.loads((one / "manifest.json").read_text())["given"] for one in folders]
    assert len(before) == max(counts) > min(counts) > 0


def test_a_lost_part_is_filtered_again(finished: Path, tmp_path: Path, pile: Pile) -> None:
    """Resume is by part: the others keep their receipts, and the bytes are the same."""
    shutil.copytree(finished, tmp_path / "copy", symlinks=True)
    work = tmp_path / "copy" / "work"
    before = published(work)
    part = min((work / "stages" / "filter.web").rglob("documents/*.parquet"))
    part.unlink()
    found = json.loads(pile("run", "-c", str(tmp_path / "copy" / "pipeline.toml"), "--json")[1])
    assert found["made"] == ["filter.web"]
    assert published(work) == before


def demo(folder: Path, engine: str, workers: int) -> Path:
    """Write a config of some of the demo's sources, Pile-CC filtered."""
    text = (ROOT / "examples" / "demo.toml").read_text(encoding="utf-8")
    like = ["openwebtext2", "gutenberg_pg19", "hackernews", "freelaw"]
    tables = tomllib.loads(text)["sources"]
    sources = "".join(
        f"[sources.{name}]\nfiles = {[str(ROOT / 'examples' / one) for one in tables[name]['files']]}\n"
        for name in ("pile_cc", *like)
    )
    path = folder / "pipeline.toml"
    folder.mkdir()
    path.write_text(
        f'schema = 1\n{sources}[quality]\nsources = ["pile_cc"]\nlike = {like}\nsample = 1.0\n'
        f"dims = 8\nbuckets = 1000\nalpha = 1.0\n[mix]\nval = 0.0\ntest = 0.0\n"
        f'[tokenizer]\nvocabulary = 300\n[run]\nengine = "{engine}"\nworkers = {workers}\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.ray
def test_the_demo_corpus_is_filtered_alike_by_one_two_and_three_workers(
    tmp_path: Path, pile: Pile
) -> None:
    """In this process, or on Ray with two or three workers: one tree of digests."""
    trees = []
    for engine, workers in (("serial", 1), ("ray", 2), ("ray", 3)):
        folder = tmp_path / f"{engine}{workers}"
        code, out, err = pile("run", "-c", str(demo(folder, engine, workers)), "--json")
        assert code in (0, 3), err
        assert {"examples.pile_cc", "quality.pile_cc", "filter.pile_cc"} <= set(
            json.loads(out)["made"]
        )
        trees.append({k: v for k, v in published(folder / "work").items() if "/fetch." not in k})
    assert trees[0] == trees[1] == trees[2]
    filtered = made(folder, "filter.pile_cc")
    assert 0 < filtered["given"] < filtered["taken"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('["web"]', '["wbe"]'), r"\[quality\] sources names 'wbe', which is no enabled source"),
        (('["good"]', '["best"]'), r"\[quality\] like names 'best', .*\[sources.best\]"),
        (('["good"]', '["good", "web"]'), r"'web' cannot be told from itself"),
        (('["good"]', "[]"), r"like is empty"),
        (("sample = 0.5", "sample = 0.0"), r":\d+: \[quality\] sample = 0.0: .*greater than 0"),
        (("dims = 8", "dim = 8"), r"\[quality\] has no key 'dim'; did you mean 'dims'\?"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    """Errors name the key, and what would do."""
    path = write(tmp_path, QUALITY.replace(*change))
    with pytest.raises(ConfigError, match=message):
        load(path)


def test_by_default_nothing_is_filtered() -> None:
    """The recipe needs the user's own OpenWebText2 for it, so it is off until asked for."""
    config = load(ROOT / "pipeline.toml")
    assert config.quality.sources == ()
    assert config.quality.like == ("openwebtext2",)
    assert (config.quality.alpha, config.quality.sample) == (3.0, 0.1)


def test_what_is_wanted_must_be_there(tmp_path: Path, pile: Pile) -> None:
    """A source without raw files cannot be learnt from: said before anything runs."""
    path = write(tmp_path)
    table = '[sources.good]\nreader = "local"\nfiles = ["raw/good/*.jsonl"]'
    text = path.read_text().replace(table, "[sources.openwebtext2]")
    path.write_text(text.replace('["good"]', '["openwebtext2"]'))
    code, _, err = pile("run", "-c", str(path))
    assert code == 2
    assert "wants web to be like openwebtext2, which has no raw files" in err


def test_too_small_a_sample_is_told(tmp_path: Path, pile: Pile) -> None:
    """Without an example there is no model, and the run says what to change."""
    path = write(tmp_path, QUALITY.replace("sample = 0.5", "sample = 0.000001"))
    code, _, err = pile("run", "-c", str(path))
    assert code == 1
    assert "raise [quality] sample" in err


def test_examples_are_bounded_and_balanced() -> None:
    """A tenth of what is wanted, or as many as allowed; of the others as many, or all."""
    settings = Quality(max_examples=1000)
    assert shares(settings, 5_000, 10_000) == (0.1, 0.05)
    assert shares(settings, 100_000, 10_000) == (0.01, 0.1)
    assert shares(settings, 5_000, 100) == (0.1, 1.0)
    assert shares(settings, 0, 0) == (0.1, 0.0)


def test_the_model_is_a_part_like_any_other(finished: Path) -> None:
    """Its file is listed with size and digest, and can be read by itself."""
    found = made(finished, "quality.web")
    (part,) = found["parts"]
    model = load_model(found["folder"] / part["name"])
    assert (model.buckets, len(model.output), len(model.words)) == (
        4096,
        8,
        part["counts"]["words"],
    )


def test_the_log_tells_how_fast_each_stage_read(finished: Path) -> None:
    """Seconds and bytes read stand in the log of runs, never in what is published."""
    log = (finished / "work" / "logs" / "events.jsonl").read_text(encoding="utf-8")
    events = {one["stage"]: one for one in map(json.loads, log.splitlines()) if "stage" in one}
    raw = sum(path.stat().st_size for path in (finished / "raw" / "web").iterdir())
    assert events["extract.web"]["read_bytes"] == raw
    for stage in ("examples.web", "quality.web", "filter.web"):
        assert events[stage]["read_bytes"] > 0
        assert events[stage]["seconds"] >= 0


def test_without_any_part_there_is_nothing_to_learn(tmp_path: Path) -> None:
    """Sources that gave no document are told apart from a fault."""
    with pytest.raises(NoExamplesError, match="0 examples of what is wanted"):
        learn(tmp_path, [], 0, Recipe(4, 4, 4, 1, 1, 0.1, 1))
