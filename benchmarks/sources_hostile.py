"""Raw files for peaks of memory: the large containers, and single records that mean no good.

A hostile file is of the size asked for where the format lets it be (one line, one element, one
member), or as large as its reader takes whole, which is where parsers multiply it: text in which one
character needs four bytes, markup and JSON of nothing but the smallest nodes, deep nesting.
"""

import gzip
import importlib
import io
import itertools
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks import sources_raw
from benchmarks.sources_raw import RAWS, Raw, make, prose

WIDE = "\U0001f600".encode()
"""A character for which CPython stores a whole text with four bytes each."""


@dataclass(frozen=True, slots=True)
class Case:
    """A raw file to read for its peak: how it is named, and what writes so much content."""

    name: str
    source: str
    raw_name: str
    make: Callable[[Path, int], int]


@cache
def _noise(number: int) -> bytes:
    """Return a figure: bytes that no compression makes less of."""
    return np.random.default_rng(number).bytes(2_000_000)


def _paper_with_figure(number: int) -> tuple[str, bytes]:
    """Return a paper as most are: an archive of little TeX, which pandoc gets, and a large figure."""
    name, tex = sources_raw.arxiv(number)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for inner, content in (("a.tex", gzip.decompress(tex)), ("b.png", _noise(number % 16))):
            member = tarfile.TarInfo(inner)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return name, packed.getvalue()


def _article_with_figure(number: int) -> tuple[str, bytes]:
    """Return an article or, every second time, the figure beside it."""
    name, xml = sources_raw.pubmed_central(number // 2)
    return (name, xml) if number % 2 == 0 else (f"{name[:-4]}.jpg", _noise(number % 16))


def _paper_or_text(number: int) -> tuple[str, bytes]:
    """Return a paper, every fifth time as PDF, else as its text."""
    if number % 5 == 0:
        return sources_raw.philpapers(number)
    return f"MADE{number}.txt", prose(number, 60_000).encode()


CHANGED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "arxiv": {"record": _paper_with_figure},
        "pubmed_central": {"record": _article_with_figure},
        "philpapers": {"record": _paper_or_text},
        "wikipedia_en": {"container": "streams.bz2"},
        "freelaw": {"container": "streams.bz2"},
    }
)
"""What is changed of a raw file to write gigabytes of it, and read them, in minutes."""


def _big(raw: Raw) -> Case:
    changed = replace(raw, **CHANGED.get(raw.source, {}))

    def write(path: Path, size: int) -> int:
        return make(changed, path, size)

    return Case(raw.source, raw.source, raw.name, write)


def _json_array(path: Path, size: int) -> int:
    pieces = itertools.chain.from_iterable(map(sources_raw.local_array, itertools.count()))
    return _written(path, b"[\n", pieces, b'{"text": "end"}]', size)


def _parquet(path: Path, size: int, group: int = 1 << 30) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("text", pa.string())])
    written = rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        while written < size:
            # One row group for all, which few writers make and all readers must take.
            texts = []
            start = written
            while written < min(size, start + group):
                texts.append(f"{rows} {prose(rows, 8000)}")
                written += len(texts[-1])
                rows += 1
            file.write_table(pa.table({"text": texts}, schema), row_group_size=len(texts))
    return written


def _written(path: Path, begin: bytes, pieces: Iterable[bytes], end: bytes, size: int) -> int:
    written = len(begin) + len(end)
    with path.open("wb") as file:
        file.write(begin)
        for piece in pieces:
            if written >= size:
                break
            file.write(piece)
            written += len(piece)
        file.write(end)
    return written


def _limit(source: str, module: str, name: str) -> int:
    found = getattr(importlib.import_module(f"sources.{module}"), name)
    del source
    return int(found)


def _repeated(begin: bytes, unit: bytes, end: bytes) -> Callable[[Path, int], int]:
    """Return what writes one unit over and over, between a beginning and an end."""
    block = unit * max(1, (1 << 20) // len(unit))

    def write(path: Path, size: int) -> int:
        if size < len(begin) + len(block) + len(end):
            whole = unit * ((size - len(begin) - len(end)) // len(unit))
            return path.write_bytes(begin + whole + end)
        # Never more than asked for: it may be just what a reader takes.
        return _written(path, begin, itertools.repeat(block), end, size - len(block))

    return write


def _wide_line(begin: bytes, end: bytes) -> Callable[[Path, int], int]:
    return _repeated(begin + WIDE, b"the lighthouse keeper said no. ", end)


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of one hostile record of a source.

    ``limit`` is the module below ``sources`` and the name of the bytes it takes whole: the record
    then is so large, not as asked for.
    """

    name: str
    source: str
    raw_name: str
    begin: bytes
    unit: bytes
    end: bytes
    limit: tuple[str, str] | int | None = None

    def case(self) -> Case:
        """Return the case that this shape makes."""
        write = _repeated(self.begin, self.unit, self.end)

        def sized(path: Path, size: int) -> int:
            if self.limit is None:
                return write(path, size)
            most = self.limit if isinstance(self.limit, int) else _limit(self.source, *self.limit)
            return write(path, min(size, most))

        return Case(self.name, self.source, self.raw_name, sized)


WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
    b"WARC-Target-URI: https://example.org/\r\nContent-Length: %d\r\n\r\n"
)
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
ENGLISH = b"<p>This is the page of the keeper of the light and it is in English as we all know.</p>"


def _page(unit: bytes) -> Callable[[Path, int], int]:
    """Return what writes a WARC of one page, as long as is taken."""

    def write(path: Path, size: int) -> int:
        most = min(size, _limit("", "pile_cc", "LIMIT")) - 1000
        body = HTTP + ENGLISH * 50
        body += unit * ((most - len(body)) // len(unit))
        return path.write_bytes(WARC % len(body) + body + b"\r\n\r\n")

    return write


POST = b'  <row Id="1" PostTypeId="1" AnswerCount="1" Title="t" Body="'
PUBMED = b"<?xml version='1.0'?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID>"
GRANT = b'<?xml version="1.0"?>\n<us-patent-grant>\n'
JATS = b"<?xml version='1.0'?><article><front><article-meta/></front><body>"
FILM = b"<?xml version='1.0'?><document>"
WIKI = b"<mediawiki><page><title>P</title><ns>0</ns><id>1</id><revision><id>1</id><text>"
WIKI_END = b"</text></revision></page></mediawiki>"
TABLE = sources_raw.TABLE
LAW, LINES, SONGS = "opinions-2026-11-01.csv", "items.jsonl", "made00000001.json"
ROW_LIMIT = ("formats.postgres_csv", "ROW_LIMIT")
FIELD = ("formats.mediawiki", "MAX_FIELD")
MAX_BOOK = ("formats.epub", "MAX_BOOK")
LAW_LIMIT, LOCAL_LIMIT = ("freelaw", "LIMIT"), ("local", "LIMIT")
LINE = 64 << 20

SHAPES = (
    # One line, element or file without end.
    Shape("line_stackexchange", "stackexchange", "made/Posts.xml", sources_raw.POSTS + POST, b"the ", b'" />\n</posts>'),
    Shape("line_freelaw", "freelaw", LAW, TABLE + b'"1","","","","', b"the ", b'","",""\n'),
    Shape("lines_freelaw", "freelaw", LAW, TABLE + b'"1","","","","', b"the line\n", b'","",""\n'),
    Shape("line_hackernews", "hackernews", LINES, b'{"id": 1, "text": "', b"the ", b'"}\n'),
    Shape("line_openwebtext2", "openwebtext2", LINES, b'{"text": "', b"the ", b'"}\n'),
    Shape("line_local", "local", LINES, b'{"text": "', b"the ", b'"}\n'),
    Shape("line_nih_exporter", "nih_exporter", "PRJ.csv", b'APPLICATION_ID,ABSTRACT_TEXT\n1,"', b"the ", b'"\n'),
    Shape("cells_nih_exporter", "nih_exporter", "PRJ.csv", b"APPLICATION_ID,ABSTRACT_TEXT\n1", b',"\n"', b"\n"),
    Shape("lines_nih_exporter", "nih_exporter", "PRJ.csv", b'APPLICATION_ID,ABSTRACT_TEXT\n1,"', b"a\n", b'"\n'),
    Shape("line_uspto_backgrounds", "uspto_backgrounds", "ipg200107.xml", GRANT, b"the ", b"</us-patent-grant>"),
    Shape("lines_uspto_backgrounds", "uspto_backgrounds", "ipg200107.xml", GRANT, b"the\n", b"</us-patent-grant>"),
    Shape("lines_uspto_aps", "uspto_backgrounds", "pftaps19760113_wk02.txt", b"HHHHHT\nPATN\nWKU  1\n", b"PAL  the\n", b"\n"),
    Shape("record_pubmed_abstracts", "pubmed_abstracts", "p.xml", PUBMED, b"the ", b"</MedlineCitation></PubmedArticle></PubmedArticleSet>"),
    Shape("page_wikipedia_en", "wikipedia_en", "enwiki.xml", WIKI, b"the ", WIKI_END),
    Shape("file_europarl", "europarl", "txt/en/ep-09-10-22-001.txt", b"", b"the\n", b""),
    Shape("file_enron_emails", "enron_emails", "maildir/a/b/1.", b"From: a\n\n", b"the\n", b""),
    Shape("file_dm_mathematics", "dm_mathematics", "train-easy/a.txt", b"", b"the ", b""),
    Shape("file_gutenberg_pg19", "gutenberg_pg19", "train/1.txt", b"", b"the ", b""),
    Shape("file_ubuntu_irc", "ubuntu_irc", "2008/04/21/#u.txt", b"", b"ab\n", b""),
    Shape("file_youtube_subtitles", "youtube_subtitles", SONGS, b"[", b"[],", b"[]]"),
    Shape("file_opensubtitles", "opensubtitles", "en/2001/1/1.xml", FILM, b"<s/>", b"</document>"),
    Shape("file_pubmed_central", "pubmed_central", "PMC1.xml", JATS, b"<p/>", b"</body></article>"),
    Shape("file_books3", "books3", "made.txt", b"", b"the ", b""),
    Shape("file_philpapers", "philpapers", "MADE.txt", b"", b"the ", b""),
    Shape("file_local", "local", "made.txt", b"", b"the ", b""),
    # What is taken whole, at its largest: a text with one wide character.
    Shape("wide_freelaw", "freelaw", LAW, TABLE + b'"1","","","","' + WIDE, b"the\n", b'","",""\n', ROW_LIMIT),
    Shape("wide_html_freelaw", "freelaw", LAW, TABLE + b'"1","","","","","' + WIDE, b"the &copy; ", b'",""\n', ROW_LIMIT),
    Shape("wide_freelaw_json", "freelaw", LINES, b'{"id": 1, "plain_text": "' + WIDE, b"the ", b'"}\n', LAW_LIMIT),
    Shape("wide_openwebtext2", "openwebtext2", LINES, b'{"text": "' + WIDE, b"Advertisement\\n", b'"}\n', LINE),
    Shape("wide_local", "local", LINES, b'{"text": "' + WIDE, b"the ", b'"}\n', LOCAL_LIMIT),
    Shape("wide_local_text", "local", "made.txt", WIDE, b"the ", b"", LOCAL_LIMIT),
    Shape("wide_local_array", "local", "made.json", b'["' + WIDE, b"the ", b'"]', LOCAL_LIMIT),
    Shape("wide_nih_exporter", "nih_exporter", "PRJ.csv", b'APPLICATION_ID,ABSTRACT_TEXT\n1,"' + WIDE, b"a b\n", b'"\n', ("nih_exporter", "LONGEST")),
    Shape("wide_uspto_backgrounds", "uspto_backgrounds", "ipg200107.xml", GRANT + b"<description><heading>BACKGROUND</heading><p>" + WIDE, b"the\n", b"</p></description></us-patent-grant>", ("formats.uspto_records", "MAX_RECORD")),
    Shape("wide_uspto_aps", "uspto_backgrounds", "pftaps19760113_wk02.txt", b"HHHHHT\nPATN\nWKU  1\nBSUM\nPAC  BACKGROUND\n", b"PAL  the\n", b"\n", ("formats.uspto_records", "MAX_APS")),
    Shape("wide_europarl", "europarl", "txt/en/ep-09-10-22-001.txt", WIDE, b"ab\n", b"", ("europarl", "LONGEST")),
    Shape("wide_enron_emails", "enron_emails", "maildir/a/b/1.", b"From: a\n\n" + WIDE, b"ab\n", b"", ("enron_emails", "LONGEST")),
    Shape("wide_gutenberg_pg19", "gutenberg_pg19", "train/1.txt", WIDE, b"the\r\n", b"", ("gutenberg_pg19", "LIMIT")),
    Shape("wide_ubuntu_irc", "ubuntu_irc", "2008/04/21/#u.txt", WIDE, b"ab\n", b"", ("ubuntu_irc", "LONGEST")),
    Shape("wide_books3", "books3", "made.txt", WIDE, b"the ", b"", ("formats.epub", "MAX_BOOK")),
    Shape("wide_philpapers", "philpapers", "MADE.txt", WIDE, b"the words\n", b"", ("philpapers", "MAX_TEXT")),
    # The smallest nodes, as many as fit.
    Shape("nodes_freelaw", "freelaw", LAW, TABLE + b'"1","","","","","', b"<b>ab</b>", b'",""\n', ROW_LIMIT),
    Shape("nodes_freelaw_json", "freelaw", LINES, b'{"id": 1, "x": [', b'{"":1},', b"1]}\n", LAW_LIMIT),
    Shape("nodes_openwebtext2", "openwebtext2", LINES, b'{"text": "a", "x": [', b'{"":1},', b"1]}\n", LINE),
    Shape("nodes_local", "local", LINES, b'{"text": "a", "meta": [', b'{"":1},', b"1]}\n", LOCAL_LIMIT),
    Shape("nodes_local_array", "local", "made.json", b"[[", b'{"":1},', b"1]]", 16 << 20),
    Shape("nodes_hackernews", "hackernews", LINES, b'{"id": 1, "x": [', b'{"":1},', b"1]}\n", ("hackernews", "LONGEST")),
    Shape("nodes_youtube_subtitles", "youtube_subtitles", SONGS, b"[", b'{"":1},', b"1]", ("youtube_subtitles", "LONGEST")),
    Shape("nodes_pubmed_abstracts", "pubmed_abstracts", "p.xml", PUBMED, b'<b a="1"/>', b"</MedlineCitation></PubmedArticle></PubmedArticleSet>", ("formats.xml_records", "MAX_RECORD")),
    Shape("nodes_uspto_backgrounds", "uspto_backgrounds", "ipg200107.xml", GRANT + b"<description>", b'<b a="1"/>', b"</description></us-patent-grant>", ("formats.uspto_records", "MAX_RECORD")),
    Shape("nodes_opensubtitles", "opensubtitles", "en/2001/1/1.xml", FILM, b'<s a="1">a</s>', b"</document>", ("opensubtitles", "MAX_SUBTITLE")),
    Shape("nodes_pubmed_central", "pubmed_central", "PMC1.xml", b"<?xml version='1.0'?><article><front><article-meta>", b'<b a="1"/>', b"</article-meta></front></article>", ("pubmed_central", "MAX_ARTICLE")),
    Shape("nodes_wikipedia_en", "wikipedia_en", "enwiki.xml", WIKI, b"[[a]]", WIKI_END, FIELD),
    Shape("braces_wikipedia_en", "wikipedia_en", "enwiki.xml", WIKI, b"{{", WIKI_END, FIELD),
    # Nesting.
    Shape("deep_pubmed_abstracts", "pubmed_abstracts", "p.xml", PUBMED, b"<b>", b"", None),
    Shape("deep_opensubtitles", "opensubtitles", "en/2001/1/1.xml", FILM, b"<s>", b"", ("opensubtitles", "MAX_SUBTITLE")),
    Shape("deep_wikipedia_en", "wikipedia_en", "enwiki.xml", b"<mediawiki>", b"<b>", b"", None),
    Shape("deep_local", "local", LINES, b'{"text": "a", "x": ', b"[", b"\n", LOCAL_LIMIT),
    Shape("deep_freelaw", "freelaw", LAW, TABLE + b'"1","","","","","', b"<div>", b'",""\n', ROW_LIMIT),
)  # fmt: skip


def _tar_of(name: Callable[[int], str], content: bytes) -> Callable[[Path, int], int]:
    """Return what writes a tar of the smallest members."""

    def write(path: Path, size: int) -> int:
        written = 0
        with path.open("wb") as file:
            for number in itertools.count():
                member = tarfile.TarInfo(name(number))
                member.size = len(content)
                header = member.tobuf(tarfile.USTAR_FORMAT)
                written += file.write(header + content + b"\0" * (-len(content) % 512))
                if written >= size:
                    break
            file.write(b"\0" * 1024)
        return written

    return write


def _one_member(name: str, unit: bytes) -> Callable[[Path, int], int]:
    """Return what writes a zip of one giant member, stored."""

    def write(path: Path, size: int) -> int:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
            archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file,
        ):
            return sum(file.write(block) for block in _blocks(unit, size))

    return write


def _blocks(unit: bytes, size: int) -> Iterator[bytes]:
    block = unit * ((1 << 20) // len(unit))
    return itertools.repeat(block, size // len(block))


PAGE_TEXT = b"(the keeper of the light) Tj T*\n"
CHAPTER = "c2.xhtml"


def _epub(unit: bytes, limit: tuple[str, str] | None = None) -> Callable[[Path, int], int]:
    """Return what writes a book of one chapter that is one unit over and over, deflated."""

    def write(path: Path, size: int) -> int:
        most = min(size, _limit("", *limit) - 100_000) if limit else size
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
            for name, content in (sources_raw.epub(0), sources_raw.epub(1)):
                book.writestr(zipfile.ZipInfo(name), content)
            with book.open(zipfile.ZipInfo(CHAPTER), "w", force_zip64=True) as chapter:
                return sum(chapter.write(block) for block in _blocks(unit, most))

    return write


def _pdf(path: Path, size: int) -> int:
    """Write a PDF of one page, whose text is deflated."""
    packer = zlib.compressobj(6)
    begin = packer.compress(b"BT /F1 10 Tf 12 TL 40 780 Td\n")
    packed = b"".join(packer.compress(block) for block in _blocks(PAGE_TEXT, size))
    stream = begin + packed + packer.compress(b"ET") + packer.flush()
    path.write_bytes(sources_raw.pdf_of([(stream, " /Filter /FlateDecode")]))
    return size


def _tar_member(name: str, content: Callable[[], bytes]) -> Callable[[Path, int], int]:
    """Return what writes a tar of one member."""

    def write(path: Path, _size: int) -> int:
        made = content()
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            member = tarfile.TarInfo(name)
            member.size = len(made)
            archive.addfile(member, io.BytesIO(made))
        return len(made)

    return write


def _short_rows(path: Path, size: int) -> int:
    rows = (f'"{number}","","","","a b c","",""\n'.encode() for number in itertools.count())
    return _written(path, TABLE, rows, b"", size)


def _cues(path: Path, _size: int) -> int:
    """Write as many cues as a file of captions may have."""
    cue = json.dumps({"text": "a", "start": 0.5, "duration": 1.0}).encode() + b","
    most = _limit("", "youtube_subtitles", "LONGEST")
    head = b'[{"language_code": "en", "is_generated": false, "transcript": ['
    return _repeated(head, cue, cue[:-1] + b"]}]")(path, most)


def _source_file() -> bytes:
    line = b"x = 'the keeper'\n"
    return WIDE + line * (_limit("", "github", "MAX_FILE") // len(line))


OTHERS = (
    Case("local_parquet", "local", "made.parquet", _parquet),
    Case("local_array", "local", "made.json", _json_array),
    Case("members_enron_emails", "enron_emails", "mail.tar", _tar_of(lambda n: f"maildir/m/s/{n}.", b"From: a\n\nb")),
    Case("members_github", "github", "made/repo.tar", _tar_of(lambda n: f"top/{n}.py", b"x = 'a'\n")),
    Case("rows_freelaw", "freelaw", LAW, _short_rows),
    Case("member_europarl", "europarl", "made.zip", _one_member("txt/en/a.txt", b"the\n")),
    Case("member_opensubtitles", "opensubtitles", "en.zip", _one_member("1.xml", b"<s/>")),
    Case("member_stackexchange", "stackexchange", "made.zip/Posts.zip", _one_member("Posts.xml", b"the ")),
    Case("member_github", "github", "made/repo.zip", _one_member("top/a.py", b"x = 1\n")),
    Case("wide_github", "github", "made/repo.tar.gz", _tar_member("top/a.py", _source_file)),
    Case("cues_youtube_subtitles", "youtube_subtitles", SONGS, _cues),
    Case("page_pile_cc", "pile_cc", "a.warc", _page(b"the keeper ")),
    Case("nodes_pile_cc", "pile_cc", "a.warc", _page(b"<p>a")),
    Case("tags_pile_cc", "pile_cc", "a.warc", _page(b"<br>")),
    Case("wide_pile_cc", "pile_cc", "a.warc", _page(b"the keeper \xf0\x9f\x98\x80")),
    Case("bomb_books3", "books3", "made.epub", _epub(b"<p>a")),
    Case("nodes_books3", "books3", "made.epub", _epub(b"<p>a", MAX_BOOK)),
    Case("lists_books3", "books3", "made.epub", _epub(b"<ul><li>a", MAX_BOOK)),
    Case("wide_books3_epub", "books3", "made.epub", _epub(b"the \xf0\x9f\x98\x80 ", MAX_BOOK)),
    Case("bomb_local_epub", "local", "made.epub", _epub(b"<p>a")),
    Case("nodes_local_epub", "local", "made.epub", _epub(b"<p>a", MAX_BOOK)),
    Case("bomb_philpapers", "philpapers", "made.pdf", _pdf),
    Case("bomb_local_pdf", "local", "made.pdf", _pdf),
    Case("deep_pile_cc", "pile_cc", "a.warc", _page(b"<div>")),
)  # fmt: skip

CASES = (
    *map(_big, RAWS),
    *OTHERS,
    *(shape.case() for shape in SHAPES),
)
"""Every raw file whose peak is measured: large ones in their containers, then hostile ones."""
