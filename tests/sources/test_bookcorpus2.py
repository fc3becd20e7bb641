"""BookCorpus2: from EPUBs and texts to documents; Books3 is read alike."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sources import books3
from sources.bookcorpus2 import SOURCE
from sources.formats import epub
from sources.source import Document, RawFile, Rejected, Source, UnreadableFile

EXAMPLES = Path(__file__).parents[2] / "examples/raw"
CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="content.opf"/></rootfiles></container>'
PACKAGE = '<package xmlns="http://www.idpf.org/2007/opf"><manifest>%s</manifest><spine>%s</spine></package>'


def outcomes(
    path: Path, fidelity: str = "published", source: Source = SOURCE
) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(source.read(path, RawFile("", path.name), {"fidelity": fidelity}))


def book(
    folder: Path, pages: Mapping[str, str | bytes], *, spine: tuple[str, ...] | None = None
) -> Path:
    """Write an EPUB of these pages, all in the spine unless it is given."""
    items = "".join(f'<item id="{name}" href="{name}"/>' for name in pages)
    references = "".join(f'<itemref idref="{name}"/>' for name in spine or pages)
    path = folder / "a.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("content.opf", PACKAGE % (items, references))
        for name, content in pages.items():
            archive.writestr(name, content)
    return path


def text(path: Path, fidelity: str = "published") -> str:
    """Return the text of a file of one book."""
    (only,) = outcomes(path, fidelity)
    assert isinstance(only, Document)
    return only.text


def test_every_file_has_an_outcome() -> None:
    """An EPUB and a text are books; others say why they are not."""
    found = {
        path.name: [getattr(outcome, "reason", "") for outcome in outcomes(path)]
        for path in sorted((EXAMPLES / "bookcorpus2").iterdir())
    }
    assert found == {
        "blank.epub": ["empty"],
        "cover.png": ["not_a_book"],
        "kite.txt": [""],
        "lighthouse.epub": [""],
        "utf16.epub": ["not_utf8"],
    }


def test_an_epub_is_its_spine_and_what_else_it_holds() -> None:
    """A cover leaves a space, links their text; notes outside the spine come last."""
    (found,) = outcomes(EXAMPLES / "bookcorpus2/lighthouse.epub")
    assert isinstance(found, Document)
    assert found.text == (
        " \n# The Lighthouse That Moved\n\n## Chapter 1\n\n"
        'On Tuesday the lighthouse was not where it had been. "Not _there_ ," said Una--she'
        ' pointed--"but **there**."\n\n'
        "Nobody had moved it... as far as anybody knew. See the tides.\n\n"
        "## Chapter 2\n\n  * One lamp\n  * Two keepers\n    * asleep\n\n"
        "> Ships, beware of where it was.\n\n1. Find it.  \n2. Leave it.\n\n"
        "Day| Place  \n---|---  \nMonday| cliff\n[1] The keepers knew.\n"
    )
    assert found.id == "bookcorpus2/lighthouse"
    assert found.licence == "CC-BY-4.0"
    assert found.meta == {"title": "The Lighthouse That Moved", "creators": ["A. Maker"]}


def test_corrected_takes_the_spine_alone_in_any_charset() -> None:
    """And strips the ends."""
    assert text(EXAMPLES / "bookcorpus2/utf16.epub", "corrected").startswith("# The Lighthouse")
    lighthouse = text(EXAMPLES / "bookcorpus2/lighthouse.epub", "corrected")
    assert lighthouse.startswith("# The Lighthouse")
    assert lighthouse.endswith("Monday| cliff")


def test_books3_is_read_alike() -> None:
    """Only the names differ."""
    path = EXAMPLES / "books3/orchard.epub"
    (found,) = outcomes(path, source=books3.SOURCE)
    assert isinstance(found, Document)
    assert found.id == "books3/orchard"
    assert found.text == text(path)
    (latin,) = outcomes(EXAMPLES / "books3/latin1.txt", source=books3.SOURCE)
    assert isinstance(latin, Rejected)
    assert latin.reason == "not_utf8"


def test_pages_outside_the_spine_come_by_their_names() -> None:
    """Covers first, then chapters with their numbers in order, an index behind."""
    names = ["c10.html", "c9.html", "index.html", "b/toc.html", "cover.html", "title.html", "a.css"]
    assert epub.in_order(names) == [
        "cover.html",
        "title.html",
        "b/toc.html",
        "c9.html",
        "c10.html",
        "index.html",
        "a.css",
    ]


def test_the_spine_decides(tmp_path: Path) -> None:
    """Before any name; a name of the archive may have folders before it."""
    path = book(tmp_path, {"b.html": "<p>b", "a.html": "<p>a"}, spine=("b.html", "a.html"))
    assert text(path) == "b\na\n"
    assert text(book(tmp_path, {"x.html": "<p>x", "y.html": "<p>y"}, spine=("y.html", "none"))) == (
        "y\nx\n"
    )


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('a ![x](y) <img src="u" alt="v"> b', "a     b"),
        ('<a href="u">[1](x</a>)', "[)"),
        ('see <a href="n.html#1">12</a>.', "see ."),
        ("<pre>[a](b)</pre>", "\n    [a](b)"),
        ("12\\. x", "12\\\\. x"),
        ("<p>3. x</p>", "3. x"),
        ("<p>a<br><br><br><br>b</p>", "a\n\nb"),
        ("<p>&hellip;a \N{HORIZONTAL ELLIPSIS}</p>", "...a..."),
        ("caf\u00c3\u00a9", "caf\u00e9"),
    ],
)
def test_text_is_plain(tmp_path: Path, page: str, expected: str) -> None:
    """Images are a space, links their text, code is let alone, blank lines are few, ftfy repairs."""
    assert text(book(tmp_path, {"a.html": page})).rstrip("\n") == expected


def test_links_are_taken_out_in_one_pass(tmp_path: Path) -> None:
    """A hundred thousand brackets that open nothing take no time."""
    line = "[" * 100_000
    assert text(book(tmp_path, {"a.html": line + "](x"})) == line + "](x\n"


def test_a_text_stays_as_it_is(tmp_path: Path) -> None:
    """Also within an archive; names give ids; an EPUB in there is to be unpacked."""
    path = tmp_path / "books.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"b/one.txt": "\r\nOne\n", "two.epub": "x", "e.txt": " "}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    first, second, third = outcomes(path)
    assert isinstance(first, Document)
    assert (first.id, first.text) == ("bookcorpus2/b/one", "\r\nOne\n")
    assert first.origin == "books.tar.gz:b/one.txt"
    assert [getattr(second, "reason", ""), getattr(third, "reason", "")] == ["packed_epub", "empty"]


def test_an_epub_that_is_none(tmp_path: Path) -> None:
    """A zip without a package file is rejected, a cut zip refused."""
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.html", "x")
    (only,) = outcomes(path)
    assert isinstance(only, Rejected)
    assert only.reason == "not_an_epub"
    whole = (EXAMPLES / "bookcorpus2/lighthouse.epub").read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(UnreadableFile, match="cut"):
        outcomes(path)
    path.write_text("<html>Not found</html>", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="no zip archive"):
        outcomes(path)


def test_a_book_out_of_bounds_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its size or by what its markup would become."""
    path = book(tmp_path, {"a.html": "<ul>" * 100 + "x"})
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["broken_markup"]
    monkeypatch.setattr(epub, "MAX_BOOK", 600)
    path = book(tmp_path, {"a.html": "x" * 600})
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["too_large"]


def test_nothing_is_downloaded_or_linked_to() -> None:
    """The user is told what is lawful to read instead."""
    for source in (SOURCE, books3.SOURCE):
        assert list(source.plan(source.defaults, lambda url: url.encode())) == []
        assert source.access == "local"
        assert "common-pile" in source.manual


@pytest.mark.real
def test_documents_equal_the_original_converters(samples: Path, golden: Path) -> None:
    """All nine books are equal, and the one that it could not read is rejected."""
    equal = 0
    for source in (SOURCE, books3.SOURCE):
        with (golden / f"{source.name}.jsonl").open(encoding="utf-8") as lines:
            for entry in map(json.loads, lines):
                (only,) = outcomes(samples / entry["file"], source=source)
                assert isinstance(only, Document)
                assert only.text == entry["text"]
                equal += 1
    assert equal == 9
    (unread,) = outcomes(samples / "bookcorpus2/epub-rs_book2.epub")
    assert isinstance(unread, Rejected)
    assert unread.reason == "not_utf8"
