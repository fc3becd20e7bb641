"""The text of HTML, PDF and EPUB files, by themselves and in archives."""

import io
import zipfile
from pathlib import Path

import pytest

from sources.formats import document_files, pdf_text
from sources.local import SOURCE, read
from sources.source import Document, Option, RawFile, UnreadableFile

CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
PACKAGE = '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'

PAGE = """<!DOCTYPE html><html><head><title>Ebb</title><style>p {}</style></head><body>
<h1>The clock</h1><p>It was <b>late</b>, says <a href="https://news.example/">the paper</a>.
<ul><li>One</li><li>Two &mdash; or so</li></ul><img src="a.png" alt="a clock"><script>alert()</script>
</body></html>"""
TEXT = "The clock\n\nIt was late, says the paper.\n\nOne\n\nTwo \u2014 or so"

ENGLISH = (
    "It is not known who it was that turned the clock of the town back in the night, or why they"
    " would have wanted it to be so, but the people of the town say that they have been slow to ask. "
)


def pdf(*lines: str) -> bytes:
    """Write a PDF of one page."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    content = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612 792]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def epub(page: str = PAGE) -> bytes:
    """Write an EPUB of one page."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("a.opf", PACKAGE)
        archive.writestr("a.xhtml", page)
    return file.getvalue()


def outcomes(folder: Path, name: str, content: bytes, **options: Option) -> list[str]:
    """Read a raw file; texts, and reasons between angle brackets."""
    path = folder / name
    path.write_bytes(content)
    return [
        item.text if isinstance(item, Document) else f"<{item.reason}>"
        for item in read(path, RawFile("", name), {**SOURCE.defaults, **options})
    ]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.html", PAGE.encode(), TEXT),
        ("A.HTM", PAGE.encode("utf-16"), TEXT),
        ("a.xhtml", b"<meta charset=cp1251><p>\xe4\xe0", "\u0434\u0430"),
        ("a.epub", epub(), TEXT),
        ("a.pdf", pdf("The clock", "was late."), "The clock\nwas late."),
        ("a.html", b"", "<empty>"),
        ("a.html", b"<p> ", "<empty>"),
        ("a.pdf", pdf(), "<empty>"),
        ("a.pdf", b"", "<unreadable_pdf>"),
        ("a.pdf", b"%PDF-1.4\n" + b"\0" * 999, "<unreadable_pdf>"),
        ("a.pdf", pdf("a")[:60], "<unreadable_pdf>"),
        ("a.epub", epub("<p> </p>"), "<empty>"),
        ("a.html", b"<p>one<br>two<pre>a\n\n  b</pre>", "one\ntwo\n\na\nb"),
        ("a.html", b"<ul><li>" * 3_000, "<too_deep>"),
        ("a.html", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><p>&b;", "]>\n\n&b;"),
    ],
)
def test_a_file_is_one_document(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    """Of its text, or rejected with the reason."""
    assert outcomes(tmp_path, name, content) == [text]


def test_of_html_the_main_text_may_do(tmp_path: Path) -> None:
    """The paragraphs that jusText keeps."""
    page = f"<html><body><div><a href=/>Home</a></div><p>{ENGLISH * 2}</p></body></html>"
    assert outcomes(tmp_path, "a.html", page.encode(), html="main") == [(ENGLISH * 2).strip()]
    assert "Home" in outcomes(tmp_path, "a.html", page.encode())[0]
    deep = b"<div>" * 2100 + page.encode()
    assert outcomes(tmp_path, "a.html", deep, html="main") == ["<too_deep>"]
    with pytest.raises(ValueError, match="not one of all, main"):
        outcomes(tmp_path, "a.html", b"", html="best")


def test_archives_hold_documents(tmp_path: Path) -> None:
    """Each member as it would be by itself, a broken one costs no other."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (
            ("a.html", PAGE.encode()),
            ("b.pdf", pdf("late")),
            ("c.epub", epub()),
            ("d.epub", epub()[:-30]),
            ("e.epub", b"PK"),
            ("f.pdf", b"late"),
        ):
            archive.writestr(name, content)
    found = outcomes(tmp_path, "a.zip", file.getvalue())
    assert found == [TEXT, "late", TEXT, "<damaged>", "<damaged>", "<unreadable_pdf>"]


def test_a_cut_epub_by_itself_is_refused(tmp_path: Path) -> None:
    """As any file that is cut."""
    with pytest.raises(UnreadableFile, match=r"\.epub|book-"):
        outcomes(tmp_path, "a.epub", epub()[:-30])


def test_files_beyond_the_limits_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of bytes, pages, or characters that come out."""
    monkeypatch.setattr(document_files, "MAX_TEXT", 5)
    assert outcomes(tmp_path, "a.pdf", pdf("too long")) == ["<too_large>"]
    monkeypatch.setattr(pdf_text, "MAX_PAGES", 0)
    assert outcomes(tmp_path, "a.pdf", pdf("a")) == ["<too_large>"]
    monkeypatch.setattr(document_files, "MAX_FILE", 10)
    monkeypatch.setattr(document_files, "MAX_HTML", 10)
    for name in ("a.pdf", "a.epub", "a.html"):
        assert outcomes(tmp_path, name, b"<p>" + b"a" * 10) == ["<too_large>"]


@pytest.mark.parametrize("page", [b"<p>a" * 8, b"<p>" + b"\xf0\x9f\x98\x80" * 300])
def test_what_would_not_fit_in_memory_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: bytes
) -> None:
    """Many paragraphs, or characters that all take four bytes."""
    assert outcomes(tmp_path, "a.html", page) != ["<too_large>"]
    monkeypatch.setattr(document_files, "MOST", 1000)
    assert outcomes(tmp_path, "a.html", b"<p>a") != ["<too_large>"]
    assert outcomes(tmp_path, "a.html", page) == ["<too_large>"]
