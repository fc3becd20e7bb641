"""Train the tokenizer on a seeded sample of the training split, or take an existing one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from pile import corpus, draws, store
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.ledger import Part, Receipt
from pile.parts import part_of
from pile.stages import mix
from pile.stages.stage import Inputs, Made, Stage
from sources.source import Json
from tokenizer.encode import Encoder
from tokenizer.files import TOKENIZER_JSON, companions
from tokenizer.recipe import Recipe
from tokenizer.train import train

VERSION = 1
NAME = "train_tokenizer"
FOLDER = "tokenizer"


@dataclass(frozen=True, slots=True)
class Sample:
    """Which documents are trained on: each is drawn with this chance."""

    seed: int
    share: float


def stage(config: Config, mixed: Stage) -> Stage:
    """Return the stage that trains on the corpus, or, if the config names one, copies a tokenizer."""
    return _given(config) if config.tokenizer.file else _trained(config, mixed)


def _trained(config: Config, mixed: Stage) -> Stage:
    table = config.tokenizer
    recipe = Recipe(
        vocabulary_size=table.vocabulary,
        min_frequency=table.min_frequency,
        alphabet=table.alphabet,
        longest_space_run=table.longest_space_run,
    )
    settings: dict[str, Json] = {
        "recipe": asdict(recipe),
        "sample_bytes": table.sample_bytes,
        "seed": config.corpus.seed,
        "libraries": {"tokenizers": version("tokenizers")},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        made = inputs["mix"]
        size = train_bytes(made)
        sample = Sample(config.corpus.seed, min(1.0, table.sample_bytes / max(size, 1)))
        files = [path for path, _ in made.parts(f"{mix.FOLDER}/train/")]
        arguments = {"folder": folder, "files": files, "recipe": recipe, "sample": sample}
        return [Task(NAME, "train", train_on, arguments, size)]

    return Stage(NAME, VERSION, settings, (mixed,), tasks)


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


def train_bytes(mixed: Made) -> int:
    """Bytes of text in the training split."""
    return sum(int(part["counts"]["text_bytes"]) for _, part in mixed.parts(f"{mix.FOLDER}/train/"))


def train_on(folder: Path, files: Sequence[Path], recipe: Recipe, sample: Sample) -> Receipt:
    """Train on the sampled documents of the training split."""
    counts: Counter[str] = Counter()
    text = train(_drawn(files, sample, counts), recipe)
    return _publish(folder, text, Receipt("train", taken=counts["drawn"], given=counts["learned"]))


def copy(folder: Path, path: Path) -> Receipt:
    """Take an existing tokenizer.json, once it is seen to load."""
    return _publish(folder, path.read_text(encoding="utf-8"), Receipt("copy", taken=1, given=1))


def _drawn(files: Sequence[Path], sample: Sample, counts: Counter[str]) -> Iterator[str]:
    for path in files:
        for number, line in enumerate(corpus.read(path)):
            if draws.unit(sample.seed, "tokenizer sample", path.name, number) < sample.share:
                counts["drawn"] += 1
                yield line.text
                counts["learned"] += 1  # the trainer came back for more


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
