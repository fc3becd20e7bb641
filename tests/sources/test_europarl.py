"""EuroParl: from the release's mark-up to speakers and what they said."""

import gzip
import json
from pathlib import Path

import pytest

from sources import europarl
from sources.europarl import SOURCE
from sources.source import Document, Option, RawFile, Rejected

EXAMPLE = Path(__file__).parents[2] / "examples/raw/europarl/europarl.tgz"
LONG = "The lamp is lit at dusk and put out at dawn, and the keeper writes both hours down. " * 3


def outcomes(path: Path, name: str | None = None, **options: Option) -> list[Document | Rejected]:
    """Read a file as the source does, under a name and with options over the defaults."""
    raw = RawFile("", name or path.name)
    return list(SOURCE.read(path, raw, {**SOURCE.defaults, **options}))


def outcome(folder: Path, content: str | bytes, **options: Option) -> Document | Rejected:
    """Return what one file of this content gives."""
    path = folder / "ep-99-01-01.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (only,) = outcomes(path, "en/ep-99-01-01.txt", **options)
    return only


def test_every_member_has_an_outcome_in_archive_order() -> None:
    """Sittings give documents; what is none, and what cannot be read, is rejected."""
    found = outcomes(EXAMPLE)
    assert [(o.origin, getattr(o, "reason", "")) for o in found] == [
        ("europarl.tgz:README.md", "not_proceedings"),
        ("europarl.tgz:txt/de/ep-99-03-08.txt", ""),
        ("europarl.tgz:txt/el/ep-09-03-10-004-02.txt", ""),
        ("europarl.tgz:txt/en/ep-99-03-08.txt", ""),
        ("europarl.tgz:txt/en/ep-99-03-09.txt", "unknown_markup"),
        ("europarl.tgz:txt/en/latest.txt", "unreadable_member"),
        ("europarl.tgz:txt/fr/ep-99-03-08.txt", "too_short"),
        ("europarl.tgz:txt/pl/ep-09-10-22-009.txt", "not_utf8"),
    ]


def test_speakers_stand_before_what_they_said() -> None:
    """Mark-up goes, a blank end stays; the folder tells the language."""
    assert outcomes(EXAMPLE)[3] == Document(
        id="europarl/en/ep-99-03-08",
        text=(
            "Lighthouses on small islands\nPresident\nThe next item is the report by Mrs Aldersey on"
            " the upkeep of lighthouses on islands of fewer than one hundred inhabitants.\nI give the"
            " floor to the rapporteur.\nVan der Kolk\nMadam President, a lamp that nobody tends is a"
            " lamp that nobody trusts.\nThe committee asks for two things: oil, and somebody to carry"
            " it up the stairs.\nI thank the shadow rapporteurs.\nO'Brannigan\nCould the rapporteur"
            " say how many stairs?\n"
        ),
        origin="europarl.tgz:txt/en/ep-99-03-08.txt",
        licence=europarl.LICENCE,
        meta={"language": "en"},
    )


def test_some_languages_can_be_left_out() -> None:
    """Files of other folders are rejected unread."""
    found = outcomes(EXAMPLE, languages=("el",))
    assert [o.id for o in found if isinstance(o, Document)] == ["europarl/el/ep-09-03-10-004-02"]
    assert sum(getattr(o, "reason", "") == "other_language" for o in found) == 5


@pytest.mark.parametrize(
    ("line", "published", "corrected"),
    [
        ("<P>", "", ""),
        ("</P>", "", ""),
        ("<BRK>", "", ""),
        ("<>", "", "<>\n"),
        ('<CHAPTER ID="1-2">', "", ""),
        ('<SPEAKER ID=1 NAME="A B">', "A B\n", "A B\n"),
        ('<SPEAKER ID="1" NAME=\'A &amp; B\' LANGUAGE="DE">', "A & B\n", "A & B\n"),
        ('<speaker id=1 name="a"> <P>', None, '<speaker id=1 name="a">\n'),
        ('<SPEAKER ID=1 NAME="">', "\n", ""),
        ('<SPEAKER ID=1 NAME="A" NAME="B">', "B\n", "B\n"),
        ("<P> ", "<P> \n", ""),
        (" <P>", " <P>\n", ""),
        ('<SPEAKER ID=1 NAME="A"> Hear! <P>', "A\n", "A\nHear!\n"),
        ('Yes. <SPEAKER ID=1 NAME="A">No.', 'Yes. <SPEAKER ID=1 NAME="A">No.\n', "Yes.\nA\nNo.\n"),
        ("<PRE>", None, "<PRE>\n"),
        ("< >", None, "< >\n"),
        ("<SPEAKER ID=1>", None, ""),
        ("a < b", "a < b\n", "a < b\n"),
        ("", "\n", "\n"),
    ],
)
def test_lines_of_markup(tmp_path: Path, line: str, published: str | None, corrected: str) -> None:
    """Published, a line is mark-up whole or not at all; None stands for a rejected file."""
    content = f"{line}\n{LONG}"
    found = outcome(tmp_path, content)
    if published is None:
        assert isinstance(found, Rejected)
        assert (found.reason, found.excerpt) == ("unknown_markup", line)
    else:
        assert isinstance(found, Document)
        assert found.text == published + LONG
    better = outcome(tmp_path, content, fidelity="corrected")
    assert isinstance(better, Document)
    assert better.text == corrected + LONG


def test_length_counts_characters_before_cleaning(tmp_path: Path) -> None:
    """199 characters are too short, 200 are not, however many bytes they take."""
    assert isinstance(outcome(tmp_path, "ő" * 199), Rejected)
    assert isinstance(outcome(tmp_path, "ő" * 200), Document)
    markup = outcome(tmp_path, "<P>\n" * 50)
    assert isinstance(markup, Document)
    assert markup.text == ""


def test_nothing_but_markup_is_rejected_if_corrected(tmp_path: Path) -> None:
    """The published document was empty."""
    found = outcome(tmp_path, "<P>\n" * 50, fidelity="corrected")
    assert isinstance(found, Rejected)
    assert found.reason == "no_text"


def test_line_ends_of_all_kinds_become_line_feeds(tmp_path: Path) -> None:
    """As reading in text mode does."""
    found = outcome(tmp_path, f"<P>\r\na\rb\n{LONG}")
    assert isinstance(found, Document)
    assert found.text == f"a\nb\n{LONG}"


def test_a_file_may_come_by_itself(tmp_path: Path) -> None:
    """Compressed or not; without a folder no language is known."""
    path = tmp_path / "ep-99-01-01.txt.gz"
    path.write_bytes(gzip.compress(LONG.encode()))
    (only,) = outcomes(path)
    assert isinstance(only, Document)
    assert (only.id, only.origin) == ("europarl/ep-99-01-01", "ep-99-01-01.txt.gz")
    assert only.meta == {"language": None}


def test_a_monster_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(europarl, "LONGEST", 20)
    found = outcome(tmp_path, LONG)
    assert isinstance(found, Rejected)
    assert found.reason == "too_large"


def test_one_archive_is_planned() -> None:
    """Release v7, known without a look at the server."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    assert list(SOURCE.plan(SOURCE.defaults, get)) == [RawFile(europarl.URL, "europarl.tgz")]


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    """The message names what there is."""
    with pytest.raises(ValueError, match="published, corrected"):
        outcome(tmp_path, LONG, fidelity="faithful")
    with pytest.raises(TypeError, match="a list of folder names"):
        outcome(tmp_path, LONG, languages="en")


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 10 are equal, also those of files without line ends."""
    equal = 0
    with (golden / "europarl.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            name = entry["file"].removeprefix("europarl/")
            (only,) = outcomes(samples / entry["file"], name)
            assert isinstance(only, Document)
            assert only.text == entry["text"]
            assert only.meta == entry["meta"]
            equal += 1
    assert equal == 10
