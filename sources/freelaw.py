r"""FreeLaw: court opinions of CourtListener and of the Caselaw Access Project (CAP).

Raw formats, told apart by name, each also compressed:

* ``opinions-YYYY-MM-DD.csv.bz2``: all of CourtListener, tens of GB, PostgreSQL's CSV with backslash
  escapes (https://storage.courtlistener.com/bulk-data/).
* ``scotus.tar.gz`` and the like, and ``all.tar`` of them: the bulk files of before 2022, an opinion
  a ``.json`` with the same fields.
* pages of the API of then, ``{"meta": …, "objects": […]}``, whose objects are opinions; those of its
  lists of cases hold no text, and are rejected.
* CAP: a case a ``.json``, alone or in a volume's ``.zip`` (https://static.case.law/), or a line of a
  ``.jsonl``. ``casebody`` holds the text as XML, HTML or by opinions.

Published extraction: an opinion whose ``html`` is CourtListener's apology is skipped; of the fields
``plain_text``, ``html``, ``html_lawbox`` the *last* that is not empty wins, even if it holds white
space alone. ``plain_text`` is taken as it is, HTML as Beautiful Soup's ``get_text`` gives it. White
space is left alone, so texts begin with blank lines and may be empty.

The fields by ``fidelity``:

* ``published``: the three above, as in the Pile of 2020;
* ``published-2021``: seven, as in the authors' version 2 (4,940,710 opinions): also
  ``html_columbia``, ``html_anon_2020``, ``html_with_citations``, ``xml_harvard``, the last winning;
* ``corrected``: CourtListener's own order of quality, the *first* with words in it:
  ``html_with_citations``, ``html_columbia``, ``html_lawbox``, ``xml_harvard``, ``html_anon_2020``,
  ``html``, ``plain_text``; HTML by the rules of HTML5, and the apology counts as empty.

The Pile did not read CAP. A CAP case is read as its casebody would be as ``xml_harvard``, with every
``fidelity``; opinions given apart stand behind the head matter, a blank line between.

Traps: CSV columns come and go, so only the header counts; courts stand in other files (opinion to
cluster to docket), and ``cluster_id`` is what joins them. Common Pile read the CSV without the
escape.

Place in a file: the row of a CSV or line of a ``.jsonl``, counted from 1, or the member of an
archive. An id is ``freelaw/`` and the opinion's, or ``freelaw/cap/`` and the case's.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sources.archive_tar import tar_members
from sources.archives import Overlong, lines
from sources.formats.html_events import TooDeepError
from sources.formats.listings import objects
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.formats.parse_memory import MOST, json_memory
from sources.formats.postgres_csv import ROW_LIMIT, rows
from sources.formats.soup_text import soup_text, whole_text
from sources.option_checks import each, of_form
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Json,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
)

BUCKET = "https://com-courtlistener-storage.s3-us-west-2.amazonaws.com/"
HOST = "https://storage.courtlistener.com/"
CAP_HOST = "https://static.case.law/"
LICENCE = "public domain (US court opinion)"

LIMIT = 32 << 20
"""Bytes of one opinion's JSON; the longest honest ones have 10 MiB."""

APOLOGY = "Unable to extract the content from this file. Please try reading the original."

FIELDS_2020 = ("plain_text", "html", "html_lawbox")
FIELDS_2021 = (
    *FIELDS_2020,
    "html_columbia",
    "html_anon_2020",
    "html_with_citations",
    "xml_harvard",
)
FIELDS_BY_QUALITY = (
    "html_with_citations",
    "html_columbia",
    "html_lawbox",
    "xml_harvard",
    "html_anon_2020",
    "html",
    "plain_text",
)

OPINIONS = "bulk-data/opinions-"

_SNAPSHOT = re.compile(rf"{OPINIONS}(\d{{4}}-\d\d-\d\d)\.csv\.bz2", re.ASCII)
_VOLUME = re.compile(r"[a-z0-9][a-z0-9.-]*/[0-9][0-9a-z-]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """How fields become text: in which order they are tried, what of, and how HTML is read."""

    fields: tuple[str, ...]
    last_wins: bool
    html: Callable[[str], str]


READINGS = {
    "published": Reading(FIELDS_2020, last_wins=True, html=soup_text),
    "published-2021": Reading(FIELDS_2021, last_wins=True, html=soup_text),
    "corrected": Reading(FIELDS_BY_QUALITY, last_wins=False, html=whole_text),
}


class _UnfitError(Exception):
    """A record that gives no document: the reason, and something to look at."""


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield CourtListener's newest opinions, or of the day ``snapshot``; then CAP's ``volumes``.

    ``snapshot = "none"`` leaves CourtListener out; a volume is ``reporter/number``, as ``us/410``.
    Raises ValueError for a snapshot that is not listed, and for a volume of another form.
    """
    snapshot = str(options["snapshot"])
    if snapshot != "none":
        yield _snapshot(snapshot, get)
    volumes = options["volumes"]
    for volume in map(str, volumes if isinstance(volumes, tuple) else (volumes,)):
        if not _VOLUME.fullmatch(volume):
            raise ValueError(f"volumes holds {volume!r}, which is not of the form us/410")
        yield RawFile(f"{CAP_HOST}{volume}.zip", f"cap/{volume.replace('/', '-')}.zip")


def _snapshot(wanted: str, get: Get) -> RawFile:
    listed = {
        match[1]: found
        for found in objects(BUCKET, OPINIONS, get)
        if (match := _SNAPSHOT.fullmatch(found.key))
    }
    day = max(listed, default="") if wanted == "newest" else wanted
    if day not in listed:
        raise ValueError(f"{BUCKET} lists no opinions of {wanted!r}, only of {sorted(listed)}")
    key = listed[day].key
    return RawFile(HOST + key, key.removeprefix("bulk-data/"), listed[day].size)


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every opinion, case or other member; see the module."""
    chosen = by_fidelity(options, READINGS)
    taken = Uses()
    for file, stream in files(path, raw):
        for origin, record in _records(file, stream):
            try:
                yield _document(origin, record, chosen, taken)
            except _UnfitError as unfit:
                reason, shown = unfit.args
                yield Rejected(origin, reason, excerpt(shown))


@dataclass(frozen=True, slots=True)
class _Unread:
    """A record that could not even be parsed."""

    reason: str
    shown: str = ""


def _records(
    file: PackedFile, stream: BinaryIO
) -> Iterator[tuple[str, Mapping[str, Any] | _Unread]]:
    """Yield each record of a file with its origin."""
    if file.problem is not None:
        yield file.origin, _Unread("unreadable_member", f"{file.name}: {file.problem}")
    elif file.name.endswith(".csv"):
        yield from _csv_records(file.origin, stream)
    elif file.name.endswith(".jsonl"):
        yield from _json_lines(file.origin, stream)
    elif file.name.endswith(".json"):
        yield from _json_file(file.origin, stream)
    elif file.packed and file.name.endswith(".tar"):
        yield from _inner_archive(file, stream)
    elif file.packed:
        yield file.origin, _Unread("other_file", file.name)
    else:
        raise UnreadableFile(f"{file.origin}: neither .csv, .json, .jsonl nor an archive")


def _inner_archive(
    outer: PackedFile, stream: BinaryIO
) -> Iterator[tuple[str, Mapping[str, Any] | _Unread]]:
    """Read a jurisdiction's archive within ``all.tar``; one within it is no opinion."""
    for member, content in tar_members(stream, outer.origin):
        origin = f"{outer.origin}:{member.name}"
        inner = PackedFile(member.name, origin, packed=True, problem=member.problem)
        if inner.name.endswith(".tar"):
            yield origin, _Unread("other_file", inner.name)
        else:
            yield from _records(inner, content)


def _csv_records(
    origin: str, stream: BinaryIO
) -> Iterator[tuple[str, Mapping[str, Any] | _Unread]]:
    for row in rows(stream, origin):
        if row.problem:
            yield f"{origin}:{row.number}", _Unread(row.problem, row.shown)
            continue
        if "id" not in row.fields or not row.fields.keys() & set(FIELDS_2021):
            columns = ", ".join(row.fields)
            raise UnreadableFile(f"{origin}: no table of opinions: its columns are {columns:.300}")
        yield f"{origin}:{row.number}", row.fields


def _json_file(origin: str, stream: BinaryIO) -> Iterator[tuple[str, Mapping[str, Any] | _Unread]]:
    """Yield the one record of a file, or those of a page of the old API, ``{"meta", "objects"}``."""
    found = _parsed(stream.read(LIMIT + 1))
    objects = None if isinstance(found, _Unread) else found.get("objects")
    if not isinstance(objects, list):
        yield origin, found
        return
    for number, record in enumerate(objects, 1):
        whole = isinstance(record, dict)
        yield f"{origin}:{number}", record if whole else _Unread("other_file", str(record)[:200])


def _json_lines(origin: str, stream: BinaryIO) -> Iterator[tuple[str, Mapping[str, Any] | _Unread]]:
    for number, line in enumerate(lines(stream, LIMIT), 1):
        if isinstance(line, Overlong):
            yield f"{origin}:{number}", _Unread("overlong", f"{line.length:,} bytes")
        else:
            yield f"{origin}:{number}", _parsed(line)


def _parsed(content: bytes) -> Mapping[str, Any] | _Unread:
    if len(content) > LIMIT or json_memory(content) > MOST:
        return _Unread("overlong", f"over {LIMIT:,} bytes, or with too many values")
    try:
        record = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _Unread("invalid_utf8", content[:200].decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        return _Unread("invalid_json", str(error))
    if not isinstance(record, dict):
        return _Unread("other_file", str(record)[:200])
    return record


def _document(
    origin: str, record: Mapping[str, Any] | _Unread, reading: Reading, taken: Uses
) -> Document:
    if isinstance(record, _Unread):
        raise _UnfitError(record.reason, record.shown)
    identifier = record.get("id")
    if not isinstance(identifier, int | str) or identifier == "":
        raise _UnfitError("no_id", str(list(record))[:200])
    try:
        if "casebody" in record:
            text, meta, kind = _case_text(record["casebody"], reading), _case_meta(record), "cap/"
        else:
            text, meta, kind = _opinion_text(record, reading), _opinion_meta(record, origin), ""
    except TooDeepError:
        raise _UnfitError("too_deep", str(identifier)) from None
    return Document(numbered(f"freelaw/{kind}{identifier}", taken), text, origin, LICENCE, meta)


def _opinion_text(opinion: Mapping[str, Any], reading: Reading) -> str:
    if not any(field in opinion for field in FIELDS_2021):
        raise _UnfitError("other_file", str(list(opinion))[:200])
    if reading.last_wins and opinion.get("html") == APOLOGY:
        raise _UnfitError("apology", str(opinion["id"]))
    filled = [field for field in reading.fields if opinion.get(field)]
    for field in filled[-1:] if reading.last_wins else filled:
        content = str(opinion[field])
        text = content if field == "plain_text" else reading.html(content)
        if reading.last_wins or (text.strip() and content != APOLOGY):
            return text
    raise _UnfitError("no_text", str(opinion["id"]))


def _opinion_meta(opinion: Mapping[str, Any], origin: str) -> dict[str, Json]:
    meta = {
        "opinion_id": opinion["id"],
        "cluster_id": opinion.get("cluster_id") or opinion.get("cluster"),
        "date_created": opinion.get("date_created"),
        "type": opinion.get("type"),
        "jurisdiction": _jurisdiction(origin),
    }
    return {key: str(value) for key, value in meta.items() if value}


def _jurisdiction(origin: str) -> str:
    """Return the name of the old bulk archive that an opinion lies in, which was its court's."""
    archives = [part for part in origin.split(":") if part.endswith(".tar.gz")]
    return archives[-1].rpartition("/")[2].removesuffix(".tar.gz") if archives else ""


def _case_text(casebody: Any, reading: Reading) -> str:
    body = casebody.get("data", casebody) if isinstance(casebody, dict) else None
    if isinstance(body, str):
        text = reading.html(body)
    elif isinstance(body, dict) and isinstance(body.get("opinions"), list):
        parts = [body.get("head_matter"), *map(_part_text, body["opinions"])]
        text = "\n\n".join(part for part in parts if isinstance(part, str) and part)
    else:
        status = casebody.get("status") if isinstance(casebody, dict) else casebody
        raise _UnfitError("no_text", f"status of the casebody: {status}")
    if not text.strip():
        raise _UnfitError("no_text", "an empty casebody")
    return text


def _part_text(opinion: Any) -> Any:
    return opinion.get("text") if isinstance(opinion, dict) else None


def _case_meta(case: Mapping[str, Any]) -> dict[str, Json]:
    court, jurisdiction = case.get("court"), case.get("jurisdiction")
    meta = {
        "case_id": case["id"],
        "name": case.get("name_abbreviation") or case.get("name"),
        "date": case.get("decision_date"),
        "court": court.get("name") if isinstance(court, dict) else None,
        "jurisdiction": jurisdiction.get("name_long") if isinstance(jurisdiction, dict) else None,
    }
    return {key: str(value) for key, value in meta.items() if value}


SOURCE = Source(
    name="freelaw",
    pile_set_name=PILE_SET_NAMES["freelaw"],
    licence=LICENCE,
    access="open",
    version=2,
    fidelities=("published", "published-2021", "corrected"),
    read=read,
    plan=plan,
    reasons={
        "apology": "an opinion whose HTML says that its content could not be extracted",
        "no_text": "an opinion or case without text in the fields that are read",
        "no_id": "an opinion or case without an id",
        "too_deep": "HTML with more than 2,048 elements in one another",
        "malformed_row": "a row with fewer or more fields than the header has columns",
        "invalid_utf8": "a row or JSON that is not UTF-8",
        "invalid_json": "a file or line that is no JSON",
        "overlong": f"a row of more than {ROW_LIMIT >> 20} MiB, JSON of more than {LIMIT >> 20} MiB, or of more values than memory holds",
        "other_file": "a member or JSON that is neither an opinion nor a case",
        "unreadable_member": UNREADABLE,
    },
    defaults={"snapshot": "newest", "volumes": (), "fidelity": "published"},
    checks={
        "snapshot": of_form(r"newest|none|\d{4}-\d\d-\d\d", "YYYY-MM-DD, or newest, or none"),
        "volumes": each(of_form(_VOLUME.pattern, "REPORTER/NUMBER, as us/410")),
    },
    homepage="https://www.courtlistener.com/help/api/bulk-data/",
    # Some tens of GB, bz2: a guess, as the listing alone says.
    raw_bytes=50_000_000_000,
    # No limits are stated: guesses, for a charity's hosts.
    paces={
        "com-courtlistener-storage.s3-us-west-2.amazonaws.com": Pace(2.0, 2),
        "storage.courtlistener.com": Pace(2.0, 2),
        "static.case.law": Pace(2.0, 2),
    },
    libraries=("lxml",),
)
