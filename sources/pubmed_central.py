"""PubMed Central: the full text of open-access articles, from JATS XML through pandoc.

Raw formats, of all generations: an article's XML as today's bucket has it (see
`sources.formats.pmc_bucket`), with or without the bucket's record of it beside it,
``PMCn.v.xml`` and ``PMCn.v.json``; an OA package ``PMCn.tar.gz`` as NLM gave out until August 2026,
one ``.nxml`` among figures and supplements; NLM's bulk archives of many articles; and sets of
articles in one XML, ``pmc-articleset`` as E-utilities answer and ``articles`` as Europe PMC's bulk
files are. A file of any other kind, such as a list of files, is refused.

Published extraction: the one ``.nxml`` of a package through ``pandoc --from=jats`` to pandoc's
Markdown with ``--wrap=none``; packages with none or several, and whatever pandoc refuses, are
dropped. Lines that begin with ``:::`` are deleted. Without ``--standalone`` there is no title and
no abstract. An article without a body gives little, and one that gives nothing is rejected here.

Known difference: pandoc. The Pile's lay between 2.0.6 and 2.11.2 and can no longer be had. Headings
are underlined as it did them; tables and figures come out differently from release to release (3.9
writes more of them, as HTML). What a given pandoc makes of an article is reproduced exactly.

Pandoc takes about 150 bytes of heap a byte of XML: what ``heap_mib`` gives by default is enough for
1.5 MB, three times what a long article has, and keeps reader and pandoc below 500 MB together. Giant
tables take more and are rejected as ``pandoc_memory``, unless it is raised, to 2048 say.

``fallback = true`` takes plain text of articles that pandoc fails on, instead of rejecting them
(`sources.formats.plain_extraction`); such a document's meta says ``extractor: "fallback"``.

Place in a file: the member of an archive, the number of the article in a set, or nothing for a file
that is one article. The id is ``pubmed_central/PMCn``, from the article itself, else from the name;
``/rN`` follows at its Nth occurrence in one file. The licence is the article's own where it
names a Creative Commons one, else what the bucket's record says (``license_code``, without a
version). ``records = true`` fetches the records too; ``licences`` keeps only articles whose licence
is named, with or without its version, as ``["CC0", "CC-BY-4.0", "CC-BY-SA"]``; by default all are kept, as published.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lxml import etree

from sources.archives import Member, members, open_stream
from sources.formats import pandoc, pmc_bucket
from sources.formats.jats import Front, front
from sources.formats.numbering import Uses, numbered
from sources.formats.plain_extraction import BY_FALLBACK, jats_text
from sources.formats.xml_records import records
from sources.published import PILE_SET_NAMES
from sources.source import (
    EXCERPT,
    Document,
    Get,
    Grouping,
    Json,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    excerpt,
)

LICENCE = "as the article states; no Creative Commons licence recognised"
MAX_ARTICLE = 32 << 20
"""Bytes of an article's XML; more do not fit pandoc's memory by far."""

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
ARTICLES = (".nxml", ".xml", ".nxml.gz", ".xml.gz")

SETS = ("pmc-articleset", "articles")
"""Roots of XML that holds many articles."""

BEGINNING = 4096
"""Bytes in which a set's root begins."""

_PACKAGE = re.compile(r"PMC[0-9]+")
_VERSIONED = re.compile(r"(?:.*/)?PMC[0-9]+\.[0-9]+")
_SET = re.compile(rb"<(?:%s)[\s>]" % "|".join(SETS).encode())


@dataclass(frozen=True, slots=True)
class Article:
    """The XML of one article, where it was found, the id to use if it states none, and its record."""

    origin: str
    name: str
    xml: bytes
    record: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """Pandoc's bounds, which licences are wanted, and whether what it fails on is read without it."""

    limits: pandoc.Limits
    licences: tuple[str, ...]
    fallback: bool


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the newest version of each article in the bucket, with its record if ``records``.

    ``articles`` names some, as "PMC13900"; they come with their checksums. Without it, all are
    planned that begin with ``prefix``, as "PMC1390": ``listing = "bucket"`` asks for 1,000 a request
    (8,000 requests for all), ``"inventory"`` reads S3's last inventory, a few large files;
    ``"ranges"`` plans some thousand tars of all versions, one for each beginning of four digits. Raises
    ValueError for an article that is not there, for no article, or another listing.
    """
    if options["listing"] == RANGES and not _texts(options, "articles"):
        return pmc_bucket.ranged(str(options["prefix"]), bool(options["records"]))
    found = _planned(options, get)
    if not options["records"]:
        return found
    return (file for raw in found for file in (raw, pmc_bucket.record_of(raw)))


def _planned(options: Options, get: Get) -> Iterable[RawFile]:
    articles = _texts(options, "articles")
    if articles:
        return (pmc_bucket.article(pmcid, get) for pmcid in sorted(set(articles)))
    if options["listing"] not in LISTINGS:
        listings = ", ".join((*LISTINGS, RANGES))
        raise ValueError(f"listing is {options['listing']!r}, not one of {listings}")
    return LISTINGS[str(options["listing"])](str(options["prefix"]), get)


RANGES = "ranges"
LISTINGS = {"bucket": pmc_bucket.listed, "inventory": pmc_bucket.inventoried}


def _texts(options: Options, name: str) -> tuple[str, ...]:
    value = options[name]
    if not isinstance(value, tuple):
        raise ValueError(f"{name} must be a list, not {value!r}")  # noqa: TRY004 - a setting's value
    return tuple(map(str, value))


def article_of(raw: RawFile, options: Options) -> str:
    """Return the same for an article's version and the bucket's record of it."""
    del options
    stem, _, suffix = raw.name.rpartition(".")
    return stem if suffix in ("xml", "json") and _VERSIONED.fullmatch(stem) else raw.name


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every article of a file; see the module."""
    yield from read_together([(path, raw)], options)


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every article of a file, or of one and its record.

    A record that cannot be read is rejected, and the article read without it; `UnreadableFile` is
    raised over an article's file, or a record without one.
    """
    reading = Reading(
        pandoc.Limits(
            cpu_seconds=int(str(options["cpu_seconds"])), heap_mib=int(str(options["heap_mib"]))
        ),
        _texts(options, "licences"),
        bool(options["fallback"]),
    )
    record: Mapping[str, Json] = {}
    files = [file for file in raw_files if not file[1].name.endswith(".json")]
    for path, raw in raw_files:
        if raw.name.endswith(".json"):
            found = _record(path, raw, alone=not files)
            if isinstance(found, Rejected):
                yield found
            else:
                record = found
    for path, raw in files:
        taken = Uses()
        for article in _articles(path, raw):
            if isinstance(article, Article):
                yield _outcome(article, reading, article.record or record, taken)
            else:
                yield article


def _record(path: Path, raw: RawFile, *, alone: bool) -> Mapping[str, Json] | Rejected:
    """Return what the bucket says of an article."""
    with path.open("rb") as file:
        found = _parsed(file.read(pmc_bucket.MAX_RECORD + 1), raw.name)
    if isinstance(found, Rejected):
        if alone:
            raise UnreadableFile(f"{raw.name}: {found.excerpt}; download it again")
        return found
    return Rejected(raw.name, "no_nxml", excerpt(str(found["pmcid"]))) if alone else found


def _articles(path: Path, raw: RawFile) -> Iterator[Article | Rejected]:
    name = raw.name.lower()
    if name.endswith(pmc_bucket.OBJECTS):
        yield from _newest(path, raw)
    elif name.endswith(ARCHIVES):
        stem = PurePosixPath(raw.name).name.split(".")[0]
        if _PACKAGE.fullmatch(stem):
            yield _packaged(path, raw, stem)
        else:
            yield from _bulk(path, raw)
    elif name.endswith(ARTICLES):
        with open_stream(path) as stream:
            if _SET.search(stream.peek(BEGINNING)[:BEGINNING]):
                yield from _in_set(raw, stream)
            else:
                yield _article_or_rejected(raw.name, _stem(raw.name), stream)
    else:
        raise UnreadableFile(
            f"{raw.name}: neither an article ({', '.join(ARTICLES)}) nor an archive of them"
        )


def _newest(path: Path, raw: RawFile) -> Iterator[Article | Rejected]:
    """Yield the newest version of each article in a tar of the bucket's objects, with its record.

    An article's versions follow each other, and each record its article.
    """
    kept: Article | None = None
    stem, record = "", dict[str, Json]()
    place = ("", -1)
    for member, stream in members(path):
        origin = f"{raw.name}:{member.name}"
        match = pmc_bucket.OBJECT.fullmatch(member.name)
        if match is None or member.problem:
            yield Rejected(origin, "unreadable_member", member.problem or "no object of an article")
            continue
        if match["kind"] == "json":
            found = _parsed(stream.read(pmc_bucket.MAX_RECORD + 1), origin)
            if isinstance(found, Rejected):
                yield found
            else:
                stem, record = match["stem"], found
            continue
        article = _member_article(raw, member, stream, match["pmcid"])
        if isinstance(article, Rejected):
            yield article
            continue
        article = replace(article, record=record if stem == match["stem"] else {})
        following = (match["pmcid"], int(match["version"]))
        older = article if following < place else kept
        if kept is not None and place[0] != following[0]:
            yield kept
        elif older is not None:
            yield Rejected(older.origin, "older_version")
        if following[0] != place[0] or following > place:
            kept, place = article, following
    if kept is not None:
        yield kept


def _parsed(content: bytes, origin: str) -> dict[str, Json] | Rejected:
    """Return the bucket's record of an article, or why it is none."""
    try:
        return pmc_bucket.record(content)
    except ValueError as error:
        return Rejected(origin, "malformed_json", excerpt(str(error)))


def _in_set(raw: RawFile, stream: BinaryIO) -> Iterator[Article | Rejected]:
    """Yield the articles of a set; of one that is not to be had, E-utilities give a Reply."""
    for number, element in enumerate(records(stream, raw.name, SETS, ("article", "Reply")), 1):
        origin = f"{raw.name}:{number}"
        if element.tag == "Reply":
            yield Rejected(origin, "no_nxml", excerpt(" ".join(map(str, element.attrib.values()))))
        else:
            xml = etree.tostring(element, encoding="utf-8", with_tail=False)
            yield Article(origin, f"{_stem(raw.name)}.{number}", xml)


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


def _outcome(
    article: Article, reading: Reading, record: Mapping[str, Json], taken: Uses
) -> Document | Rejected:
    about = front(article.xml)
    if about.root != "article":
        beginning = article.xml[:EXCERPT].decode("utf-8", "replace")
        return Rejected(article.origin, "not_jats", excerpt(beginning))
    identifier = about.ids.get("pmcid") or article.name
    licence = about.licence or pmc_bucket.licence(record) or LICENCE
    if reading.licences and not _is_among(licence, reading.licences):
        return Rejected(article.origin, "licence", excerpt(f"{identifier}: {licence}"))
    by: Mapping[str, Json] = {}
    try:
        markdown = pandoc.convert(article.xml, "jats", pandoc.TO_MARKDOWN, reading.limits)
        text = pandoc.without_div_lines(markdown)
    except pandoc.PandocError as error:
        text, by = (jats_text(article.xml) if reading.fallback else ""), BY_FALLBACK
        if not text:
            return Rejected(article.origin, error.reason, excerpt(str(error)))
    if not text.strip():
        return Rejected(article.origin, "empty", identifier)
    return Document(
        id=numbered(f"pubmed_central/{identifier}", taken),
        text=text,
        origin=article.origin,
        licence=licence,
        meta={**_meta(about, record), **by},
    )


def _is_among(licence: str, wanted: Sequence[str]) -> bool:
    """Tell whether a licence is one of these or, without a version there, a version of one."""
    return any(re.fullmatch(rf"{re.escape(one)}(-\d.*)?", licence) for one in wanted)


def _meta(about: Front, record: Mapping[str, Json]) -> dict[str, Json]:
    """Return the article's ids, and of its record what bears on its use."""
    said = {key: record[key] for key in ("license_code", "is_retracted") if key in record}
    return {
        **about.ids,
        **{key: value for key, value in said.items() if isinstance(value, str | bool)},
    }


SOURCE = Source(
    name="pubmed_central",
    pile_set_name=PILE_SET_NAMES["pubmed_central"],
    licence="each article's own, as it states; mostly Creative Commons",
    access="open",
    version=2,
    libraries=("pypandoc-binary",),
    read=read,
    plan=plan,
    reasons={
        "no_nxml": "a package, archive, record or reply without an article in it",
        "older_version": "a version of an article beside a newer one in a tar of objects",
        "several_nxml": "a package with more than one article file",
        "unreadable_member": "an article file with an unsafe name, or no regular file",
        "too_large": f"more than {MAX_ARTICLE >> 20} MiB of XML",
        "not_jats": "no XML whose root is an article",
        "malformed_json": "a record of the bucket that is no JSON; its article is read all the same",
        "licence": "a licence that the option licences does not name",
        "empty": "no text in the body, nor elsewhere that pandoc reads",
        **pandoc.REASONS,
    },
    defaults={
        "articles": (),
        "prefix": "PMC",
        "listing": "bucket",
        "records": False,
        "licences": (),
        "fallback": False,
        "cpu_seconds": 60,
        "heap_mib": 256,
    },
    checks=pmc_bucket.CHECKS,
    homepage="https://pmc.ncbi.nlm.nih.gov/tools/pmcaws/",
    grouping=Grouping(key=article_of, read=read_together),
    # 8 million versions of about 100 kB of XML: a guess, for no total is published.
    raw_bytes=800_000_000_000,
    # No limit is stated for the bucket: a guess, far below what it bears.
    paces={"pmc-oa-opendata.s3.amazonaws.com": Pace(50.0, 16)},
)
