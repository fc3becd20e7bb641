"""The corpus folder's card: its front matter is how `datasets` knows files, splits and columns.

A module of its own, because `datasets` takes a second and a half to import.
"""

from collections.abc import Mapping, Sequence

from datasets import DatasetInfo, Features, Value
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict, SplitInfo
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

HF_SPLIT = {"train": "train", "val": "validation", "test": "test"}
"""What `datasets` calls our splits."""


def card(
    title: str, licences: Sequence[str], counts: Mapping[str, tuple[int, int]], body: str
) -> str:
    """Return the folder's README.md, from which `datasets.load_dataset` knows files and columns.

    ``counts`` gives (documents, text bytes) of each split that has files.
    """
    features = Features({"text": Value("string"), "meta": {"pile_set_name": Value("string")}})
    splits = SplitDict()
    for split, (documents, size) in counts.items():
        splits.add(SplitInfo(HF_SPLIT[split], num_bytes=size, num_examples=documents))
    info = DatasetInfo(
        features=features, splits=splits, dataset_size=sum(s for _, s in counts.values())
    )
    about = DatasetCardData(
        pretty_name=title,
        task_categories=["text-generation"],
        license="other",
        license_name="see the provenance tables: " + ", ".join(sorted(set(licences))),
    )
    DatasetInfosDict({"default": info}).to_dataset_card_data(about)
    data_files = [{"split": HF_SPLIT[split], "path": f"{split}/*.jsonl.zst"} for split in counts]
    MetadataConfigs({"default": {"data_files": data_files}}).to_dataset_card_data(about)
    return f"---\n{about.to_yaml(line_break=chr(10))}\n---\n\n# {title}\n\n{body}"
