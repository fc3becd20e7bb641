"""MassiveText's rules, each at its bound, and beside datatrove's where that is installed."""

import re
from collections.abc import Iterator

import pytest

from pile import draws
from pile.cleaning.gopher import GopherQuality, GopherRepetition, gopher_quality, gopher_repetition
from pile.cleaning.words.classes import is_symbol
from sources.source import Document, Rejected

PLAIN = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def verdict(rule: str, text: str, table: GopherQuality | GopherRepetition) -> tuple[str, str]:
    """Return reason and detail of a rejection; two empty texts if there is none."""
    apply = gopher_quality if rule == "quality" else gopher_repetition
    found = apply(Document("a", text, "a.txt:0", ""), table)  # type: ignore[operator]
    return (found.reason, found.detail) if isinstance(found, Rejected) else ("", "")


def plain(count: int) -> str:
    """Return words without stop words, symbols and repetition to speak of."""
    return " ".join(f"w{number}x" for number in range(count))


FREE = {"min_stop_words": 0, "min_words": 0}


@pytest.mark.parametrize(
    ("text", "table", "expected"),
    [
        (plain(49) + " - - -", {}, ("few_words", "49 < min_words = 50")),
        (plain(50), {"min_stop_words": 0}, ("", "")),
        (plain(50), {"max_words": 50, **FREE}, ("", "")),
        (plain(51), {"max_words": 50, **FREE}, ("many_words", "51 > max_words = 50")),
        ("ab cd abc abc", FREE, ("short_words", "2.5 < min_mean_word_length = 3")),
        ("abc abc", FREE, ("", "")),
        ("a" * 10, FREE, ("", "")),
        ("a" * 11 + " " + "b" * 10, FREE, ("long_words", "10.5 > max_mean_word_length = 10")),
        (plain(9) + " #ab", FREE, ("", "")),
        (plain(8) + " #ab", FREE, ("hash_signs", "0.111111 > max_hashes = 0.1")),
        (plain(8) + " ab…", FREE, ("ellipses", "0.111111 > max_ellipses = 0.1")),
        ("\n".join(["- abcd efgh ijkl mnop"] * 9 + ["abcd"]), FREE, ("", "")),
        (
            "\n".join(["• abc"] * 10),
            {"min_alphabetic_words": 0.0, **FREE},
            ("bullet_lines", "1 > max_bullet_lines = 0.9"),
        ),
        (
            f"{plain(40)}\n{plain(3)}...",
            FREE,
            ("ellipsis_lines", "0.5 > max_ellipsis_lines = 0.3"),
        ),
        (
            "abcd 1234 abcd 1234 abcd",
            FREE,
            ("few_alphabetic_words", "0.6 < min_alphabetic_words = 0.8"),
        ),
        (
            "the wind sings",
            {"min_words": 0},
            ("few_stop_words", "1 < min_stop_words = 2"),
        ),
        ("the wind and rain", {"min_words": 0}, ("", "")),
        ("", FREE, ("", "")),
    ],
)
def test_quality(text: str, table: dict[str, float], expected: tuple[str, str]) -> None:
    """A document at a bound stays, one beyond it goes, with what was measured and the bound."""
    assert verdict("quality", text, GopherQuality(**table)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\nb\n\na\n\nb", ("repeated_paragraphs", "0.5 > max_repeated_paragraphs = 0.3")),
        (
            f"{'long ' * 9}\n\nb\n\nc\n\nd\n\n{'long ' * 9}",
            ("repeated_paragraph_characters", "0.445545 > max_repeated_paragraph_characters = 0.2"),
        ),
        ("a\nb\na", ("repeated_lines", "0.333333 > max_repeated_lines = 0.3")),
        (
            "a b c d e f g h\nx\ny\nz\na b c d e f g h",
            ("repeated_line_characters", "0.405405 > max_repeated_line_characters = 0.2"),
        ),
        (
            "on and on and on, he went",
            ("top_2_gram", "0.48 > max_top_grams = 0.2"),  # `on and` twice
        ),
        (f"{plain(16)} - {plain(16)}", ("top_4_gram", "0.212766 > max_top_grams = 0.16")),
        (plain(400), ("", "")),
        ("", ("", "")),
    ],
)
def test_repetition(text: str, expected: tuple[str, str]) -> None:
    """The first fraction of Table A1 that is exceeded is the reason."""
    assert verdict("repetition", text, GopherRepetition()) == expected


def test_repetition_of_long_runs_alone() -> None:
    """A run of ten words that came before, in a text where no short n-gram is common."""
    run = " ".join(PLAIN[:10])
    text = f"{run} {plain(40)} {run}"
    reason, detail = verdict("repetition", text, GopherRepetition())
    assert reason == "duplicate_5_grams"
    assert detail == f"{50 / len(text):.6g} > max_duplicate_grams = 0.15"
    loose = GopherRepetition(max_duplicate_grams=(1.0, 1.0, 1.0, 1.0, 1.0, 0.1))
    assert verdict("repetition", text, loose)[0] == "duplicate_10_grams"


def texts() -> Iterator[str]:
    """Yield texts of all sorts, drawn: plain, repetitive, full of bullets, numbers or symbols."""
    vocabulary = [*PLAIN, "the", "of", "and", "to", "be", "-", "•", "1,234", "#", "...", "|", "été"]
    for number in range(600):
        length = 4 + draws.key(number, "length") % 240
        few = 3 + draws.key(number, "few") % (len(vocabulary) - 2)
        first = draws.key(number, "first") % len(vocabulary)
        pieces = []
        for place in range(length):
            kind = draws.key(number, "kind", place)
            pieces.append(vocabulary[(first + kind % few) % len(vocabulary)])
            pieces.append("\n\n" if kind % 29 == 0 else "\n" if kind % 11 == 0 else " ")
        yield "".join(pieces).strip()


DATATROVE = {
    "gopher_short_doc": "few_words",
    "gopher_long_doc": "many_words",
    "gopher_below_avg_threshold": "short_words",
    "gopher_above_avg_threshold": "long_words",
    "gopher_too_many_hashes": "hash_signs",
    "gopher_too_many_ellipsis": "ellipses",
    "gopher_too_many_bullets": "bullet_lines",
    "gopher_too_many_end_ellipsis": "ellipsis_lines",
    "gopher_below_alpha_threshold": "few_alphabetic_words",
    "gopher_enough_stop_words": "few_stop_words",
    "dup_para_frac": "repeated_paragraphs",
    "dup_para_char_frac": "repeated_paragraph_characters",
    "dup_line_frac": "repeated_lines",
    "dup_line_char_frac": "repeated_line_characters",
}


def ours(reason: str) -> str:
    """Return what we call one of datatrove's reasons."""
    grams = re.fullmatch(r"duplicated_(\d+)_n_grams", reason)
    return f"duplicate_{grams[1]}_grams" if grams else DATATROVE.get(reason, reason)


def occurs_once(text: str, reason: str) -> bool:
    """Whether the reason is an n-gram of a text in which none occurs twice."""
    words, top = text.split(), re.fullmatch(r"top_(\d)_gram", reason)
    n = int(top[1]) if top else 0
    grams = [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]
    return bool(top) and len(set(grams)) == len(grams)


class Symbols:
    """What is punctuation to us, in place of datatrove's list."""

    def __contains__(self, character: str) -> bool:
        return is_symbol(character)


@pytest.mark.parametrize("rule", ["quality", "repetition"])
def test_verdicts_are_datatroves(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With words between white space, and the same symbols, datatrove gives the same reasons.

    But for one: n-grams that occur once are no repetition to us.
    """
    quality = pytest.importorskip("datatrove.pipeline.filters.gopher_quality_filter")
    repetition = pytest.importorskip("datatrove.pipeline.filters.gopher_repetition_filter")
    data = pytest.importorskip("datatrove.data")
    monkeypatch.setattr(quality, "split_into_words", lambda text, _: text.split())
    monkeypatch.setattr(repetition, "split_into_words", lambda text, _: text.split())
    monkeypatch.setattr(quality, "PUNCTUATION_SET", Symbols())
    theirs, table = {
        "quality": (quality.GopherQualityFilter(min_doc_words=9), GopherQuality(min_words=9)),
        "repetition": (repetition.GopherRepetitionFilter(), GopherRepetition()),
    }[rule]
    seen = set()
    for number, text in enumerate(texts()):
        kept = theirs.filter(data.Document(text, str(number)))
        reason = "" if kept is True else ours(kept[1])
        found = verdict(rule, text, table)[0]
        seen.add(found)
        assert found == reason or occurs_once(text, reason), (text, reason)
    assert len(seen) > 4
