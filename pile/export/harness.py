"""Tasks for lm-evaluation-harness: bits per UTF-8 byte on what a corpus holds out, by source.

``lm_eval --model hf --model_args pretrained=MODEL --include_path FOLDER --tasks pile_test``. There is a
task for each source, over a Parquet file of its texts; a group of them; and ``pile_test_whole``, all
bits by all bytes, which no mean of sources is.

The harness's own Pile tasks pass a text through a template, which makes a list of a text that looks
like one, and then fails; here a field is named, so that texts come as they are. Parquet has types, so
that no text is taken for a date or a number on its way.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pile import layout, store
from pile.config import Config
from pile.documents import PartWriter, Rows
from pile.evaluation.held_out import SPLITS, NothingHeldOut, Split, held_out, mixed
from pile.export.configs import NothingToExportError
from pile.graph import Graph
from pile.stages.stage import Made
from sources.source import Json

TARGET = "lm-eval"
SCHEMA = pa.schema([pa.field("text", pa.large_string(), nullable=False)])

AGGREGATIONS = {
    "bits_per_byte": "bits_per_byte",
    "byte_perplexity": "weighted_perplexity",
    "word_perplexity": "weighted_perplexity",
}
"""The harness's metrics of a rolling log-likelihood, and how it sums each up."""

_PATTERN = "*?[]{}"
"""What `datasets` takes for a pattern in the name of a file."""


def export_harness(config: Config, graph: Graph) -> list[Path]:
    """Write tasks and texts of all that a finished corpus holds out; returns the files.

    They take the place of an earlier export together. Raises `NothingToExportError`, and
    `NothingHeldOut` and `DamagedCorpus` of `pile.evaluation.held_out`.
    """
    corpus = mixed(config, graph)
    folder = layout.export(config.work, TARGET)
    if set(_PATTERN) & set(str(folder)):
        raise NothingToExportError(
            f"datasets would take {folder} for a pattern: choose a [run] work without {_PATTERN}"
        )
    written: list[str] = []
    with store.publish(folder) as attempt:
        for split in SPLITS:
            texts = _write_texts(attempt / split, corpus, split)
            written += (f"{split}/{source}.parquet" for source in texts)
            for name, task in tasks(folder / split, split, texts).items():
                written.append(f"{name}.yaml")
                (attempt / written[-1]).write_bytes(_yaml(task).encode())
        if not written:
            raise NothingHeldOut("nothing is held out: give [mix] val or test a share")
    return [folder / name for name in written]


@dataclass(slots=True)
class _Texts:
    """The texts of a source on their way to a file."""

    file: PartWriter
    rows: Rows
    documents: int = 0
    bytes: int = 0

    def add(self, text: str) -> None:
        self.documents += 1
        self.bytes += len(text.encode())
        self.put(self.rows.add((text,)))

    def put(self, batch: pa.RecordBatch | None) -> None:
        if batch is not None:
            self.file.add(batch)


def _write_texts(folder: Path, corpus: Made, split: Split) -> dict[str, tuple[int, int]]:
    """Write a file for each source of a split; returns documents and bytes of each, by name."""
    folder.mkdir(parents=True)
    found: dict[str, _Texts] = {}
    with ExitStack() as stack:
        for source, text in held_out(corpus, split):
            if source not in found:
                file = stack.enter_context(PartWriter(folder / f"{source}.parquet", SCHEMA))
                found[source] = _Texts(file, Rows(SCHEMA))
            found[source].add(text)
        for texts in found.values():
            texts.put(texts.rows.take())
    return {source: (texts.documents, texts.bytes) for source, texts in sorted(found.items())}


def tasks(
    folder: Path, split: Split, texts: Mapping[str, tuple[int, int]]
) -> dict[str, Mapping[str, Json]]:
    """Return the tasks and the group of a split, by name.

    ``texts`` counts documents and bytes by source; a source without bytes has no bits a byte, and
    so no task.
    """
    group = f"pile_{split}"
    counted = {source: (number, size) for source, (number, size) in texts.items() if size}
    if not counted:
        return {}
    found = {
        f"{group}_{source}": _task([folder / f"{source}.parquet"], number, size)
        for source, (number, size) in counted.items()
    }
    members: list[Json] = [*found]
    number, size = (sum(column) for column in zip(*counted.values(), strict=True))
    found[f"{group}_whole"] = _task([folder / f"{one}.parquet" for one in counted], number, size)
    named: dict[str, Mapping[str, Json]] = {
        name: {"task": name, **task} for name, task in found.items()
    }
    return {**named, group: {"group": group, "task": members, "metadata": {"version": 1}}}


def _task(files: Sequence[Path], number: int, size: int) -> dict[str, Json]:
    metrics: list[Json] = [
        {"metric": metric, "aggregation": aggregation, "higher_is_better": False}
        for metric, aggregation in AGGREGATIONS.items()
    ]
    return {
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": [str(file) for file in files]}},
        "test_split": "test",
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "text",
        "metric_list": metrics,
        "metadata": {"version": 1, "documents": number, "bytes": size},
    }


def _yaml(keys: Mapping[str, Json]) -> str:
    """Return keys as YAML, each value in JSON, which YAML contains."""
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in keys.items()
    )
