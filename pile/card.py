"""The corpus folder's card: its front matter is how `datasets` knows files, splits and columns.

A module of its own, because `datasets` takes a second and a half to import.
"""

from datasets import DatasetInfo, Features, Value
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict, SplitInfo
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

from pile.publication.facts import Facts

HF_SPLIT = {"train": "train", "val": "validation", "test": "test"}
"""What `datasets` calls our splits."""

_FEATURES = Features({"text": Value("string"), "meta": {"pile_set_name": Value("string")}})


def card(facts: Facts) -> str:
    """Return the folder's README.md, from which `datasets.load_dataset` knows files and columns."""
    about = DatasetCardData(
        pretty_name=facts.title,
        task_categories=["text-generation"],
        license="other",
        license_name="of each document, see the provenance tables",
    )
    DatasetInfosDict({"default": _documents(facts)}).to_dataset_card_data(about)
    # One config: `datasets` reads all files of a folder as one format, so not the provenance tables.
    files = [
        {"split": HF_SPLIT[split.name], "path": f"{split.name}/*.jsonl.zst"}
        for split in facts.splits
    ]
    MetadataConfigs({"default": {"data_files": files}}).to_dataset_card_data(about)
    return f"---\n{about.to_yaml(line_break=chr(10))}\n---\n\n{_body(facts)}"


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
    splits = [f"| {s.name} | {s.documents:,} | {s.text_bytes:,} |" for s in facts.splits]
    sources = [
        f"| {s.pile_set_name} | {s.documents:,} | {s.text_bytes:,} "
        f"| {_percent(s.text_bytes, facts.text_bytes)} | {s.epochs:g} | {s.licence or 'unknown'} |"
        for s in facts.sources
    ]
    lines = [
        f"# {facts.title}",
        "",
        "| split | documents | text bytes |",
        "| --- | ---: | ---: |",
        *splits,
        "",
        "## Sources",
        "",
        "Documents and bytes count every copy of a document; its epochs say how many there are.",
        "",
        "| source | documents | text bytes | share | epochs | licence |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *sources,
        "",
        "## Files",
        "",
        "`<split>/*.jsonl.zst` hold one document a line, in the order of training; line *n* is told of by",
        "row *n* of `provenance/<split>/*.parquet`: its id, source, origin, licence and copy. `DATASHEET.md`",
        "says how the corpus was made, `manifest.json` holds its whole recipe, `croissant.json` describes it",
        "in Croissant 1.1, and `sha256sum -c SHA256SUMS` checks every file.",
        "",
    ]
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""
