"""Cleaning rules over single documents."""

import pickle
import re
import time
import unicodedata
from collections.abc import Mapping
from typing import Literal

import ftfy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.cleaning.length import Overlong, Short
from pile.cleaning.rule import Rule
from pile.cleaning.rules import RULES, Cleaned, clean, select
from pile.cleaning.settings import Clean, Rules
from pile.cleaning.surrogates import mend_surrogates, replace_surrogates
from pile.cleaning.words import measures
from pile.settings import Settings
from sources.source import EXCERPT, Document, Json, Rejected

ORTHOGRAPHY = (
    "repair_unicode",
    "normalise_newlines",
    "strip_control_characters",
    "normalise_nfc",
    "normalise_nfkc",
    "reject_empty",
    "reject_short",
    "reject_overlong",
)
"""The rules that judge no content."""

# Whatever a decoder may hand over: any code point with surrogates, and UTF-8 read as Latin-1.
any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
lone_surrogates = st.text(st.sampled_from("\ud800\udbff\udc00\udfff"), max_size=8)
mojibake = st.text(max_size=30).map(lambda text: text.encode().decode("latin-1"))
wild_text = st.one_of(
    any_text, lone_surrogates, mojibake, st.tuples(any_text, mojibake).map("".join)
)
valid_text = wild_text.map(lambda text: mend_surrogates(text)[0])
rules = st.sampled_from([RULES[name] for name in ORTHOGRAPHY])
NOTHING = RULES["reject_empty"].table()


def document(text: str, meta: Mapping[str, Json] | None = None) -> Document:
    """Build a document whose text, and perhaps meta, is all that matters."""
    return Document("local/1", text, "a.txt:0", "CC0-1.0", meta or {})


def cleaned_text(rule: str, text: str) -> str:
    """Return the text after one rule, which must not reject it."""
    result = RULES[rule].apply(document(text), RULES[rule].table())
    assert isinstance(result, Document)
    return result.text


def rejection(rule: str, text: str, table: Settings | None = None) -> str | None:
    """Return the reason one rule rejects a text for."""
    result = RULES[rule].apply(document(text), table or RULES[rule].table())
    return result.reason if isinstance(result, Rejected) else None


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold the text."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def test_rules_and_their_order_are_these() -> None:
    """The order of application is part of the recipe's identity: a change of it must be seen."""
    assert list(RULES) == [
        "repair_unicode",
        "normalise_newlines",
        "strip_control_characters",
        "normalise_nfc",
        "normalise_nfkc",
        "language",
        "gopher_repetition",
        "gopher_quality",
        "c4_quality",
        "c4_bad_words",
        "mask_personal",
        "reject_empty",
        "reject_short",
        "reject_overlong",
    ]
    assert all(rule.name == name and rule.summary for name, rule in RULES.items())


def test_a_reason_is_one_rules() -> None:
    """What is counted by reason is counted by rule; each reason is explained."""
    reasons = [reason for rule in RULES.values() for reason in rule.reasons]
    assert len(reasons) == len(set(reasons))
    assert all(text.endswith(".") for rule in RULES.values() for text in rule.reasons.values())


def test_each_table_is_its_rules() -> None:
    """`[clean.<rule>]` is there for every rule that has thresholds, with that rule's own defaults."""
    for name, rule in RULES.items():
        assert getattr(Rules(), name, RULES["reject_empty"].table()) == rule.table()


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("cafÃ© au lait", "café au lait"),
        ("it isnâ€™t â€œsoâ€\x9d", "it isn\u2019t “so”"),
        ("sÃ\x83Â³ twice over", "só twice over"),
        ("voilÃ\xa0 le travail", "voilà le travail"),
        ("well \x93quoted\x94 text", "well “quoted” text"),
    ],
)
def test_repair_undoes_mojibake(broken: str, repaired: str) -> None:
    """Text decoded with the wrong encoding, once or twice over, is decoded rightly."""
    assert cleaned_text("repair_unicode", broken) == repaired


@pytest.mark.parametrize(
    "sound",
    [
        "“curly” \u2018quotes\u2019 — and … dots",
        "ﬁne ligatures, \uff26\uff35\uff2c\uff2c width",
        "&amp; &lt;entities&gt; \x1b[1mbold\x1b[0m",
        "line\r\nends\u2028of\u2029all sorts",
        "e\u0301 decomposed",
        "Ärger über Öl, naïve façade, Ελληνικά, Русский, 日本語, 🙂",
    ],
)
def test_repair_restyles_nothing(sound: str) -> None:
    """Sound text keeps its quotes, ligatures, widths, entities, line ends and normal form."""
    given_document = document(sound)
    assert RULES["repair_unicode"].apply(given_document, NOTHING) is given_document


def test_repair_judges_each_line_alone() -> None:
    """One broken line is repaired even where its neighbours could not have been mojibake."""
    assert cleaned_text("repair_unicode", "日本\ncafÃ©\nж") == "日本\ncafé\nж"


@settings(max_examples=80)
@given(st.lists(valid_text, max_size=4).map("\n".join))
def test_repair_is_ftfys_encoding_repair_of_each_line(text: str) -> None:
    """The rule agrees with ftfy's own function applied to one line after another."""
    lines = re.findall("[^\n]*\n|[^\n]+", text)
    assert cleaned_text("repair_unicode", text) == "".join(map(ftfy.fix_encoding, lines))


def test_repair_of_a_long_hostile_line_takes_bounded_time() -> None:
    """A line of 300,000 characters, broken again and again, is repaired in pieces."""
    start = time.process_time()
    assert len(cleaned_text("repair_unicode", "Ã©ж" * 100_000)) <= 300_000
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (
            "normalise_newlines",
            "a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h\n",
            "a\nb\nc\nd\ne\nf\ng\nh\n",
        ),
        ("normalise_newlines", "a\r\r\n\n\rb", "a\n\n\n\nb"),
        ("strip_control_characters", "a\0b\x07\x1b[0m\x7f\x80c\x9f", "ab[0mc"),
        ("strip_control_characters", "a\tb\nc\r\nd\x0be\x0cf\x85g", "a\tb\nc\r\nd\x0be\x0cf\x85g"),
        ("normalise_nfc", "e\u0301 \u212b ﬁ ²", "é Å ﬁ ²"),
        ("normalise_nfkc", "e\u0301 \u212b ﬁ ² \uff26", "é Å fi 2 F"),
    ],
)
def test_text_rules(rule: str, text: str, expected: str) -> None:
    """Each rule changes what it names and nothing beside."""
    assert cleaned_text(rule, text) == expected


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
@settings(max_examples=60)
@given(
    marks=st.text("\u0301\u0323\u0327\u0344\u0f73\u0f71\uff9e\u3099éﬁ", min_size=8, max_size=16),
    around=st.text(max_size=5),
)
def test_long_runs_of_marks_normalise_as_unicodedata_has_it(
    form: Literal["NFC", "NFKC"], marks: str, around: str
) -> None:
    """The detour that sorts marks in n log n steps ends at the same text."""
    text = mend_surrogates(around)[0] + "a" + marks * 80 + around
    assert cleaned_text(f"normalise_{form.lower()}", text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("rule", ["normalise_nfc", "normalise_nfkc"])
def test_a_hostile_run_of_marks_takes_bounded_time(rule: str) -> None:
    """200,000 combining marks out of order, half a minute's work for unicodedata, take a moment."""
    start = time.process_time()
    text = cleaned_text(rule, "a" + "\u0301\u0323" * 100_000)
    assert time.process_time() - start < 5
    assert text.startswith("\u1ea1\u0323")
    assert len(text) == 200_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), (" \t\r\n\u3000\x85", "empty"), ("\u200b", None), (" a ", None)],
)
def test_reject_empty(text: str, reason: str | None) -> None:
    """Only text of nothing but white space is empty."""
    assert rejection("reject_empty", text) == reason


def test_length_bounds_include_both_ends() -> None:
    """Characters are counted, not bytes; a text as long as a bound allows stays."""
    short, overlong = Short(min_characters=3), Overlong(max_characters=5)
    assert [rejection("reject_short", "é" * n, short) for n in (2, 3)] == ["too_short", None]
    assert [rejection("reject_overlong", "é" * n, overlong) for n in (5, 6)] == [None, "too_long"]


def test_bounds_that_no_text_can_meet_are_refused() -> None:
    """Swapped bounds are an error, not an empty corpus."""
    bounds = {
        "reject_short": Short(min_characters=6),
        "reject_overlong": Overlong(max_characters=5),
    }
    with pytest.raises(ValueError, match="reject every text"):
        Clean(rules=("reject_short", "reject_overlong"), **bounds)
    assert Clean(rules=("reject_short",), **bounds)


@settings(max_examples=150)
@given(rules, valid_text)
def test_every_rule_is_pure_idempotent_and_closed(rule: Rule, text: str) -> None:
    """Same in, same out; a second time changes nothing; no surrogates, no unknown reason."""
    given_document = document(text, meta={"a": 1})
    before = pickle.dumps(given_document)
    table = rule.table()
    result = rule.apply(given_document, table)
    assert result == rule.apply(given_document, table)
    assert pickle.dumps(given_document) == before
    if isinstance(result, Rejected):
        assert result.reason in rule.reasons
        assert result.origin == given_document.origin
        assert len(result.excerpt) <= EXCERPT
        return
    assert encodable(result.text)
    assert (result is given_document) == (result.text == text)
    assert rule.apply(result, table) is result


@settings(max_examples=60)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).map("x".__add__))
def test_printable_ascii_passes_every_rule_untouched(text: str) -> None:
    """All these rules together return the very document, so plain English pays nothing."""
    given_document = document(text)
    chosen = Rules(rules=ORTHOGRAPHY).chosen
    assert clean(given_document, chosen) == Cleaned(given_document, ())
    assert clean(given_document, chosen).document is given_document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\ud800b", ("a\ufffdb", 1)),
        ("\udfff\ud800", ("\ufffd\ufffd", 2)),
        ("\ud83d\ude42", ("🙂", 1)),
        ("\ud83d\ud83d\ude42\ude42", ("\ufffd🙂\ufffd", 3)),
        ("é\ufffd🙂", ("é\ufffd🙂", 0)),
    ],
)
def test_mend_surrogates(text: str, expected: tuple[str, int]) -> None:
    """Pairs become the character they spell, all others U+FFFD; each counts once."""
    assert mend_surrogates(text) == expected


@settings(max_examples=150)
@given(wild_text)
def test_mended_text_reads_as_utf16_would(text: str) -> None:
    """The result is encodable, and equal to reading the string as UTF-16 with replacement."""
    mended, count = mend_surrogates(text)
    assert encodable(mended)
    assert mended == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert (count == 0) == encodable(text)


def test_surrogates_are_replaced_in_every_string_of_a_document() -> None:
    """Id, text, origin, licence, and meta at any depth, keys too; the sum is counted."""
    broken = Document(
        id="local/\ud800",
        text="\udc00",
        origin="\ud800:0",
        licence="\ud800",
        meta={"\ud800": [1, None, {"deep": ["\ud800\ud800"]}], "fine": "é", "n": 1.5},
    )
    mended, count = replace_surrogates(broken)
    assert count == 7
    assert mended == Document(
        id="local/\ufffd",
        text="\ufffd",
        origin="\ufffd:0",
        licence="\ufffd",
        meta={"\ufffd": [1, None, {"deep": ["\ufffd\ufffd"]}], "fine": "é", "n": 1.5},
    )


def test_mended_keys_that_collide_are_kept_apart() -> None:
    """No value of meta is lost when two keys mend to the same string."""
    keys = ("\ud800", "\udfff", "\ufffd")
    mended, _ = replace_surrogates(document("", meta=dict(zip(keys, (1, 2, 3), strict=True))))
    assert mended.meta == {"\ufffd\ufffd": 1, "\ufffd\ufffd\ufffd": 2, "\ufffd": 3}
    assert list(mended.meta.values()) == [1, 2, 3]


def test_meta_may_be_nested_deeper_than_python_recurses() -> None:
    """Depth costs memory, not the process."""
    deep: Json = ["\ud800"]
    for _ in range(20_000):
        deep = [deep]
    mended, count = replace_surrogates(document("", meta={"deep": deep}))
    assert count == 1
    level = mended.meta["deep"]
    while isinstance(level, list) and level:
        level = level[0]
    assert level == "\ufffd"


def test_a_document_without_surrogates_is_returned_itself() -> None:
    """The common case makes no copy."""
    sound = document("é", meta={"a": ["b", {"c": None}]})
    assert replace_surrogates(sound) == (sound, 0)
    assert replace_surrogates(sound)[0] is sound


def test_no_rules_leave_the_text_byte_for_byte() -> None:
    """The published recipe cleans nothing, whatever the text."""
    raw = document("cafÃ©\r\n\0 e\u0301 “”")
    assert clean(raw, ()) == Cleaned(raw, ())


def test_clean_names_the_rules_that_changed_the_text() -> None:
    """Rules that found nothing to do are not named."""
    result = clean(document("cafÃ©\r\n"), Rules(rules=ORTHOGRAPHY).chosen)
    assert result == Cleaned(document("café\n"), ("repair_unicode", "normalise_newlines"))


def test_clean_stops_at_the_first_rejection() -> None:
    """What is left after deletions decides; later rules do not run."""
    result = clean(document("\0\0"), Rules(rules=ORTHOGRAPHY).chosen)
    told = "reject_empty: no character is not white space"
    assert result.document == Rejected("a.txt:0", "empty", "", told)
    assert result.changed == ("strip_control_characters",)


def test_select_orders_as_the_registry_does() -> None:
    """The order in a config never changes the result."""
    names = ["reject_empty", "normalise_nfc", "repair_unicode"]
    assert [rule.name for rule in select(names)] == names[::-1]
    assert select(()) == ()


def test_bounds_on_words_that_no_text_can_meet_are_refused() -> None:
    """A source's own key, too, is beside those of all."""
    with pytest.raises(ValueError, match="min_mean_word_length is above max_mean_word_length"):
        Clean.model_validate({"gopher_quality": {"min_mean_word_length": 11.0}})
    with pytest.raises(ValueError, match=r"of \[clean.sources.a\]: gopher_quality: min_mean"):
        Clean.model_validate({"sources": {"a": {"gopher_quality": {"max_mean_word_length": 2.0}}}})


@pytest.mark.parametrize(
    ("name", "hint"),
    [("normalize_nfc", "did you mean normalise_nfc?"), ("zzz", "rules are repair_unicode, ")],
)
def test_an_unknown_rule_is_named_with_a_hint(name: str, hint: str) -> None:
    """The error says which name is wrong and what could be meant."""
    with pytest.raises(ValueError, match=f"called {name!r}: ") as caught:
        select([name])
    assert hint in str(caught.value)


def test_what_decides_a_rule_s_results_is_named() -> None:
    """Another version of these libraries is another recipe: `clean` has them in its fingerprint."""
    named = {name: rule.libraries for name, rule in RULES.items() if rule.libraries}
    assert named == {"repair_unicode": ("ftfy",), "language": ("pycld2",)}


def test_only_rules_that_count_words_have_kernels_to_load() -> None:
    """Loading takes seconds, and compiling tens of them: no other rule waits for it."""
    warm = [name for name, rule in RULES.items() if rule.warm is measures.warm]
    assert warm == ["gopher_repetition", "gopher_quality"]


def test_rules_travel_to_workers() -> None:
    """Rules are values that pickle."""
    assert pickle.loads(pickle.dumps(RULES["reject_empty"].apply)) is RULES["reject_empty"].apply
