"""Gutenberg (PG-19): books of Project Gutenberg from before 1919, as DeepMind prepared them.

Raw format: one ``{id}.txt`` in UTF-8 a book, without Gutenberg's own header and footer, under
``train/``, ``validation/`` and ``test/`` of https://storage.googleapis.com/deepmind-gutenberg/.
Some words were replaced by ``<DW>`` and a number there. A ``metadata.csv`` beside them (id, title,
year, address; no header) is not a book.

Published extraction: the books of ``train`` as they are, read as text, in which CR LF and CR become
LF. A mark U+FEFF at the beginning stays. The original decoded by the locale of its machine, which
here is UTF-8 always.

Place in a file: the file is the book. An id is ``gutenberg_pg19/`` and the file's name without
``.txt``, Gutenberg's number; it is unique over all three parts.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode

from sources.archives import open_stream
from sources.formats.listings import json_object, require_onward
from sources.formats.packed import uncompressed_name
from sources.option_checks import one_of, within
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
    excerpt,
)

HOST = "https://storage.googleapis.com/"
BUCKET = "deepmind-gutenberg"
LICENCE = "public domain in the US; the collection Apache-2.0"

LIMIT = 32 << 20
"""Bytes of a book; the longest have some 10 MB."""

PARTS = ("train", "validation", "test")

_NAME = re.compile(r"(?:train|validation|test)/[0-9]{1,9}\.txt")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the books of ``part`` with their sizes and checksums, in the order of their names.

    ``count`` cuts them to the first so many; 0 takes all 28,602. Raises ValueError for another part
    and for a listing that is not in its known form.
    """
    part, count = str(options["part"]), int(str(options["count"]))
    if part not in PARTS:
        raise ValueError(f"part is {part!r}, not one of {', '.join(PARTS)}")
    number = 0
    for number, item in enumerate(_listed(part, get), 1):
        if count and number > count:
            return
        try:
            name, size, md5 = item["name"], int(item["size"]), base64.b64decode(item["md5Hash"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{HOST} lists in {BUCKET} {str(item)[:200]}") from error
        yield RawFile(f"{HOST}{BUCKET}/{name}", name, size, f"md5:{md5.hex()}")
    if not number:
        raise ValueError(f"{HOST} lists no book of {part} in {BUCKET}: it may have moved")


def _listed(part: str, get: Get) -> Iterator[dict[str, Any]]:
    """Yield what the bucket lists of the books in a part, page after page, in its order."""
    token = name = ""
    while True:
        query = {"prefix": f"{part}/", "fields": "items(name,size,md5Hash),nextPageToken"}
        if token:
            query["pageToken"] = token
        url = f"{HOST}storage/v1/b/{BUCKET}/o?{urlencode(query)}"
        page = json_object(url, get)
        try:
            books = [item for item in page.get("items", []) if _NAME.fullmatch(item["name"])]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{url} is no listing of a bucket ({error!r})") from error
        for book in books:
            before, name = name, book["name"]
            require_onward(url, before, name)
            yield book
        last, token = token, page.get("nextPageToken", "")
        if not token:
            return
        if token == last:
            raise ValueError(f"{url} says that more follows, and not where")


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield the book in a file, or its rejection."""
    del options
    name = PurePosixPath(uncompressed_name(raw.name))
    with open_stream(path) as stream:
        content = stream.read(LIMIT + 1)
    if name.suffix != ".txt":
        yield Rejected(raw.name, "not_a_book", excerpt(content[:1000].decode("utf-8", "replace")))
    elif len(content) > LIMIT:
        yield Rejected(raw.name, "overlong", excerpt(content[:1000].decode("utf-8", "replace")))
    else:
        yield _book(content, name, raw.name)


def _book(content: bytes, name: PurePosixPath, origin: str) -> Document | Rejected:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        near = content[max(error.start - 50, 0) : error.start + 50].decode("utf-8", "replace")
        return Rejected(origin, "invalid_utf8", excerpt(f"byte {error.start}: {near}"))
    if not text:
        return Rejected(origin, "empty")
    meta: dict[str, Json] = {"part": name.parent.name} if name.parent.name in PARTS else {}
    if name.stem.isascii() and name.stem.isdigit():
        meta |= {"book": int(name.stem), "url": f"https://www.gutenberg.org/ebooks/{name.stem}"}
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Document(f"gutenberg_pg19/{name.stem}", text, origin, LICENCE, meta)


SOURCE = Source(
    name="gutenberg_pg19",
    pile_set_name=PILE_SET_NAMES["gutenberg_pg19"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "not_a_book": "a file that is no .txt, such as metadata.csv",
        "invalid_utf8": "a book that is not UTF-8",
        "overlong": "a file of more than 32 MiB",
        "empty": "a book of no bytes",
    },
    defaults={"part": "train", "count": 0},
    checks={"part": one_of(*PARTS), "count": within(0)},
    homepage="https://github.com/google-deepmind/pg19",
    raw_bytes=11_678_184_672,  # of the training books
    # No limit is stated for the bucket: a guess, far below what it bears.
    paces={"storage.googleapis.com": Pace(20.0, 8)},
)
