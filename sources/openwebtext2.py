r"""OpenWebText2: web pages that were linked to on Reddit, from the user's own copy, list or scrape.

Raw format: either lines of JSON, ``.jsonl`` compressed or not, also many in a ``.jsonl.zst.tar``:
OpenWebText2's own files, ``{"text": …, "meta": {"title", "lang", "url", "word_count", "domain", "reddit_id",
"subreddit", "reddit_score", …}}``, lists as the URL had many submissions; or pages that the user
scraped, ``{"url": …, "text": …}`` with any of those beside it. Or ``.warc``, ``.warc.gz`` of the pages
themselves: a ``response`` each, and a ``metadata`` record with the reason for one that could not be had;
their header ``X-List-Entry`` is the page's line of a list. Or ``.html`` files, a page each, of
which no address or score is known; many are read faster from one archive than by themselves. Lists are what ``pile urls`` makes of dumps of
Reddit's submissions (`sources.formats.reddit_links`): ``files`` that end in ``.urls.jsonl`` are fetched,
page by page, to such WARCs. Nothing else is downloaded: the pages are their publishers', Reddit's
dumps are closed to the public, and copies of the set are unofficial.

Published extraction: of submissions that link out, the URLs; newspaper3k took each page's text, title
and language, pages that made it fail or were blank were dropped; so were pages of a summed score
below 3; near duplicates removed; and of each text, lines that are exactly "Advertisement" are deleted,
with their newline. A file of OpenWebText2 has all but the last step behind it; the score is tested again
where it is stated.

Traps: "Advertisement" without a newline behind it stays. No language is filtered. newspaper takes the
language that a page declares for its stop words; for Chinese, Japanese and the like it fails without
libraries of their own.

``fidelity = "corrected"`` deletes such a line in any case, at the end too, spaces round it or not.

Known differences: pages go through newspaper4k 0.9.6. Of 164 real pages, 111 give text with it and
with newspaper3k 0.2.8; 17 of these texts are equal, the median shares nine tenths of its words. The
titles of 154 are equal. newspaper4k finds no text in 46, newspaper3k in 21.

What is not done: dumps of Reddit's submissions (``RS_*``) hold no text, so each of their lines is
rejected as a submission.

Place in a file: the archive's member, then the number of the line or record, from 1. The id is
``openwebtext2/FILE:LINE``: a table of the URLs seen, to number repeats, would not fit in memory.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import orjson

from sources.archives import Overlong, lines, open_stream
from sources.formats import articles
from sources.formats.articles import ArticleError, Extractor
from sources.formats.link_filter import registered_domain
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.formats.page_charset import decoded
from sources.formats.parse_memory import MOST, json_memory
from sources.formats.warc import (
    OverlongError,
    Record,
    decoded_body,
    digest_holds,
    parse_response,
    records,
)
from sources.option_checks import within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Json,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    by_fidelity,
    excerpt,
    nothing_to_download,
)

LONGEST = 32 << 20
"""Bytes of one line; the longest honest pages have 2 MiB."""
LICENCE = "copyright of the page's publisher, unless the page says otherwise"
MANUAL = (
    "Name OpenWebText2 files (.jsonl.zst, or .jsonl.zst.tar) that you have in this source's table"
    ' (files = [...]), or pages that you scraped as lines of {"url": ..., "text": ...}. Or make lists of'
    " pages from dumps of Reddit's submissions that you have, `pile urls RS_*.zst -o urls/`, and"
    ' name them: files = ["urls/*.urls.jsonl"]; the pages are then fetched, as their hosts allow. Open'
    " substitute: common-pile/cccc at huggingface.co."
)
STATED = (
    *("url", "title", "lang", "domain", "word_count"),
    *("reddit_id", "subreddit", "reddit_score", "reddit_scores", "reddit_title"),
    "reddit_created_utc",
)
"""What is kept of what a record says of its page."""

REDDIT = ("reddit", "subreddit")
"""What names of fields begin with that come from a page's submissions."""

PAGE_SUFFIXES = (".html", ".htm", ".xhtml")
ARCHIVE_SUFFIXES = (".tar", ".tgz", ".zip", ".7z")
LINE_SUFFIXES = (".jsonl", ".json", ".ndjson")
WARC_SUFFIXES = (".warc", ".warc.gz")

LIST_ENTRY = "x-list-entry"
"""Header of a WARC record, in lower case: the page's line of the list it was fetched for."""

LIMIT = 32 << 20
"""Bytes of a record, and of a page as decompressed."""

_MARKUP = re.compile("html|xml|text/", re.IGNORECASE)
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
    """Yield a document or a rejection for every line, or WARC record, of a file; see the module."""
    chosen = by_fidelity(options, FIDELITIES)
    least = int(str(options["min_score"]))
    if raw.name.endswith(WARC_SUFFIXES):
        yield from _pages(path, raw, least, chosen)
        return
    with Extractor() as extractor:
        for file, stream in files(path, raw):
            if file.problem:
                yield Rejected(file.origin, "unreadable_member", file.problem)
            elif file.name.lower().endswith(PAGE_SUFFIXES):
                yield _page_by_itself(file.origin, stream, extractor, chosen)
            elif not _is_of_lines(file, stream):
                yield Rejected(file.origin, "not_jsonl", excerpt(file.name))
            else:
                for number, line in enumerate(lines(stream, LONGEST), 1):
                    yield _outcome(line, f"{file.origin}:{number}", least, chosen)


def _is_of_lines(file: PackedFile, stream: BinaryIO) -> bool:
    """Tell whether a file holds lines of JSON: by its name, or else, outside an archive, by its beginning.

    Raises `UnreadableFile` for what only its name calls an archive.
    """
    if file.packed or file.name.endswith(LINE_SUFFIXES):
        return file.name.endswith(LINE_SUFFIXES)
    if file.name.endswith(ARCHIVE_SUFFIXES):
        raise UnreadableFile(
            f"{file.origin}: its name says an archive, its first bytes do not: cut or damaged; download it again"
        )
    head = stream.peek(1)[:1] if isinstance(stream, io.BufferedReader) else b"{"
    return head in {b"{", b""}


def _page_by_itself(
    origin: str, stream: BinaryIO, extractor: Extractor, clean: Callable[[str], str]
) -> Document | Rejected:
    content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        return Rejected(origin, "too_large", f"over {LIMIT:,} bytes")
    try:
        article = extractor.article("", decoded(content, ""))
    except ArticleError as error:
        return Rejected(origin, error.reason, excerpt(str(error)))
    meta: dict[str, Json] = {
        "title": article.title,
        "lang": article.language,
        "word_count": len(article.text.split()),
    }
    return _judged(article.text, meta, origin, 0, clean)


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
    return _judged(text, _stated(record), origin, least, clean)


def _judged(
    text: str, meta: dict[str, Json], origin: str, least: int, clean: Callable[[str], str]
) -> Document | Rejected:
    score = _score(meta)
    if score is not None and score < least:
        return Rejected(origin, "low_score", excerpt(f"{score}: {meta.get('url')}"))
    text = clean(text)
    if not text.strip():
        return Rejected(origin, "empty", excerpt(str(meta.get("url"))))
    return Document(f"openwebtext2/{origin}", text, origin, LICENCE, meta)


def _pages(
    path: Path, raw: RawFile, least: int, clean: Callable[[str], str]
) -> Iterator[Document | Rejected]:
    with open_stream(path) as stream, Extractor() as extractor:
        for record in records(stream, raw.name, {"response", "metadata"}, LIMIT):
            origin = f"{raw.name}:{record.number}"
            try:
                text, meta = _page(record, extractor)
            except ArticleError as error:
                shown = f"{record.headers.get('warc-target-uri', '')} {error}"
                yield Rejected(origin, error.reason, excerpt(shown.strip()))
            else:
                yield _judged(text, meta, origin, least, clean)


def _page(record: Record, extractor: Extractor) -> tuple[str, dict[str, Json]]:
    """Return a page's text, and what is known of it; raises `ArticleError`."""
    content, content_type = _content(record)
    listed = _list_entry(record)
    url = str(listed.get("url") or record.headers.get("warc-target-uri", ""))
    article = extractor.article(url, decoded(content, content_type))
    return article.text, {
        "url": url,
        "title": article.title,
        "lang": article.language,
        "word_count": len(article.text.split()),
        "domain": registered_domain(url),
        **{name: listed[name] for name in STATED if name.startswith(REDDIT) and name in listed},
    }


def _content(record: Record) -> tuple[bytes, str]:
    if record.kind == "metadata":
        raise ArticleError("not_fetched", (record.block or b"").decode("utf-8", "replace"))
    if record.kind != "response":
        raise ArticleError("not_a_page", record.kind)
    if record.block is None:
        raise ArticleError("too_large", f"{record.length:,} bytes")
    if digest_holds(record.headers.get("warc-block-digest", ""), record.block) is False:
        raise ArticleError("block_digest", record.headers["warc-block-digest"])
    message = parse_response(record.block)
    if message is None or not 200 <= message.status < 300:
        raise ArticleError("not_fetched", record.block[:100].decode("ascii", "replace"))
    content_type = message.headers.get("content-type", "")
    if content_type and not _MARKUP.search(content_type):
        raise ArticleError("not_html", content_type)
    try:
        return decoded_body(message, LIMIT), content_type
    except OverlongError:
        raise ArticleError("too_large", f"over {LIMIT:,} bytes decompressed") from None


def _list_entry(record: Record) -> Mapping[str, Json]:
    """Return the page's line of the list it was fetched for, if the record has it."""
    try:
        listed = orjson.loads(record.headers.get(LIST_ENTRY, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return listed if isinstance(listed, dict) else {}


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
    version=3,
    read=read,
    plan=nothing_to_download,
    reasons={
        "unreadable_member": UNREADABLE,
        "not_jsonl": "a file that is neither lines of JSON nor a page",
        **articles.REASONS,
        "too_large": f"a line of more than {LONGEST >> 20} MiB, or of more values than memory holds; a record of more than 32 MiB, or a page of more than 8",
        "not_a_page": "a WARC record of another type: of the file itself, a request, a revisit",
        "not_fetched": "a page that could not be had, and why; or no answer of success",
        "not_html": "an answer that is neither HTML nor text",
        "block_digest": "a record whose bytes do not have the digest it states",
        "not_json": "a line that is not JSON",
        "submission": "a submission to Reddit, which is no page",
        "no_text": "a record without a text",
        "low_score": "a page whose submissions' scores sum to less than min_score",
        "empty": "a text of nothing but white space, or advertisements",
    },
    defaults={"fidelity": "published", "min_score": 3},
    checks={"min_score": within(0)},
    homepage="https://openwebtext2.readthedocs.io",
    manual=MANUAL,
    page_lists=(".urls.jsonl",),
    libraries=("newspaper4k", "lxml", "lxml-html-clean", "faust-cchardet", "tldextract"),
)
