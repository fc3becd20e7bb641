"""Cleaning in a run: rules by source, thresholds from the config, and what was refused to look at."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_corpus import published, text, write_config

from pile.cleaning.settings import Clean
from pile.commands import render
from pile.config import ConfigError, load
from pile.graph import build
from pile.run import run
from pile.stages import clean

Pile = Callable[..., tuple[int, str, str]]

RULES = """rules = ["mask_personal"]
[clean.gopher_quality]
min_words = 20
[clean.sources.notes]
rules = ["gopher_quality", "gopher_repetition", "c4_bad_words", "mask_personal"]
[clean.sources.notes.gopher_quality]
min_stop_words = 0
[clean.c4_bad_words]
file = "bad.txt"
"""


@pytest.fixture
def cleaned(small: Path) -> Path:
    """Folder of the small corpus with three notes to refuse and one to mask, and a config that does."""
    notes = small / "raw" / "notes"
    (notes / "00.txt").write_text("Too few words, bob@example.org.", encoding="utf-8")
    (notes / "01.txt").write_text("over and over " * 30, encoding="utf-8")
    (notes / "02.txt").write_text(text(2).replace("river", "darned"), encoding="utf-8")
    (notes / "03.txt").write_text(text(3) + "Write to ann@example.org.", encoding="utf-8")
    (small / "bad.txt").write_text("darned\n\ngosh\n", encoding="utf-8")
    write_config(small, rules=RULES)
    return small


def finish(folder: Path) -> None:
    """Run the corpus to its end."""
    config = load(folder / "pipeline.toml")
    run(config, build(config, lambda _: None), lambda _: None)


def test_what_was_refused_says_rule_measure_and_threshold(cleaned: Path, pile: Pile) -> None:
    """`pile show SOURCE --rejected` tells of each; `--reason` picks; figures add up."""
    finish(cleaned)
    config = str(cleaned / "pipeline.toml")
    code, out, _ = pile("show", "notes", "--rejected", "-n", "9", "-c", config, "--json")
    assert code == 0
    assert [(one["origin"], one["reason"], one["detail"]) for one in json.loads(out)] == [
        ("00.txt", "few_words", "gopher_quality: 4 < min_words = 20"),
        ("01.txt", "top_2_gram", "gopher_repetition: 0.571429 > max_top_grams = 0.2"),
        ("02.txt", "bad_word", "c4_bad_words: 'darned'"),
    ]
    _, out, _ = pile("show", "notes", "--reason", "bad_word", "-c", config)
    assert "stage: clean.notes\norigin: 02.txt\nreason: bad_word\ndetail: c4_bad_words:" in out
    _, out, _ = pile("status", "-c", config, "--json")
    stages = {one["stage"]: one for one in json.loads(out)}
    assert stages["clean.notes"]["rejected"] == {"few_words": 1, "top_2_gram": 1, "bad_word": 1}
    assert (stages["clean.notes"]["taken"], stages["clean.notes"]["given"]) == (12, 9)
    assert stages["clean.letters"]["rejected"] == {}
    _, out, _ = pile("report", "-c", config, "--json")
    notes = next(one for one in json.loads(out)["sources"] if one["name"] == "notes")
    assert notes["cleaned"] == {"mask_personal": 1}
    assert notes["explanations"]["bad_word"]
    sheet = (cleaned / "work" / "latest" / "corpus" / "DATASHEET.md").read_text(encoding="utf-8")
    assert "few_words 1" in sheet


def test_another_threshold_reads_no_raw_file_again(cleaned: Path) -> None:
    """Only cleaning and what follows it is made anew, of the source whose threshold it is."""
    finish(cleaned)
    toml = cleaned / "pipeline.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("min_words = 20", "min_words = 4"))
    config = load(toml)
    outcome = run(config, build(config, lambda _: None), lambda _: None)
    assert {"clean.notes", "mix"} <= set(outcome.made)
    assert {"extract.notes", "extract.letters", "clean.letters"} <= set(outcome.kept)


def test_what_extraction_refused_is_shown_while_cleaning_is_not_made(
    cleaned: Path, pile: Pile
) -> None:
    """Another threshold leaves cleaning to do: the stages before it are shown, and that is said."""
    finish(cleaned)
    toml = cleaned / "pipeline.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"mask_personal"', '"reject_empty"'))
    code, out, err = pile("show", "letters", "--rejected", "-n", "9", "-c", str(toml), "--json")
    assert code == 0
    assert [(one["stage"], one["reason"]) for one in json.loads(out)] == [
        ("extract.letters", "invalid_json")
    ]
    assert "clean.letters is not made yet" in err
    code, _, err = pile("show", "clean.letters", "--rejected", "-c", str(toml))
    assert code == 2
    assert "clean.letters is not made yet" in err


def test_a_reason_that_nothing_was_refused_for_is_told(cleaned: Path, pile: Pile) -> None:
    """Beside those that were counted, of which one may be meant."""
    finish(cleaned)
    config = str(cleaned / "pipeline.toml")
    code, out, err = pile("show", "notes", "--reason", "few_word", "-c", config, "--json")
    assert (code, json.loads(out)) == (0, [])
    assert "rejected as 'few_word'; counted are: bad_word 1, few_words 1, top_2_gram 1" in err


def test_what_is_shown_steers_no_terminal() -> None:
    """Names of raw files are upstream's, as texts are: control characters are written out."""
    hostile = {
        "origin": "a\x1b[2J.txt",
        "reason": "empty",
        "meta": '{"k": "\x9b2J"}',
        "text": "\x07",
    }
    shown = render.records([hostile])
    assert not any(one in shown for one in "\x1b\x9b\x07")
    assert "origin: a\\x1b[2J.txt" in shown


def test_another_list_of_words_is_another_recipe(cleaned: Path) -> None:
    """The words decide, wherever they stand."""
    before = build(load(cleaned / "pipeline.toml"), lambda _: None).named("clean.notes")
    (cleaned / "bad.txt").write_text("gosh\ndarned\n", encoding="utf-8")
    same = build(load(cleaned / "pipeline.toml"), lambda _: None).named("clean.notes")
    assert same.fingerprint == before.fingerprint
    (cleaned / "bad.txt").write_text("gosh\n", encoding="utf-8")
    other = build(load(cleaned / "pipeline.toml"), lambda _: None).named("clean.notes")
    assert other.fingerprint != before.fingerprint
    (cleaned / "bad.txt").unlink()
    with pytest.raises(ConfigError, match=r"c4_bad_words\] file = 'bad.txt': cannot be read"):
        build(load(cleaned / "pipeline.toml"), lambda _: None)


def test_the_first_word_of_a_list_counts_however_the_file_begins(cleaned: Path) -> None:
    """A mark of the encoding, which some editors write, is no part of it."""
    before = build(load(cleaned / "pipeline.toml"), lambda _: None).named("clean.notes")
    (cleaned / "bad.txt").write_text("darned\ngosh\n", encoding="utf-8-sig")
    marked = build(load(cleaned / "pipeline.toml"), lambda _: None).named("clean.notes")
    assert marked.fingerprint == before.fingerprint


def test_a_list_without_words_is_refused(cleaned: Path) -> None:
    """It would reject nothing, and say so nowhere."""
    (cleaned / "bad.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[clean.c4_bad_words\] has no words: give file"):
        build(load(cleaned / "pipeline.toml"), lambda _: None)


def test_what_meta_says_already_ends_no_run_and_stays(small: Path, pile: Pile) -> None:
    """Upstreams may use the keys of rules for what they like: their language is theirs."""
    metas: list[object] = [{"masked": one, "language": "fr"} for one in (True, "yes", [1])]
    lines = [json.dumps({"text": text(n) + "\r\n", "meta": one}) for n, one in enumerate(metas)]
    (small / "raw" / "letters" / "b.jsonl").write_text("\n".join(lines), encoding="utf-8")
    rules = 'rules = ["normalise_newlines", "language", "mask_personal"]\n'
    path = write_config(small, rules=rules + "[clean.language]\nmin_share = 0.1")
    path.write_text(path.read_text(encoding="utf-8").replace("*.jsonl.gz", "b.jsonl"))
    code, _, err = pile("run", "-c", str(path))
    assert code == 0, err
    _, out, _ = pile("show", "clean.letters", "-c", str(path), "--json")
    found = [json.loads(one["meta"]) for one in json.loads(out)]
    assert found == [one | {"detected_language": "en"} for one in metas]  # type: ignore[operator]


def test_kernels_and_reference_give_the_same_files(
    cleaned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a part is measured does not show in its bytes."""
    finish(cleaned)
    first = published(cleaned / "work")
    monkeypatch.setattr(clean, "KERNELS_FROM", 0)
    write_config(cleaned, rules=RULES, work='work = "other"')
    finish(cleaned)
    assert published(cleaned / "other") == first


def test_cleaning_is_verified_by_doing_it_again(cleaned: Path, pile: Pile) -> None:
    """`verify --sample` runs tasks of cleaning once more, too."""
    finish(cleaned)
    code, out, err = pile("verify", "--sample", "100%", "-c", str(cleaned / "pipeline.toml"))
    assert code == 0, out
    assert "clean.notes" in err


def test_a_sources_own_keys_are_over_those_of_all() -> None:
    """Keys that a source's tables do not name are those of `[clean]`."""
    found = Clean.model_validate(
        {
            "rules": ("gopher_quality",),
            "gopher_quality": {"min_words": 20, "max_words": 30},
            "sources": {"notes": {"gopher_quality": {"max_words": 25}}, "letters": {"rules": ()}},
        }
    )
    (_, notes), (_, others) = *found.of("notes").chosen, *found.of("elsewhere").chosen
    assert (notes.min_words, notes.max_words) == (20, 25)  # type: ignore[attr-defined]
    assert (others.min_words, others.max_words) == (20, 30)  # type: ignore[attr-defined]
    assert found.of("letters").chosen == []
    with pytest.raises(ValueError, match="min_words is above max_words"):
        Clean.model_validate({"sources": {"notes": {"gopher_quality": {"min_words": 200_000}}}})
