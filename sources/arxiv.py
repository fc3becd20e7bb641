r"""ArXiv: papers from their LaTeX sources through pandoc.

Raw formats: the bulk archives ``arXiv_src_YYMM_NNN.tar`` (requester pays: s3://arxiv/src/, about
500 MB each, 2.9 TB by March 2023), which hold ``YYMM/ID.gz`` and, where there is no source,
``YYMM/ID.pdf``; or one e-print ``ID.gz`` as arXiv serves it. A ``.gz`` holds a tar of a paper's
folder or a single file, mostly TeX; the rest is PostScript, HTML, encrypted or a note that the paper
was withdrawn. Charsets are mixed.

Published extraction: a single file is kept if libmagic calls it TeX. Of a folder come main.tex (also
Main, MAIN, paper, Paper), else the only ``.tex`` file at its top, else every one there with
``\title``: a paper can give several documents. Each goes, as UTF-8, through ``pandoc --standalone``
to Markdown, away from its folder, so ``\input`` and ``\include`` give nothing; whatever pandoc
refuses or does not finish in ten seconds is dropped. Lines that begin with ``:::`` are deleted.

``fidelity = "corrected"`` puts included files in their places first, and takes plain text of what pandoc
fails on (`sources.formats.plain_extraction`); such a document's meta says ``extractor: "fallback"``.

Known differences: pandoc (the paper says 1.19.2.4; see `sources.formats.pandoc`), with which some
papers parse that did not, and the reverse. The ten seconds are of processor time; ``cpu_seconds``
raises them where the same output on slow and fast machines matters more. ``heap_mib`` bounds what
macros may take; by default it is enough for about 2 MB of honest LaTeX, and keeps reader and pandoc
below 500 MB together. ``\today`` becomes 1970-01-01, where
the original printed the day of the run. A paper without any text is rejected. What is not UTF-8
was guessed by chardet 3.0.4; see `sources.formats.latex.decode` for how it is told here, mostly
with the same outcome.

Place in a file: the archive's member, then, for a paper of several files, the one inside. The id is
``arxiv/ID``, as arXiv writes it ("math/0303005", "2004.14974"), with ``/STEM`` of the main file where
a paper has several, and ``/rN`` at its Nth occurrence in one archive. No licence comes with sources.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lxml import etree

from sources.archive_streams import COMPRESSIONS, decompressed
from sources.archive_tar import BLOCK, is_tar, tar_members
from sources.archives import members
from sources.formats import latex, pandoc
from sources.formats.listings import xml_root
from sources.formats.numbering import Uses, numbered
from sources.formats.plain_extraction import BY_FALLBACK, latex_text
from sources.option_checks import OptionError, of_form, within
from sources.published import PILE_SET_NAMES
from sources.source import (
    EXCERPT,
    Document,
    Get,
    Option,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
)

BUCKET = "s3://arxiv/"
MANIFEST = BUCKET + "src/arXiv_src_manifest.xml"
LICENCE = "its authors' choice; mostly arXiv's licence to distribute, which is arXiv's alone"
MAX_TEX = 32 << 20
"""Bytes of TeX of one paper; more do not fit pandoc's memory by far."""

GZIP = next(known for known in COMPRESSIONS if known.name == "gzip")

_FILE = re.compile(r"src/arXiv_src_([0-9]{4})_([0-9]+)\.tar")
_MONTH = r"([0-9]{2}(?:0[1-9]|1[0-2]))(?:_([0-9]+))?"
_BOUND = re.compile(_MONTH)
_OLD_ID = re.compile(r"([a-z]+(?:-[a-z]+)*(?:\.[A-Z]{2})?)([0-9]{7})")
_AUTO_IGNORE = b"%auto-ignore"


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the bulk archives from ``first`` to ``last``, by month and number, with their checksums.

    Both bounds have the form YYMM or YYMM_NNN; the last of the Pile is ``2007_068``. Raises
    ValueError for a bound of another form, or a manifest that names an archive otherwise.
    """
    first = _bound(str(options["first"]), 0)
    last = _bound(str(options["last"]), 10**9)
    listed = xml_root(MANIFEST, "arXivSRC", get).iterfind("file")
    entries = sorted(((_place(entry), entry) for entry in listed), key=lambda found: found[0])
    chosen = [_archive(entry) for place, entry in entries if first <= place <= last]
    if not chosen:
        raise ValueError(
            f"{MANIFEST} lists no archive from {options['first']} to {options['last']}"
        )
    return chosen


def _not_before_first(value: Option, options: Options) -> None:
    """Check the option ``last``; months of 1991 come before those of 2007."""
    of_form(_MONTH, "YYMM or YYMM_NNN, as 2007_068")(value, options)
    if _bound(str(value), 10**9) < _bound(str(options["first"]), 0):
        raise OptionError(f"it lies before first = {options['first']!r}")


def _bound(text: str, number: int) -> tuple[int, int, int]:
    match = _BOUND.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no month of arXiv: YYMM, or YYMM_NNN for one archive of it")
    return (*_month(match[1]), int(match[2] or number))


def _place(entry: etree._Element) -> tuple[int, int, int]:
    match = _FILE.fullmatch(entry.findtext("filename", ""))
    if match is None:
        raise ValueError(f"{MANIFEST} names {entry.findtext('filename')!r}: its form has changed")
    return (*_month(match[1]), int(match[2]))


def _month(yymm: str) -> tuple[int, int]:
    """Return year and month; arXiv began in 1991."""
    year = int(yymm[:2])
    return (1900 if year >= 91 else 2000) + year, int(yymm[2:])


def _archive(entry: etree._Element) -> RawFile:
    name, size = entry.findtext("filename", ""), entry.findtext("size", "")
    if not size.isdecimal():
        raise ValueError(f"{MANIFEST} states no size of {name}: its form has changed")
    md5 = entry.findtext("md5sum")
    return RawFile(
        url=BUCKET + name,
        name=name.removeprefix("src/"),
        size=int(size),
        checksum=f"md5:{md5}" if md5 else None,
    )


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper's TeX: its id, where it was found, and its files by path; a single one has none."""

    identifier: str
    origin: str
    files: Mapping[str, bytes]

    def documents(self) -> tuple[str, ...]:
        """Return the files that are documents of their own, sorted."""
        return (SINGLE,) if SINGLE in self.files else latex.main_files(self.files)


SINGLE = ""
"""Path of a file that is all of a paper."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How main files become text: with or without what they include, and pandoc's limits.

    ``fallback`` is whether papers that pandoc fails on are read without it.
    """

    text: Callable[[str, Mapping[str, bytes]], str | None]
    limits: pandoc.Limits
    fallback: bool


def _published(main: str, files: Mapping[str, bytes]) -> str | None:
    return latex.decode(files[main])


def _corrected(main: str, files: Mapping[str, bytes]) -> str | None:
    return latex.with_inputs(main, files, MAX_TEX)


FIDELITIES = {"published": _published, "corrected": _corrected}


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield the documents of every paper of a file, or a rejection; see the module."""
    limits = pandoc.Limits(
        cpu_seconds=int(str(options["cpu_seconds"])), heap_mib=int(str(options["heap_mib"]))
    )
    reading = Reading(by_fidelity(options, FIDELITIES), limits, options["fidelity"] == "corrected")
    taken = Uses()
    for paper in _papers(path, raw):
        if isinstance(paper, Rejected):
            yield paper
            continue
        mains = paper.documents()
        if not mains:
            yield Rejected(paper.origin, "no_main_file", excerpt(" ".join(sorted(paper.files))))
        for main in mains:
            stem = f"/{main.removesuffix('.tex')}" if len(mains) > 1 else ""
            identifier = numbered(f"arxiv/{paper.identifier}{stem}", taken)
            yield _outcome(paper, main, identifier, reading)


def _papers(path: Path, raw: RawFile) -> Iterator[Paper | Rejected]:
    if not raw.name.endswith(".tar"):
        with path.open("rb") as file:
            yield _paper(raw.name, raw.name, file)
        return
    for member, stream in members(path):
        origin = f"{raw.name}:{member.name}"
        if member.problem:
            yield Rejected(origin, "unreadable_member", member.problem)
            continue
        try:
            yield _paper(origin, member.name, stream)
        except UnreadableFile as error:
            # If it is the archive that is cut, the next step raises again.
            yield Rejected(origin, "damaged", excerpt(str(error)))


def _paper(origin: str, name: str, stream: BinaryIO) -> Paper | Rejected:
    """Open one e-print; raises `UnreadableFile` if it is damaged."""
    if name.endswith(".pdf"):
        return Rejected(origin, "pdf_only")
    if not name.endswith(".gz"):
        return Rejected(
            origin, "not_gzip", excerpt(stream.read(EXCERPT).decode("utf-8", "replace"))
        )
    identifier = _identifier(PurePosixPath(name).name.removesuffix(".gz").removesuffix(".tar"))
    with decompressed(stream, origin, GZIP) as content:
        if is_tar(content.peek(BLOCK)[:BLOCK]):
            return _folder(identifier, origin, content)
        return _single(identifier, origin, content.read(MAX_TEX + 1))


def _identifier(name: str) -> str:
    """Return an id as arXiv writes it; old ones have a slash that file names lack."""
    old = _OLD_ID.fullmatch(name)
    return f"{old[1]}/{old[2]}" if old else name


def _single(identifier: str, origin: str, content: bytes) -> Paper | Rejected:
    beginning = excerpt(content[:EXCERPT].decode("utf-8", "replace"))
    if len(content) > MAX_TEX:
        return Rejected(origin, "too_large", beginning)
    if latex.is_tex(content):
        return Paper(identifier, origin, {SINGLE: content})
    withdrawn = content.lstrip().startswith(_AUTO_IGNORE)
    return Rejected(origin, "withdrawn" if withdrawn else "not_tex", beginning)


def _folder(identifier: str, origin: str, content: BinaryIO) -> Paper | Rejected:
    files: dict[str, bytes] = {}
    room = MAX_TEX
    for member, stream in tar_members(content, origin):
        if member.problem is None and member.name.endswith(".tex"):
            files[member.name] = stream.read(room + 1)
            room -= len(files[member.name])
            if room < 0:
                return Rejected(origin, "too_large", member.name)
    return Paper(identifier, origin, files)


def _outcome(paper: Paper, main: str, identifier: str, reading: Reading) -> Document | Rejected:
    origin = f"{paper.origin}:{main}" if main else paper.origin
    try:
        text = reading.text(main, paper.files)
        if text is None:
            return Rejected(origin, "unknown_encoding")
        return _converted(text, identifier, origin, reading)
    except latex.TooLongError as error:
        return Rejected(origin, "too_large", excerpt(str(error)))


def _converted(text: str, identifier: str, origin: str, reading: Reading) -> Document | Rejected:
    try:
        markdown = pandoc.convert(text.encode(), "latex", pandoc.STANDALONE, reading.limits)
    except pandoc.PandocError as error:
        plain = latex_text(text) if reading.fallback else ""
        if not plain.strip():
            return Rejected(origin, error.reason, excerpt(str(error)))
        return Document(identifier, plain, origin, LICENCE, dict(BY_FALLBACK))
    markdown = pandoc.without_div_lines(markdown)
    if not markdown.strip():
        return Rejected(origin, "empty")
    return Document(identifier, markdown, origin, LICENCE)


SOURCE = Source(
    name="arxiv",
    pile_set_name=PILE_SET_NAMES["arxiv"],
    licence=LICENCE,
    access="pays",
    version=2,
    libraries=("faust-cchardet", "pypandoc-binary"),
    read=read,
    plan=plan,
    reasons={
        "pdf_only": "a paper without its source",
        "not_gzip": "a member that is neither PDF nor gzip",
        "unreadable_member": "a member with an unsafe name, or no regular file",
        "damaged": "a gzip stream or tar that cannot be read to its end",
        "too_large": f"more than {MAX_TEX >> 20} MiB of TeX",
        "withdrawn": "a note to arXiv's compiler instead of a paper (%auto-ignore)",
        "not_tex": "a single file that is no TeX: PostScript, HTML, encrypted, plain words",
        "no_main_file": "a folder without a .tex file at its top that could be the paper",
        "unknown_encoding": "a charset that cannot be told",
        "empty": "no text comes out of it",
        **pandoc.REASONS,
    },
    defaults={
        "fidelity": "published",
        "cpu_seconds": 10,
        "heap_mib": 256,
        "first": "9107",
        "last": "2007_068",
    },
    checks={
        "first": of_form(_MONTH, "YYMM or YYMM_NNN, as 2007_068"),
        "last": _not_before_first,
        "cpu_seconds": within(1),
        "heap_mib": within(64),
    },
    homepage="https://info.arxiv.org/help/bulk_data_s3.html",
    # Between the manifest's sums of 2018 (0.92 TB) and 2023 (2.9 TB), at an even rate of growth.
    raw_bytes=1_500_000_000_000,
    usd_per_gb=0.09,
    # The bucket is S3's, with no limit of arXiv's own: a guess. Of its sites arXiv asks for one
    # request in three seconds on one connection (OAI), and for four a second (export).
    paces={
        "arxiv.s3.amazonaws.com": Pace(10.0, 8),
        "oaipmh.arxiv.org": Pace(1 / 3, 1),
        "export.arxiv.org": Pace(4.0, 1),
    },
    manual="Bulk sources are paid for by who fetches them: about 0.09 USD a GB, with AWS keys.",
)
