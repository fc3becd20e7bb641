"""MediaWiki exports: pages in flat memory, and nothing that an export does not hold."""

import io
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from sources.formats import mediawiki
from sources.formats.mediawiki import Page, pages
from sources.source import UnreadableFile

HEAD = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">'
PAGE = """
  <page>
    <title>Tea &amp; milk</title>
    <ns>0</ns>
    <id>12</id>
    <revision>
      <id>900</id>
      <parentid>899</parentid>
      <timestamp>2026-11-01T00:00:00Z</timestamp>
      <contributor><username>Ann</username><id>7</id></contributor>
      <text bytes="10" xml:space="preserve">'''Tea'''&lt;ref/&gt;</text>
    </revision>
  </page>"""


def read(xml: str | bytes) -> list[Page]:
    """Read an export."""
    content = xml.encode() if isinstance(xml, str) else xml
    return list(pages(io.BytesIO(content), "wiki.xml"))


def test_a_page_is_read_with_its_first_revision() -> None:
    """Ids of contributors are not a page's; entities are resolved."""
    (page,) = read(f"{HEAD}{PAGE}</mediawiki>")
    assert page == Page(
        place=(len(HEAD) + 3,),
        id="12",
        title="Tea & milk",
        namespace="0",
        revision="900",
        timestamp="2026-11-01T00:00:00Z",
        wikitext="'''Tea'''<ref/>",
        overlong=False,
    )


def test_of_several_revisions_the_first_counts() -> None:
    """As in the published code."""
    revisions = "".join(f"<revision><id>{n}</id><text>{n}</text></revision>" for n in (3, 4))
    (page,) = read(f"<mediawiki><page><ns>0</ns><id>1</id>{revisions}</page></mediawiki>")
    assert (page.revision, page.wikitext) == ("3", "3")


def test_comments_are_no_text() -> None:
    """What stands around a comment of the XML is one text."""
    (page,) = read(
        "<mediawiki><page><revision><text>a<!-- b -->c</text></revision></page></mediawiki>"
    )
    assert page.wikitext == "ac"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1251"])
def test_the_encodings_an_export_may_have(encoding: str) -> None:
    """The declaration or the byte order mark tells."""
    text = "чай" if encoding == "windows-1251" else "thé"
    xml = f'<?xml version="1.0" encoding="{encoding}"?><mediawiki><page><title>{text}</title></page></mediawiki>'
    assert read(xml.encode(encoding))[0].title == text


@pytest.mark.parametrize(
    ("title", "namespace"),
    [("Talk:Tea", "1"), ("Tea", "0"), ("2001: A Space Odyssey", "0"), ("User talk:Ann", "3")],
)
def test_old_exports_tell_namespaces_by_prefix(title: str, namespace: str) -> None:
    """Before export-0.6 a page states none."""
    names = '<namespace key="0" /><namespace key="1">Talk</namespace><namespace key="3">User talk</namespace>'
    site = f"<siteinfo><namespaces>{names}</namespaces></siteinfo>"
    (page,) = read(f"<mediawiki>{site}<page><title>{title}</title></page></mediawiki>")
    assert page.namespace == namespace


def test_an_endless_field_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is overlong, and the next one is read."""
    monkeypatch.setattr(mediawiki, "MAX_FIELD", 1 << 17)
    text = "<page><revision><text>" + "x" * (1 << 20) + "</text></revision></page>"
    long, short = read(f"<mediawiki>{text}{PAGE}</mediawiki>")
    assert long.overlong
    assert len(long.wikitext) <= 1 << 17
    assert not short.overlong


def test_memory_stays_flat() -> None:
    """Fifty times as many pages take no more memory."""

    def endless(count: int) -> Iterator[bytes]:
        yield HEAD.encode()
        yield from (PAGE.replace("'''Tea'''", "x" * 10_000).encode() for _ in range(count))
        yield b"</mediawiki>"

    class Chunks(io.RawIOBase):
        def __init__(self, count: int) -> None:
            self.chunks = endless(count)

        def read(self, _size: int = -1) -> bytes:
            return next(self.chunks, b"")

    def peak(count: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in pages(Chunks(count), "wiki.xml")) == count  # type: ignore[arg-type]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(2000) < 2 * peak(40) + 200_000


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (b"", "no element found"),
        (b"<html></html>", "begins with mediawiki, not html"),
        (b"<mediawiki>", "no element found"),
        (f"{HEAD}{PAGE}"[:-9].encode(), "no element found"),
        (b"<mediawiki><page></mediawiki>", "mismatched tag"),
        (b"<mediawiki>\xff</mediawiki>", "not well-formed"),
        (b"<mediawiki>\0</mediawiki>", "not well-formed"),
        (b"<mediawiki>&xxe;</mediawiki>", "undefined entity"),
        (b"<mediawiki/><mediawiki/>", "junk after document element"),
        (b"<mediawiki>" + b"<a>" * 100, "more than 32 elements"),
        (b'<!DOCTYPE mediawiki SYSTEM "file:///etc/passwd"><mediawiki/>', "it has a DTD"),
        (b'<!DOCTYPE mediawiki [<!ENTITY a "&b;">]><mediawiki>&a;</mediawiki>', "it has a DTD"),
        (b"<mediawiki><!--" + b"x" * (6 << 20), "a tag or comment of more than"),
        (b'<mediawiki><a b="' + b"x" * (6 << 20), "a tag or comment of more than"),
    ],
)
def test_what_is_no_whole_export_is_refused(xml: bytes, problem: str) -> None:
    """The error names the file, the place and the problem; it comes soon."""
    start = time.process_time()
    with pytest.raises(UnreadableFile, match=rf"wiki\.xml: byte [\d,]+: .*{problem}"):
        read(xml)
    assert time.process_time() - start < 5
