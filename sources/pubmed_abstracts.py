"""PubMed Abstracts: title and abstract of every PubMed citation that has both.

Raw format: the yearly baseline, about 1,300 ``pubmedYYnNNNN.xml.gz`` of 30,000 citations each
(https://ftp.ncbi.nlm.nih.gov/pubmed/baseline/, NLM's ``PubmedArticleSet``), or any file of that
form, also uncompressed: an answer of efetch, an update file, and the ``MedlineCitationSet`` of
before 2017. The old baseline vanishes each winter and the year in the file names changes, so
`plan` reads the listing.

Published extraction: of each record the first ArticleTitle, the first Abstract without its
CopyrightInformation, the first PMID. A record that lacks one is dropped, and so is one with an
ArticleId of type ``pmc``, for PubMed Central has it. Each text is all character data with
whitespace (also U+00A0 and the like) collapsed; title, newline, abstract. Labels of sections are
attributes and are lost. Any language; updates and deletions were not applied.

``updates = true`` reads the update files behind the baseline and all files together, as NLM means them:
of each version of a citation (a PMID and its Version) what comes last counts, in order of file names
and then of the file, and a DeleteCitation behind it removes it. What was superseded is rejected as
such. Several versions of an article (F1000 and the like) stay apart, as in the baseline. That takes
two passes, in one task; what came last is kept on disk. A file that is cut has no say in it.

Traps: baselines since about 2019 list the ids of cited articles too, and the published test takes
them for the record's own: an article that cites one in PubMed Central is dropped. PMIDs also occur
in comments and corrections. An empty ArticleTitle counts as a title, and the text then begins with
a newline; an empty Abstract likewise leaves one at the end.

``fidelity = "corrected"`` tests only the record's own ids (and its OtherID of NLM), takes an empty
title or abstract for none, and puts each section's label before it.

Known difference: the published reader went by lines. It lost a record that stands on one line, the
whole ``MedlineCitationSet`` form, and a file in which anything follows a PMID on its line. Such
files were not in the baseline; here they are read like all others, and of a citation outside a
PubmedArticle the OtherID tells whether PubMed Central has it.

Place in a file: the number of the record, counted from 1; each PMID of a DeleteCitation counts. An
id is ``pubmed_abstracts/PMID``, with ``/vN`` for a later version N of the article and ``/rN`` for
its Nth occurrence in one file. Baseline files share no id; update files repeat the baseline's, which
is why they are read together with it or not at all.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lxml import etree

from sources.archives import open_stream
from sources.formats.numbering import Uses, numbered
from sources.formats.on_disk import DiskPlaces
from sources.formats.xml_records import records, text_of
from sources.option_checks import within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Grouping,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
)

PUBMED = "https://ftp.ncbi.nlm.nih.gov/pubmed/"
BASELINE, UPDATES = f"{PUBMED}baseline/", f"{PUBMED}updatefiles/"
LICENCE = "NLM terms of use; the abstract may be under its publisher's copyright"

ROOTS = ("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet", "PubmedArticle")
ARTICLES = ("PubmedArticle", "MedlineCitation")
DELETIONS = ("DeleteCitation", "DeleteDocument")
RECORDS = (*ARTICLES, "PubmedBookArticle", *DELETIONS)
UNLABELLED = ("", "UNLABELLED", "UNASSIGNED")

SPOOL = 16 << 20
"""Bytes of a file's citations that are held in memory before they go to disk."""

_FILE = re.compile(r"\bpubmed\d\dn\d{4,}\.xml\.gz(?=[\"<\s])")
_NUMBER = re.compile(r"[0-9]{1,18}")
_MD5 = re.compile(r"=\s*([0-9a-f]{32})\s*$")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the baseline's files as its listing has them, each with the checksum beside it.

    With ``updates``, the update files follow. ``count`` cuts each listing to its first so many; 0
    takes all. Raises ValueError if a listing holds no file or a checksum is not in the form
    ``MD5(name)= hash``.
    """
    for folder in (BASELINE, UPDATES) if options["updates"] else (BASELINE,):
        names = sorted(set(_FILE.findall(get(folder).decode("utf-8", "replace"))))
        if not names:
            raise ValueError(f"{folder} lists no file of PubMed: its form may have changed")
        for name in names[: int(str(options["count"])) or None]:
            url = folder + name
            found = _MD5.search(get(url + ".md5").decode("ascii", "replace"))
            if found is None:
                raise ValueError(f"{url}.md5 holds no MD5")
            yield RawFile(url, name, checksum=f"md5:{found[1]}")


def group_of(raw: RawFile, options: Options) -> str:
    """Return the same for all files if updates count; else each file is for itself."""
    return "" if options["updates"] else raw.name


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every citation of a file; see the module."""
    yield from _outcomes(path, raw, options, lambda place, citation: "")


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield what `read` does of all files; with ``updates``, of each citation what came last.

    Raises `UnreadableFile` if none of the files can be read to its end.
    """
    if not options["updates"]:
        for path, raw in raw_files:
            yield from read(path, raw, options)
        return
    errors = 0
    with DiskPlaces() as last:
        readable: list[tuple[int, Path, RawFile]] = []
        for count, (path, raw) in enumerate(raw_files):
            try:
                _note_places(path, raw, count, last)
            except UnreadableFile as error:
                errors += 1
                if errors == len(raw_files):
                    raise
                yield Rejected(raw.name, "unreadable_file", excerpt(str(error)))
            else:
                readable.append((count, path, raw))
        for count, path, raw in readable:
            yield from _outcomes(path, raw, options, partial(_verdict, last, count))


def _note_places(path: Path, raw: RawFile, count: int, last: DiskPlaces) -> None:
    """Note of each citation of a file where it stands in the order of all, negative if deleted.

    Nothing is noted of a file that cannot be read to its end.
    """
    with tempfile.SpooledTemporaryFile(SPOOL, "w+", encoding="ascii") as noted:
        for place, element in _records(path, raw):
            pmid = next(element.iter("PMID"), None)
            if citation := _citation(pmid):
                sign = -1 if element.tag == "PMID" else 1
                noted.write(f"{citation} {sign * _order(count, place)}\n")
        noted.seek(0)
        last.put((citation, int(at)) for citation, at in map(str.split, noted))


def _verdict(last: DiskPlaces, count: int, place: int, citation: str) -> str:
    """Return why a citation does not count any more; nothing if it does."""
    at = last.get(citation)
    if at is None or at == _order(count, place):
        return ""
    return "withdrawn" if at < 0 else "superseded"


def _order(count: int, place: int) -> int:
    return (count << 40) + place


def _citation(pmid: etree._Element | None) -> str:
    """Return PMID and version of a citation, or nothing if it has no number."""
    number = _text_or_none(pmid) or ""
    return f"{number}{_version(pmid)}" if _NUMBER.fullmatch(number) else ""


def _records(path: Path, raw: RawFile) -> Iterator[tuple[int, etree._Element]]:
    """Yield every record and its place; for a list of deletions, each PMID in it."""
    place = 0
    with open_stream(path) as stream:
        for record in records(stream, raw.name, ROOTS, RECORDS):
            for element in record.iter("PMID") if record.tag in DELETIONS else (record,):
                place += 1
                yield place, element


def _outcomes(
    path: Path, raw: RawFile, options: Options, verdict: Callable[[int, str], str]
) -> Iterator[Document | Rejected]:
    texts = by_fidelity(options, READINGS)
    taken = Uses()
    for place, record in _records(path, raw):
        origin = f"{raw.name}:{place}"
        citation = _citation(next(record.iter("PMID"), None))
        if record.tag == "PMID":
            yield Rejected(origin, "deleted_citation", text_of(record))
        elif reason := verdict(place, citation):
            yield Rejected(origin, reason, citation)
        else:
            yield _outcome(record, texts(record), origin, taken)


@dataclass(frozen=True, slots=True)
class Texts:
    """What one reading finds in a record; None where it finds nothing."""

    title: str | None
    abstract: str | None
    in_central: bool


def _published(record: etree._Element) -> Texts:
    abstract = next(record.iter("Abstract"), None)
    if abstract is not None:
        for notice in abstract.iter("CopyrightInformation"):
            tail = notice.tail
            notice.clear()
            notice.tail = tail
    if record.tag == "MedlineCitation":
        in_central = _has_nlm_pmc_id(record)
    else:
        in_central = record.find(".//ArticleId[@IdType='pmc']") is not None
    return Texts(
        title=_text_or_none(next(record.iter("ArticleTitle"), None)),
        abstract=_text_or_none(abstract),
        in_central=in_central,
    )


def _corrected(record: etree._Element) -> Texts:
    abstract = next(record.iter("Abstract"), None)
    own_id = record.find("PubmedData/ArticleIdList/ArticleId[@IdType='pmc']")
    return Texts(
        title=_text_or_none(next(record.iter("ArticleTitle"), None)) or None,
        abstract=None if abstract is None else _labelled(abstract) or None,
        in_central=own_id is not None or _has_nlm_pmc_id(record),
    )


READINGS = {"published": _published, "corrected": _corrected}


def _outcome(record: etree._Element, texts: Texts, origin: str, taken: Uses) -> Document | Rejected:
    pmid = next(record.iter("PMID"), None)
    number = _text_or_none(pmid) or ""
    reason = _reason(record, texts, number)
    if reason:
        known = (number, texts.title, texts.abstract)
        return Rejected(origin, reason, excerpt("\n".join(text for text in known if text)))
    return Document(
        id=numbered(f"pubmed_abstracts/{number}{_version(pmid)}", taken),
        text=f"{texts.title}\n{texts.abstract}",
        origin=origin,
        licence=LICENCE,
        meta={"pmid": int(number), "language": _text_or_none(next(record.iter("Language"), None))},
    )


def _reason(record: etree._Element, texts: Texts, number: str) -> str:
    """Return why a record gives no document; nothing if it gives one."""
    if record.tag == "PubmedBookArticle":
        return "book_article"
    if not _NUMBER.fullmatch(number):
        return "no_pmid"
    if texts.title is None:
        return "no_title"
    if texts.abstract is None:
        return "no_abstract"
    return "in_pubmed_central" if texts.in_central else ""


def _version(pmid: etree._Element | None) -> str:
    version = "1" if pmid is None else "".join(pmid.get("Version", "1").split())
    return "" if version == "1" else f"/v{version}"


def _text_or_none(element: etree._Element | None) -> str | None:
    return None if element is None else text_of(element)


def _labelled(abstract: etree._Element) -> str:
    """Return the sections of an abstract, each behind its label as PubMed shows it."""
    sections = ((part.get("Label", ""), text_of(part)) for part in abstract.iter("AbstractText"))
    return " ".join(
        text if label in UNLABELLED else f"{label}: {text}" for label, text in sections if text
    )


def _has_nlm_pmc_id(record: etree._Element) -> bool:
    """Tell whether NLM's own note on a citation names its id in PubMed Central."""
    notes = record.iterfind(".//OtherID[@Source='NLM']")
    return any((note.text or "").startswith("PMC") for note in notes)


SOURCE = Source(
    name="pubmed_abstracts",
    pile_set_name=PILE_SET_NAMES["pubmed_abstracts"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "book_article": "a chapter or book of NCBI's Bookshelf (PubmedBookArticle)",
        "no_pmid": "no PMID, or one that is no number",
        "no_title": "no ArticleTitle",
        "no_abstract": "no Abstract; an OtherAbstract is none",
        "in_pubmed_central": "an id says that PubMed Central has the full text",
        "deleted_citation": "a PMID in a list of deleted citations, not a citation",
        "superseded": "a later record of the same citation takes its place (`updates` alone)",
        "withdrawn": "a later list of deleted citations names it (`updates` alone)",
        "unreadable_file": "a file that is cut or damaged (`updates` alone; else it is set aside)",
    },
    defaults={"fidelity": "published", "updates": False, "count": 0},
    checks={"count": within(0)},
    grouping=Grouping(key=group_of, read=read_together),
    homepage="https://pubmed.ncbi.nlm.nih.gov/download/",
    # The baseline of 2026: 1,334 files.
    raw_bytes=51_800_000_000,
    # NCBI asks for three requests a second; the published download used two connections.
    paces={"ftp.ncbi.nlm.nih.gov": Pace(3.0, 2)},
)
