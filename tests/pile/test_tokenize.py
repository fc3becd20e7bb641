"""Tests of the stage that encodes the corpus, a file at a time."""

from pathlib import Path

import numpy as np

from pile import corpus
from pile.stages.tokenize import DENSITIES, FOLDER, Encoding, tokenize
from shards.reader import Shard
from tokenizer.encode import Encoder
from tokenizer.recipe import Recipe
from tokenizer.train import train

TEXTS = ["one  two", "", "a <|endoftext|> b", "drei\u0301", "   "]


def encoding(folder: Path) -> Encoding:
    """Return how text becomes tokens here: literal special tokens are tokens, empty ones dropped."""
    file = folder / "tokenizer.json"
    file.write_text(train(TEXTS, Recipe(vocabulary_size=300)), encoding="utf-8")
    return Encoding(file, "tokens", "drop")


def test_each_file_has_its_own_counts(tmp_path: Path) -> None:
    """A process that encodes several files counts what is left to HF, and spaces, for each anew."""
    how = encoding(tmp_path)
    found = []
    for name in ("00000", "00001"):
        file = tmp_path / "train" / f"{name}.jsonl.zst"
        file.parent.mkdir(exist_ok=True)
        with corpus.LineWriter(file) as writer:
            for text in TEXTS:
                writer.add(corpus.Line(text, "Notes"))
        (tmp_path / FOLDER / "origins").mkdir(parents=True, exist_ok=True)
        receipt = tokenize(tmp_path, file, how)
        ids = Shard.open(tmp_path / FOLDER / f"train-{name}").tokens
        found.append((receipt, ids))
    (first, ids), (second, same) = found
    assert (first.taken, first.given, first.rejected) == (5, 4, {"empty": 1})
    assert first.figures["left_to_hf"] == second.figures["left_to_hf"] == 1
    assert first.figures["text_bytes"] == {"Notes": sum(len(text.encode()) for text in TEXTS)}
    encoder = Encoder.load(how.tokenizer, "tokens")
    blank = [number for number in ids.tolist() if not encoder.decode([number]).strip()]
    assert first.figures["space_tokens"] == second.figures["space_tokens"] == {"Notes": len(blank)}
    assert np.array_equal(ids, same)
    assert first.figures["documents"] == {"Notes": 4}
    assert first.figures["tokens"] == {"Notes": len(ids)}
    bins = [0] * DENSITIES
    for text in filter(None, TEXTS):
        bins[min(50 * len(encoder.encode([text]).ids) // len(text.encode()), 50)] += 1
    assert first.figures["densities"] == second.figures["densities"] == {"Notes": bins}


def test_a_document_that_cannot_be_encoded_is_named_by_its_line(tmp_path: Path) -> None:
    """It is left out and counted, all others are encoded."""
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(train(["abba"], Recipe(alphabet="learned")), encoding="utf-8")
    file = tmp_path / "train" / "00000.jsonl.zst"
    (tmp_path / FOLDER / "origins").mkdir(parents=True)
    file.parent.mkdir()
    with corpus.LineWriter(file) as writer:
        writer.extend(corpus.Line(text, "Notes") for text in ("ab", "ba", "abc", "bb"))
    receipt = tokenize(tmp_path, file, Encoding(tokenizer, "text", "keep"))
    assert (receipt.taken, receipt.given, receipt.rejected) == (4, 3, {"unencodable": 1})
    assert receipt.figures["unencodable"][0].startswith("line 3: byte 0x63 has no token")
