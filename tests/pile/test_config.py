"""Configurations: what is accepted, and that every error names its place and the remedy."""

import errno
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile.config import Config, ConfigError, load
from pile.exit_codes import NO_SPACE, USAGE, code_of
from sources.published import PILE_SET_NAMES, PUBLISHED
from sources.registry import SOURCES

ROOT = Path(__file__).parents[2]

SMALL = """schema = 1

[corpus]
name = "x"

[sources.notes]
reader = "local"
epochs = 2
files = ["*.txt"]

[mix]
val = 0.01

[run]
work = "w"
"""


def write(folder: Path, text: str) -> Path:
    """Write a config and return its path."""
    path = folder / "pipeline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_recipe_of_2020_holds_all_22_components_with_their_epochs() -> None:
    """pipeline.toml is the published recipe."""
    config = load(ROOT / "pipeline.toml")
    assert {table.name: table.epochs for table in config.sources} == {
        name: PUBLISHED[name].epochs for name in PILE_SET_NAMES
    }
    assert {table.name: table.pile_set_name for table in config.sources} == dict(PILE_SET_NAMES)
    assert config.clean.rules == ()
    assert (config.dedup.permutations, config.dedup.ngram, config.dedup.threshold) == (10, 5, 0.5)
    assert config.dedup.keep["pile_cc"] == "last"
    assert config.tokenizer.vocabulary == 50_254


@pytest.mark.parametrize("name", ["demo", "samples"])
def test_examples_load(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples are valid configurations."""
    monkeypatch.setenv("PILE_SAMPLES", "/somewhere")
    assert load(ROOT / "examples" / f"{name}.toml").enabled


def test_a_config_is_frozen(tmp_path: Path) -> None:
    """Settings cannot change under a run."""
    config = load(write(tmp_path, SMALL))
    with pytest.raises(ValueError, match="frozen"):
        config.mix.val = 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("val = 0.01", "vall = 0.01"), r":12: \[mix\] has no key 'vall'; did you mean 'val'\?"),
        (
            ("val = 0.01", 'unit = "tokens"'),
            r"unit = 'tokens' says what \[mix.shares\] and total count",
        ),
        (
            ("val = 0.01", 'unit = "tokens"\ntotal = 9'),
            r"counts with a tokenizer that is there before the corpus is: give \[tokenizer\] file",
        ),
        (
            ("val = 0.01", "shares = { nots = 0.5 }"),
            r"\[mix.shares\] names 'nots', .* no enabled source; did you mean 'notes'\?",
        ),
        (("val = 0.01", "shares = { notes = 0.5 }"), r"have to sum to 1, not 0\.5"),
        (("val = 0.01", "near_duplicates = true"), r"near_duplicates .* set it to 'minhash'"),
        (
            ("val = 0.01", 'val = 0.02\nhold_out = "published"'),
            r"holds out 0\.01 of each file, .* lower them, or hold out by 'hash'",
        ),
        (("[mix]", "[mixx]"), r":11: \[top level\] has no key 'mixx'; did you mean 'mix'\?"),
        (("val = 0.01", 'val = "x"'), r":12: \[mix\] val = 'x': input should be a valid number"),
        (("val = 0.01", "val = 1.5"), r":12: \[mix\] val = 1.5: input should be less than 1"),
        (("epochs = 2", "epochs = 0"), r":8: \[sources.notes\] epochs = 0: .*greater than 0"),
        (
            ("epochs = 2", "epochs = 1e4"),
            r":8: \[sources.notes\] epochs = 10000.0: .*equal to 1000",
        ),
        (("epochs = 2", "epochs = inf"), r":8: \[sources.notes\] epochs = inf: .*finite number"),
        (("[run]", "[quality]\nalpha = inf\n[run]"), r"\[quality\] alpha = inf: .*finite number"),
        (
            ('reader = "local"', 'reader = "wikipedia"'),
            r"no source 'wikipedia'; did you mean 'wikipedia_en'",
        ),
        (('reader = "local"', ""), r"no source 'notes'.*reader = \"local\""),
        (
            ("files =", "filez ="),
            r":9: \[sources.notes\] has no key 'filez'; did you mean 'files'\?",
        ),
        (("schema = 1", "schema = 2"), r"schema = 2; this version reads schema = 1"),
        (("val = 0.01", "val = 0.6\ntest = 0.6"), r"\[mix\] val and test together"),
        (("[run]", "[dedup.keep]\nnote = 'first'\n[run]"), r"names 'note'.*did you mean 'notes'"),
        (("[run]", "[clean]\nrules = ['nfc']\n[run]"), r"no cleaning rule is called 'nfc'"),
        (("[run]", "[dedup]\nscheme = 'x'\n[run]"), r"name 'x' is not one of datasketch"),
        (("[mix]", "[mix"), r"not valid TOML"),
        (("[run]", "[dedup]\nmethod = 'minhsh'\n[run]"), r"did you mean 'minhash'"),
        (
            ("[run]", "[clean.gopher_quality]\nmin_word = 5\n[run]"),
            r"\[clean.gopher_quality\] has no key 'min_word'; did you mean 'min_words'",
        ),
        (
            ("[run]", "[clean.sources.notes.language]\nlanguage = ['en']\n[run]"),
            r"has no key 'language'; did you mean 'languages'",
        ),
        (("[run]", "[clean.sources.nowhere]\n[run]"), r"names 'nowhere', no source here"),
        (
            ("[run]", "[clean.language]\nlanguages = ['english']\n[run]"),
            r":15: \[clean.language\] languages = 'english': no language .*; did you mean 'en'\?$",
        ),
        (
            ("[run]", "[clean.mask_personal]\nkinds = ['mail']\n[run]"),
            r":15: \[clean.mask_personal\] kinds = 'mail': .*; did you mean 'email'\?$",
        ),
        (
            ("[run]", "[clean.sources.notes]\nrules = ['nfc']\n[run]"),
            r"of \[clean.sources.notes\]: no cleaning rule is called 'nfc'",
        ),
        (
            ("[run]", "[clean.gopher_quality]\nmax_hashes = inf\n[run]"),
            r":15: \[clean.gopher_quality\] max_hashes = inf: input should be a finite number",
        ),
        (("val = 0.01", "shares = { notes = nan }"), r"input should be a finite number"),
    ],
    ids=lambda value: value[1][:20] if isinstance(value, tuple) else "",
)
def test_an_error_names_place_and_remedy(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    """File, line, table, key, and the nearest valid one."""
    path = write(tmp_path, SMALL.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert re.search(message, str(caught.value)), str(caught.value)


def test_an_option_of_a_source_is_checked_against_its_defaults(tmp_path: Path) -> None:
    """A source's own keys are known, and typed as their defaults are."""
    text = SMALL.replace('reader = "local"', "").replace("sources.notes", "sources.wikipedia_en")
    with pytest.raises(ConfigError, match="has no key 'fidelty'; did you mean 'fidelity'"):
        load(write(tmp_path, text.replace("epochs = 2", 'fidelty = "published"')))
    with pytest.raises(ConfigError, match="'publishd' is none; did you mean 'published'"):
        load(write(tmp_path, text.replace("epochs = 2", 'fidelity = "publishd"')))
    with pytest.raises(ConfigError, match="fidelity = 3 is not a text"):
        load(write(tmp_path, text.replace("epochs = 2", "fidelity = 3")))


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nih_exporter", "first = 2020\nlast = 2010", ":3: .*first = 2020: it lies behind last"),
        ("nih_exporter", "last = 1980", r":3: .*last = 1980: 1980 is less than 1985"),
        ("ubuntu_irc", 'first = "2004-13-05"', ":3: .*'2004-13-05' is no day of the calendar"),
        ("ubuntu_irc", 'channels = ["a b"]', "'a b' is not of the form #ubuntu"),
        ("uspto_backgrounds", 'last = "2020"', "last = '2020': .*not of the form YYYY-MM-DD"),
        ("pile_cc", "count = -5", ":3: .*count = -5: -5 is less than 0"),
        ("pile_cc", 'crawls = ["2020-24"]', "'2020-24' is not of the form CC-MAIN-YYYY-WW"),
        ("pile_cc", 'blocks = ["7"]', "'7' is no number"),
        ("pile_cc", "blocks = [7, 7]", "7 is in it twice"),
        ("europarl", 'languages = ["english"]', r":3: .*'english' is none .*; valid are: bg, cs"),
        ("europarl", 'languages = "en"', "languages = 'en' is not a list"),
        ("europarl", "languages = [1]", "1 is none"),
        ("dm_mathematics", 'levels = ["train-eazy"]', "did you mean 'train-easy'"),
        ("dm_mathematics", "levels = []", r"levels = \[\]: it is empty"),
        ("gutenberg_pg19", 'part = "trian"', "did you mean 'train'"),
        ("arxiv", 'first = "2013"', "first = '2013': .*form YYMM"),
        ("arxiv", 'first = "2008"', r":2: .*last = '2007_068': it lies before first = '2008'"),
        ("hackernews", "first = 20\nlast = 10", ":4: .*last = 10: it lies before first"),
        ("github", "keep = 16", "16 is more than 1.0"),
        ("github", 'repositories = ["pile"]', "'pile' is not of the form OWNER/NAME"),
        ("freelaw", 'volumes = ["us"]', "'us' is not of the form REPORTER/NUMBER, as us/410"),
        ("stackexchange", 'sites = ["coffee"]', "'coffee' is not of the form coffee.stackex"),
        ("pubmed_central", 'articles = ["13900"]', "'13900' is not of the form PMC13900"),
        ("wikipedia_en", 'dump = "newest"', "'newest' is not of the form YYYYMMDD, or latest"),
    ],
)
@pytest.mark.parametrize("files", ["", 'files = ["mine/*"]'])
def test_an_option_that_cannot_be_meant_is_the_users_to_mend(
    tmp_path: Path, source: str, options: str, message: str, files: str
) -> None:
    """Said with its place before anything is asked of an upstream, and with files given too."""
    path = write(tmp_path, f"schema = 1\n[sources.{source}]\n{options}\n{files}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert f"[sources.{source}]" in str(caught.value)


def test_every_default_passes_its_check_and_every_list_has_one() -> None:
    """Elements of a list are of no kind of their own, so each list is checked."""
    for source in SOURCES.values():
        assert set(source.checks) <= set(source.defaults)
        for key, value in source.defaults.items():
            if isinstance(value, tuple):
                assert key in source.checks, f"{source.name}: {key}"
            if key in source.checks:
                source.checks[key](value, source.defaults)


def test_the_recipe_of_2020_has_a_small_and_a_whole_form() -> None:
    """Beside pipeline.toml there is one that takes what the Pile took, into 30 files; no more differs."""
    small, whole = load(ROOT / "pipeline.toml"), load(ROOT / "examples" / "pile-2020.toml")
    unlike = {"path", "sources", "run", "mix"}
    assert small.model_dump(exclude=unlike) == whole.model_dump(exclude=unlike)
    by_file = small.mix.model_copy(update={"files": 30, "hold_out": "published"})
    assert whole.mix == by_file
    given = {table.name: table.options for table in whole.sources}
    assert set(given) == set(PILE_SET_NAMES)
    partly = {name for name, source in SOURCES.items() if source.partly}
    for name in partly:
        assert any(
            given[name].get(key, default) != default
            for key, default in SOURCES[name].defaults.items()
        ), f"{name} takes what it takes by default"


def test_the_recipe_of_2020_takes_the_first_blocks_of_the_published_order() -> None:
    """22 of 3,679, in ``random.seed(42); random.shuffle(range(3679))``, over 69 crawls."""
    order = list(range(3679))
    random.Random(42).shuffle(order)
    whole = load(ROOT / "examples" / "pile-2020.toml")
    (options,) = (table.options for table in whole.sources if table.name == "pile_cc")
    assert options["blocks"] == tuple(order[:22])
    assert len(options["crawls"]) == 69
    assert list(options["crawls"]) == sorted(options["crawls"])
    assert (options["crawls"][0], options["crawls"][-1]) == ("CC-MAIN-2013-20", "CC-MAIN-2020-24")
    assert options["count"] == 0


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    """A path that uses a variable the environment lacks says which."""
    config = load(write(tmp_path, SMALL))
    with pytest.raises(ConfigError, match="the environment has no NO_SUCH_THING"):
        config.resolve("${NO_SUCH_THING}/x")


def test_the_command_line_ends_with_2(
    tmp_path: Path, pile: Callable[..., tuple[int, str, str]]
) -> None:
    """A wrong config is exit code 2 and no traceback."""
    path = write(tmp_path, SMALL.replace("val", "vall"))
    code, out, err = pile("run", "-c", str(path))
    assert code == 2
    assert not out
    assert "did you mean" in err
    assert "Traceback" not in err
    assert pile("run", "-c", str(tmp_path / "none.toml"))[0] == 2
    code, _, err = pile("run", "-c", str(write(tmp_path, SMALL)))
    assert code == 2
    assert "matches no file" in err


@settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(place=st.integers(0, len(SMALL)), cut=st.integers(0, 20), put=st.text(max_size=10))
def test_a_mutated_config_is_read_or_explained(
    tmp_path: Path, place: int, cut: int, put: str
) -> None:
    """Whatever is changed, the answer is a config or a ConfigError: never a traceback."""
    text = SMALL[:place] + put + SMALL[place + cut :]
    path = tmp_path / "pipeline.toml"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        assert isinstance(load(path), Config)
    except ConfigError as error:
        assert str(path) in str(error)


def test_addresses_with_secrets_are_refused(tmp_path: Path) -> None:
    """What is written down must hold none: neither a password nor a signed query."""
    for address in ("https://a:b@example.org/x.jsonl", "https://example.org/x.jsonl?token=abc"):
        path = tmp_path / "pipeline.toml"
        path.write_text(f'[sources.mine]\nreader = "local"\nfiles = ["{address}"]\n')
        with pytest.raises(ConfigError, match="secret") as caught:
            load(path)
        assert "abc" not in str(caught.value)


def test_a_full_disk_has_its_own_exit_code() -> None:
    """Wherever it is found to be full."""
    assert code_of(OSError(errno.ENOSPC, "No space left on device")) == NO_SPACE
    assert code_of(OSError(errno.EIO, "Input/output error")) is None
    assert code_of(ConfigError("x")) == USAGE
