"""Clean: a source's documents through the rules chosen for it, part by part.

A stage of its own, so that another threshold reads no raw file again.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import cast

from pile import documents
from pile.cleaning.c4 import C4BadWords
from pile.cleaning.personal import MASK_PERSONAL, MASKED
from pile.cleaning.rules import RULES, Chosen, clean
from pile.config import Config, ConfigError
from pile.engine import Task
from pile.ledger import Receipt
from pile.outcomes import write_outcomes
from pile.stages.stage import Inputs, Stage
from sources.source import Document, Json, Rejected

VERSION = 1

REASONS = {
    reason: explanation for rule in RULES.values() for reason, explanation in rule.reasons.items()
}

KERNELS_FROM = 4 << 20
"""Bytes of a part from which compiled kernels are worth their start; what they measure is the same."""


@dataclass(slots=True)
class Tally:
    """How many texts each rule changed, and what was masked, by kind."""

    cleaned: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)


def stage(config: Config, source: str, read: Stage) -> Stage:
    """Return the stage that cleans a source; raises `ConfigError` for a list that cannot be read."""
    chosen = [
        (rule, _with_list(config, table) if isinstance(table, C4BadWords) else table)
        for rule, table in config.clean.of(source).chosen
    ]
    name = f"clean.{source}"

    def tasks(folder: Path, inputs: Inputs) -> Sequence[Task]:
        shared = {"folder": folder, "rules": chosen}
        return [
            Task(name, path.stem, clean_part, {**shared, "part": path}, part["size"])
            for path, part in inputs[read.name].parts("documents/")
        ]

    libraries = sorted({library for rule, _ in chosen for library in rule.libraries})
    settings: dict[str, Json] = {
        "rules": [
            [rule.name, rule.version, table.model_dump(mode="json")] for rule, table in chosen
        ],
        "libraries": {library: version(library) for library in libraries},
        "unicode": unicodedata.unidata_version,
    }
    return Stage(name, VERSION, settings, (read,), tasks)


def clean_part(folder: Path, part: Path, rules: Chosen) -> Receipt:
    """Publish the documents of one part that no rule rejects, as the rules leave them."""
    if part.stat().st_size > KERNELS_FROM:
        for rule, _ in rules:
            rule.warm()
    tally = Tally()
    receipt = write_outcomes(folder, part.stem, _outcomes(part, rules, tally))
    counted: dict[str, Json] = {
        "cleaned": dict(sorted(tally.cleaned.items())),
        "masked": dict(sorted(tally.masked.items())),
    }
    return replace(receipt, figures={**receipt.figures, **counted})


def _outcomes(part: Path, rules: Chosen, tally: Tally) -> Iterator[Document | Rejected]:
    for document in documents.read(part):
        found = clean(document, rules)
        tally.cleaned.update(found.changed)
        if isinstance(found.document, Document) and MASK_PERSONAL.name in found.changed:
            tally.masked.update(cast("dict[str, int]", found.document.meta.get(MASKED, {})))
        yield found.document


def _with_list(config: Config, table: C4BadWords) -> C4BadWords:
    """Return the table with the words of its file: they decide, not the file's name."""
    given = [*table.words, *_lines_of(config, table.file)]
    words = sorted({*filter(None, map(str.strip, given))})
    if not words:
        raise ConfigError(
            f"{config.path}: [clean.c4_bad_words] has no words: give file = 'words.txt', with a "
            "word or phrase a line, or words = [...]"
        )
    return C4BadWords(words=tuple(words))


def _lines_of(config: Config, file: str) -> Sequence[str]:
    if not file:
        return ()
    try:
        # Some editors begin a file with a mark of its encoding, which is no part of a word.
        return config.resolve(file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{config.path}: [clean.c4_bad_words] file = {file!r}: cannot be read: {error}"
        ) from error
