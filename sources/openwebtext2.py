r"""OpenWebText2: web pages that were linked to on Reddit, from the user's own copy or scrape.

Raw format: lines of JSON, ``.jsonl`` compressed or not, also many in a ``.jsonl.zst.tar``: OpenWebText2's
own files, ``{"text": …, "meta": {"title", "lang", "url", "word_count", "domain", "reddit_id",
"subreddit", "reddit_score", …}}``, lists as the URL had many submissions; or pages that the user
scraped, ``{"url": …, "text": …}`` with any of those beside it. Nothing is downloaded: the pages are
their publishers', Reddit's dumps are closed to the public, and copies of the set are unofficial.

Published extraction: of submissions that link out, the URLs; newspaper3k took each page's text; pages
of a summed score below 3 were dropped; near duplicates removed; and of each text, lines that are
exactly "Advertisement" are deleted, with their newline. A file of OpenWebText2 has all but the last
step behind it; the score is tested again where it is stated.

Traps: "Advertisement" without a newline behind it stays. No language is filtered.

``fidelity = "corrected"`` deletes such a line in any case, at the end too, spaces round it or not.

What is not done: dumps of Reddit's submissions (``RS_*``) hold no text, so each of their lines is
rejected as a submission. Fetching pages anew is no part of this; saved HTML goes through the source
``local``.

Place in a file: the archive's member, then the number of the line, from 1. The id is
``openwebtext2/FILE:LINE``: a table of the URLs seen, to number repeats, would not fit in memory.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import orjson

from sources.archives import Overlong, lines
from sources.formats.packed import UNREADABLE, files
from sources.formats.parse_memory import MOST, json_memory
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Json,
    Options,
    RawFile,
    Rejected,
    Source,
    by_fidelity,
    excerpt,
    nothing_to_download,
)

LONGEST = 32 << 20
"""Bytes of one line; the longest honest pages have 2 MiB."""
LICENCE = "copyright of the page's publisher, unless the page says otherwise"
MANUAL = (
    "Put OpenWebText2 files (.jsonl.zst, or .jsonl.zst.tar) that you have, or pages that you scraped"
    ' as lines of {"url": ..., "text": ...}, where you like, and name them in this source\'s table (files = [...]). Open'
    " substitute: common-pile/cccc at huggingface.co."
)
STATED = (
    *("url", "title", "lang", "domain", "word_count"),
    *("reddit_id", "subreddit", "reddit_score", "reddit_scores", "reddit_title"),
)
"""What is kept of what a record says of its page."""

_ADVERTISEMENT = re.compile(r"^Advertisement\n", re.MULTILINE)
_ANY_ADVERTISEMENT = re.compile(
    r"^[ \t]*advertisement[ \t]*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE
)


def _published(text: str) -> str:
    return _ADVERTISEMENT.sub("", text)


def _corrected(text: str) -> str:
    return _ANY_ADVERTISEMENT.sub("", text).strip()


FIDELITIES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"published": _published, "corrected": _corrected}
)


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every line of a file; see the module."""
    chosen = by_fidelity(options, FIDELITIES)
    least = int(str(options["min_score"]))
    for file, stream in files(path, raw):
        if file.problem:
            yield Rejected(file.origin, "unreadable_member", file.problem)
            continue
        if file.packed and not file.name.endswith((".jsonl", ".json", ".ndjson")):
            yield Rejected(file.origin, "not_jsonl", excerpt(file.name))
            continue
        for number, line in enumerate(lines(stream, LONGEST), 1):
            yield _outcome(line, f"{file.origin}:{number}", least, chosen)


def _outcome(
    line: bytes | Overlong, origin: str, least: int, clean: Callable[[str], str]
) -> Document | Rejected:
    if isinstance(line, Overlong) or json_memory(line) > MOST:
        return Rejected(origin, "too_large")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Rejected(origin, "not_json", excerpt(line[:1000].decode("utf-8", "replace")))
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(text, str):
        submission = isinstance(record, dict) and "is_self" in record
        return Rejected(
            origin,
            "submission" if submission else "no_text",
            excerpt(line[:1000].decode("utf-8", "replace")),
        )
    meta = _stated(record)
    score = _score(meta)
    if score is not None and score < least:
        return Rejected(origin, "low_score", excerpt(f"{score}: {meta.get('url')}"))
    text = clean(text)
    if not text.strip():
        return Rejected(origin, "empty", excerpt(str(meta.get("url"))))
    return Document(f"openwebtext2/{origin}", text, origin, LICENCE, meta)


def _stated(record: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a record says of its page, in its ``meta`` or beside the text."""
    meta = record.get("meta")
    stated = meta if isinstance(meta, Mapping) else record
    return {name: stated[name] for name in STATED if name in stated}


def _score(meta: Mapping[str, Json]) -> int | None:
    """Return the sum over a page's submissions, if their scores are stated."""
    scores = meta.get("reddit_scores", meta.get("reddit_score"))
    if isinstance(scores, int):
        return scores
    if not isinstance(scores, list) or not scores:
        return None
    return sum(score for score in scores if isinstance(score, int))


SOURCE = Source(
    name="openwebtext2",
    pile_set_name=PILE_SET_NAMES["openwebtext2"],
    licence=LICENCE,
    access="local",
    version=1,
    read=read,
    plan=nothing_to_download,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_jsonl": "a member of an archive that is no .jsonl file",
        "too_large": f"a line of more than {LONGEST >> 20} MiB, or of more values than memory holds",
        "not_json": "a line that is not JSON",
        "submission": "a submission to Reddit, which is no page",
        "no_text": "a record without a text",
        "low_score": "a page whose submissions' scores sum to less than min_score",
        "empty": "a text of nothing but white space, or advertisements",
    },
    defaults={"fidelity": "published", "min_score": 3},
    homepage="https://openwebtext2.readthedocs.io",
    manual=MANUAL,
)
