"""The user's own files, in the forms that people keep text in.

The name tells the form, also behind ``.gz``, ``.zst``, ``.xz`` or ``.bz2``, and for each member of a
``.zip``, ``.7z`` or tar (``.tar``, ``.tar.gz``, ``.jsonl.zst.tar``, …), and of an archive in one of these:

* ``.jsonl``, ``.ndjson`` and ``.json.gz``: JSON a line, an object with ``text`` and perhaps
  ``meta``, or a string. Lines of white space are no records.
* ``.json`` and ``.json.zst``: one array of such objects or strings, or one alone.
* ``.dat``: sixteen digits, so many bytes of text, and again.
* ``.parquet``: a column of text, or of lists of text; not within an archive.
* ``.html``, ``.htm``, ``.xhtml``, ``.pdf``, ``.epub``: one document a file, of its text
  (`sources.formats.document_files`). The option ``html = "main"`` takes of HTML what is no boilerplate,
  as of English web pages; the default is ``"all"``.
* any other name: one document a file, if it is UTF-8 without NUL. Nothing in it is changed.

These include all that lm_dataformat writes, and are read to the same texts: a list of texts is
joined by blank lines. Beyond it, a cut or damaged stream is refused, and what makes no document is
rejected by itself. Half a surrogate pair that JSON spells is handed on as it is.

Options: ``text_key`` names the text of JSON and Parquet. ``id_key``, if not empty, names ids that
the user vouches for to be unique; they then stand in place of file and place. ``name``, which
whoever runs the source sets, is what ids begin with (else ``local``).

Place in a file: the line, element, or row, counted from 1, in a file of many documents. An id is
the name, ``/``, and the raw file's name, with member and place where there are any.
"""

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from sources.archives import Overlong, lines, open_stream
from sources.formats import document_files
from sources.formats.document_files import Taking
from sources.formats.json_array import BrokenArrayError, begins_array, elements
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, PackedFile, files, is_archive, uncompressed_name
from sources.formats.parquet_rows import parquet_rows
from sources.formats.parse_memory import MOST, json_memory, text_memory
from sources.formats.pdf_text import Pdfs
from sources.option_checks import not_empty, one_of
from sources.source import (
    Document,
    Json,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    excerpt,
    nothing_to_download,
)

LICENCE = "as the user states"

LIMIT = 96 << 20
"""Bytes of a line, of a text file, or of an element of an array; less if it has wide characters or
many values, see `sources.formats.parse_memory`."""

NESTED_LIMIT = 16 << 30
"""Bytes of an archive that is a member of another."""

CHUNK = 1 << 20

ARCHIVES = (
    ".zip",
    ".7z",
    ".tar",
    ".tgz",
    ".tbz2",
    ".txz",
    ".tzst",
    ".tar.gz",
    ".tar.bz2",
    ".tar.xz",
    ".tar.zst",
)
DOCUMENT_SUFFIXES = (".html", ".htm", ".xhtml", ".pdf", ".epub")
"""Forms whose text is taken out: as plain text they would be mostly mark-up."""

TEXT_SUFFIXES = (".txt", ".md", ".rst", ".text", ".markdown")


@dataclass(frozen=True, slots=True)
class Found:
    """A value that should hold a document, with its place in its file, or a problem instead."""

    place: str
    value: Any = None
    problem: str = ""


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every record of a file; see the module."""
    keys = Keys(
        str(options.get("name", "local")),
        str(options["text_key"]),
        str(options["id_key"]),
        str(options["html"]),
    )
    if keys.html not in document_files.HTML:
        raise ValueError(f"html is {keys.html!r}, not one of {', '.join(document_files.HTML)}")
    taken = Uses()
    for file, found in _found(path, raw, keys):
        origin = f"{file.origin}:{found.place}" if found.place else file.origin
        if found.problem:
            yield Rejected(origin, found.problem, excerpt(str(found.value or "")))
        else:
            yield _document(found.value, origin, keys, taken)


@dataclass(frozen=True, slots=True)
class Keys:
    """What ids begin with, where text and ids stand, and what is taken of HTML."""

    name: str
    text: str
    id: str
    html: str


def _found(path: Path, raw: RawFile, keys: Keys) -> Iterator[tuple[PackedFile, Found]]:
    with Pdfs() as pdfs:
        yield from _found_with(path, raw, keys, Taking(keys.html, pdfs))


def _found_with(
    path: Path, raw: RawFile, keys: Keys, taking: Taking
) -> Iterator[tuple[PackedFile, Found]]:
    if raw.name.endswith(".parquet"):
        whole = PackedFile(raw.name, raw.name, packed=False)
        for number, row in enumerate(parquet_rows(path, raw.name, keys.text, keys.id), 1):
            yield whole, Found(str(number), row)
    elif raw.name.endswith(ARCHIVES):
        for file, stream in files(path, raw):
            if file.problem is None and file.name.endswith(ARCHIVES):
                yield from _nested(file, stream, taking)
                continue
            for found in _in_file(file, stream, taking):
                yield file, found
    else:
        with open_stream(path) as stream:
            file = PackedFile(uncompressed_name(raw.name), raw.name, packed=False)
            for found in _in_file(file, stream, taking):
                yield file, found


def _nested(
    file: PackedFile, stream: BinaryIO, taking: Taking
) -> Iterator[tuple[PackedFile, Found]]:
    """Read an archive that is itself a member of one, from a copy on disk."""
    with tempfile.NamedTemporaryFile(prefix="member-") as copy:
        room = NESTED_LIMIT
        while room >= 0 and (piece := stream.read(CHUNK)):
            room -= len(piece)
            copy.write(piece)
        copy.flush()
        path = Path(copy.name)
        if room < 0:
            yield file, Found("", f"over {NESTED_LIMIT:,} bytes", "overlong")
        elif not is_archive(path):
            yield file, Found("", "it is no archive", "damaged")
        else:
            for inner, content in files(path, RawFile("", file.origin)):
                for found in _in_file(inner, content, taking):
                    yield inner, found


def _in_file(file: PackedFile, stream: BinaryIO, taking: Taking) -> Iterator[Found]:
    if file.problem is not None:
        return iter([Found("", f"{file.name}: {file.problem}", "unreadable_member")])
    by_line = file.name.endswith((".jsonl", ".ndjson")) or file.origin.endswith(".json.gz")
    if by_line:
        return _in_lines(stream)
    if file.name.lower().endswith(DOCUMENT_SUFFIXES):
        return iter([_document_file(file, stream, taking)])
    for suffix, form in FORMS.items():
        if file.name.endswith(suffix):
            return form(file, stream)
    return _whole(file, stream)


def _document_file(file: PackedFile, stream: BinaryIO, taking: Taking) -> Found:
    try:
        return Found("", document_files.text_of(file.name, stream, taking))
    except document_files.NoTextError as error:
        return Found("", str(error), error.reason)
    except UnreadableFile as error:
        if not file.packed:
            raise
        return Found("", str(error), "damaged")


def _in_lines(stream: BinaryIO) -> Iterator[Found]:
    for number, line in enumerate(lines(stream, LIMIT), 1):
        if isinstance(line, Overlong):
            yield Found(str(number), f"{line.length:,} bytes", "overlong")
        elif not line.isspace():
            yield _parsed(line, str(number))


def _in_array(file: PackedFile, stream: BinaryIO) -> Iterator[Found]:
    head = stream.peek(1 << 12) if isinstance(stream, io.BufferedReader) else b"["
    if not begins_array(head):
        yield _parsed(stream.read(LIMIT + 1), "")
        return
    number = 0
    try:
        for number, element in enumerate(elements(stream, LIMIT), 1):
            yield (
                Found(str(number), "", "overlong")
                if element is None
                else _parsed(element, str(number))
            )
    except BrokenArrayError as error:
        yield Found(str(number + 1), f"{file.name}: {error}", "invalid_json")


def _in_lengths(file: PackedFile, stream: BinaryIO) -> Iterator[Found]:
    number = 0
    while head := stream.read(16):
        number += 1
        length = int(head) if len(head) == 16 and head.isdigit() else LIMIT + 1
        if length > LIMIT:
            raise UnreadableFile(
                f"{file.origin}: record {number}: its length is given as {head!r}, where 16 digits"
                f" of at most {LIMIT:,} belong"
            )
        content = stream.read(length)
        if len(content) < length:
            raise UnreadableFile(
                f"{file.origin}: record {number}: the file ends {length - len(content):,} bytes"
                " before it does: it is cut"
            )
        yield _decoded(content, str(number), "invalid_utf8")


def _not_parquet(file: PackedFile, _stream: BinaryIO) -> Iterator[Found]:
    yield Found("", file.name, "packed_parquet")


def _whole(file: PackedFile, stream: BinaryIO) -> Iterator[Found]:
    content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        yield Found("", f"over {LIMIT:,} bytes", "overlong")
    elif len(content) + text_memory(content) > MOST:
        yield Found("", f"{len(content):,} bytes with wide characters", "overlong")
    elif file.name.endswith(TEXT_SUFFIXES):
        yield _decoded(content, "", "invalid_utf8")
    elif b"\0" in content:
        yield Found("", content[:1000].decode("utf-8", "replace"), "not_text")
    else:
        yield _decoded(content, "", "not_text")


FORMS: dict[str, Callable[[PackedFile, BinaryIO], Iterator[Found]]] = {
    ".json": _in_array,
    ".dat": _in_lengths,
    ".parquet": _not_parquet,
}


def _decoded(content: bytes, place: str, problem: str) -> Found:
    try:
        return Found(place, content.decode("utf-8"))
    except UnicodeDecodeError:
        return Found(place, content[:1000].decode("utf-8", "replace"), problem)


def _parsed(content: bytes, place: str) -> Found:
    memory = json_memory(content)
    if len(content) > LIMIT or memory > MOST:
        return Found(place, f"{len(content):,} bytes", "overlong")
    try:
        return Found(place, orjson.loads(content))
    except orjson.JSONDecodeError:
        pass
    if memory + text_memory(content) > MOST:
        return Found(place, f"{len(content):,} bytes", "invalid_json")
    text = _decoded(content, place, "invalid_utf8")
    if text.problem:
        return text
    try:
        # The standard library takes halves of surrogate pairs, which writers of JSON may spell.
        return Found(place, json.loads(text.value, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return Found(place, text.value[:1000], "invalid_json")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _document(value: Any, origin: str, keys: Keys, taken: Uses) -> Document | Rejected:
    record = {keys.text: value} if isinstance(value, str) else value
    text = record.get(keys.text) if isinstance(record, dict) else None
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        text = document_files.PARAGRAPH_BREAK.join(text)
    if isinstance(text, bytes):
        return Rejected(origin, "invalid_utf8", excerpt(text[:1000].decode("utf-8", "replace")))
    if not isinstance(text, str):
        return Rejected(origin, "no_text_key", excerpt(str(value)[:1000]))
    if not text:
        return Rejected(origin, "empty", "")
    identifier = record.get(keys.id) if keys.id else origin
    if not isinstance(identifier, str | int) or identifier == "":
        return Rejected(origin, "no_id_key", excerpt(text))
    unique = numbered(f"{keys.name}/{identifier}", taken) if keys.id else f"{keys.name}/{origin}"
    return Document(unique, text, origin, LICENCE, _meta(record.get("meta")))


def _meta(meta: Any) -> dict[str, Json]:
    if isinstance(meta, dict):
        return meta
    return {} if meta is None else {"meta": meta}


SOURCE = Source(
    name="local",
    pile_set_name="",
    licence=LICENCE,
    access="local",
    version=2,
    read=read,
    plan=nothing_to_download,
    reasons={
        "invalid_json": "a line or file that is no JSON",
        "invalid_utf8": "text or JSON that is not UTF-8",
        "no_text_key": "JSON or a row without text under `text_key`",
        "no_id_key": "JSON or a row without an id under `id_key`, which is set",
        "not_text": "a file of unknown form that is not UTF-8 or holds NUL",
        **document_files.REASONS,
        "damaged": "an EPUB within an archive that is cut or broken, or a member that is no archive",
        "empty": "a text of no characters",
        "overlong": f"a line, text or element of more than {LIMIT >> 20} MiB, or of more memory than 400 MB; a nested archive of over 16 GiB",
        "packed_parquet": "a Parquet file within an archive, or compressed as a whole",
        "unreadable_member": UNREADABLE,
    },
    defaults={"text_key": "text", "id_key": "", "html": "all"},
    checks={"text_key": not_empty, "html": one_of(*document_files.HTML)},
    libraries=("lxml", "justext", "pypdfium2", "faust-cchardet"),
    manual='Name the files in the table of the source: files = ["corpus/*.jsonl.zst"].',
)
