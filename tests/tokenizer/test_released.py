"""The released GPT-NeoX-20B tokenizer, by all routes, over the golden documents."""

import json
from pathlib import Path

import pytest

from shards.format import dtype_for, paths_of
from shards.writer import ShardWriter
from tokenizer.encode import Encoder
from tokenizer.reference import encode, load

SHARDS = Path(__file__).parents[1] / "shards"


@pytest.fixture
def golden_texts() -> list[str]:
    """Fifty documents made for testing."""
    lines = (SHARDS / "golden.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line)["text"] for line in lines if line]


@pytest.fixture
def golden_ids() -> list[list[int]]:
    """Their ids, special tokens taken as such."""
    ids: list[list[int]] = json.loads((SHARDS / "golden_ids.json").read_text(encoding="utf-8"))
    return ids


def test_golden_documents_have_their_golden_ids(
    released_tokenizer: Path, golden_texts: list[str], golden_ids: list[list[int]]
) -> None:
    """The encoder and the reference agree with what HF tokenizers 0.13 to 0.23 give."""
    released = Encoder.load(released_tokenizer, literal_specials="tokens")
    encoded = released.encode(golden_texts)
    assert encoded.lengths.tolist() == list(map(len, golden_ids))
    assert encoded.ids.tolist() == [number for ids in golden_ids for number in ids]
    reference = load(released_tokenizer.read_text(encoding="utf-8"))
    assert [encode(reference, text, "tokens") for text in golden_texts] == golden_ids


def test_its_ids_are_known(released_tokenizer: Path) -> None:
    """Runs of spaces, NFC, and special tokens as text."""
    released = Encoder.load(released_tokenizer)
    assert (released.vocabulary_size, released.eod) == (50_277, 0)
    expected = {
        "Hello world": [12092, 1533],
        " Hello world": [24387, 1533],
        "a  b": [66, 50276, 67],
        "    return x": [50274, 2309, 1269],
        "e\u0301": [860],
        "\u212b": [18221],
        "\0": [177],
        "<|endoftext|>": [29, 93, 423, 1171, 1156, 49651],
        "a<|endoftext|>b": [66, 29, 93, 423, 1171, 1156, 49651, 67],
    }
    for text, ids in expected.items():
        assert released.encode([text]).ids.tolist() == ids


@pytest.mark.parametrize("count", range(1, 60))
def test_runs_of_spaces_are_cut_from_the_left(released_tokenizer: Path, count: int) -> None:
    """Runs of 24 first, then the rest; a single space joins the x after it."""
    ids = Encoder.load(released_tokenizer).encode([" " * count + "x"]).ids.tolist()
    runs, rest = divmod(count, 24)
    tail = {0: [89], 1: [1269]}.get(rest, [50_278 - rest, 89])
    assert ids == [50_254] * runs + tail


def test_golden_shard_is_written_from_text(
    tmp_path: Path, released_tokenizer: Path, golden_texts: list[str]
) -> None:
    """From documents to the bytes that datatrove writes: an EOD after each document."""
    released = Encoder.load(released_tokenizer, literal_specials="tokens")
    size = released.vocabulary_size
    with ShardWriter(
        *paths_of(tmp_path / "golden"), dtype_for(size), vocabulary=size, eod=released.eod
    ) as shard:
        encoded = released.encode(golden_texts)
        shard.add(encoded.ids, encoded.lengths)
        facts = shard.finish()
    assert (facts.documents, facts.tokens) == (50, 1_816)
    assert facts.sha256_bin == "993d4e932b0eeb9b808bd4e2707dc78a890a1fdba280a11aa580b37ca687fecb"
    assert facts.sha256_idx == "e484c0fd00ba3e4c7bf59f6b79f8f78165b26c173c31bfb1d038f8bfaf6002ea"
