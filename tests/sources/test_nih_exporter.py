"""NIH ExPORTER: from tables of abstracts to texts without their headings."""

import gzip
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from sources import nih_exporter
from sources.nih_exporter import SOURCE, one_group, read_together
from sources.source import Document, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/nih_exporter/RePORTER_PRJABS_C_FY2013.zip"
HEADER = "APPLICATION_ID,ABSTRACT_TEXT\n"


def outcomes(*paths: Path, fidelity: str = "published") -> list[Document | Rejected]:
    """Read files together as the source does."""
    files = [(path, RawFile("", path.name)) for path in paths]
    return list(read_together(files, {"fidelity": fidelity}))


def table(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    """Write a table, below a header if its content is text."""
    path = folder / name
    path.write_bytes((HEADER + content).encode() if isinstance(content, str) else content)
    return path


def texts(found: Sequence[Document | Rejected]) -> list[str]:
    """Return the documents' texts and the rejections' reasons."""
    return [item.text if isinstance(item, Document) else item.reason for item in found]


def test_every_row_has_an_outcome_in_order() -> None:
    """Headings go, white space collapses, repetitions are rejected."""
    hens = 'Hens that are read to in the evening lay more evenly. We propose to find out "whether the text matters".'
    found = outcomes(EXAMPLE)
    assert texts(found) == [
        hens,
        (
            "The caf at the end of the corridor serves as a natural experiment in how long people"
            " wait. [unreadable] Aim 1 is to count them."
        ),
        "no_abstract",
        "only_heading",
        "repeated_id",
        hens,
        "malformed_row",
        "no_application_id",
        ": The heading of this abstract was pasted twice.",
        "repeated_text",
        "not_a_table",
    ]
    assert found[0] == Document(
        id="nih_exporter/9100001",
        text=hens,
        origin="RePORTER_PRJABS_C_FY2013.zip:RePORTER_PRJABS_C_FY2013.csv:1",
        licence=nih_exporter.LICENCE,
        meta={"APPLICATION_ID": 9100001},
    )


def test_corrected_takes_headings_off_before_it_compares() -> None:
    """All of them, however often, and no character is lost."""
    found = texts(outcomes(EXAMPLE, fidelity="corrected"))
    assert found[1].startswith("The café at the end")
    assert found[5] == "repeated_text"
    assert found[8] == "The heading of this abstract was pasted twice."


@pytest.mark.parametrize(
    ("text", "published", "corrected"),
    [
        ("? DESCRIPTION (provided by applicant): a", "a", "a"),
        ("DESCRIPTION (provided by applicant): ? a", "? a", "a"),
        ("description (PROVIDED by applicant) a", "a", "a"),
        ("Description  (provided\tby applicant):  a", "a", "a"),
        ("DESCRIPTION: (adapted from the investigator's abstract) a", "a", "a"),
        ("DESCRIPTION (adapted from the investigator's abstract) a",) * 3,
        ("Project Summary / Abstract: a", ": a", "a"),
        ("Project Summary/Abstract: a",) * 3,
        ("?a", "?a", "?a"),
        ("A description (provided by applicant): a",) * 3,
    ],
)
def test_headings(tmp_path: Path, text: str, published: str, corrected: str) -> None:
    """Published, each is taken off once, in the list's order."""
    path = table(tmp_path, f'1,"{text}"\n')
    assert texts(outcomes(path)) == [published]
    assert texts(outcomes(path, fidelity="corrected")) == [corrected]


@pytest.mark.parametrize("word", ["", "NA", "N/A", "null", "nan", "  ", " NA "])
def test_words_that_stand_for_none(tmp_path: Path, word: str) -> None:
    """An abstract of them is none, nor is what a heading leaves."""
    path = table(tmp_path, f'1,"{word}"\n2,"project summary / abstract {word}"\n')
    assert texts(outcomes(path)) == ["no_abstract", "only_heading"]


def test_files_repeat_each_other(tmp_path: Path) -> None:
    """The first counts, in the order given; an id without an abstract does not."""
    first = table(tmp_path, "1,a\n2,\n", "a.csv")
    second = table(tmp_path, "1,b\n2,c\n3,a\n", "b.csv")
    assert texts(outcomes(first, second)) == [
        "a",
        "no_abstract",
        "repeated_id",
        "c",
        "repeated_text",
    ]
    assert one_group(RawFile("", "a.csv"), {}) == one_group(RawFile("", "b.csv"), {})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n1,2\n",
        (HEADER + '1,"cut').encode(),
        (HEADER + '1,"cut\n').encode(),
        (HEADER + "1," + "long " * 50).encode(),
    ],
    ids=["empty", "other columns", "cut in a cell", "cut at a line's end", "overlong"],
)
def test_an_unreadable_file_is_set_aside(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it counts, the others do; with no other it is refused."""
    monkeypatch.setattr(nih_exporter, "LONGEST", 100)
    bad = table(tmp_path, content, "a.csv")
    good = table(tmp_path, "1,whole\n", "b.csv")
    found = outcomes(bad, good)
    assert texts(found) == ["unreadable_file", "whole"]
    assert found[0].origin == "a.csv"
    with pytest.raises(UnreadableFile):
        outcomes(bad)


def test_a_cut_file_takes_no_id_from_the_others(tmp_path: Path) -> None:
    """Its rows before the cut do not count either."""
    bad = table(tmp_path, '1,here\n2,"cut', "a.csv")
    good = table(tmp_path, "1,there\n", "b.csv")
    assert texts(outcomes(bad, good)) == ["unreadable_file", "there"]


def test_tables_of_all_sorts(tmp_path: Path) -> None:
    """A mark at the start, line ends of any kind, blank lines, more columns in another order."""
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"\xef\xbb\xbfABSTRACT_TEXT,FY,APPLICATION_ID\r\n\r\n"
        b'"one\x0btwo\x0cthree",2013,1\r"four\rfive"" six\r\n",2013,2\n seven ,2013,"3"'
    )
    found = outcomes(path)
    assert texts(found) == ["one two three", 'four five" six', "seven"]
    assert [item.origin for item in found] == ["a.csv:1", "a.csv:2", "a.csv:3"]


def test_an_unsafe_member_is_rejected(tmp_path: Path) -> None:
    """It is not read."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../a.csv", HEADER)
        archive.writestr("b.CSV", HEADER + "1,a\n")
    assert texts(outcomes(path)) == ["unreadable_member", "a"]


def test_fiscal_years_are_planned() -> None:
    """RePORTER's, without a look at the server."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    planned = list(SOURCE.plan({**SOURCE.defaults, "first": 2013, "last": 2014}, get))
    assert planned[1] == RawFile(
        "https://reporter.nih.gov/exporter/abstracts/download/2014",
        "RePORTER_PRJABS_C_FY2014.zip",
    )
    assert len(list(SOURCE.plan(SOURCE.defaults, get))) == 36
    with pytest.raises(ValueError, match="no fiscal years"):
        list(SOURCE.plan({**SOURCE.defaults, "first": 2014, "last": 2013}, get))


def test_an_unknown_fidelity_is_refused() -> None:
    """The message names the two there are."""
    with pytest.raises(ValueError, match="published, corrected"):
        outcomes(EXAMPLE, fidelity="faithful")


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 120 are equal: a year's real abstracts, and edge cases."""
    expected: dict[str, dict[str, str]] = {}
    with (golden / "nih_exporter.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            record = f"nih_exporter/{entry['record']}"
            expected.setdefault(entry["file"], {})[record] = entry["text"]
    assert sum(map(len, expected.values())) == 120
    for name, documents in expected.items():
        stored = name.removeprefix("golden:")
        found = outcomes((samples if stored == name else golden) / stored)
        assert {item.id: item.text for item in found if isinstance(item, Document)} == documents


def test_all_generations_are_read_alike(tmp_path: Path) -> None:
    """CRISP's zips, RePORTER's, their weekly parts, and a CSV without a zip, packed or not."""
    names = ("CRISP_PRJABS_C_FY1985.zip", "RePORTER_PRJABS_C_FY2014_001.zip")
    paths = []
    for number, name in enumerate(names, 1):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(
                name.replace(".zip", ".csv"), f"{HEADER}{number},Text {number} of a study.\n"
            )
        paths.append(tmp_path / name)
    paths.append(table(tmp_path, "3,Text 3 of a study.\n"))
    packed = table(tmp_path, gzip.compress(f"{HEADER}4,Text 4 of a study.\n".encode()), "b.csv.gz")
    found = outcomes(*paths, packed)
    assert texts(found) == [f"Text {number} of a study." for number in range(1, 5)]
