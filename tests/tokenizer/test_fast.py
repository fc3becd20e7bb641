"""Kernels give the ids that HF tokenizers gives."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import tokenizer.encode
from tokenizer import unknown, words
from tokenizer.coverage import MOST, uncovered
from tokenizer.encode import Encoder, LiteralSpecials, warm
from tokenizer.fast import Kernels, joined
from tokenizer.recipe import Recipe
from tokenizer.train import train

HARD = [
    *(" " * 25, "x" + " " * 25 + "'s", " " * 25 + "\n\nx", "a" + " " * 49 + "\u3000b", " " * 97),
    *(
        "\t'sync it's \n\n\x0cx",
        "\r\n\r\n  \r\n",
        "e\u0301" * 40,
        "\u1100\u1161\u11a8",
        "\u212b\ufb01",
    ),
    *(
        "z" * 5000,
        "ab" * 300,
        "=" * 64,
        "é" * 70,
        "\x00\x01",
        "\ufeffx",
        "🙂" * 20,
        "a" * 15,
        "b" * 16,
    ),
    *(
        "<|endoftext|>",
        "x<|padding|>",
        "",
        " ",
        "  ",
        "\n",
        "'",
        "'s",
        "潮が引くと船は泥の上に" * 9,
    ),
]
CHARACTERS = st.characters(exclude_categories=["Cs"])
SNIPPETS = st.one_of(st.sampled_from(HARD), st.text(CHARACTERS, max_size=20), st.text(" \n\t's1aé"))


@pytest.fixture(autouse=True)
def _kernels_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer.encode._PROCESS, "warm", True)


def gpt2_like(text: str) -> str:
    """Return a tokenizer.json with neither a normaliser nor runs of spaces, as GPT-2's is."""
    config = json.loads(text)
    config["normalizer"] = None
    config["added_tokens"] = [config["added_tokens"][0] | {"normalized": True}]
    return json.dumps(config)


def by_hf(tokenizer_json: str, texts: list[str], *, as_text: bool = True) -> list[list[int]]:
    """Return the ids that HF tokenizers gives each document."""
    hf = Tokenizer.from_str(tokenizer_json)
    hf.encode_special_tokens = as_text
    return [hf.encode(text, add_special_tokens=False).ids for text in texts]


def check(tokenizer_json: str, texts: list[str], literal: LiteralSpecials = "text") -> Encoder:
    """Assert that kernels give the ids of HF tokenizers."""
    encoder = Encoder(tokenizer_json, literal)
    encoded = encoder.encode(texts)
    ends = np.cumsum(encoded.lengths)
    found = [ids.tolist() for ids in np.split(encoded.ids, ends)[:-1]]
    assert found == by_hf(tokenizer_json, texts, as_text=literal == "text")
    assert encoder._kernels is not None
    return encoder


@pytest.mark.parametrize("literal", ["text", "tokens"])
def test_hard_texts(small_tokenizer: str, literal: LiteralSpecials) -> None:
    """Runs that leave a space over, marks, Hangul, words of every length, special tokens."""
    check(small_tokenizer, HARD + [a + b for a in HARD for b in HARD], literal)
    check(gpt2_like(small_tokenizer), HARD + [a + b for a in HARD for b in HARD], literal)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(SNIPPETS, max_size=6).map("".join), max_size=4))
def test_any_text(small_tokenizer: str, texts: list[str]) -> None:
    """Made up of hard snippets and of any characters."""
    check(small_tokenizer, texts)


@pytest.fixture(scope="module")
def unspaced_tokenizer() -> str:
    """Text of a tokenizer.json whose tokens lie across characters of three bytes, and parts of them."""
    texts = ["潮が引くと、船は泥の上に残った。潮が満ちると、船は沖へ出た。조수가 빠지면 배는"] * 3
    return train(texts, Recipe(vocabulary_size=400))


@settings(max_examples=200)
@given(
    st.lists(st.text("潮が引くと船は泥の上に残った、조수가 배 a\u200b🙂", max_size=60), max_size=4)
)
def test_words_without_spaces_may_be_cut(unspaced_tokenizer: str, texts: list[str]) -> None:
    """A sentence is cut where no token lies, which changes none of its tokens."""
    check(unspaced_tokenizer, texts)
    check(gpt2_like(unspaced_tokenizer), texts)


def test_sentences_are_cut_into_parts(unspaced_tokenizer: str) -> None:
    """Most characters of a sentence share no token with those beside them, and are met again alone."""
    kernels = Kernels(json.loads(unspaced_tokenizer))
    kernels.encode(*joined(["一二三四五六七八九十一二三四五六七八九十".encode()]))
    assert kernels.merged_words >= 10


@pytest.mark.parametrize("length", [15, 16, 31, 32, 61, 62, 63, 64, 255, 256, 257])
def test_words_at_the_borders_of_their_kinds(small_tokenizer: str, length: int) -> None:
    """Each kind of length is kept and merged in a way of its own; met twice, and with equal beginnings."""
    words = [("abcdefgh" * 40)[: length - 1] + end for end in "abz"]
    check(small_tokenizer, [" ".join(words), "\n".join(words), *words])


def test_every_character(small_tokenizer: str) -> None:
    """All 1,112,064 characters, in context, normalised or not."""
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    texts = [
        " ".join(f"a{c}1 {c}?" for c in every[first : first + 256])
        for first in range(0, len(every), 256)
    ]
    check(small_tokenizer, texts)


def test_a_small_cache_forgets_and_stays_right(small_tokenizer: str, texts: list[str]) -> None:
    """With room for 64 short words and a few long ones, nothing changes but the time."""
    document = " ".join(texts) + " ".join(f"word{n} a_word_that_is_long_{n}" for n in range(3000))
    config = json.loads(small_tokenizer)
    encoded = document.encode()
    ids, _ = Kernels(config, cache_bits=4).encode(*joined([encoded, encoded]))
    assert ids.tolist() == by_hf(small_tokenizer, [document])[0] * 2


def test_words_met_again_are_not_merged_again(small_tokenizer: str) -> None:
    """The second time, every word is in the cache."""
    kernels = Kernels(json.loads(small_tokenizer))
    counts = []
    for _ in range(2):
        kernels.encode(*joined([b"it was the tide that went out"]))
        counts.append(kernels.merged_words)
    assert counts == [7, 7]


def test_documents_with_special_tokens_fall_back_and_are_counted(small_tokenizer: str) -> None:
    """Where literal special tokens become tokens, documents that hold one are HF's."""
    texts = ["a", "b<|endoftext|>c", "d", "<|padding|>"]
    assert check(small_tokenizer, texts, "tokens").fallbacks == 2
    assert check(small_tokenizer, texts, "text").fallbacks == 0


def test_order_is_kept_where_both_take_part(small_tokenizer: str) -> None:
    """Ids and lengths are in the order of the documents, whoever made them."""
    check(small_tokenizer, ["a b", "<|endoftext|>", "", "c", "d<|padding|>", "e f"] * 3, "tokens")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"normalizer": {"type": "NFKC"}}, "no byte-level BPE over GPT-2's words"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "no byte-level BPE over GPT-2's words"),
        ({"model": {"ignore_merges": True}}, "its model sets ignore_merges"),
        ({"added": " x"}, "its added token ' x' is no run of spaces"),
        ({"added": " " * 30}, "its runs of spaces have gaps"),
    ],
)
def test_other_tokenizers_are_left_to_hf(
    small_tokenizer: str, changes: dict[str, object], reason: str
) -> None:
    """The reason is said, and the ids are right all the same."""
    config = json.loads(small_tokenizer)
    config["model"] |= changes.pop("model", {})
    if "added" in changes:
        token = {**config["added_tokens"][-1], "content": changes.pop("added"), "id": 623}
        config["added_tokens"].append(token)
    text = json.dumps(config | changes)
    assert uncovered(json.loads(text)) is not None
    encoder = Encoder(text)
    assert reason in str(encoder.uncovered)
    assert encoder.encode(["The tide  x"]).ids.tolist() == by_hf(text, ["The tide  x"])[0]
    assert encoder._kernels is None


def test_added_tokens_have_the_ids_that_hf_tokenizers_gives_them(small_tokenizer: str) -> None:
    """Without those of 4 to 24 spaces, those of 2 and 3 move up, whatever the file says."""
    config = json.loads(small_tokenizer)
    del config["added_tokens"][2:-2]
    text = json.dumps(config)
    assert check(text, ["a   b  c", " " * 10]).uncovered is None


def test_a_small_job_does_not_load_kernels(
    small_tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels come after `PATIENCE` bytes; ids are the same before and after."""
    process = tokenizer.encode._Process()
    monkeypatch.setattr(tokenizer.encode, "_PROCESS", process)
    monkeypatch.setattr(tokenizer.encode, "PATIENCE", 20)
    encoder = Encoder(small_tokenizer)
    first = encoder.encode(["The tide went out"]).ids.tolist()
    assert encoder._kernels is None
    assert encoder.encode(["The tide went out"]).ids.tolist() == first
    assert encoder._kernels is not None


def test_numba_is_not_loaded_for_a_small_job(small_tokenizer: str) -> None:
    """A second is saved where nobody needs it."""
    program = (
        "import sys\nfrom tokenizer.encode import Encoder\n"
        "Encoder(sys.stdin.read()).encode(['x'])\nprint('numba' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        input=small_tokenizer,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    assert run.stdout.strip() == "False"


def test_warm_compiles_all(small_tokenizer: str) -> None:
    """After it no kernel of the encoder is compiled any more."""
    warm()
    kernels = [words.look_up, words._seldom, words._long, unknown.keep, unknown.merge_unknown]
    before = [len(kernel.signatures) for kernel in kernels]  # type: ignore[attr-defined]
    check(small_tokenizer, HARD)
    assert [len(kernel.signatures) for kernel in kernels] == before  # type: ignore[attr-defined]


@settings(deadline=None)
@given(st.lists(st.text("ab é.\n漢", max_size=90), max_size=40))
def test_a_cache_that_is_too_small_forgets_and_is_still_right(
    small_tokenizer: str, documents: list[str]
) -> None:
    """Words push each other out of full lines, and long ones are forgotten all at once."""
    ids, _ = Kernels(json.loads(small_tokenizer), cache_bits=1).encode(
        *joined([text.encode() for text in (*documents, *documents)])
    )
    expected = by_hf(small_tokenizer, [*documents, *documents])
    assert ids.tolist() == [number for row in expected for number in row]


def test_words_of_zeros_push_each_other_out() -> None:
    """A line is in use though the first number in it is 0."""
    zeros = ["\0" * count for count in range(16, 32)]
    tokenizer_json = train(["a".join(zeros)] * 2, Recipe(vocabulary_size=300))
    documents = ["a".join(zeros), "a".join(reversed(zeros)), "a".join(zeros[::2])] * 2
    kernels = Kernels(json.loads(tokenizer_json), cache_bits=1)
    expected = by_hf(tokenizer_json, documents)
    for document, row in zip(documents, expected, strict=True):
        ids, _ = kernels.encode(*joined([document.encode()]))
        assert ids.tolist() == row


def test_more_merges_than_ranks_are_left_to_hf(small_tokenizer: str) -> None:
    """A rank has 16 bits in the kernels' tables."""
    config = json.loads(small_tokenizer)
    config["model"]["merges"] *= 1 + MOST // len(config["model"]["merges"])
    assert uncovered(config) == "it has more than 65,535 merges"


def test_bytes_without_tokens_are_named_by_kernels_too(small_tokenizer: str) -> None:
    """The document's number is the one given."""
    del small_tokenizer
    text = train(["plain words"] * 3, Recipe(alphabet="learned"))
    encoder = Encoder(text)
    with pytest.raises(tokenizer.encode.UnencodableText, match=r"document 1: byte 0x.. has no"):
        encoder.encode(["words", "plain!"])


@pytest.mark.real
def test_released_tokenizer_on_real_files(released_tokenizer: Path, samples: Path) -> None:
    """Every sample file that is text, with the released tokenizer."""
    files = sorted(path for path in samples.rglob("*") if path.is_file())
    read = (path.read_bytes()[:200_000] for path in files)
    texts = [raw.decode("utf-8", "replace") for raw in read]
    check(released_tokenizer.read_text(encoding="utf-8"), texts)


def test_arrow_columns_are_encoded_from_their_buffers(small_tokenizer: str) -> None:
    """Slices, nulls and texts to compose, with little or much behind them, as HF has them."""
    warm()
    texts = ["The tide", "", "e\u0301te\u0301   x", " " * 49 + "y", "潮が引く", "z" * 300]
    expected = by_hf(small_tokenizer, texts)
    encoder = Encoder(small_tokenizer)
    column = pa.array([*texts, *texts], pa.large_string())
    for start, count in ((0, 12), (0, 6), (2, 4), (6, 6), (8, 1), (12, 0)):
        found = encoder.encode_column(column.slice(start, count))
        rows = np.split(found.ids, np.cumsum(found.lengths)[:-1]) if count else []
        assert [row.tolist() for row in rows] == (expected * 2)[start : start + count]
    assert encoder.encode_column(pa.array([None], pa.large_string())).ids.size == 0
    assert encoder.fallbacks == 0


def test_threads_may_share_an_encoder(small_tokenizer: str) -> None:
    """They take turns at its cache, which one thread alone can change."""
    encoder = Encoder(small_tokenizer)
    documents = [
        "".join(f"w{n * step} a_long_word_{n * step} " for n in range(999)) for step in range(40)
    ]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: encoder.encode([text]).ids.tolist(), documents))
    assert found == by_hf(small_tokenizer, documents)


def test_any_column_of_texts_is_encoded(small_tokenizer: str) -> None:
    """Of other types and in several pieces; what lies behind a null is no text."""
    encoder = Encoder(small_tokenizer)
    texts = pa.array(["The tide", "", "x", "out"], pa.large_string())
    expected = encoder.encode_column(texts).lengths.tolist()
    for other in (
        texts.cast(pa.string()),
        texts.dictionary_encode(),
        pa.chunked_array([texts[:1], texts[1:]]),
    ):
        assert encoder.encode_column(other).lengths.tolist() == expected
    hidden = pc.if_else(pa.array([True, True, True, False]), texts, None)
    assert hidden.buffers()[2].size == texts.buffers()[2].size
    assert encoder.encode_column(hidden).lengths.tolist() == [*expected[:3], 0]


def test_columns_that_kernels_do_not_cover_are_left_to_hf_and_counted(small_tokenizer: str) -> None:
    """Literal special tokens, where they become tokens."""
    warm()
    encoder = Encoder(small_tokenizer, "tokens")
    column = pa.array(["a<|endoftext|>b", "plain"], pa.large_string())
    assert 0 in encoder.encode_column(column).ids.tolist()
    assert encoder.fallbacks == 1


def test_long_documents_are_cut_in_the_kernel(small_tokenizer: str) -> None:
    """At white space, which begins a word whatever stands around it; or not at all."""
    pattern = "The tide's  out,\n\n潮 1984   a1 \t"
    for document in (pattern * 9000, "x" * 200_000, ("y" * 70_000 + "  ") * 3):
        expected = by_hf(small_tokenizer, [document])[0]
        found = Kernels(json.loads(small_tokenizer)).encode(*joined([document.encode()]))
        assert found[0].tolist() == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 200).map(lambda n: "<|end" + "x" * n), max_size=3),
    st.integers(0, 3),
    st.sampled_from(["<|endoftext|>", "<|padding|>", "<|endoftext|", "<|endoftext|>\u0338"]),
)
def test_special_tokens_are_found_wherever_they_are_in_a_column(
    small_tokenizer: str, texts: list[str], place: int, added: str
) -> None:
    """At the ends of documents, across blocks of 64 bytes; what only looks like one is none."""
    texts.insert(min(place, len(texts)), added)
    encoder = Encoder(small_tokenizer, "tokens")
    found = encoder.encode_column(pa.array(texts, pa.large_string()))
    ends = np.cumsum(found.lengths)
    rows = [ids.tolist() for ids in np.split(found.ids, ends)[:-1]]
    assert rows == by_hf(small_tokenizer, texts, as_text=False)


def test_a_column_without_special_tokens_is_all_for_the_kernels(
    small_tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No document is looked at one by one, as those are that may hold one."""
    encoder = Encoder(small_tokenizer, "tokens")
    monkeypatch.setattr(encoder, "_encode_in_parts", None)
    assert encoder.encode_column(pa.array(["plain <| text"], pa.large_string())).ids.size
    with pytest.raises(TypeError, match="NoneType"):
        encoder.encode_column(pa.array(["a<|padding|>"], pa.large_string()))


def test_tokens_that_nfc_may_make_are_looked_for_in_each_document(small_tokenizer: str) -> None:
    """A Kelvin sign composes to the letter K, so that bytes alone do not tell."""
    config = json.loads(small_tokenizer)
    special = config["added_tokens"][0] | {"id": 999, "content": "<|OK|>", "normalized": True}
    config["added_tokens"].append(special)
    text = json.dumps(config)
    for document in ("<|OK|>", "<|O\u212a|>", "<|O"):
        found = Encoder(text, "tokens").encode_column(pa.array([document], pa.large_string()))
        assert [found.ids.tolist()] == by_hf(text, [document], as_text=False)
