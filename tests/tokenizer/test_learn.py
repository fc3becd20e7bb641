"""Kernels learn the merges that HF tokenizers learns, and go on where it overflows."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenizer import count, count_plain
from tokenizer.compare import vocabulary
from tokenizer.pair_bound import SampleTooLarge
from tokenizer.recipe import Recipe, Runs
from tokenizer.text import UnencodableText
from tokenizer.train import train, train_counts

LETTERS = st.text("ab", min_size=1, max_size=24)
WORDS = st.one_of(LETTERS, st.text("abc é1\n", max_size=12), st.sampled_from(["aaaa", "ababab"]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=40), st.integers(1, 4), st.sampled_from([262, 280, 400])
)
def test_merges_are_those_of_hf_tokenizers(words: list[str], least: int, size: int) -> None:
    """With few letters, so that counts tie and different pairs make the same token."""
    texts = [" ".join(words)]
    recipe = Recipe(vocabulary_size=size, min_frequency=least)
    if texts != [""]:
        assert train(texts, recipe, "kernels") == train(texts, recipe, "hf")


@pytest.mark.parametrize("alphabet", ["utf8", "learned", "complete"])
@pytest.mark.parametrize("size", [300, 600, 5000])
def test_whole_files_are_the_same(texts: list[str], alphabet: str, size: int) -> None:
    """Every alphabet, vocabularies that fill and that do not."""
    recipe = Recipe(vocabulary_size=size, alphabet=alphabet)  # type: ignore[arg-type]
    assert train(texts, recipe, "kernels") == train(texts, recipe, "hf")


def test_real_code_gives_the_same_file() -> None:
    """Some of Python's own library, 4,000 entries."""
    files = sorted(Path(json.__file__).parent.parent.glob("a*.py"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    recipe = Recipe(vocabulary_size=4000)
    assert train(texts, recipe, "kernels") == train(texts, recipe, "hf")


def test_a_vocabulary_as_large_as_the_released_one_is_the_same() -> None:
    """50,254 entries asked of Python's own library; the last merges are of rare pairs."""
    files = sorted(Path(json.__file__).parent.parent.glob("*/*.py"))
    texts = [file.read_bytes().decode("utf-8", "ignore") for file in files]
    learned = train(texts, Recipe(), "kernels")
    assert len(json.loads(learned)["model"]["merges"]) > 30_000
    assert learned == train(texts, Recipe(), "hf")


def test_a_pair_beyond_32_bits_is_merged_first(tmp_path: Path) -> None:
    """Three billion times q and z; HF tokenizers would pass it over."""
    counts = {b"qz": 3_000_000_000, b"ab": 2_000_000_000, b"abq": 5}
    count.from_counts(counts, tmp_path / "counts.parquet")
    learned = train_counts(count.read(tmp_path / "counts.parquet"), Recipe(vocabulary_size=300))
    assert json.loads(learned)["model"]["merges"] == ["q z", "a b", "ab q"]


def test_many_vocabularies_come_from_one_count(texts: list[str], tmp_path: Path) -> None:
    """Counted once, learned from twice."""
    counter = count.Counter(tmp_path)
    counter.add(texts)
    counter.finish(tmp_path / "counts.parquet")
    counts = count.read(tmp_path / "counts.parquet")
    for size in (400, 600):
        recipe = Recipe(vocabulary_size=size)
        assert train_counts(counts, recipe) == train(texts, recipe, "hf")


def test_no_words_are_an_error(tmp_path: Path) -> None:
    """There is nothing to learn from nothing, whoever learns."""
    count.from_counts({}, tmp_path / "counts.parquet")
    with pytest.raises(ValueError, match="no text"):
        train_counts(count.read(tmp_path / "counts.parquet"), Recipe())
    with pytest.raises(ValueError, match="no text"):
        train([""], Recipe(), "kernels")


def test_a_lone_surrogate_is_named() -> None:
    """As HF's way does."""
    with pytest.raises(UnencodableText, match=r"document 1: lone surrogate U\+D800"):
        train(["fine", "ab\ud800"], Recipe(), "kernels")


def test_counting_finds_each_word(tmp_path: Path) -> None:
    """Words keep the space before them, and text is counted in NFC."""
    counter = count.Counter(tmp_path)
    counter.add(["a tide a tide", "e\u0301 é  it's", "y" * 40 + " " + "y" * 40, ""])
    counted = counter.finish(tmp_path / "counts.parquet")
    table = count.read(tmp_path / "counts.parquet")
    found = dict(zip(table["word"].to_pylist(), table["count"].to_pylist(), strict=True))
    expected = {"a": 1, " tide": 2, " a": 1, "é": 1, " é": 1, " ": 1, " it": 1, "'s": 1}
    expected |= {"y" * 40: 1, " " + "y" * 40: 1}
    assert found == {word.encode(): number for word, number in expected.items()}
    assert counted == count.Counted(words=10, occurrences=11, cut=0)
    assert counter.text_bytes == 105


def test_full_tables_go_to_disk_and_leave_no_trace(tmp_path: Path, texts: list[str]) -> None:
    """With room for a few hundred words, words as long as the tables or longer, and files cleaned away."""
    documents = [*texts, " ".join(f"w{n} longer_than_fifteen_{n}" for n in range(3000))]
    documents += ["z" * 70_000, *(["y" * 700] * 100)]
    for bits in (10, 20):
        counter = count.Counter(tmp_path, table_bits=bits)
        counter.add(documents)
        counter.finish(tmp_path / f"{bits}.out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["10.out", "20.out"]
    assert (tmp_path / "10.out").read_bytes() == (tmp_path / "20.out").read_bytes()


def test_files_of_counts_add_up(tmp_path: Path, texts: list[str]) -> None:
    """However the documents are divided, the sum is the same file."""
    paths = []
    for worker, part in enumerate([texts[::2], texts[1::2], texts]):
        folder = tmp_path / str(worker)
        folder.mkdir()
        counter = count.Counter(folder, table_bits=12)
        counter.add(part)
        counter.finish(tmp_path / f"{worker}.parquet")
        paths.append(tmp_path / f"{worker}.parquet")
    count.merge(paths[:2], tmp_path / "sum.parquet")
    assert (tmp_path / "sum.parquet").read_bytes() == paths[2].read_bytes()


def test_rare_words_are_cut_only_if_asked_and_reported(tmp_path: Path) -> None:
    """What is left out is counted."""
    count.from_counts({b"a": 5, b"b": 1, b"c": 2}, tmp_path / "counts.parquet")
    counted = count.merge([tmp_path / "counts.parquet"], tmp_path / "cut.parquet", rarest=2)
    assert counted == count.Counted(words=2, occurrences=7, cut=1)
    assert sorted(count.read(tmp_path / "cut.parquet")["word"].to_pylist()) == [b"a", b"c"]


SPACED = st.text(" ab\n1\u3000é'", max_size=60)
"""Texts in which runs of spaces meet letters, white space and contractions."""


@settings(max_examples=80, deadline=None)
@given(st.lists(SPACED, min_size=1, max_size=12), st.sampled_from([2, 3, 24]))
def test_reserved_runs_are_cut_out_as_hf_tokenizers_cuts_them(texts: list[str], run: int) -> None:
    """Also where a run leaves one space over, which then begins the next word."""
    recipe = Recipe(vocabulary_size=300, longest_space_run=run, runs="reserved")
    if any(text.strip(" ") for text in texts):
        assert train(texts, recipe, "kernels") == train(texts, recipe, "hf")


def test_reserved_runs_waste_no_entry() -> None:
    """Indented code: as released, entries of spaces can never be reached; reserved, there is none."""
    files = sorted(Path(json.__file__).parent.glob("*.py"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    found = {
        runs: vocabulary(train(texts, Recipe(vocabulary_size=1500, runs=runs)))
        for runs in ("added", "reserved")
    }
    assert len(found["added"].tokens) == len(found["reserved"].tokens) == 1523
    assert len(found["added"].unreachable) > 20
    assert found["reserved"].unreachable == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(SPACED, min_size=1, max_size=12), st.sampled_from([0, 3]))
def test_hf_tokenizers_learns_the_same_from_counts(texts: list[str], run: int) -> None:
    """Words counted by either, learned from by either: one file."""
    runs: Runs = "reserved" if run else "added"
    recipe = Recipe(vocabulary_size=300, longest_space_run=run, runs=runs)
    words = count_plain.words(texts, recipe.reserved_run)
    if words:
        counts = pa.table({"word": list(words), "count": list(words.values())}, count.SCHEMA)
        whole = train(texts, recipe, "hf")
        assert train_counts(counts, recipe, "hf") == whole
        assert train_counts(counts, recipe, "kernels") == whole


def test_hf_tokenizers_is_refused_counts_that_would_overflow() -> None:
    """The pair of bytes is named; auto leaves such counts to the kernels."""
    counts = pa.table({"word": [b"qz", b"ab"], "count": [3_000_000_000, 5]}, count.SCHEMA)
    with pytest.raises(SampleTooLarge, match="'qz'"):
        train_counts(counts, Recipe(vocabulary_size=300), "hf")
    learned = train_counts(counts, Recipe(vocabulary_size=300), "auto")
    assert json.loads(learned)["model"]["merges"] == ["q z", "a b"]


def test_documents_in_a_buffer_count_as_strings_do(
    texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice of an Arrow column, in batches smaller than some documents, one of them not in NFC."""
    documents = [*texts, "", "e\u0301te\u0301", "long " * 300]
    monkeypatch.setattr(count, "_BATCH", 400)
    column = pa.array(["not counted", *documents], pa.large_string())[1:]
    offsets = np.frombuffer(column.buffers()[1], np.int64)[1:]
    counter = count.Counter(tmp_path)
    counter.add_buffer(np.frombuffer(column.buffers()[2], np.uint8), offsets)
    counter.finish(tmp_path / "buffer.parquet")
    counter = count.Counter(tmp_path)
    counter.add(documents)
    counter.finish(tmp_path / "strings.parquet")
    assert count.read(tmp_path / "buffer.parquet") == count.read(tmp_path / "strings.parquet")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(LETTERS.map(str.encode), st.integers(1, 4), min_size=1, max_size=30))
def test_counts_far_beyond_32_bits_scale(words: dict[bytes, int]) -> None:
    """All counts times 2**40: the same merges as of the counts themselves, which HF can hold."""
    few = pa.table({"word": list(words), "count": list(words.values())}, count.SCHEMA)
    many = few.set_column(1, "count", pc.multiply(few["count"], 1 << 40))
    recipe = Recipe(vocabulary_size=400, min_frequency=1)
    assert train_counts(many, recipe) == train_counts(few, recipe, "hf")
