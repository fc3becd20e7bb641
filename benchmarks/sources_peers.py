"""What a library or plain tool makes of the same raw files: the parsing alone, no document.

Each function reads one file and returns how many records it saw. None of them checks anything that
its library does not check by itself.
"""

import bz2
import csv
import email
import email.policy
import gzip
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import IO

import orjson
from lxml import etree, html

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def _in_tar(path: Path) -> Iterator[bytes]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield content.read()


def _in_zip(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name)


def _elements(stream: IO[bytes], tag: str) -> Iterator[etree._Element]:
    for _, element in etree.iterparse(stream, tag=tag):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def arxiv(path: Path) -> int:
    """Use tarfile, gzip, and pandoc with the options of the reader."""
    return sum(_pandoc(gzip.decompress(tex), "latex", "--standalone") for tex in _in_tar(path))


def pubmed_central(path: Path) -> int:
    """Use tarfile, and pandoc with the options of the reader."""
    return sum(_pandoc(xml, "jats") for xml in _in_tar(path))


def _pandoc(content: bytes, form: str, *more: str) -> int:
    pandoc = Path(str(resources.files("pypandoc"))) / "files" / "pandoc"
    command = [str(pandoc), f"--from={form}", "--to=markdown", "--wrap=none", *more]
    return bool(subprocess.run(command, input=content, capture_output=True, check=True).stdout)


def books(path: Path) -> int:
    """Use zipfile, and lxml.html's text of each page."""
    return sum(len(html.document_fromstring(page).text_content()) > 0 for page in _in_zip(path))


def archive_of_text(path: Path) -> int:
    """Use tarfile, and UTF-8 decoded."""
    return sum(len(content.decode("utf-8")) > 0 for content in _in_tar(path))


def enron_emails(path: Path) -> int:
    """Use tarfile, and the email package with the body decoded."""
    found = 0
    for content in _in_tar(path):
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        found += message.get_payload(decode=True) is not None
    return found


def freelaw(path: Path) -> int:
    """Use bz2, csv (told of the escape), and lxml.html's text of what is HTML."""
    csv.field_size_limit(1 << 30)
    found = 0
    with bz2.open(path, "rt", encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, doublequote=False, escapechar="\\"):
            found += 1
            if row["html"]:
                html.document_fromstring(row["html"]).text_content()
    return found


def text_file(path: Path) -> int:
    """Read and decode a file."""
    return len(path.read_bytes().decode("utf-8")) > 0


def hackernews(path: Path) -> int:
    """Use gzip, json, and lxml.html's text of every comment."""
    found = 0
    with gzip.open(path, "rb") as lines:
        for line in lines:
            item = json.loads(line)
            found += 1
            if item.get("text"):
                html.fromstring(item["text"]).text_content()
    return found


def json_lines(path: Path) -> int:
    """Use zstd and orjson."""
    with zstd.open(path, "rb") as lines:
        return sum(orjson.loads(line) is not None for line in lines)


def nih_exporter(path: Path) -> int:
    """Use zipfile and csv."""
    csv.field_size_limit(1 << 30)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as table:
        text = io.TextIOWrapper(table, encoding="utf-8", errors="ignore", newline="")
        return sum(1 for _ in csv.reader(text))


def opensubtitles(path: Path) -> int:
    """Use zipfile, and lxml with the text of every sentence."""
    found = 0
    for xml in _in_zip(path):
        for sentence in etree.fromstring(xml).iter("s"):
            found += len("".join(sentence.itertext())) > 0
    return found


def philpapers(path: Path) -> int:
    """Use zipfile and pypdfium2."""
    import pypdfium2

    found = 0
    for content in _in_zip(path):
        with pypdfium2.PdfDocument(content) as document:
            for page in document:
                page.get_textpage().get_text_range()
        found += 1
    return found


def pile_cc(path: Path) -> int:
    """Use fastwarc, then jusText."""
    import fastwarc
    import justext

    words = justext.get_stoplist("English")
    found = 0
    with path.open("rb") as file:
        response = fastwarc.WarcRecordType.response
        for record in fastwarc.ArchiveIterator(file, record_types=response):
            found += len(justext.justext(record.reader.read(), words)) > 0
    if not found:
        raise ValueError(f"{path.name}: fastwarc found no response")
    return found


def pubmed_abstracts(path: Path) -> int:
    """Use gzip, and lxml.iterparse with the text of title and abstract."""
    found = 0
    with gzip.open(path, "rb") as stream:
        for record in _elements(stream, "PubmedArticle"):
            found += 1
            for name in ("ArticleTitle", "AbstractText"):
                for element in record.iter(name):
                    "".join(element.itertext())
    return found


def stackexchange(path: Path) -> int:
    """Use py7zr to a folder, lxml.iterparse, and lxml.html's text of every body."""
    import py7zr

    found = 0
    with tempfile.TemporaryDirectory() as folder:
        with py7zr.SevenZipFile(path) as archive:
            archive.extract(folder, ["Posts.xml"])
        with (Path(folder) / "Posts.xml").open("rb") as stream:
            for row in _elements(stream, "row"):
                found += len(html.fromstring(row.get("Body", "")).text_content()) > 0
    return found


def uspto_backgrounds(path: Path) -> int:
    """Use zipfile, cut at the declarations, and lxml."""
    found = 0
    for content in _in_zip(path):
        for xml in content.split(b"<?xml ")[1:]:
            found += etree.fromstring(b"<?xml " + xml) is not None
    return found


def wikipedia_en(path: Path) -> int:
    """Use bz2, lxml.iterparse, and mwparserfromhell's own strip_code of every article."""
    import mwparserfromhell

    found = 0
    with bz2.open(path, "rb") as stream:
        for page in _elements(stream, "page"):
            if page.findtext("ns") == "0":
                text = page.findtext("revision/text") or ""
                found += len(mwparserfromhell.parse(text).strip_code()) > 0
    return found


def youtube_subtitles(path: Path) -> int:
    """Use json."""
    return len(json.loads(path.read_bytes()))


PEERS: dict[str, tuple[str, Callable[[Path], int]]] = {
    "arxiv": ("tarfile + gzip + pandoc", arxiv),
    "bookcorpus2": ("zipfile + lxml.html", books),
    "books3": ("zipfile + lxml.html", books),
    "dm_mathematics": ("tarfile + decode", archive_of_text),
    "enron_emails": ("tarfile + email", enron_emails),
    "europarl": ("tarfile + decode", archive_of_text),
    "freelaw": ("bz2 + csv + lxml.html", freelaw),
    "github": ("tarfile + decode", archive_of_text),
    "gutenberg_pg19": ("read + decode", text_file),
    "hackernews": ("gzip + json + lxml.html", hackernews),
    "local": ("zstd + orjson", json_lines),
    "nih_exporter": ("zipfile + csv", nih_exporter),
    "opensubtitles": ("zipfile + lxml", opensubtitles),
    "openwebtext2": ("zstd + orjson", json_lines),
    "philpapers": ("zipfile + pypdfium2", philpapers),
    "pile_cc": ("fastwarc + justext", pile_cc),
    "pubmed_abstracts": ("gzip + lxml.iterparse", pubmed_abstracts),
    "pubmed_central": ("tarfile + pandoc", pubmed_central),
    "stackexchange": ("py7zr + lxml.iterparse + lxml.html", stackexchange),
    "ubuntu_irc": ("read + decode", text_file),
    "uspto_backgrounds": ("zipfile + lxml", uspto_backgrounds),
    "wikipedia_en": ("bz2 + lxml.iterparse + mwparserfromhell", wikipedia_en),
    "youtube_subtitles": ("json", youtube_subtitles),
}
"""By source: what is beside the reader, in words, and the function that runs it."""
