"""Tests of the example that trains on shards: it learns, it resumes, the models are the real ones."""

import sys
from pathlib import Path

import numpy as np
import pytest

from shards.format import paths_of
from shards.writer import ShardWriter

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "train"

sys.path.insert(0, str(EXAMPLE))
models = pytest.importorskip("models")
train = pytest.importorskip("train")


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Prefix of a shard of this project's own code, a byte a token, EOD 256."""
    prefix = tmp_path_factory.mktemp("shard") / "code"
    with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=257, eod=256) as writer:
        for path in sorted((ROOT / "shards").glob("*.py")):
            text = np.frombuffer(path.read_bytes(), dtype=np.uint8)
            writer.add(text, [text.size])
        writer.finish()
    return str(prefix)


# Threads of so small a model only wait for each other, and for whoever else uses the machine.
torch.set_num_threads(1)

SMALL = ("--device", "cpu", "--width", "32", "--length", "32", "--batch", "8")


@pytest.mark.parametrize("architecture", ["gpt-neox", "gpt-j", "gpt-neo"])
def test_every_architecture_learns(shard: str, architecture: str) -> None:
    """Forty steps take the loss well below that of guessing, ln 384 = 5.9."""
    figures = train.run([shard, *SMALL, "--architecture", architecture, "--steps", "40"])
    assert figures["first_loss"] > 5.5
    assert figures["last_loss"] < 3.7
    assert figures["steps"] == 40
    assert figures["tokens_per_second"] > 0
    assert 0 <= figures["share_waiting_for_data"] < 1


def test_bfloat16_learns_too(shard: str) -> None:
    """As a GPU computes, if not asked otherwise; here on a CPU."""
    figures = train.run([shard, *SMALL, "--bfloat16", "--steps", "40"])
    assert figures["first_loss"] > 5.5
    assert figures["last_loss"] < 3.7


def test_a_trained_model_is_exported_for_transformers(shard: str, tmp_path: Path) -> None:
    """The folder loads with the weights of the checkpoint."""
    transformers = pytest.importorskip("transformers")
    folder, checkpoint = tmp_path / "model", tmp_path / "checkpoint"
    words = ["--steps", "1", "--export", str(folder), "--save", str(checkpoint)]
    train.run([shard, *SMALL, *words])
    loaded = transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
    saved = torch.load(checkpoint, weights_only=True)["model"]
    assert loaded.keys() == saved.keys()
    assert all(torch.equal(loaded[name], saved[name]) for name in saved)


def test_a_run_that_stopped_goes_on_as_if_it_had_not(shard: str, tmp_path: Path) -> None:
    """Four steps and four more give the loss of eight, to the last bit."""
    checkpoint = str(tmp_path / "checkpoint")
    whole = train.run([shard, *SMALL, "--steps", "8"])
    train.run([shard, *SMALL, "--steps", "4", "--save", checkpoint])
    resumed = train.run([shard, *SMALL, "--steps", "8", "--resume", checkpoint])
    assert resumed["last_loss"] == whole["last_loss"]


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    shard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in step 7 of 8, saved every third: it goes on with step 6, to the same last bit."""
    checkpoint = str(tmp_path / "checkpoint")
    words = [shard, *SMALL, "--steps", "8", "--save", checkpoint, "--save-every", "3"]
    make = train.Step.make
    left = iter(range(7))

    def killed(step: object, batch: object) -> object:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return make(step, batch)

    monkeypatch.setattr(train.Step, "make", killed)
    with pytest.raises(KeyboardInterrupt):
        train.run(words)
    monkeypatch.undo()
    assert torch.load(checkpoint, weights_only=True)["steps"] == 6
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    resumed = train.run([*words, "--resume", checkpoint])
    assert resumed["last_loss"] == train.run([shard, *SMALL, "--steps", "8"])["last_loss"]


def test_steps_that_were_made_are_not_made_again(shard: str, tmp_path: Path) -> None:
    """Asked for no more steps than there were, it says so, and leaves the checkpoint alone."""
    checkpoint = tmp_path / "checkpoint"
    words = [shard, *SMALL, "--steps", "2", "--save", str(checkpoint)]
    train.run(words)
    before = checkpoint.read_bytes()
    with pytest.raises(SystemExit, match="2 steps were made already"):
        train.run([*words, "--resume", str(checkpoint)])
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize("name", sorted(models.PUBLISHED))
def test_published_models_have_their_parameters(name: str) -> None:
    """Counted on the meta device: GPT-NeoX-20B has 20,554,567,680 with 50,432 rows."""
    architecture, size, expected = models.PUBLISHED[name]
    assert models.parameters(architecture, size) == expected


def test_a_checkpoint_of_other_shards_is_refused(shard: str, tmp_path: Path) -> None:
    """Another seed draws other samples: training does not go on."""
    checkpoint = str(tmp_path / "checkpoint")
    train.run([shard, *SMALL, "--steps", "1", "--save", checkpoint])
    with pytest.raises(SystemExit, match="other shards, or with other settings"):
        train.run([shard, *SMALL, "--steps", "2", "--seed", "7", "--resume", checkpoint])
