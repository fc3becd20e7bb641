"""Train the tokenizer on words counted before, or take an existing one."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from pile import store
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.stages import count_words
from pile.stages.stage import Inputs, Stage
from sources.source import Json
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON, companions
from tokenizer.recipe import Recipe
from tokenizer.train import Trainer, train_counts

VERSION = 2
NAME = "train_tokenizer"
FOLDER = "tokenizer"


def recipe(config: Config) -> Recipe:
    """Return what ``[tokenizer]`` asks for."""
    table = config.tokenizer
    return Recipe(
        vocabulary_size=table.vocabulary,
        min_frequency=table.min_frequency,
        alphabet=table.alphabet,
        longest_space_run=table.longest_space_run,
        runs=table.runs,
    )


def stages(config: Config, mixed: Stage) -> tuple[Stage, ...]:
    """Return the stages that count words and learn from them, or the one that copies a tokenizer."""
    if config.tokenizer.file:
        return (_given(config),)
    counting = count_words.stages(config, recipe(config), mixed)
    return *counting, _trained(config, counting[-1])


def _trained(config: Config, counts: Stage) -> Stage:
    wanted, trainer = recipe(config), config.tokenizer.trainer
    settings: dict[str, Json] = {
        "recipe": asdict(wanted),
        "trainer": trainer,
        "libraries": {"tokenizers": version("tokenizers")},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        parts = inputs[count_words.MERGE].parts()
        arguments = {
            "folder": folder,
            "files": [path for path, _ in parts],
            "recipe": wanted,
            "trainer": trainer,
        }
        return [Task(NAME, "train", train_on, arguments, sum(part["size"] for _, part in parts))]

    return Stage(NAME, VERSION, settings, (counts,), tasks)


def _given(config: Config) -> Stage:
    path = config.resolve(config.tokenizer.file)
    try:
        _, sha256 = store.digest(path)
    except OSError as error:
        raise ConfigError(f"{config.path}: [tokenizer] file: {error}") from error

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        del inputs
        return [Task(NAME, "copy", copy, {"folder": folder, "path": path})]

    return Stage(NAME, VERSION, {"sha256": sha256}, (), tasks)


def train_on(folder: Path, files: Sequence[Path], recipe: Recipe, trainer: Trainer) -> Receipt:
    """Learn merges from counted words."""
    from tokenizer import count  # noqa: PLC0415 - Numba takes a second to load

    counts = pa.concat_tables(list(map(count.read, files)))
    text = train_counts(counts, recipe, trainer)
    return _publish(folder, text, Receipt("train", taken=len(counts), given=len(counts)))


def copy(folder: Path, path: Path) -> Receipt:
    """Take an existing tokenizer.json, once it is seen to load."""
    return _publish(folder, path.read_text(encoding="utf-8"), Receipt("copy", taken=1, given=1))


def _publish(folder: Path, text: str, receipt: Receipt) -> Receipt:
    encoder = Encoder.load(text)
    found: dict[str, str] = {TOKENIZER_JSON: text, **companions()}
    parts: list[Part] = []
    for name in sorted(found):
        path = folder / FOLDER / name
        store.publish_bytes(path, found[name].encode())
        parts.append(part_of(folder, path, {}))
    figures: dict[str, Json] = {"vocabulary": encoder.vocabulary_size, "eod": encoder.eod}
    return Receipt(receipt.task, tuple(parts), receipt.taken, receipt.given, figures=figures)
