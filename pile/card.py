"""The corpus folder's card: its front matter is how `datasets` knows files, splits and columns.

A module of its own, because `datasets` takes a second and a half to import.
"""

from collections.abc import Mapping

from datasets import DatasetInfo, Features, Value
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict, SplitInfo
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

from pile.publication.facts import Facts
from pile.publication.markdown import cell, table

HF_SPLIT = {"train": "train", "val": "validation", "test": "test"}
"""What `datasets` calls our splits."""

_FEATURES = Features({"text": Value("string"), "meta": {"pile_set_name": Value("string")}})


def card(facts: Facts) -> str:
    """Return the folder's README.md, from which `datasets.load_dataset` knows files and columns."""
    about = DatasetCardData(
        pretty_name=facts.title,
        task_categories=["text-generation"],
        size_categories=[_size_category(facts.documents)],
        license="other",
        license_name="by-document",
        license_details="that of each document, as the provenance tables state; by source below",
    )
    DatasetInfosDict({"default": _documents(facts)}).to_dataset_card_data(about)
    # One config: `datasets` reads all files of a folder as one format, so not the provenance tables.
    files = [
        {"split": HF_SPLIT[split.name], "path": f"{split.name}/*.jsonl.zst"}
        for split in facts.splits
    ]
    MetadataConfigs({"default": {"data_files": files}}).to_dataset_card_data(about)
    return f"---\n{about.to_yaml(line_break=chr(10))}\n---\n\n{_body(facts)}"


def _size_category(documents: int) -> str:
    """Return what the Hub calls a data set of so many rows: between two powers of ten."""
    if documents < 1000:
        return "n<1K"
    power = min(len(str(documents)) - 1, 12)
    low, high = (f"{10 ** (n % 3)}{' KMBT'[n // 3]}".strip() for n in (power, power + 1))
    return f"{low}<n<{high}" if power < 12 else "n>1T"


def _documents(facts: Facts) -> DatasetInfo:
    splits = SplitDict()
    for split in facts.splits:
        splits.add(
            SplitInfo(
                HF_SPLIT[split.name], num_bytes=split.text_bytes, num_examples=split.documents
            )
        )
    return DatasetInfo(features=_FEATURES, splits=splits, dataset_size=facts.text_bytes)


def _body(facts: Facts) -> str:
    splits = [(s.name, f"{s.documents:,}", f"{s.text_bytes:,}") for s in facts.splits]
    sources = [
        (
            s.pile_set_name,
            f"{s.documents:,}",
            f"{s.text_bytes:,}",
            _percent(s.text_bytes, facts.text_bytes),
            f"{s.epochs:g}",
            s.licence or "unknown",
        )
        for s in facts.sources
    ]
    lines = [
        f"# {cell(facts.title)}",
        "",
        f"A text corpus of {facts.documents:,} documents from {len(facts.sources)} sources, to train language",
        "models on.",
        "",
        "```python",
        "import datasets",
        "",
        'datasets.load_dataset("path/to/this/folder", split="train", streaming=True)',
        "```",
        "",
        table(("split", "documents", "text bytes"), splits, {1, 2}),
        "",
        "## Sources",
        "",
        "Documents and bytes count every copy of a document; its epochs say how many there are.",
        "",
        table(
            ("source", "documents", "text bytes", "share", "epochs", "licence"),
            sources,
            range(1, 5),
        ),
        "",
        *_cleaning(facts),
        *_benchmarks(facts),
        "## Files",
        "",
        "`<split>/*.jsonl.zst` hold one document a line, in the order of training; line *n* is told of by",
        "row *n* of `provenance/<split>/*.parquet`: its id, source, origin, licence and copy. `DATASHEET.md`",
        "says how the corpus was made, `manifest.json` holds its whole recipe, `croissant.json` describes it",
        "in Croissant 1.1, and `sha256sum -c SHA256SUMS` checks every file.",
        "",
    ]
    return "\n".join(lines)


def _cleaning(facts: Facts) -> list[str]:
    """Return what was left out and changed, of sources of which something was."""
    rows = [
        (
            source.pile_set_name,
            f"{source.read:,}",
            ", ".join(f"`{rule}`" for rule in source.rules),
            _counts(source.rejected),
            _counts(source.duplicates or {}),
            _counts(source.masked),
        )
        for source in facts.sources
        if source.rules or source.rejected or source.duplicates
    ]
    if not rows:
        return []
    return [
        "## Cleaning",
        "",
        "Records read from raw files, rules applied, records left out by reason, duplicates by how they were",
        "found, personal data masked. Thresholds are in `manifest.json`.",
        "",
        table(("source", "records", "rules", "left out", "duplicates", "masked"), rows, {1}),
        "",
    ]


def _benchmarks(facts: Facts) -> list[str]:
    """Return in how many documents text of benchmarks was found, of sources in which it was looked for."""
    rows = [
        (source.pile_set_name, name, f"{found:,}", f"{source.too_short.get(name, 0):,}")
        for source in facts.sources
        for name, found in source.benchmarks.items()
    ]
    if not rows:
        return []
    return [
        "## Benchmarks",
        "",
        f"Documents that shared {facts.settings['ngram']} words in a row with a text of a benchmark: they were",
        "left out, or what they shared was cut. Of a benchmark's texts that are shorter, nothing can be found.",
        "",
        table(("source", "benchmark", "documents", "texts too short"), rows, range(2, 4)),
        "",
    ]


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"`{what}` {count:,}" for what, count in found.items())


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""
