"""PubMed Central's bucket of today: which articles it holds, and what its records say of them.

The bucket (https://pmc-oa-opendata.s3.amazonaws.com/, anonymous) has a folder ``PMCn.v/`` for each
version of an article, with its XML, and a record ``metadata/PMCn.v.json``. It is listed by S3's own
listing, 1,000 versions a request, or known from the inventory that S3 writes every day: a manifest,
and gzipped CSVs of bucket, key, time and ETag (an object's MD5, unless it came in several parts).
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import numpy.typing as npt

from sources.formats.listings import folders, json_object
from sources.option_checks import each, of_form, one_of, within
from sources.source import Check, Get, Json, RawFile

BUCKET = "https://pmc-oa-opendata.s3.amazonaws.com/"
INVENTORY = "inventory-reports/pmc-oa-opendata/metadata/"

RANGE = 4
"""Digits of PMCIDs that one tar of objects is made for: one thousand articles at most, or eleven."""

OBJECT = re.compile(
    r"(?:.*/)?(?P<stem>(?P<pmcid>PMC[0-9]+)\.(?P<version>[0-9]{1,9}))\.(?P<kind>json|xml)"
)
"""The key of an article's version, or of the record of one."""

MAX_RECORD = 1 << 20
"""Bytes of a record; honest ones have some thousand."""

OBJECTS = ".objects.tar"
"""How the name of such a tar ends."""

BY_BATCH = 1 << 20
"""Lines of an inventory that are held as text at once."""

_VERSION = re.compile(r"(PMC[0-9]+)\.([0-9]+)/")
_KEY = re.compile(r"(?:metadata/|[^/]+/)PMC([0-9]{1,10})\.([0-9]{1,4})\.(json|xml)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}Z/")
_MD5 = re.compile(r"[0-9a-f]{32}")

Table = npt.NDArray[np.void]
_ENTRY = np.dtype([("number", "<i8"), ("version", "<i4"), ("is_xml", "?"), ("md5", "S32")])


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "articles": each(of_form(r"PMC\d+", "PMC13900")),
        "prefix": of_form(r"PMC\d*", "PMC, or PMC1390"),
        "listing": one_of("bucket", "inventory", "ranges"),
        "licences": each(of_form(r"[A-Za-z0-9.+-]+", "CC-BY, or CC-BY-4.0")),
        "cpu_seconds": within(1),
        "heap_mib": within(64),
    }
)
"""What the options of PubMed Central may be."""


def article(pmcid: str, get: Get) -> RawFile:
    """Return an article's newest version; its record in the bucket gives address and MD5.

    Raises ValueError if the bucket has none.
    """
    version = max((int(version) for _, version in _versions(f"{pmcid}.", get)), default=None)
    if version is None:
        raise ValueError(f"{BUCKET} has no article {pmcid}")
    found = json_object(f"{BUCKET}metadata/{pmcid}.{version}.json", get)
    address = urlsplit(str(found.get("xml_url", "")))
    if not address.path.strip("/"):
        raise ValueError(f"{BUCKET} states no XML for {pmcid}.{version}")
    md5 = parse_qs(address.query).get("md5")
    return RawFile(
        url=BUCKET + address.path.lstrip("/"),
        name=_file_name(pmcid, version, "xml"),
        checksum=f"md5:{md5[0]}" if md5 else None,
    )


def listed(prefix: str, get: Get) -> Iterator[RawFile]:
    """Yield the newest version of each article whose PMCID begins with ``prefix``.

    Raises ValueError if there is none.
    """
    # The listing is sorted, so the versions of an article stand together.
    pmcid = ""
    for pmcid, versions in groupby(_versions(prefix, get), key=lambda found: found[0]):
        yield _newest(pmcid, max(int(version) for _, version in versions))
    if not pmcid:
        raise ValueError(f"{BUCKET} lists no article that begins with {prefix!r}")


def inventoried(prefix: str, get: Get) -> Iterator[RawFile]:
    """Yield what `listed` does, by number, from the newest inventory.

    Where the inventory lists the XML itself, its MD5 comes with it. Raises ValueError if there is
    no inventory, it has another form than S3's, or lists no such article.
    """
    table = _inventory(prefix, get)
    if not len(table):
        raise ValueError(f"the inventory of {BUCKET} lists no article that begins with {prefix!r}")
    order = np.lexsort((table["is_xml"], table["version"], table["number"]))
    for place, following in zip(order, [*order[1:], None], strict=True):
        entry = table[place]
        if following is not None and table[following]["number"] == entry["number"]:
            continue
        md5 = entry["md5"].decode("ascii") if entry["is_xml"] else ""
        yield _newest(f"PMC{entry['number']}", int(entry["version"]), md5)


def ranged(prefix: str, records: bool) -> Iterator[RawFile]:
    """Yield tars of all versions (and their records) of the articles that begin with ``prefix``.

    One for each beginning of `RANGE` digits, at most 9,000, without any request; PMCIDs of fewer
    digits are not known. Raises ValueError for a prefix that begins no PMCID.
    """
    digits = prefix.removeprefix("PMC")
    if digits and (not digits.isdecimal() or digits.startswith("0")):
        raise ValueError(f"{prefix!r} begins no PMCID, as PMC1390 does")
    missing = max(0, RANGE - len(digits))
    for number in range(10**missing):
        first = digits + (f"{number:0{missing}d}" if missing else "")
        if not first.startswith("0"):
            also, end = (f"&prefix=metadata/PMC{first}", ",.json") if records else ("", "")
            yield RawFile(
                f"{BUCKET}?prefix=PMC{first}{also}#.xml{end}",
                f"PMC{first}{OBJECTS}",
                form="objects",
            )


def record_of(raw: RawFile) -> RawFile:
    """Return the bucket's record of an article's version, as a raw file beside it."""
    stem = raw.name.removesuffix(".xml")
    return RawFile(f"{BUCKET}metadata/{stem.rpartition('/')[2]}.json", f"{stem}.json")


def record(content: bytes) -> dict[str, Json]:
    """Return what a record says of an article; raises ValueError for what is none."""
    try:
        found = json.loads(content if len(content) <= MAX_RECORD else b"")
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, dict) or "pmcid" not in found:
        raise ValueError("no record of an article")
    return found


def licence(record: Mapping[str, Json]) -> str | None:
    """Return the licence that a record states, as SPDX writes it but without a version.

    ``TDM`` (text and data mining) lets nobody hand the article on. None if the record has none.
    """
    code = record.get("license_code")
    if not isinstance(code, str) or not code.strip() or len(code) > 40:
        return None
    words = code.upper().replace("-", " ").split()
    if words == ["TDM"]:
        return "TDM: for text and data mining, not to be handed on"
    if words == ["CC0"]:
        return "CC0-1.0"
    return "-".join(words if words[0] == "CC" else ["LicenseRef", *words])


def _versions(prefix: str, get: Get) -> Iterator[tuple[str, str]]:
    """Yield PMCID and version of every folder in the bucket whose name begins with ``prefix``."""
    for folder in folders(BUCKET, prefix, get):
        if match := _VERSION.fullmatch(folder):
            yield match[1], match[2]


def _inventory(prefix: str, get: Get) -> Table:
    """Return number, version and MD5 of every article and record: 45 bytes each."""
    days = [
        day
        for f in folders(BUCKET, INVENTORY, get)
        if _DAY.fullmatch(day := f.removeprefix(INVENTORY))
    ]
    if not days:
        raise ValueError(f'{BUCKET}{INVENTORY} has no inventory; plan with listing = "bucket"')
    url = f"{BUCKET}{INVENTORY}{max(days)}manifest.json"
    try:
        manifest = json_object(url, get)
        columns = [name.strip() for name in manifest["fileSchema"].split(",")]
        places = columns.index("Key"), columns.index("ETag")
        files = [str(file["key"]) for file in manifest["files"]]
        batches = [
            batch for file in files for batch in _entries(get(BUCKET + file), places, prefix)
        ]
    except (LookupError, TypeError, ValueError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise ValueError(f"{url} is no inventory in S3's CSV form: {error!r}") from error
    return np.concatenate([np.empty(0, _ENTRY), *batches])


def _entries(packed: bytes, places: tuple[int, int], prefix: str) -> Iterator[Table]:
    key, etag = places
    found: list[tuple[int, int, bool, str]] = []
    with gzip.open(io.BytesIO(packed), "rt", encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            match = _KEY.fullmatch(unquote(row[key]))
            if match and f"PMC{match[1]}".startswith(prefix):
                md5 = row[etag].strip('"').lower()
                stated = md5 if _MD5.fullmatch(md5) else ""
                found.append((int(match[1]), int(match[2]), match[3] == "xml", stated))
            if len(found) >= BY_BATCH:
                yield np.array(found, _ENTRY)
                found.clear()
    yield np.array(found, _ENTRY)


def _newest(pmcid: str, version: int, md5: str = "") -> RawFile:
    stem = f"{pmcid}.{version}"
    checksum = f"md5:{md5}" if md5 else None
    return RawFile(
        f"{BUCKET}{stem}/{stem}.xml", _file_name(pmcid, version, "xml"), checksum=checksum
    )


def _file_name(pmcid: str, version: int, kind: str) -> str:
    """Return a name in a folder of at most 1,000 articles."""
    thousands = pmcid.removeprefix("PMC")[:-3] or "0"
    return f"PMC{thousands}/{pmcid}.{version}.{kind}"
