"""USPTO Backgrounds: the background sections of US patents.

Raw format: the Patent Office's weekly files of all grants, zipped or not, in three forms: APS text
(``pftapsYYYYMMDD_wkNN.zip``, 1976-2001), XML of ST.32 (``pgYYMMDD.zip``, 2002-2004) and
``us-patent-grant`` XML (``ipgYYMMDD.zip``, since 2005). An XML file is many documents in a row. Today
they come from the Open Data Portal, products PTGRAPS and PTGRXML, for a free key; the bulk site that
the Pile used is gone.

Published extraction: of APS, what follows the first heading with BACKGROUND in it; of ST.32 the whole
brief summary; since 2005, the paragraphs below the first heading with BACKGROUND in it, in capitals.
Paragraphs are parted by newlines. Details, and what became of entities, stand in
`sources.formats.uspto_aps` and `sources.formats.uspto_xml`.

Traps: "Background of the Invention" has no BACKGROUND in it and its patent is lost. A section ends
at the next heading, so "Description of the Related Art" goes with most of what one would call the
background. A heading repeated in a patent replaces what stood below it.

``fidelity = "corrected"`` treats all three forms alike: from behind the first heading with
"background" in it, in any case, to one that names the summary, the drawings, the disclosure, an
embodiment or the detailed description; headings between stay, as lines. Entities are characters,
line ends are spaces. Codes of APS, as ".degree.", stay.

Known differences: where the published reader met what it could not parse, it lost all of a weekly
file (one of 1980, one of 2005); here the patent is rejected. Applications (ipa, pa) were not read.

Place in a file: the patent's number in it, from 1, behind the zip's member. An id is
``uspto_backgrounds/NUMBER``, eight places without APS's check digit, with ``/rN`` at its Nth
occurrence in one file.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sources.formats import uspto_aps, uspto_xml
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, files
from sources.formats.uspto_records import MAX_APS, MAX_RECORD, Part, Record, records
from sources.option_checks import a_day, every, not_after
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Json,
    Key,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
)

PRODUCTS = "https://api.uspto.gov/api/v1/datasets/products/"
LICENCE = "US patent text: mostly public domain; parts may carry a notice (37 CFR 1.71)"
MANUAL = (
    "Get a free key for the Open Data Portal at https://data.uspto.gov/myodp. Or put weekly files you"
    " have where you like, and name them in this source's table (files = [...]), as they are."
)
PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"PTGRAPS": ("pftaps",), "PTGRXML": ("pg", "ipg")}
)
"""Products and how the names of their weekly files begin."""

ENDS = ("summary", "drawing", "figure", "disclosure", "embodiment", "detailed", "brief description")
"""Words of headings behind the background."""


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the weekly files from ``first`` to ``last``, both dates as YYYY-MM-DD.

    Raises ValueError if a product's listing has another form than the portal documents, or lists
    fewer files than it counts.
    """
    first, last = str(options["first"]), str(options["last"])
    for product, prefixes in PREFIXES.items():
        listed = _listed(product, get(PRODUCTS + product))
        for date, raw in sorted(listed, key=lambda found: (found[0], found[1].name)):
            if first <= date <= last and raw.name.startswith(prefixes):
                yield raw


def _listed(product: str, listing: bytes) -> list[tuple[str, RawFile]]:
    try:
        (described,) = json.loads(listing)["bulkDataProductBag"]
        bag = described["productFileBag"]
        found = [_weekly(file) for file in bag["fileDataBag"]]
        stated = int(bag.get("count", len(found)))
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{PRODUCTS}{product} is not the listing it was ({error!r}); its form may have changed"
        ) from error
    if stated > len(found):
        raise ValueError(f"{PRODUCTS}{product} lists {len(found):,} of its {stated:,} files")
    return found


def _weekly(file: dict[str, Any]) -> tuple[str, RawFile]:
    """Return a file and its day; raises KeyError, TypeError or ValueError where a listing has neither."""
    url, name = str(file["fileDownloadURI"]), str(file["fileName"])
    return str(file["fileDataFromDate"]), RawFile(url, name, int(file["fileSize"]))


@dataclass(frozen=True, slots=True)
class Patent:
    """What one reading finds in a patent.

    ``background`` is None if it has none, and empty if there is nothing in it; ``reason`` says why
    a record is no grant.
    """

    number: str = ""
    background: str | None = None
    meta: Mapping[str, Json] = field(default_factory=dict)
    reason: str = ""


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every patent of a file; see the module."""
    reading = by_fidelity(options, READINGS)
    taken = Uses()
    for file, stream in files(path, raw):
        if file.problem:
            yield Rejected(file.origin, "unreadable_member", file.problem)
            continue
        record = None
        for record in records(stream):
            yield _outcome(record, f"{file.origin}:{record.number}", reading, taken)
        if record is None and not file.packed:
            raise UnreadableFile(
                f"{raw.name}: holds no patent, neither as APS text nor as XML; download it again"
            )
        if record is None:
            yield Rejected(file.origin, "no_patents", excerpt(file.name))


def _outcome(
    record: Record, origin: str, reading: Callable[[Record, str], Patent], taken: Uses
) -> Document | Rejected:
    if record.content is None:
        return Rejected(origin, "too_large")
    beginning = excerpt(record.content[:500].decode("utf-8", "replace"))
    try:
        patent = reading(record, origin)
    except UnreadableFile as error:
        return Rejected(origin, "malformed", excerpt(str(error)))
    reason = patent.reason or _reason(patent)
    if reason:
        return Rejected(origin, reason, patent.number or beginning)
    return Document(
        id=numbered(f"uspto_backgrounds/{patent.number}", taken),
        text=patent.background or "",
        origin=origin,
        licence=LICENCE,
        meta=patent.meta,
    )


def _reason(patent: Patent) -> str:
    """Return why a patent gives no document; nothing if it gives one."""
    if not patent.number:
        return "no_number"
    if patent.background is None:
        return "no_background"
    return "" if patent.background else "empty"


def _published(record: Record, origin: str) -> Patent:
    content = record.content or b""
    if not record.is_xml:
        text = uspto_aps.decode(content)
        return _aps_patent(text, uspto_aps.published(text))
    root = uspto_xml.published_tree(content, origin, st32=b"<PATDOC" in content)
    if root.tag == "PATDOC":
        paragraphs: Sequence[str] | None = uspto_xml.published_summary(root) or None
    else:
        paragraphs = uspto_xml.published_background(root)
    background = None if paragraphs is None else "\n".join(paragraphs)
    return _xml_patent(root.tag, uspto_xml.front_page(root), background)


def _corrected(record: Record, origin: str) -> Patent:
    content = record.content or b""
    if not record.is_xml:
        text = uspto_aps.decode(content)
        return _aps_patent(text, _background(uspto_aps.parts(text)))
    root = uspto_xml.whole_tree(content, origin)
    background = _background(uspto_xml.parts(root))
    return _xml_patent(root.tag, uspto_xml.front_page(root), background)


READINGS = MappingProxyType({"published": _published, "corrected": _corrected})


def _background(parts: Iterable[Part]) -> str | None:
    """Return what stands below a heading of a background, to one of another section."""
    inside: list[str] | None = None
    for part in parts:
        heading = part.text.lower() if part.is_heading else ""
        if inside is None:
            if "background" in heading:
                inside = []
        elif any(end in heading for end in ENDS):
            break
        elif part.text:
            inside.append(part.text)
    return None if inside is None else "\n".join(inside)


def _aps_patent(text: str, background: str | None) -> Patent:
    fields = uspto_aps.fields(text)
    # The ninth place of WKU is a check digit.
    number = fields.get("WKU", "")[:8]
    named = (("patent", number), ("date", fields.get("ISD")), ("title", fields.get("TTL")))
    return Patent(number, background, _meta(named))


def _xml_patent(root: str, front: dict[str, str], background: str | None) -> Patent:
    if root not in {"PATDOC", "us-patent-grant"}:
        return Patent(root, reason="not_a_grant")
    number = front.pop("number", "")
    return Patent(number, background, _meta((("patent", number), *front.items())))


def _meta(stated: Iterable[tuple[str, str | None]]) -> dict[str, Json]:
    return {name: value for name, value in stated if value}


SOURCE = Source(
    name="uspto_backgrounds",
    pile_set_name=PILE_SET_NAMES["uspto_backgrounds"],
    licence=LICENCE,
    access="key",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_member": UNREADABLE,
        "no_patents": "a member that holds neither APS text nor XML",
        "too_large": f"more than {MAX_RECORD >> 20} MiB, or {MAX_APS >> 20} MiB of APS",
        "malformed": "XML that is cut or not well-formed",
        "not_a_grant": "XML of another kind: an application, a list of sequences",
        "no_number": "no patent number",
        "no_background": "no heading of a background, or no brief summary",
        "empty": "a background without text",
    },
    defaults={"fidelity": "published", "first": "1976-01-01", "last": "2020-09-30"},
    checks={"first": every(a_day, not_after("last")), "last": a_day},
    homepage="https://data.uspto.gov/bulkdata",
    # 25.9 GB of APS; of 114.8 GB of XML (to 2026) about three quarters lie before October 2020.
    raw_bytes=112_000_000_000,
    keys=(
        Key(
            "USPTO_API_KEY",
            ("api.uspto.gov",),
            "X-API-Key",
            "https://data.uspto.gov/myodp: a free account of the Open Data Portal",
        ),
    ),
    # A file may be had 20 times a year for a key; requests a second are a guess.
    paces={"api.uspto.gov": Pace(1.0, 2), "data.uspto.gov": Pace(1.0, 2)},
    manual=MANUAL,
)
