"""Count the words of a seeded sample of the training split: what vocabularies are learned from.

``count`` counts each corpus file by itself, ``merge_counts`` adds the counts up, a few buckets of
words a task. Many vocabularies come from one count.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from pile import corpus, draws, store
from pile.config import Config
from pile.engine import Task
from pile.ledger import Receipt
from pile.parts import part_of
from pile.stages import mix
from pile.stages.stage import Inputs, Made, Stage
from sources.source import Json
from tokenizer.count_plain import words
from tokenizer.pieces import LONGEST_WORD, batches, pieces
from tokenizer.recipe import Recipe
from tokenizer.text import UnencodableText

VERSION = 1
COUNT, MERGE = "count", "merge_counts"
FOLDER = "counts"

KERNELS_FROM = 2 << 20
"""Bytes of a corpus file from which compiled kernels are worth their start; counts are the same."""

BUCKETS_A_TASK = 8
"""Of the 64 buckets of words by hash."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which documents are counted, each drawn with a chance, and what is cut out of them."""

    seed: int
    share: float
    reserved_run: int


def stages(config: Config, recipe: Recipe, mixed: Stage) -> tuple[Stage, Stage]:
    """Return the stages that count words and add counts up."""
    counted = _counted(config, recipe, mixed)
    rarest = config.tokenizer.min_word_count

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        from tokenizer.count import BUCKETS  # noqa: PLC0415 - Numba takes a second to load

        files = [path for path, _ in inputs[COUNT].parts()]
        return [
            Task(
                MERGE,
                f"{first:02d}",
                merge,
                {"folder": folder, "files": files, "first": first, "rarest": rarest},
            )
            for first in range(0, BUCKETS, BUCKETS_A_TASK)
        ]

    return counted, Stage(MERGE, VERSION, {"min_word_count": rarest}, (counted,), tasks)


def _counted(config: Config, recipe: Recipe, mixed: Stage) -> Stage:
    settings: dict[str, Json] = {
        "sample_bytes": config.tokenizer.sample_bytes,
        "seed": config.corpus.seed,
        "reserved_run": recipe.reserved_run,
        "libraries": {"tokenizers": version("tokenizers")},
    }

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        made = inputs["mix"]
        share = min(1.0, config.tokenizer.sample_bytes / max(train_bytes(made), 1))
        sample = Sample(config.corpus.seed, share, recipe.reserved_run)
        return [
            Task(
                COUNT,
                f"{path.parent.name}-{path.name.removesuffix('.jsonl.zst')}",
                count,
                {"folder": folder, "file": path, "sample": sample},
                part["size"],
            )
            for path, part in made.parts(f"{mix.FOLDER}/train/")
        ]

    return Stage(COUNT, VERSION, settings, (mixed,), tasks)


def train_bytes(mixed: Made) -> int:
    """Bytes of text in the training split."""
    return sum(int(part["counts"]["text_bytes"]) for _, part in mixed.parts(f"{mix.FOLDER}/train/"))


def count(folder: Path, file: Path, sample: Sample) -> Receipt:
    """Count the words of the documents drawn from one corpus file; memory is bounded."""
    from tokenizer.count import Counter as Words  # noqa: PLC0415 - Numba takes a second to load
    from tokenizer.count import from_counts  # noqa: PLC0415

    name = f"{file.parent.name}-{file.name.removesuffix('.jsonl.zst')}"
    path = folder / FOLDER / f"{name}.parquet"
    tally: Counter[str] = Counter()
    texts = _drawn(file, sample, tally)
    with store.publish(path) as attempt:
        if file.stat().st_size < KERNELS_FROM:
            found = from_counts(words(texts, sample.reserved_run), attempt)
        else:
            with TemporaryDirectory(dir=path.parent, prefix=".", suffix=".tmp") as spilled:
                counter = Words(Path(spilled), reserved_run=sample.reserved_run)
                counter.add(texts)
                found = counter.finish(attempt)
    part = part_of(folder, path, {"rows": found.words})
    rejected = {"unencodable": tally["unencodable"]} if tally["unencodable"] else {}
    figures: dict[str, Json] = {"occurrences": found.occurrences}
    given = tally["drawn"] - tally["unencodable"]
    return Receipt(name, (part,), tally["drawn"], given, rejected, figures=figures)


def merge(folder: Path, files: Sequence[Path], first: int, rarest: int) -> Receipt:
    """Add up some buckets of all counts; words rarer than ``rarest`` are cut, and counted."""
    from tokenizer.count import merge as add_up  # noqa: PLC0415 - Numba takes a second to load

    path = folder / FOLDER / f"{first:02d}.parquet"
    with store.publish(path) as attempt:
        found = add_up(files, attempt, rarest, range(first, first + BUCKETS_A_TASK))
    return Receipt(
        f"{first:02d}",
        (part_of(folder, path, {"rows": found.words}),),
        taken=found.words + found.cut,
        given=found.words,
        rejected={"rare": found.cut} if found.cut else {},
        figures={key: value for key, value in asdict(found).items() if key != "cut"},
    )


def _drawn(file: Path, sample: Sample, tally: Counter[str]) -> Iterator[str]:
    for number, line in enumerate(corpus.read(file)):
        if draws.unit(sample.seed, "tokenizer sample", file.name, number) < sample.share:
            tally["drawn"] += 1
            if _countable(line.text):
                yield line.text
            else:
                tally["unencodable"] += 1


def _countable(text: str) -> bool:
    """Tell whether no word of a document is too long for memory."""
    if len(text) <= LONGEST_WORD:
        return True
    try:
        deque(batches([text], pieces), maxlen=0)
    except UnencodableText:
        return False
    return True
