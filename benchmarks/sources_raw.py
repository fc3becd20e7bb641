"""Made-up raw files in the true container of every source, of any size, the same in every run.

Records are drawn from few bodies of prose with numbers of their own, so that gigabytes are written
as fast as they are packed; where a format allows many streams in a row (gzip, bzip2, Zstandard),
equal pieces are packed once.
"""

import bz2
import gzip
import io
import itertools
import json
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import py7zr

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WORDS = """
the of and to in a is that for it as was with be by on not he this are or his from at which but have
an had they you were their one all we can her has there been if more when will would who so no out
up into than its time only some could these two may then do first any my now such like our over man
me even most made after also did many before must through back years where much your way well down
should because each just those people state good very make world still own see men work long get
here between both life being under never day same another know while last might us great old year
off come since against go came right used take three lighthouse kettle harbour ledger orchard signal
measurement quarterly committee experiment temperature agreement property statute paragraph
""".split()  # noqa: SIM905 - a table
BODIES = 256
"""Different texts, from which records take theirs in turn."""


def sentences(seed: int, characters: int) -> str:
    """Return English-looking prose: sentences in paragraphs, words by Zipf's law."""
    chance = np.random.default_rng(seed)
    weights = 1 / np.arange(3, len(WORDS) + 3)
    drawn = iter(chance.choice(WORDS, characters // 3, p=weights / weights.sum()).tolist())
    lengths = iter(chance.integers(6, 24, characters // 12 + 9).tolist())
    made: list[str] = []
    size = 0
    while size < characters:
        lines = [" ".join(itertools.islice(drawn, next(lengths))).capitalize() for _ in range(5)]
        made.append(". ".join(lines) + ".")
        size += len(made[-1]) + 2
    return "\n\n".join(made)[:characters]


def prose(number: int, characters: int) -> str:
    """Return one of `BODIES` texts, of between half and one and a half times a length."""
    return _body(number % BODIES, characters)


@cache
def _body(body: int, characters: int) -> str:
    return sentences(body, characters * (body % 7 + 4) // 7)


def paragraphs(text: str, tag: str = "p") -> str:
    """Return prose as paragraphs of HTML or XML."""
    return "\n".join(f"<{tag}>{escape(part)}</{tag}>" for part in text.split("\n\n"))


# Each of these makes record ``number`` of a source: pieces of a stream, or a member of an archive.


def stackexchange(number: int) -> tuple[bytes, ...]:
    """Return rows of a question and of its two answers."""

    def row(identifier: int, rest: str) -> bytes:
        return f'  <row Id="{identifier}" {rest} />\r\n'.encode()

    def body(offset: int) -> str:
        html = paragraphs(prose(number + offset, 900)) + "\n<pre><code>x &lt; 1\n</code></pre>\n"
        return "Body=" + quoteattr(html, {"\n": "&#xA;"})

    first = 3 * number + 1
    title = quoteattr(prose(number, 60).split("\n")[0])
    return (
        row(first, f'PostTypeId="1" Score="5" AnswerCount="2" Title={title} {body(0)}'),
        row(first + 1, f'PostTypeId="2" ParentId="{first}" Score="7" {body(1)}'),
        row(first + 2, f'PostTypeId="2" ParentId="{first}" Score="1" {body(2)}'),
    )


def wikipedia_en(number: int) -> tuple[bytes, ...]:
    """Return a page; of twenty, nine are redirects and talk, much as in a dump."""
    head = (
        f"<page><title>Page {number}</title><ns>{int(number % 20 > 10)}</ns><id>{number + 1}</id>"
        f"<revision><id>{number + 7}</id><timestamp>2020-01-01T00:00:00Z</timestamp>"
    )
    return head.encode(), _wikitext(number % BODIES)


@cache
def _wikitext(number: int) -> bytes:
    parts = prose(number, 6000).split("\n\n")
    marked = []
    for place, part in enumerate(parts):
        words = part.split(" ")
        words[1:2] = [f"[[Page|{place}]]"]
        words[-1] += "<ref>{{cite web|url=https://example.org/|title=A page}}</ref>"
        marked.append(f"== Part {place} ==\n'''{' '.join(words)}''' {{{{convert|3|km}}}}")
    text = "{{Infobox|name=x|value={{age|1|2}}}}\n" + "\n\n".join(marked) + "\n[[Category:Made]]"
    return f"<text>{escape(text)}</text></revision></page>\n".encode()


def freelaw(number: int) -> tuple[bytes, ...]:
    """Return a row of CourtListener's table: every other one with HTML, the rest plain."""
    return f'"{number + 1}","2020-01-01","010combined","{number}"'.encode(), _opinion(
        number % BODIES
    )


@cache
def _opinion(number: int) -> bytes:
    plain = prose(number, 12_000)
    html = f"<div>{paragraphs(plain)}</div>" if number % 2 else ""
    fields = ("" if html else plain, html, "")
    quoted = (field.replace("\\", "\\\\").replace('"', '\\"') for field in fields)
    return "".join(f',"{field}"' for field in quoted).encode() + b"\n"


def pubmed_abstracts(number: int) -> tuple[bytes, ...]:
    """Return a citation with authors and an abstract."""
    head = f'<PubmedArticle><MedlineCitation><PMID Version="1">{number + 1}</PMID>'
    return head.encode(), _citation(number % BODIES)


@cache
def _citation(number: int) -> bytes:
    author = "<Author><LastName>Kettle</LastName><ForeName>Ada</ForeName></Author>"
    return (
        f"<Article><Journal><Title>Journal</Title></Journal><ArticleTitle>"
        f"{prose(number, 90).split(chr(10))[0]}</ArticleTitle><Abstract><AbstractText>"
        f"{prose(number, 1500)}</AbstractText></Abstract><AuthorList>{author * 6}</AuthorList>"
        "<Language>eng</Language></Article></MedlineCitation><PubmedData><ArticleIdList>"
        '<ArticleId IdType="doi">10.1/x</ArticleId></ArticleIdList></PubmedData></PubmedArticle>\n'
    ).encode()


def pile_cc(number: int) -> tuple[bytes, ...]:
    """Return a response of a web page and the metadata record behind it."""
    page = _web_page(number % BODIES)
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
    uuid = f"00000000-0000-4000-8000-{number:012x}"
    return (
        (
            "WARC/1.0\r\nWARC-Type: response\r\n"
            f"WARC-Record-ID: <urn:uuid:{uuid}>\r\nWARC-Date: 2020-05-25T00:00:00Z\r\n"
            f"WARC-Target-URI: https://example.org/{number}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        + body
        + b"\r\n\r\n",
    )


@cache
def _web_page(number: int) -> bytes:
    links = "".join(f'<li><a href="/{at}">Page {at}</a></li>' for at in range(200))
    script = f"<script>{'var x = [1, 2, 3]; ' * 400}</script>"
    return (
        f"<!DOCTYPE html><html><head><title>Made</title>{script}</head><body><ul>{links}</ul>"
        f"<div class='main'>{paragraphs(prose(number, 9000))}</div><ul>{links}</ul></body></html>"
    ).encode()


def uspto_backgrounds(number: int) -> tuple[bytes, ...]:
    """Return a grant as XML since 2005 has it."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<us-patent-grant lang="EN">\n'
        "<us-bibliographic-data-grant><publication-reference><document-id><country>US</country>"
        f"<doc-number>{number + 8_000_000}</doc-number><date>20200107</date></document-id>"
        "</publication-reference></us-bibliographic-data-grant>\n"
    )
    return head.encode(), _description(number % BODIES)


@cache
def _description(number: int) -> bytes:
    parts = []
    for heading in ("BACKGROUND", "SUMMARY", "DETAILED DESCRIPTION"):
        size = 24_000 if heading.startswith("DET") else 4_000
        marked = paragraphs(prose(number, size)).replace("<p>", '<p num="1">')
        parts.append(f'<heading level="1">{heading}</heading>\n{marked}\n')
    return f"<description>{''.join(parts)}</description>\n</us-patent-grant>\n".encode()


def nih_exporter(number: int) -> tuple[bytes, ...]:
    """Return a row of an abstracts file."""
    return f'{number + 1},"{number} '.encode(), prose(number, 2500).encode() + b'"\r\n'


def hackernews(number: int) -> tuple[bytes, ...]:
    """Return a story and its four comments, a line each."""
    first = 5 * number + 1
    comments = list(range(first + 1, first + 5))
    story = {"id": first, "type": "story", "by": "ada", "time": 1, "title": prose(number, 60)[:60],
             "url": "https://example.org/", "score": 3, "descendants": 4, "kids": comments[:2]}  # fmt: skip
    items = [story]
    for place, identifier in enumerate(comments):
        html = prose(identifier, 400).replace("\n\n", "<p>") + ' <a href="https://x.org/">x</a>'
        kids = [comments[place + 2]] if place < 2 else []
        items.append({"id": identifier, "type": "comment", "by": "bo", "text": html, "kids": kids})
    return tuple(json.dumps(item).encode() + b"\n" for item in items)


def openwebtext2(number: int) -> tuple[bytes, ...]:
    """Return a line of a page with what OpenWebText2 says of it."""
    meta = {"url": f"https://example.org/{number}", "title": "A page", "lang": "en",
            "reddit_scores": [3, 4], "word_count": 700}  # fmt: skip
    text = prose(number, 4000).replace("\n\n", "\nAdvertisement\n", 1)
    return (json.dumps({"text": text, "meta": meta}).encode() + b"\n",)


def local(number: int) -> tuple[bytes, ...]:
    """Return a line of JSON as lm_dataformat writes it."""
    return (json.dumps({"text": prose(number, 4000), "meta": {"number": number}}).encode() + b"\n",)


def local_array(number: int) -> tuple[bytes, ...]:
    """Return an element of an array of JSON."""
    return (json.dumps({"text": prose(number, 4000)}).encode() + b",\n",)


def europarl(number: int) -> tuple[str, bytes]:
    """Return an agenda item."""
    lines = ["<CHAPTER ID=1>", "Opening of the sitting"]
    for place, part in enumerate(prose(number, 20_000).split("\n\n")):
        lines += [f'<SPEAKER ID={place} LANGUAGE="EN" NAME="Pronk">', part, "<P>"]
    return f"txt/en/ep-09-10-22-{number:07}.txt", "\n".join(lines).encode()


def enron_emails(number: int) -> tuple[str, bytes]:
    """Return a message with headers and a body."""
    head = (
        f"Message-ID: <{number}.made@thyme>\r\nDate: Mon, 14 May 2001 16:39:00 -0700 (PDT)\r\n"
        "From: ada@example.com\r\nTo: bo@example.com\r\nSubject: Re: the ledger\r\n"
        "Mime-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: 7bit\r\nX-From: Ada\r\nX-Folder: \\Ada\\Sent\r\n\r\n"
    )
    return f"maildir/made-{number % 150}/sent/{number}.", (head + prose(number, 1800)).encode()


def dm_mathematics(number: int) -> tuple[str, bytes]:
    """Return a module of questions and answers."""
    lines = "".join(
        f"Solve {number + place}*x + {place} = {place * 3} for x.\n{place}\n"
        for place in range(40_000)
    )
    return f"mathematics_dataset-v1.0/train-easy/algebra__made_{number}.txt", lines.encode()


def opensubtitles(number: int) -> tuple[str, bytes]:
    """Return a film's subtitles."""
    sentences_ = []
    for place, part in enumerate(prose(number, 30_000).replace("\n\n", " ").split(". ")):
        sentences_.append(
            f'  <s id="{place}">\n    <time id="T{place}S" value="00:00:{place % 60:02},000" />\n'
            f'- {part}.\n    <time id="T{place}E" value="00:01:{place % 60:02},000" />\n  </s>\n'
        )
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n<document>\n{"".join(sentences_)}</document>\n'
    return f"OpenSubtitles/raw/en/2001/{number}/{number}.xml", xml.encode()


def github(number: int) -> tuple[str, bytes]:
    """Return a file of a program."""
    lines = [f"def f{number}():", '    """Made."""']
    lines += [f"    {part[:70]!r}" for part in prose(number, 6000).split(". ")]
    return f"made-repo/src/part_{number % 97}/file_{number}.py", ("\n".join(lines) + "\n").encode()


def arxiv(number: int) -> tuple[str, bytes]:
    """Return a paper of one TeX file, compressed."""
    parts = "\n\n".join(
        f"\\section{{Part}}\n{part} $a_{{{number}}} = \\frac{{1}}{{x}}$ \\cite{{k}}"
        for part in prose(number, 30_000).split("\n\n")
    )
    tex = (
        "\\documentclass{article}\n\\title{Made}\n\\begin{document}\n\\maketitle\n"
        f"{parts}\n\\end{{document}}\n"
    )
    return f"2611/2611.{number:05}.gz", gzip.compress(tex.encode(), 6, mtime=0)


def pubmed_central(number: int) -> tuple[str, bytes]:
    """Return an article as JATS."""
    body = "".join(
        f"<sec><title>Part</title><p>{part} <xref ref-type='bibr' rid='r1'>1</xref></p></sec>"
        for part in prose(number, 40_000).split("\n\n")
    )
    return f"PMC00/PMC{number + 1}.xml", (
        '<?xml version="1.0"?><article><front><article-meta><article-id pub-id-type="pmcid">'
        f"PMC{number + 1}</article-id></article-meta></front><body>{body}</body></article>"
    ).encode()


def philpapers(number: int) -> tuple[str, bytes]:
    """Return a paper as a PDF of twelve pages."""
    return f"MADE{number}.pdf", pdf([prose(number + page, 2500) for page in range(12)])


def pdf(pages: list[str]) -> bytes:
    """Return a PDF of pages of text in Helvetica."""
    contents = []
    for text in pages:
        flat = text.replace("\n\n", " ").replace("(", "").replace(")", "")
        lines = "".join(f"({flat[at : at + 90]}) Tj T*\n" for at in range(0, len(flat), 90))
        contents.append((f"BT /F1 10 Tf 12 TL 40 780 Td\n{lines}ET".encode(), ""))
    return pdf_of(contents)


def pdf_of(pages: list[tuple[bytes, str]]) -> bytes:
    """Return a PDF of pages, each the stream of its content and what its dictionary says more."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for stream, more in pages:
        objects.append(
            b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stream), more.encode(), stream)
        )
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % len(objects)
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Kids [{listed}] /Count {len(kids)} >>".encode()
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{rows}".encode())
    out.write(f"trailer << /Size {len(places) + 1} /Root 1 0 R >>\n".encode())
    out.write(f"startxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def epub(number: int) -> tuple[str, bytes]:
    """Return a chapter of a book; the first two are what names the rest."""
    if number == 0:
        return "META-INF/container.xml", (
            b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            b'<rootfile full-path="content.opf"/></rootfiles></container>'
        )
    if number == 1:
        items = "".join(f'<item id="c{at}" href="c{at}.xhtml"/>' for at in range(2, 400))
        refs = "".join(f'<itemref idref="c{at}"/>' for at in range(2, 400))
        package = f"<manifest>{items}</manifest><spine>{refs}</spine>"
        return "content.opf", f'<package xmlns="http://www.idpf.org/2007/opf">{package}</package>'.encode()  # fmt: skip
    body = f"<h1>Part {number}</h1>\n{paragraphs(prose(number, 20_000))}"
    return f"c{number}.xhtml", f"<html><body>{body}</body></html>".encode()


def gutenberg_pg19(number: int) -> tuple[bytes, ...]:
    """Return a chapter of a book."""
    return (prose(number, 20_000).encode() + b"\r\n\r\n",)


def ubuntu_irc(number: int) -> tuple[bytes, ...]:
    """Return some minutes of talk."""
    said = prose(number, 2000).replace("\n\n", " ").split(". ")
    lines = [f"[{number % 24:02}:{at % 60:02}] <ada> {line}" for at, line in enumerate(said)]
    return ("\n".join([*lines, "=== bo [~bo@x] has joined #ubuntu", ""]).encode(),)


def youtube_subtitles(number: int) -> tuple[bytes, ...]:
    """Return some cues of a track."""
    cues = [
        {"text": part, "start": number * 60 + at * 5.0, "duration": 4.5}
        for at, part in enumerate(prose(number, 600).replace("\n\n", " ").split(". "))
    ]
    return tuple(json.dumps(cue).encode() + b",\n" for cue in cues)


@dataclass(frozen=True, slots=True)
class Raw:
    """How a raw file of a source is made.

    ``name`` is the raw file's, ``container`` how it is packed (a stream's compression, or the
    archive), ``member`` the name of the one member, if the archive has only that. ``begin`` and
    ``end`` stand round the records of a stream; ``most`` bounds its size where one file is one
    document.
    """

    source: str
    name: str
    container: str
    record: Callable[[int], tuple[bytes, ...] | tuple[str, bytes]]
    begin: bytes = b""
    end: bytes = b""
    member: str = ""
    most: int = 1 << 62


POSTS = b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n<posts>\r\n"
TABLE = b'"id","date_created","type","cluster_id","plain_text","html","html_lawbox"\n'

RAWS = (
    Raw("arxiv", "arXiv_src_2611_001.tar", "tar", arxiv),
    Raw("bookcorpus2", "made.epub", "zip", epub, most=2 << 20),
    Raw("books3", "made.epub", "zip", epub, most=2 << 20),
    Raw("dm_mathematics", "mathematics_dataset-v1.0.tar.gz", "tar.gz", dm_mathematics),
    Raw("enron_emails", "enron_mail.tar.gz", "tar.gz", enron_emails),
    Raw("europarl", "europarl.tgz", "tar.gz", europarl),
    Raw("freelaw", "opinions-2026-11-01.csv.bz2", "bz2", freelaw, TABLE),
    Raw("github", "made/repo.tar.gz", "tar.gz", github),
    Raw("gutenberg_pg19", "train/10001.txt", "none", gutenberg_pg19, most=4 << 20),
    Raw("hackernews", "items-0001.jsonl.gz", "gz", hackernews),
    Raw("local", "made.jsonl.zst", "zst", local),
    Raw(
        "nih_exporter", "RePORTER_PRJABS_C_FY2013.zip", "zip", nih_exporter,
        b"APPLICATION_ID,ABSTRACT_TEXT\r\n", member="RePORTER_PRJABS_C_FY2013.csv",
    ),
    Raw("opensubtitles", "en.zip", "zip", opensubtitles),
    Raw("openwebtext2", "2020-01.jsonl.zst", "zst", openwebtext2),
    Raw("philpapers", "papers.zip", "zip", philpapers),
    Raw("pile_cc", "CC-MAIN-made.warc.gz", "records.gz", pile_cc),
    Raw(
        "pubmed_abstracts", "pubmed26n0001.xml.gz", "gz", pubmed_abstracts,
        b'<?xml version="1.0"?>\n<PubmedArticleSet>\n', b"</PubmedArticleSet>\n",
    ),
    Raw("pubmed_central", "oa_comm_xml.tar.gz", "tar.gz", pubmed_central),
    Raw(
        "stackexchange", "made.stackexchange.com.7z", "7z", stackexchange, POSTS, b"</posts>",
        member="Posts.xml",
    ),
    Raw("ubuntu_irc", "2008/04/21/#ubuntu.txt", "none", ubuntu_irc, most=2 << 20),
    Raw(
        "uspto_backgrounds", "ipg200107.zip", "zip", uspto_backgrounds, member="ipg200107.xml",
    ),
    Raw(
        "wikipedia_en", "enwiki-made-pages-articles-multistream.xml.bz2", "bz2", wikipedia_en,
        b"<mediawiki><siteinfo></siteinfo>\n", b"</mediawiki>\n",
    ),
    Raw(
        "youtube_subtitles", "made0000001.json", "none", youtube_subtitles,
        b'[{"language_code": "en", "is_generated": false, "transcript": [\n',
        b'{"text": "End.", "start": 0.5, "duration": 1.0}]}]', most=1 << 20,
    ),
)  # fmt: skip
"""A raw file of every source, as large as asked for."""


def make(raw: Raw, path: Path, size: int) -> int:
    """Write about ``size`` bytes of content in its container; return how many there are."""
    size = min(size, raw.most)
    made = map(raw.record, itertools.count())
    if raw.container.startswith("tar") or (raw.container == "zip" and not raw.member):
        return _archive(raw, path, size, made)  # type: ignore[arg-type]
    pieces = itertools.chain(
        [raw.begin], _until(size, itertools.chain.from_iterable(made)), [raw.end]
    )
    return PACKERS[raw.container](raw, path, pieces)  # type: ignore[arg-type]


def _until(size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pass on whole records: one ends with a line end."""
    for piece in pieces:
        yield piece
        size -= len(piece)
        if size < 0 and piece.endswith(b"\n"):
            return


def _archive(raw: Raw, path: Path, size: int, made: Iterator[tuple[str, bytes]]) -> int:
    written = 0
    if raw.container == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            while written < size:
                name, content = next(made)
                packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
                written += len(content)
        return written
    mode = "w" if raw.container == "tar" else "w:gz"
    level = {} if raw.container == "tar" else {"compresslevel": 1}
    with tarfile.open(path, mode, **level) as archive:
        archive.members = _Forgetful()
        while written < size:
            name, content = next(made)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
            written += len(content)
    return written


class _Forgetful(list[tarfile.TarInfo]):
    """What tarfile remembers of the members it wrote: nothing."""

    def append(self, _member: tarfile.TarInfo) -> None:
        """Forget a member."""


def _streams(pack: Callable[[bytes], bytes]) -> Callable[[Raw, Path, Iterable[bytes]], int]:
    """Return a packer to many streams in a row; equal pieces are packed once."""
    packed = lru_cache(maxsize=4 * BODIES)(pack)

    def write(_raw: Raw, path: Path, pieces: Iterable[bytes]) -> int:
        written = 0
        small: list[bytes] = []
        with path.open("wb") as file:
            for piece in pieces:
                written += len(piece)
                if len(piece) < 1000:
                    small += [piece] if piece else []
                    continue
                if small:
                    file.write(pack(b"".join(small)))
                    small = []
                file.write(packed(piece))
            if small:
                file.write(pack(b"".join(small)))
        return written

    return write


def _one_stream(opened: Callable[[Path], io.IOBase]) -> Callable[[Raw, Path, Iterable[bytes]], int]:
    def write(_raw: Raw, path: Path, pieces: Iterable[bytes]) -> int:
        with opened(path) as file:
            return sum(file.write(piece) for piece in pieces)

    return write


def _zip(raw: Raw, path: Path, pieces: Iterable[bytes]) -> int:
    member = zipfile.ZipInfo(raw.member)
    member.compress_type = zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open(member, "w", force_zip64=True) as file,
    ):
        return sum(file.write(piece) for piece in pieces)


def _7z(raw: Raw, path: Path, pieces: Iterable[bytes]) -> int:
    plain = path.with_suffix(".content")
    with plain.open("wb") as file:
        written = sum(file.write(piece) for piece in pieces)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
    with py7zr.SevenZipFile(path, "w", filters=filters) as packed:
        packed.write(plain, raw.member)
    plain.unlink()
    return written


PACKERS: dict[str, Callable[[Raw, Path, Iterable[bytes]], int]] = {
    "none": _one_stream(lambda path: path.open("wb")),
    "gz": _one_stream(lambda path: gzip.open(path, "wb", 1)),  # noqa: SIM115 - closed by the packer
    "bz2": _one_stream(lambda path: bz2.open(path, "wb")),  # noqa: SIM115 - likewise
    "zst": _one_stream(lambda path: zstd.open(path, "wb")),
    "records.gz": _streams(lambda piece: gzip.compress(piece, 6, mtime=0)),
    "streams.gz": _streams(lambda piece: gzip.compress(piece, 6, mtime=0)),
    "streams.bz2": _streams(bz2.compress),
    "zip": _zip,
    "7z": _7z,
}
"""What packs a stream of pieces, by container; returns how many bytes went in."""
