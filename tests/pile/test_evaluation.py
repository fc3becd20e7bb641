"""Tests of evaluation: windows, bits per byte, `pile eval`, and the tasks for lm-evaluation-harness."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile import corpus
from pile.commands.evaluation import table
from pile.config import load
from pile.evaluation.bits import Figures, NotFinite, Sums, evaluate, figures
from pile.evaluation.held_out import HeldOut, chosen
from pile.evaluation.published import PUBLISHED_BITS, Bits, beside
from pile.evaluation.windows import Window, batches, windows
from pile.graph import build
from pile.run import run
from sources.published import PILE_SET_NAMES

Pile = Callable[..., tuple[int, str, str]]

NASTY = [
    "[1, 2]",
    '["a", "b"]',
    "[]",
    "[1, 2",
    "{'a': [1]}",
    "{{ text }}",
    "{% raw %}{{ x }}{% endraw %}",
    "2020-01-02",
    "1e5",
    "True",
    "null",
    "  leading and trailing  \n\n",
    "line\u2028separator\r\nand \x00 control",
    "日本語 naïve e\u0301",
    "<|endoftext|>",
]
"""Texts that look like lists, templates, dates or numbers, or that readers like to change."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a corpus of which most is held out, nasty texts too; returns its pipeline.toml."""
    from small_corpus import text, write_config, write_raw  # noqa: PLC0415 - conftest brings it

    folder = tmp_path_factory.mktemp("held")
    write_raw(folder / "raw")
    lines = [json.dumps({"id": str(n), "text": one}) for n, one in enumerate(NASTY)]
    lines += [json.dumps({"id": f"long-{n}", "text": text(500 + n, 400)}) for n in range(6)]
    (folder / "raw" / "letters" / "b.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = write_config(folder)
    settings = path.read_text(encoding="utf-8").replace("test = 0.1", "test = 0.6")
    path.write_text(settings.replace("*.jsonl.gz", "*.jsonl*"), encoding="utf-8")
    loaded = load(path)
    run(loaded, build(loaded, lambda _: None), lambda _: None)
    return path


def texts_of(config: Path, split: str) -> dict[str, list[str]]:
    """Return the texts of a split of a corpus by source, in order."""
    folder = config.parent / "work" / "latest" / "corpus"
    found: dict[str, list[str]] = {}
    for file in corpus.files(folder, split):
        sources = corpus.provenance(file, ("source",))
        for line, (source,) in zip(corpus.read(file), sources, strict=True):
            found.setdefault(source, []).append(line.text)
    return found


@given(st.integers(0, 40), st.integers(1, 9))
def test_each_token_is_predicted_once_from_all_that_fits(count: int, length: int) -> None:
    """A piece of L tokens is seen whole before its last; of a short last piece, no less is seen."""
    ids = list(range(1, count + 1))
    found = list(windows("s", ids, 0, length))
    predicted = [token for one in found for token in one.tokens[-one.predicted :].tolist()]
    assert predicted == ids
    for number, one in enumerate(found):
        last = min((number + 1) * length, count)
        assert one.tokens.tolist() == list(range(max(last - length, 0), last + 1))


@given(st.integers(1, 300), st.integers(1, 12))
def test_windows_are_the_harness_s(count: int, length: int) -> None:
    """The same contexts and continuations as lm-evaluation-harness's rolling windows, made disjoint."""
    theirs = pytest.importorskip("lm_eval.utils")
    ids = list(range(1, count + 1))
    rolling = theirs.get_rolling_token_windows(ids, 0, length, 1)
    disjoint = [tuple(theirs.make_disjoint_window(pair)) for pair in rolling]
    ours = [
        (one.tokens[: -one.predicted].tolist(), one.tokens[-one.predicted :].tolist())
        for one in windows("s", ids, 0, length)
    ]
    assert ours == disjoint


@given(st.lists(st.integers(1, 9), max_size=200), st.integers(1, 5))
def test_batches_hold_every_window_once(lengths: list[int], size: int) -> None:
    """Whatever the lengths: none is lost, none twice, none larger than asked for."""
    given_ = [
        Window(str(n), next(windows("s", range(length), 0, 9)).tokens, length)
        for n, length in enumerate(lengths)
    ]
    found = list(batches(given_, size))
    assert sorted(int(one.source) for some in found for one in some) == list(range(len(lengths)))
    assert all(0 < len(some) <= size for some in found)


class Uniform:
    """A model that finds each of 64 bytes as likely as any other; a token a byte."""

    prefix, length = 0, 7

    def __init__(self, nats: float = math.log(64)) -> None:
        self._nats = nats

    def encode(self, text: str) -> Sequence[int]:
        """Return bytes, as far as there are ids."""
        return [byte % 64 for byte in text.encode()]

    def nats(self, some: Sequence[Window]) -> list[float]:
        """Return the same for each token."""
        return [one.predicted * self._nats for one in some]


def test_bits_are_by_utf8_bytes_of_a_source() -> None:
    """Six bits a byte, for texts of one byte a character and of three, and an empty one."""
    documents = [
        HeldOut("a", "abc"),
        HeldOut("b", "日本語" * 9),
        HeldOut("a", ""),
        HeldOut("b", "x"),
    ]
    found = figures(evaluate(documents, Uniform(), 2), ["b"])
    assert [(one.source, one.documents, one.bytes, one.tokens) for one in found] == [
        ("b", 2, 82, 82),
        ("a", 2, 3, 3),
        ("all", 4, 85, 85),
    ]
    for one in found:
        assert one.bits_per_byte == pytest.approx(6)
        assert one.byte_perplexity == one.token_perplexity == pytest.approx(64)
        assert one.tokens_per_byte == 1


def test_the_whole_is_a_ratio_of_sums() -> None:
    """Not the mean of sources: 10 bits in 10 bytes and 90 in 30 are 2.5 a byte, not 2."""
    nats = {"a": Sums(1, 10, 5, 10 * math.log(2)), "b": Sums(1, 30, 5, 90 * math.log(2))}
    assert figures(nats, [])[-1].bits_per_byte == pytest.approx(2.5)
    assert Figures.of("none", Sums()).bits_per_byte == 0


def test_a_loss_that_is_no_number_is_told() -> None:
    """NaN would become the figure of a whole source."""
    with pytest.raises(NotFinite, match="a document of a is nan"):
        evaluate([HeldOut("a", "abc")], Uniform(math.nan), 2)


def test_a_loss_beyond_any_perplexity_is_told() -> None:
    """A broken model's, of which no perplexity is a number."""
    sums = evaluate([HeldOut("a", "abc")], Uniform(900.0), 2)
    with pytest.raises(NotFinite, match="loss on a is 900 nats a token: its weights are broken"):
        figures(sums, [])


def test_the_first_documents_of_some_sources_are_chosen() -> None:
    """So many of each source, in order; without a limit all, without names every source."""
    given_ = [HeldOut(source, str(n)) for n, source in enumerate("abacab")]
    assert "".join(one.text for one in chosen(given_, ("a", "b"), 2)) == "0125"
    assert list(chosen(given_, (), 0)) == given_


def test_published_bits_are_of_all_components() -> None:
    """Table 2 as printed: 22 components and the whole; GPT-3 is the best everywhere."""
    assert list(PUBLISHED_BITS) == [*PILE_SET_NAMES, "all"]
    assert all(one.gpt3_davinci < min(one.gpt2, one.gpt2_xl) for one in PUBLISHED_BITS.values())
    assert PUBLISHED_BITS["all"] == Bits(1.2253, 1.0468, 0.7177)
    assert PUBLISHED_BITS["github"] == Bits(1.7912, 1.6486, 0.5635)  # GPT-2 is that bad at code


def test_a_table_sets_the_published_beside_what_is_measured() -> None:
    """For components; sources of one's own have none, nor has what is not the whole Pile."""
    lines = table(figures({"github": Sums(1, 8, 4, 3.0), "mine": Sums(1, 8, 4, 3.0)}, [])).split(
        "\n"
    )
    assert lines[0].endswith("bits/byte   GPT-2  GPT-2 XL   GPT-3")
    assert lines[1].endswith("0.5410  1.7912    1.6486  0.5635")
    assert lines[2].endswith("0.5410")
    assert lines[3].endswith("0.5410")
    assert "all" in beside([*PILE_SET_NAMES, "all"])


def test_texts_are_exported_as_they_are(config: Path, pile: Pile) -> None:
    """A Parquet file a source and split, whose rows are the texts held out; twice is no harm."""
    for _ in range(2):
        code, out, _ = pile("export", "lm-eval", "-c", str(config))
        assert code == 0
    folder = config.parent / "work" / "export" / "lm-eval"
    assert {Path(line) for line in out.split()} == {
        path for path in folder.rglob("*") if path.is_file()
    }
    for split in ("val", "test"):
        written = {
            path.stem: pq.read_table(path).column("text").to_pylist()
            for path in (folder / split).glob("*.parquet")
        }
        assert written == texts_of(config, split)
    assert len(set(NASTY) & set(texts_of(config, "test")["letters"])) > 5


def test_tasks_name_a_field_and_no_template(config: Path, pile: Pile) -> None:
    """A task a source, one over all, and a group of the former; its metadata counts the bytes."""
    yaml = pytest.importorskip("yaml")
    pile("export", "lm-eval", "-c", str(config))
    folder = config.parent / "work" / "export" / "lm-eval"
    tasks = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in folder.glob("*.yaml")}
    assert set(tasks) == {
        f"pile_{split}{end}"
        for split in ("val", "test")
        for end in ("", "_whole", *(f"_{source}" for source in texts_of(config, split)))
    }
    assert tasks["pile_test"]["task"] == ["pile_test_letters", "pile_test_notes"]
    for task in (tasks["pile_test_letters"], tasks["pile_test_whole"]):
        assert (task["doc_to_text"], task["doc_to_target"]) == ("", "text")
        assert all(Path(path).is_file() for path in task["dataset_kwargs"]["data_files"]["test"])
    held = [one for some in texts_of(config, "test").values() for one in some]
    assert tasks["pile_test_whole"]["metadata"]["bytes"] == sum(len(one.encode()) for one in held)


def test_a_pattern_in_the_path_is_refused(small: Path, pile: Pile) -> None:
    """The library datasets would look for other files than those written."""
    path = small / "pipeline.toml"
    path.write_text(path.read_text("utf-8").replace('"work"', '"work[1]"'), encoding="utf-8")
    assert pile("run", "-c", str(path))[0] in {0, 3}
    code, _, err = pile("export", "lm-eval", "-c", str(path))
    assert code == 1
    assert "would take" in err
    assert "for a pattern" in err


def test_without_a_corpus_there_is_nothing_to_evaluate(small: Path, pile: Pile) -> None:
    """Both say which command makes it."""
    path = str(small / "pipeline.toml")
    for verb in (("eval", "model"), ("export", "lm-eval")):
        code, _, err = pile(*verb, "-c", path)
        assert code == 1
        assert f"mix is not made yet; `pile run -c {path}` makes it" in err


@pytest.fixture
def nothing_held_out(small: Path) -> str:
    """Run a corpus that holds out nothing; returns its pipeline.toml."""
    path = small / "pipeline.toml"
    settings = path.read_text("utf-8").replace("val = 0.1", "val = 0.0")
    path.write_text(settings.replace("test = 0.1", "test = 0.0"), encoding="utf-8")
    loaded = load(path)
    run(loaded, build(loaded, lambda _: None), lambda _: None)
    return str(path)


def test_what_is_not_held_out_has_no_figures(nothing_held_out: str, pile: Pile) -> None:
    """No bits of no documents: it is said which split is empty, before a model is loaded."""
    code, out, err = pile("eval", "no-such-model", "-c", nothing_held_out, "--source", "notes")
    assert (code, out) == (1, "")
    assert "there is no document of notes in test: [mix] val and test" in " ".join(err.split())
    code, out, err = pile("export", "lm-eval", "-c", nothing_held_out)
    assert (code, out) == (1, "")
    assert "nothing is held out" in err
    assert not (Path(nothing_held_out).parent / "work" / "export" / "lm-eval").exists()


@pytest.mark.parametrize("kind", ["jsonl.zst", "parquet"])
def test_a_damaged_corpus_is_named_and_nothing_exported(
    config: Path, pile: Pile, tmp_path: Path, kind: str
) -> None:
    """A bit turned in its texts or their provenance: the file, the remedy, and no half of an export."""
    shutil.copytree(config.parent, tmp_path / "copy", symlinks=True)
    path = tmp_path / "copy" / "pipeline.toml"
    shutil.rmtree(tmp_path / "copy" / "work" / "export", ignore_errors=True)
    corpus_folder = (tmp_path / "copy" / "work" / "latest" / "corpus").resolve()
    (damaged, *_) = sorted(one for one in corpus_folder.rglob(f"val/*.{kind}"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2 if kind == "jsonl.zst" else -9] ^= 8
    damaged.write_bytes(content)
    code, out, err = pile("export", "lm-eval", "-c", str(path))
    assert (code, out) == (6, "")
    assert "00000.jsonl.zst or its provenance is damaged" in " ".join(err.split())
    assert "`pile repair` makes it again" in " ".join(err.split())
    assert list((tmp_path / "copy" / "work" / "export").iterdir()) == []


def test_without_torch_it_says_what_to_install(
    config: Path, pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A usage error that names the library."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "pile.evaluation.hugging_face", raising=False)
    code, _, err = pile("eval", "model", "-c", str(config))
    assert code == 2
    assert "needs torch and transformers" in err
    assert "pip install torch transformers" in err


def test_a_source_that_is_not_there_is_refused(config: Path, pile: Pile) -> None:
    """With the names of those that are."""
    code, _, err = pile("eval", "model", "-c", str(config), "--source", "letter")
    assert (code, "these are: letters, notes" in err or "these are: notes, letters" in err) == (
        2,
        True,
    )


@pytest.fixture(scope="module")
def model(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a GPT-NeoX of random weights that sees 48 tokens, with the tokenizer of the run."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizer = config.parent / "work" / "latest" / "tokenizer"
    torch.manual_seed(0)
    settings = transformers.GPTNeoXConfig(
        vocab_size=512,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=48,
        initializer_range=0.3,  # so that what is seen makes a difference
        bos_token_id=0,
        eos_token_id=0,
    )
    folder = tmp_path_factory.mktemp("model")
    transformers.GPTNeoXForCausalLM(settings).save_pretrained(folder)
    for path in tokenizer.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def evaluated(pile: Pile, config: Path, *words: str) -> dict[str, dict[str, Any]]:
    """Return the figures of `pile eval` by source."""
    code, out, err = pile("eval", *words, "-c", str(config), "--device", "cpu", "--json")
    assert code == 0, err
    return {one["source"]: one for one in json.loads(out)}


def token_by_token(model: Path, text: str) -> tuple[float, int]:
    """Return the bits of a text and its tokens: each from a run of its own over what it sees."""
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    network = AutoModelForCausalLM.from_pretrained(model)
    ids = AutoTokenizer.from_pretrained(model).encode(text, add_special_tokens=False)
    stream, bits = [0, *ids], 0.0
    for place in range(1, len(stream)):
        piece_ends = min(-(-place // 48) * 48, len(ids))
        seen = torch.tensor([stream[max(piece_ends - 48, 0) : place]])
        with torch.no_grad():
            scores = network(input_ids=seen).logits[0, -1].double()
        bits -= float(torch.log_softmax(scores, 0)[stream[place]]) / math.log(2)
    return bits, len(ids)


def test_figures_are_those_of_single_predictions(config: Path, model: Path, pile: Pile) -> None:
    """Batches, padding and windows change nothing: bits of each token by itself, added up."""
    found = evaluated(pile, config, str(model), "--limit", "3", "--batch", "3")
    for source, held in texts_of(config, "test").items():
        single = [token_by_token(model, one) for one in held[:3]]
        size = sum(len(one.encode()) for one in held[:3])
        assert found[source]["bits_per_byte"] == pytest.approx(
            sum(bits for bits, _ in single) / size, abs=1e-6
        )
        assert found[source]["tokens"] == sum(tokens for _, tokens in single)
        assert found[source]["bytes"] == size


def test_the_harness_has_the_same_figures(
    config: Path, model: Path, pile: Pile, tmp_path: Path
) -> None:
    """Bits per byte of lm-evaluation-harness over the exported tasks, by source and whole, to 1e-6."""
    pytest.importorskip("lm_eval")
    assert pile("export", "lm-eval", "-c", str(config))[0] == 0
    folder = config.parent / "work" / "export" / "lm-eval"
    words = ["--model", "hf", "--model_args", f"pretrained={model}", "--device", "cpu"]
    words += ["--include_path", str(folder), "--tasks", "pile_test,pile_test_whole"]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    ran = subprocess.run(
        [sys.executable, "-m", "lm_eval", *words, "--output_path", str(tmp_path / "out.json")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **offline},
    )
    assert ran.returncode == 0, ran.stderr
    (path,) = tmp_path.glob("out_*.json")
    theirs = json.loads(path.read_text("utf-8"))["results"]
    ours = evaluated(pile, config, str(model))
    assert len(ours) == 3
    for source, one in ours.items():
        task = theirs["pile_test_whole" if source == "all" else f"pile_test_{source}"]
        for metric in ("bits_per_byte", "byte_perplexity"):
            assert one[metric] == pytest.approx(task[f"{metric},none"], rel=1e-6, abs=0)


def test_what_does_not_fit_a_model_is_refused(
    config: Path, model: Path, pile: Pile, tmp_path: Path
) -> None:
    """A usage error, rather than figures of something else."""
    other = tmp_path / "20B_tokenizer.json"
    other.write_bytes((model / "tokenizer.json").read_bytes())
    for words, says in (
        (("--length", "49"), "sees 48 tokens, not 49"),
        (("--tokenizer", str(tmp_path)), f"{tmp_path} has no tokenizer"),
        (("--tokenizer", str(tmp_path / "no")), f"{tmp_path / 'no'}: there is no such folder"),
        (("--tokenizer", str(other)), "give the folder of a tokenizer, or its tokenizer.json"),
        (("--device", "nonsense"), "--device nonsense cannot take"),
    ):
        code, _, err = pile("eval", str(model), "-c", str(config), *words)
        assert code == 2
        assert says in " ".join(err.split())


def test_a_model_of_another_tokenizer_is_refused(
    config: Path, model: Path, pile: Pile, tmp_path: Path
) -> None:
    """It has fewer rows than the tokenizer has ids; or no tokenizer, of which transformers makes one."""
    transformers = pytest.importorskip("transformers")
    network = transformers.AutoModelForCausalLM.from_pretrained(model)
    network.resize_token_embeddings(100)
    network.save_pretrained(tmp_path)
    code, _, err = pile("eval", str(tmp_path), "-c", str(config), "--tokenizer", str(model))
    assert code == 2
    assert "only 100 rows for them" in " ".join(err.split())
    code, _, err = pile("eval", str(tmp_path), "-c", str(config))
    assert code == 2
    assert "give the one it was trained with" in " ".join(err.split())


def test_a_model_that_is_not_whole_is_refused(
    config: Path, model: Path, pile: Pile, tmp_path: Path
) -> None:
    """Cut weights; and weights without a head, in whose place transformers draws one at random."""
    transformers = pytest.importorskip("transformers")
    whole = transformers.AutoModelForCausalLM.from_pretrained(model)
    whole.base_model.save_pretrained(tmp_path / "headless")
    whole.save_pretrained(tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    for name, says in (
        ("headless", "is no whole causal language model: 1 of"),
        ("cut", "cannot be"),
    ):
        path = str(tmp_path / name)
        code, _, err = pile("eval", path, "-c", str(config), "--tokenizer", str(model))
        assert code == 2
        assert f"{path} {says}" in " ".join(err.split())
