"""Fifty documents, and the bytes that GPT-NeoX, Megatron-Core and datatrove make of their tokens.

The digests were taken from files that those tools wrote, with the released GPT-NeoX-20B tokenizer.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from shards.format import paths_of
from shards.verify import verify
from shards.writer import EmptyDocuments, ShardWriter

VARIANTS = {
    # empty documents dropped, EOD: GPT-NeoX's tool and Megatron's builder
    "A": (
        "drop",
        0,
        "uint16",
        "dc497835f1c2cbe160ce4dacc27eb52d40c5092c53cd22501c2dfbb1cba3f688",
        "d22c20bae0db9f795978cfa242141d0be018778e1b47b1bee4e5ce4b183f9a57",
    ),
    # no EOD: GPT-NeoX and Megatron
    "B": (
        "drop",
        None,
        "uint16",
        "4c7279edae83c4b1a570eaca6912c79f81ef9bfc5568292b7873226b5ce52775",
        "794131d72d7e5a602a4d79d229fae8640bd2aa9eb4a9b8be8c43de5aaec997f7",
    ),
    # EOD also for the empty document: datatrove, and the default here
    "C": (
        "keep",
        0,
        "uint16",
        "993d4e932b0eeb9b808bd4e2707dc78a890a1fdba280a11aa580b37ca687fecb",
        "e484c0fd00ba3e4c7bf59f6b79f8f78165b26c173c31bfb1d038f8bfaf6002ea",
    ),
    # as A, with tokens of four bytes
    "F": (
        "drop",
        0,
        "int32",
        "92029e450f2f6d0a1143d87df79f00effe91a44cf752cd863c9a1c420aa94dcc",
        "bc6963ba037ba4fb322577c7b0150486abb70bde3c722e245bd6dac26d5339be",
    ),
}


def test_corpus_and_ids_are_the_ones_the_digests_belong_to(golden_ids: list[list[int]]) -> None:
    """Neither file was changed: 7,564 bytes of documents, 1,766 tokens."""
    corpus = (Path(__file__).parent / "golden.jsonl").read_bytes()
    assert hashlib.sha256(corpus).hexdigest() == (
        "511d758b41f38a39347248f64a3442ee4f77fec6a410c66bb6e50132494c5aab"
    )
    compact = json.dumps(golden_ids, separators=(",", ":")).encode("ascii")
    assert hashlib.sha256(compact).hexdigest() == (
        "764a4b32fdf1ba0b228bd2cac1e9136dcf18ed0672c37b7f03fd09b1f94ee53d"
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_shards_are_those_of_the_frameworks_to_the_byte(
    tmp_path: Path, golden_ids: list[list[int]], variant: str
) -> None:
    """Four ways to write the golden documents give the digests of the frameworks' own files."""
    empty: EmptyDocuments
    empty, eod, dtype, sha256_bin, sha256_idx = VARIANTS[variant]  # type: ignore[assignment]
    prefix = tmp_path / variant
    ids = [token for document in golden_ids for token in document]
    with ShardWriter(
        *paths_of(prefix), np.dtype(dtype), vocabulary=50_277, eod=eod, empty=empty
    ) as shard:
        shard.add(ids, [len(document) for document in golden_ids])
        facts = shard.finish()
    assert (facts.sha256_bin, facts.sha256_idx) == (sha256_bin, sha256_idx)
    digests = {".bin": sha256_bin, ".idx": sha256_idx}
    assert verify(prefix, vocabulary=50_277, documents=facts.documents, digests=digests) == []


def test_a_special_token_in_a_text_is_found_as_a_forged_end(
    tmp_path: Path, golden_ids: list[list[int]]
) -> None:
    """Documents 35 and 36 hold <|endoftext|>; taken as a token it ends documents too early."""
    prefix = tmp_path / "forged"
    ids = [token for document in golden_ids for token in document]
    with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=50_277, eod=0) as shard:
        shard.add(ids, [len(document) for document in golden_ids])
        shard.finish()
    (problem,) = verify(prefix, vocabulary=50_277, eod=0)
    assert problem.kind == "eod"
    assert "in document 35, is 0" in problem.message
