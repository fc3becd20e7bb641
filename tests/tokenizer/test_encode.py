"""Tests of encoding."""

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import tokenizer.encode
import tokenizer.pieces
from tokenizer.encode import Encoder
from tokenizer.recipe import Recipe
from tokenizer.text import UnencodableText
from tokenizer.train import train


def changed(text: str, **changes: object) -> str:
    """Return a tokenizer.json with other values at its top."""
    return json.dumps({**json.loads(text), **changes})


def test_documents_become_one_flat_array_and_lengths(small_tokenizer: str) -> None:
    """The ids of all documents, one after the other; an empty document has none."""
    encoder = Encoder(small_tokenizer)
    texts = ["The tide", "", "went out"]
    encoded = encoder.encode(texts)
    assert (encoded.ids.dtype.name, encoded.lengths.dtype.name) == ("uint32", "int64")
    assert encoded.lengths[1] == 0
    assert encoded.lengths.sum() == encoded.ids.size
    cut = int(encoded.lengths[0])
    assert [encoder.decode(encoded.ids[:cut]), encoder.decode(encoded.ids[cut:])] == [
        "The tide",
        "went out",
    ]


def test_no_documents_become_no_ids(small_tokenizer: str) -> None:
    """An empty batch is no special case for whoever writes it."""
    encoded = Encoder(small_tokenizer).encode([])
    assert (encoded.ids.size, encoded.lengths.size, encoded.ids.dtype.name) == (0, 0, "uint32")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5))
def test_ids_are_those_of_hf_tokenizers(small_tokenizer: str, texts: list[str]) -> None:
    """Batched, cut and put together again, the ids are what HF tokenizers gives each document."""
    plain = Tokenizer.from_str(small_tokenizer)
    plain.encode_special_tokens = True
    encoded = Encoder(small_tokenizer).encode(texts)
    expected = [plain.encode(text).ids for text in texts]
    assert encoded.ids.tolist() == [number for ids in expected for number in ids]
    assert encoded.lengths.tolist() == [len(ids) for ids in expected]


def test_batches_and_pieces_leave_no_trace(
    small_tokenizer: str, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given to HF tokenizers a few characters at a time, documents keep their ids."""
    encoder = Encoder(small_tokenizer)
    whole = encoder.encode(texts)
    monkeypatch.setattr(tokenizer.pieces, "LONGEST_PIECE", 5)
    cut = encoder.encode(texts)
    assert cut.ids.tolist() == whole.ids.tolist()
    assert cut.lengths.tolist() == whole.lengths.tolist()


def test_decoding_gives_nfc_back(small_tokenizer: str) -> None:
    """NFC is the only thing that encoding changes."""
    encoder = Encoder(small_tokenizer)
    text = "  e\u0301t\u00e9 <|endoftext|>\n\t12"
    assert encoder.decode(encoder.encode([text]).ids) == "  \u00e9t\u00e9 <|endoftext|>\n\t12"


def test_literal_special_tokens_are_text_by_default(small_tokenizer: str) -> None:
    """A document cannot forge its own end, unless that is asked for."""
    text = "a<|endoftext|>b"
    as_text = Encoder(small_tokenizer).encode([text]).ids.tolist()
    as_tokens = Encoder(small_tokenizer, "tokens").encode([text]).ids.tolist()
    assert 0 not in as_text
    assert as_tokens[1] == 0
    assert len(as_tokens) == 3
    assert Encoder(small_tokenizer).decode(as_text) == text


def test_runs_of_spaces_are_tokens_either_way(small_tokenizer: str) -> None:
    """25 spaces are a run of 24 and one that joins the next word; 26 are 24 and 2."""
    for literal_specials in ("text", "tokens"):
        encoder = Encoder(small_tokenizer, literal_specials)
        assert encoder.encode([" " * 24]).ids.tolist() == [600]
        assert encoder.encode([" " * 26]).ids.tolist() == [600, 622]
        assert encoder.encode([" " * 25 + "x"]).ids.tolist()[0] == 600


def test_vocabulary_and_eod_are_known(small_tokenizer: str) -> None:
    """The vocabulary counts the runs of spaces; the EOD is <|endoftext|>, or what it is said to be."""
    encoder = Encoder(small_tokenizer)
    assert (encoder.vocabulary_size, encoder.eod) == (623, 0)
    assert Encoder(small_tokenizer, eod_token="<|padding|>").eod == 1
    with pytest.raises(ValueError, match="no token '</s>'"):
        Encoder(small_tokenizer, eod_token="</s>")


def test_a_gap_in_the_ids_counts_towards_the_vocabulary(small_tokenizer: str) -> None:
    """Every id is below vocabulary_size, whatever the file."""
    config = json.loads(small_tokenizer)
    config["model"]["vocab"]["far away"] = 9_999
    assert Encoder(json.dumps(config)).vocabulary_size == 10_000


def test_files_and_texts_are_loaded(tmp_path: Path, small_tokenizer: str) -> None:
    """By path, by name, or as the text of the file."""
    path = tmp_path / "tokenizer.json"
    path.write_text(small_tokenizer, encoding="utf-8")
    ids = [
        Encoder.load(what).encode(["tide"]).ids.tolist()
        for what in (path, str(path), small_tokenizer)
    ]
    assert ids[0] == ids[1] == ids[2]


def test_an_encoder_can_be_sent_to_another_process(small_tokenizer: str) -> None:
    """Its settings go with it."""
    for literal_specials in ("text", "tokens"):
        encoder = Encoder(small_tokenizer, literal_specials)
        sent = pickle.loads(pickle.dumps(encoder))
        text = "a<|endoftext|>b"
        assert sent.encode([text]).ids.tolist() == encoder.encode([text]).ids.tolist()


def test_truncation_padding_and_templates_are_not_applied(small_tokenizer: str) -> None:
    """A file made for fine-tuning would otherwise lose text, or add to it."""
    template = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {
            "<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}
        },
    }
    truncation = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    padding = {
        "strategy": {"Fixed": 9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 1,
        "pad_type_id": 0,
        "pad_token": "<|padding|>",
    }
    text = changed(small_tokenizer, post_processor=template, truncation=truncation, padding=padding)
    assert len(Tokenizer.from_str(text).encode("x").ids) == 9
    for document in ("x", "The tide went out at seven"):
        expected = Encoder(small_tokenizer).encode([document]).ids.tolist()
        assert Encoder(text).encode([document]).ids.tolist() == expected


def test_a_lone_surrogate_is_named(small_tokenizer: str) -> None:
    """The document's number and the character's place are in the error."""
    with pytest.raises(UnencodableText, match=r"document 2: lone surrogate U\+DC80 at character 1"):
        Encoder(small_tokenizer).encode(["a", "b", "c\udc80"])


def test_a_byte_without_a_token_is_named_and_not_dropped() -> None:
    """HF tokenizers leaves it out without a word, if the alphabet was learned from other text."""
    text = train(["plain words"] * 3, Recipe(alphabet="learned"))
    assert (
        Tokenizer.from_str(text).decode(Tokenizer.from_str(text).encode("plain µ").ids) == "plain "
    )
    encoder = Encoder(text)
    assert encoder.decode(encoder.encode(["plain"]).ids) == "plain"
    for document in ("plain µ", "plain!"):
        with pytest.raises(UnencodableText, match=r"document 1: byte 0x.. has no token"):
            encoder.encode(["words", document])


def test_missing_bytes_are_looked_for_in_nfc() -> None:
    """What a document holds only before NFC needs no token."""
    text = train(["été"] * 3, Recipe(alphabet="learned"))
    decomposed = "e\u0301te\u0301"
    assert Encoder(text).decode(Encoder(text).encode([decomposed]).ids) == "été"


def test_a_word_too_long_for_memory_is_refused(
    small_tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte of one letter would take a hundred of memory by HF; kernels take it as it is."""
    monkeypatch.setattr(tokenizer.encode, "_PROCESS", tokenizer.encode._Process())
    monkeypatch.setattr(tokenizer.pieces, "LONGEST_PIECE", 10)
    monkeypatch.setattr(tokenizer.pieces, "LONGEST_WORD", 100)
    encoder = Encoder(small_tokenizer)
    assert encoder.encode(["a" * 100]).lengths[0] > 0
    assert encoder.encode(["a b " * 100]).lengths[0] > 0
    with pytest.raises(UnencodableText, match="document 0: 101 characters that cannot be taken"):
        encoder.encode(["a" * 101])


def test_a_mistyped_setting_is_refused(small_tokenizer: str) -> None:
    """A word misspelt does not choose the other way."""
    with pytest.raises(ValueError, match=r"choose one of \('text', 'tokens'\)"):
        Encoder(small_tokenizer, "token")  # type: ignore[arg-type]


def test_dropout_is_refused(small_tokenizer: str) -> None:
    """Ids that differ from run to run are no tokens to store."""
    model = {**json.loads(small_tokenizer)["model"], "dropout": 0.1}
    with pytest.raises(ValueError, match="dropout"):
        Encoder(changed(small_tokenizer, model=model))


@pytest.mark.parametrize("text", ["{}", '{"version": "1.0"}'])
def test_other_json_is_refused(text: str) -> None:
    """A configuration is no tokenizer."""
    with pytest.raises(ValueError, match="no tokenizer"):
        Encoder.load(text)
