"""OpenSubtitles: from OPUS's files to a line of quoted sentences."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sources import opensubtitles
from sources.opensubtitles import SOURCE
from sources.source import Document, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/opensubtitles/en.zip"


def outcomes(path: Path, fidelity: str = "published") -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", path.name), {"fidelity": fidelity}))


def text(folder: Path, body: str, fidelity: str = "published") -> str:
    """Return the text of a subtitle whose document has this body."""
    path = folder / "1.xml"
    path.write_bytes(f"<?xml version='1.0'?>\r\n<document>{body}</document>\r\n".encode())
    (only,) = outcomes(path, fidelity)
    assert isinstance(only, Document)
    return only.text


def archive(folder: Path, members: Mapping[str, bytes]) -> Path:
    """Pack files into a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    path = folder / "en.zip"
    path.write_bytes(packed.getvalue())
    return path


def test_every_member_has_an_outcome_in_archive_order() -> None:
    """Films give documents; what is none, and what is broken, is rejected."""
    found = outcomes(EXAMPLE)
    assert [(o.origin.split("/")[-1], getattr(o, "reason", "")) for o in found] == [
        ("en.zip:INFO", "not_a_subtitle"),
        ("700001.xml", ""),
        ("700002.xml", ""),
        ("700003.xml", ""),
        ("700004.xml", "malformed"),
        ("700005.xml", "no_sentences"),
        ("700006.xml", "unreadable_member"),
    ]


def test_a_film_is_one_line_of_quoted_sentences() -> None:
    """Folders give year and number at IMDb."""
    film = outcomes(EXAMPLE)[3]
    assert film == Document(
        id="opensubtitles/700003",
        text='"Three hundred miles of salt," "and you brought    one bottle?" "It is a large bottle."',
        origin="en.zip:OpenSubtitles/raw/en/2007/9000002/700003.xml",
        licence=opensubtitles.LICENCE,
        meta={"year": 2007, "imdb": 9000002},
    )


def test_corrected_parts_lines_by_a_space() -> None:
    """Dashes and slashes go with their spaces, sentences without words go whole."""
    film = outcomes(EXAMPLE, "corrected")[1]
    assert isinstance(film, Document)
    assert film.text == (
        '"The harbour master has lost her hat." "Again?" "Again."'
        ' "It blew off the pier and a gull sat down in it." "Oh, the wind, the wind"'
        ' "He looked comfortable." "Tom & Joan\'s boat is late."'
        ' "We could sell it as a nest at the market, next to the eels." "No."'
    )


@pytest.mark.parametrize(
    ("sentence", "published"),
    [
        ("Two\nlines", "Twolines"),
        ("- Hello.", " Hello."),
        ("-/ x /-", " x "),
        ("/- x -/", "- x -"),
        ("a\tb", "ab"),
        ("a\r\nb", "a\rb"),
        ("\u2028 a\u00a0", "a"),
        ("<w>a</w>\n  <w>b</w>", "ab"),
        ("<w>a</w>  <w>b</w>", "a b"),
        ("", ""),
    ],
)
def test_published_text_has_its_flaws(tmp_path: Path, sentence: str, published: str) -> None:
    """Line feeds and tabs are deleted; white space, dashes, slashes are stripped in that order."""
    assert text(tmp_path, f"<s>{sentence}</s>") == f'"{published}"'


def test_tokens_are_parted_only_if_corrected(tmp_path: Path) -> None:
    """The tokenised form was not what the Pile read."""
    body = "<s><w>Sit</w>\n<w>down</w>\n<w>.</w></s>"
    assert text(tmp_path, body) == '"Sitdown."'
    assert text(tmp_path, body, "corrected") == '"Sit down ."'


def test_a_film_may_come_by_itself(tmp_path: Path) -> None:
    """Compressed or not; its id is its name's stem, its place the file."""
    path = tmp_path / "42.xml.gz"
    path.write_bytes(gzip.compress(b"<document><s>a</s></document>"))
    (only,) = outcomes(path)
    assert isinstance(only, Document)
    assert (only.id, only.origin, only.text) == ("opensubtitles/42", "42.xml.gz", '"a"')


def test_ids_are_unique_though_names_repeat(tmp_path: Path) -> None:
    """A second file of one number is numbered; compressed members are read too."""
    film = b"<document><s>a</s></document>"
    path = archive(tmp_path, {"en/1/1/7.xml": film, "en/2/1/7.xml.gz": gzip.compress(film)})
    found = outcomes(path)
    assert [o.id for o in found if isinstance(o, Document)] == [
        "opensubtitles/7",
        "opensubtitles/7/r2",
    ]


def test_a_cut_film_by_itself_is_refused(tmp_path: Path) -> None:
    """The file is all there is, and cannot be read."""
    path = tmp_path / "1.xml"
    path.write_text("<document><s>a</s>", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"1\.xml: XML cut"):
        outcomes(path)


def test_a_monster_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(opensubtitles, "MAX_SUBTITLE", 20)
    path = archive(tmp_path, {"1.xml": b"<document><s>abc</s></document>"})
    (only,) = outcomes(path)
    assert isinstance(only, Rejected)
    assert only.reason == "too_large"


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A file can neither reach out nor grow."""
    path = tmp_path / "1.xml"
    path.write_text(
        '<!DOCTYPE document [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        "<document><s>&x;</s></document>",
        encoding="utf-8",
    )
    (only,) = outcomes(path)
    assert isinstance(only, Document)
    assert only.text == '"&x;"'


def test_nothing_is_downloaded() -> None:
    """The user fetches the corpus, under its terms."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    assert list(SOURCE.plan(SOURCE.defaults, get)) == []
    assert "opus.nlpl.eu" in SOURCE.manual


def test_an_unknown_fidelity_is_refused(tmp_path: Path) -> None:
    """The message names the two there are."""
    with pytest.raises(ValueError, match="published, corrected"):
        text(tmp_path, "", "faithful")


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 13 are equal: raw and tokenised files, and one of edge cases."""
    equal = 0
    with (golden / "opensubtitles.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            stored = entry["file"].removeprefix("golden:")
            (only,) = outcomes((samples if stored == entry["file"] else golden) / stored)
            assert isinstance(only, Document)
            assert only.text == entry["text"]
            equal += 1
    assert equal == 13
