"""PubMed Central: the full text of open-access articles, from JATS XML through pandoc.

Raw formats: an article's XML as today's bucket has it (https://pmc-oa-opendata.s3.amazonaws.com/,
one folder a version of an article); an OA package ``PMCn.tar.gz`` as NLM gave out until August 2026,
one ``.nxml`` among figures and supplements; and NLM's bulk archives of many articles. A file of any
other kind, such as a list of files, is refused.

Published extraction: the one ``.nxml`` of a package through ``pandoc --from=jats`` to pandoc's
Markdown with ``--wrap=none``; packages with none or several, and whatever pandoc refuses, are
dropped. Lines that begin with ``:::`` are deleted. Without ``--standalone`` there is no title and
no abstract. An article without a body gives little, and one that gives nothing is rejected here.

Known difference: pandoc. The Pile's lay between 2.0.6 and 2.11.2 and can no longer be had. Headings
are underlined as it did them; tables and figures come out differently from release to release (3.9
writes more of them, as HTML). What a given pandoc makes of an article is reproduced exactly.

Pandoc takes about 150 bytes of heap a byte of XML; ``heap_mib`` and ``cpu_seconds`` bound it well
beyond all but some giant tables.

Place in a file: the member of an archive, or nothing for a file that is one article. The id is
``pubmed_central/PMCn``, from the article itself, else from the name; ``/rN`` follows at its Nth
occurrence in one archive. The licence is the article's own where it names a Creative Commons one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import parse_qs, quote, urlsplit

from sources.archives import Member, members, open_stream
from sources.formats import pandoc
from sources.formats.jats import front
from sources.formats.numbering import Uses, numbered
from sources.formats.xml_records import tree
from sources.published import PILE_SET_NAMES
from sources.source import (
    EXCERPT,
    Document,
    Get,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    excerpt,
)

BUCKET = "https://pmc-oa-opendata.s3.amazonaws.com/"
LICENCE = "as the article states; no Creative Commons licence recognised"
MAX_ARTICLE = 32 << 20
"""Bytes of an article's XML; more do not fit pandoc's memory by far."""

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
ARTICLES = (".nxml", ".xml", ".nxml.gz", ".xml.gz")

_PACKAGE = re.compile(r"PMC[0-9]+")
_VERSION = re.compile(r"(PMC[0-9]+)\.([0-9]+)/")
_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True, slots=True)
class Article:
    """The XML of one article, where it was found, and the id to use if it states none."""

    origin: str
    name: str
    xml: bytes


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the newest version of each article in the bucket.

    ``articles`` names some, as "PMC13900"; they come with their checksums. Without it, the bucket
    is listed by 1,000 versions a request (some 8,000 requests for all of it), which ``prefix``
    narrows, as "PMC1390". Raises ValueError for an article that is not there.
    """
    articles = options["articles"]
    if not isinstance(articles, tuple):
        raise ValueError(f"articles must be a list of PMCIDs, not {articles!r}")  # noqa: TRY004 - a setting's value
    if articles:
        return (_article(pmcid, get) for pmcid in sorted(set(articles)))
    return _listed(str(options["prefix"]), get)


def _article(pmcid: str, get: Get) -> RawFile:
    """Return an article's newest version; its record in the bucket gives address and MD5."""
    version = max((int(version) for _, version in _versions(f"{pmcid}.", get)), default=None)
    if version is None:
        raise ValueError(f"{BUCKET} has no article {pmcid}")
    record = json.loads(get(f"{BUCKET}metadata/{pmcid}.{version}.json"))
    address = urlsplit(str(record.get("xml_url", "")))
    if not address.path.strip("/"):
        raise ValueError(f"{BUCKET} states no XML for {pmcid}.{version}")
    md5 = parse_qs(address.query).get("md5")
    return RawFile(
        url=BUCKET + address.path.lstrip("/"),
        name=_file_name(pmcid, version),
        checksum=f"md5:{md5[0]}" if md5 else None,
    )


def _listed(prefix: str, get: Get) -> Iterator[RawFile]:
    # The listing is sorted, so the versions of an article stand together.
    for pmcid, versions in groupby(_versions(prefix, get), key=lambda found: found[0]):
        newest = max(int(version) for _, version in versions)
        stem = f"{pmcid}.{newest}"
        yield RawFile(f"{BUCKET}{stem}/{stem}.xml", _file_name(pmcid, newest))


def _versions(prefix: str, get: Get) -> Iterator[tuple[str, str]]:
    """Yield PMCID and version of every folder in the bucket whose name begins with ``prefix``."""
    query = f"{BUCKET}?list-type=2&delimiter=/&prefix={quote(prefix)}"
    url = query
    while url:
        page = tree(get(url), url)
        for folder in page.iterfind(f"{_S3}CommonPrefixes/{_S3}Prefix"):
            if match := _VERSION.fullmatch(folder.text or ""):
                yield match[1], match[2]
        token = page.findtext(f"{_S3}NextContinuationToken")
        url = f"{query}&continuation-token={quote(token, safe='')}" if token else ""


def _file_name(pmcid: str, version: int) -> str:
    """Return a name in a folder of at most 1,000 articles."""
    thousands = pmcid.removeprefix("PMC")[:-3] or "0"
    return f"PMC{thousands}/{pmcid}.{version}.xml"


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every article of a file; see the module."""
    limits = pandoc.Limits(
        cpu_seconds=int(str(options["cpu_seconds"])), heap_mib=int(str(options["heap_mib"]))
    )
    taken = Uses()
    for article in _articles(path, raw):
        if isinstance(article, Article):
            yield _outcome(article, limits, taken)
        else:
            yield article


def _articles(path: Path, raw: RawFile) -> Iterator[Article | Rejected]:
    name = raw.name.lower()
    if name.endswith(ARCHIVES):
        stem = PurePosixPath(raw.name).name.split(".")[0]
        if _PACKAGE.fullmatch(stem):
            yield _packaged(path, raw, stem)
        else:
            yield from _bulk(path, raw)
    elif name.endswith(ARTICLES):
        with open_stream(path) as stream:
            yield _article_or_rejected(raw.name, _stem(raw.name), stream)
    else:
        raise UnreadableFile(
            f"{raw.name}: neither an article ({', '.join(ARTICLES)}) nor an archive of them"
        )


def _stem(name: str) -> str:
    """Return a file's name without its suffix and, if it is a PMCID, its version."""
    stem = re.sub(r"\.n?xml(\.gz)?$", "", PurePosixPath(name).name)
    return re.sub(r"^(PMC[0-9]+)\.[0-9]+$", r"\1", stem)


def _packaged(path: Path, raw: RawFile, pmcid: str) -> Article | Rejected:
    """Return the article of a package, which has exactly one ``.nxml`` beside other files."""
    article: Article | Rejected = Rejected(raw.name, "no_nxml", pmcid)
    found = 0
    for member, stream in members(path):
        if member.name.endswith(".nxml"):
            found += 1
            if found == 1:
                article = _member_article(raw, member, stream, pmcid)
    return article if found < 2 else Rejected(raw.name, "several_nxml", f"{found} in {pmcid}")


def _bulk(path: Path, raw: RawFile) -> Iterator[Article | Rejected]:
    found = False
    for member, stream in members(path):
        if member.name.endswith((".nxml", ".xml")):
            found = True
            yield _member_article(raw, member, stream, _stem(member.name))
    if not found:
        yield Rejected(raw.name, "no_nxml")


def _member_article(
    raw: RawFile, member: Member, stream: BinaryIO, name: str
) -> Article | Rejected:
    origin = f"{raw.name}:{member.name}"
    if member.problem:
        return Rejected(origin, "unreadable_member", member.problem)
    return _article_or_rejected(origin, name, stream)


def _article_or_rejected(origin: str, name: str, stream: BinaryIO) -> Article | Rejected:
    xml = stream.read(MAX_ARTICLE + 1)
    if len(xml) > MAX_ARTICLE:
        return Rejected(origin, "too_large", excerpt(xml[:EXCERPT].decode("utf-8", "replace")))
    return Article(origin, name, xml)


def _outcome(article: Article, limits: pandoc.Limits, taken: Uses) -> Document | Rejected:
    about = front(article.xml)
    if about.root != "article":
        beginning = article.xml[:EXCERPT].decode("utf-8", "replace")
        return Rejected(article.origin, "not_jats", excerpt(beginning))
    try:
        markdown = pandoc.convert(article.xml, "jats", pandoc.TO_MARKDOWN, limits)
    except pandoc.PandocError as error:
        return Rejected(article.origin, error.reason, excerpt(str(error)))
    text = pandoc.without_div_lines(markdown)
    identifier = about.ids.get("pmcid") or article.name
    if not text.strip():
        return Rejected(article.origin, "empty", identifier)
    return Document(
        id=numbered(f"pubmed_central/{identifier}", taken),
        text=text,
        origin=article.origin,
        licence=about.licence or LICENCE,
        meta=dict(about.ids),
    )


SOURCE = Source(
    name="pubmed_central",
    pile_set_name=PILE_SET_NAMES["pubmed_central"],
    licence=LICENCE,
    access="open",
    version=1,
    libraries=("pypandoc-binary",),
    read=read,
    plan=plan,
    reasons={
        "no_nxml": "a package or archive without an article in it",
        "several_nxml": "a package with more than one article file",
        "unreadable_member": "an article file with an unsafe name, or no regular file",
        "too_large": f"more than {MAX_ARTICLE >> 20} MiB of XML",
        "not_jats": "no XML whose root is an article",
        "empty": "no text in the body, nor elsewhere that pandoc reads",
        **pandoc.REASONS,
    },
    defaults={"articles": (), "prefix": "PMC", "cpu_seconds": 60, "heap_mib": 2048},
    homepage="https://pmc.ncbi.nlm.nih.gov/tools/pmcaws/",
)
