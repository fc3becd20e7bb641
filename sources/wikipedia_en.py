"""Wikipedia (en): the articles of English Wikipedia, as plain text behind their titles.

Raw format: a MediaWiki XML export of current pages, ``enwiki-DATE-pages-articles…xml….bz2``
(https://dumps.wikimedia.org/enwiki/), bzip2 of many streams, or any such export, also otherwise
compressed or not at all. The Pile took the dump of 2020-03-01, by way of TensorFlow Datasets'
``wikipedia/20200301.en``. Wikimedia keeps the last few dumps only, so that one is gone; `plan`
lists the newest complete one (``dump = "latest"``) or that of a day (``dump = "20261101"``), from
its ``dumpstatus.json``.

Published extraction: pages of namespace 0 whose text does not begin with ``#redirect`` (any case);
the wikitext without links to files, references, tables and lists of notes, the rest stripped of
markup (see `sources.formats.wikitext`); title, blank line, text. Pages with nothing left go.

Traps: templates vanish with all they hold, infoboxes, quotations and converted units alike, and
leave gaps such as ``Toronto (, )``. Category links stay as lines ``Category:…``, and so do
``__NOTOC__`` and its kind. References and file links survive where the published code lost its
place. A page's comments in XML are no part of its text. Only English words count (File, Image,
Media, Category, #redirect), whatever the wiki. Page ids ascend in a dump.

``fidelity = "corrected"`` removes everything the published code set out to remove, category links
and behaviour switches too, and leaves no room for empty sections.

Known differences: none on the samples, though the library changed: mwparserfromhell 0.5.4 gave up on
markup nested more than 40 deep and its successors do not, which `sources.formats.wikitext_tokens`
makes good. Exports in UTF-16, which the original could not read, are read; exports before 0.6
(2012), which do not state namespaces, too. A page that takes the parser too many steps is rejected,
where the original would have gone on for hours. A reference to half a character (``&#xD800;``)
becomes U+FFFD; it stopped the original.

Place in a file: of a bzip2 file, the first byte of the stream that the page begins in, a colon, and
the page's first byte in what that stream holds (``bzcat`` from there shows it); of any other, the
page's first byte in the decompressed XML. An id is ``wikipedia_en/PAGE``, with ``/at:PLACE`` behind it
should the page have an id not above all before it in its file. A bzip2 file of more than 64 MiB is
read by several workers, see `sources.formats.mediawiki_pieces`. Licence: CC BY-SA 4.0 (and GFDL) for all text now; what was written before June
2023 came under CC BY-SA 3.0. Page, revision and time are in the meta, for attribution.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from mwparserfromhell.parser import ParserError

from sources.archive_streams import BZIP2, MAGIC_BYTES
from sources.archives import open_stream
from sources.formats import mediawiki, mediawiki_pieces
from sources.formats.listings import json_object
from sources.formats.mediawiki import Page
from sources.formats.mediawiki_pieces import NUMBER, number_of
from sources.formats.wikitext import CORRECTED, PUBLISHED, Rules, page_text
from sources.formats.wikitext_tokens import TangledError
from sources.option_checks import of_form, within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Options,
    Pace,
    Pieces,
    RawFile,
    Rejected,
    Source,
    by_fidelity,
    excerpt,
)

DUMPS = "https://dumps.wikimedia.org/enwiki/"
LICENCE = "CC-BY-SA-4.0"
JOB = "articlesmultistreamdump"

RULES: Mapping[str, Rules] = MappingProxyType({"published": PUBLISHED, "corrected": CORRECTED})

_LISTED_DAY = re.compile(r'href="(\d{8})/"')
_DATE = re.compile(r"\d{8}")
_FILE = re.compile(r"enwiki-\d{8}-pages-articles-multistream\d*\.xml(?:-p(\d+)p\d+)?\.bz2")

PIECE = 64 << 20
"""Bytes of a bzip2 file that one worker reads: about 250 MB of XML, some minutes' work."""


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the files of a dump by their first page, with size and SHA-1 as Wikimedia has them.

    ``count`` cuts the list to its first so many; 0 takes all. Raises ValueError if there is no such
    dump, it is not complete yet, or its status is not in the known form.
    """
    dump = str(options["dump"])
    days = [dump] if _DATE.fullmatch(dump) else []
    if dump == "latest":
        days = sorted(set(_LISTED_DAY.findall(get(DUMPS).decode("utf-8", "replace"))), reverse=True)
    for day in days:
        found = _dumped(f"{DUMPS}{day}/", get)
        if found:
            return found[: int(str(options["count"])) or None]
    raise ValueError(f"{DUMPS}: no complete dump {dump!r}; it takes a day as YYYYMMDD, or latest")


def _dumped(folder: str, get: Get) -> list[RawFile]:
    """Return the files of pages in a dump's folder; none if it is not complete."""
    status = json_object(f"{folder}dumpstatus.json", get)
    try:
        job = status["jobs"][JOB]
        files = job["files"] if job["status"] == "done" else {}
        found = [
            (int(match[1] or 0), name, int(stated["size"]), str(stated["sha1"]))
            for name, stated in files.items()
            if (match := _FILE.fullmatch(name))
        ]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{folder}dumpstatus.json is not in the known form: {error!r}") from error
    return [
        RawFile(folder + name, name, size, f"sha1:{sha1}") for _, name, size, sha1 in sorted(found)
    ]


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every page of an export; see the module."""
    yield from _outcomes(_pages(path, raw), raw, options)


def read_piece(
    path: Path, raw: RawFile, options: Options, piece: int
) -> Iterator[Document | Rejected]:
    """Yield what `read` does of the pages of one piece of a bzip2 file."""
    begin = piece * PIECE
    found = mediawiki_pieces.pages_between(path, raw.name, begin, begin + PIECE)
    yield from _outcomes(found, raw, options)


def can_be_cut(raw: RawFile) -> bool:
    """Tell whether a file is named as one of bzip2."""
    return raw.name.endswith(BZIP2.suffixes)


def _pages(path: Path, raw: RawFile) -> Iterator[Page]:
    with path.open("rb") as file:
        is_bzip2 = BZIP2.begins(file.read(MAGIC_BYTES))
    if is_bzip2:
        yield from mediawiki_pieces.pages(path, raw.name)
    else:
        with open_stream(path) as stream:
            yield from mediawiki.pages(stream, raw.name)


def _outcomes(
    found: Iterator[Page], raw: RawFile, options: Options
) -> Iterator[Document | Rejected]:
    rules = by_fidelity(options, RULES)
    highest = 0
    for page in found:
        number = number_of(page)
        place = ":".join(map(str, page.place))
        name = page.id if number > highest else f"{page.id}/at:{place}"
        highest = max(highest, number)
        yield _outcome(page, f"wikipedia_en/{name}", f"{raw.name}:{place}", rules)


def _outcome(page: Page, name: str, origin: str, rules: Rules) -> Document | Rejected:
    reason, text = _reason(page), ""
    if not reason:
        reason, text = _cleaned(page.wikitext, rules)
    if reason:
        return Rejected(origin, reason, excerpt(f"{page.title}\n\n{page.wikitext[:1000]}"))
    return Document(
        id=name,
        text=f"{page.title}\n\n{text}",
        origin=origin,
        licence=LICENCE,
        meta={
            "title": page.title,
            "page_id": int(page.id),
            "revision_id": int(page.revision) if NUMBER.fullmatch(page.revision) else None,
            "namespace": 0,
            "timestamp": page.timestamp,
        },
    )


def _reason(page: Page) -> str:
    """Return why a page is no article to be read; nothing if it is one."""
    if page.namespace != "0":
        return "not_article"
    if page.wikitext.lower().startswith("#redirect"):
        return "redirect"
    if not NUMBER.fullmatch(page.id):
        return "no_id"
    return "overlong" if page.overlong else ""


def _cleaned(wikitext: str, rules: Rules) -> tuple[str, str]:
    """Return the reason why there is no text, or nothing and the text."""
    try:
        text = page_text(wikitext, rules)
    except TangledError:
        return "tangled", ""
    except ParserError:
        return "parser_error", ""
    return ("", text) if text else ("empty", "")


SOURCE = Source(
    name="wikipedia_en",
    pile_set_name=PILE_SET_NAMES["wikipedia_en"],
    licence=LICENCE,
    access="open",
    version=3,
    read=read,
    plan=plan,
    reasons={
        "not_article": "a page of another namespace than that of articles: a talk page, a template",
        "redirect": "its text begins with #redirect",
        "no_id": "it has no page id, or one that is no number",
        "overlong": "a field of more than 2 MiB characters, which MediaWiki itself would not take",
        "parser_error": "mwparserfromhell fails on it",
        "tangled": "its markup takes the parser too many steps",
        "empty": "nothing is left of it",
    },
    defaults={"fidelity": "published", "dump": "latest", "count": 0},
    checks={"dump": of_form(r"latest|\d{8}", "YYYYMMDD, or latest"), "count": within(0)},
    homepage="https://dumps.wikimedia.org/",
    raw_bytes=20_000_000_000,  # "20+ GB" of bz2
    # Two connections and a contact in the User-Agent are Wikimedia's policy; the rate is a guess.
    paces={"dumps.wikimedia.org": Pace(2.0, 2)},
    libraries=("mwparserfromhell",),
    pieces=Pieces(PIECE, can_be_cut, read_piece),
)
