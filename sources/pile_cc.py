"""Pile-CC: the main text of English pages of Common Crawl, straight from the crawled HTML.

Raw format: WARC 1.0, one gzip member a record, about 1 GB and 40,000 responses a file, at
https://data.commoncrawl.org/ under the paths that a crawl's ``warc.paths.gz`` lists. Other WARC
files, also uncompressed or of the drafts 0.17 and 0.18, are read as well. Only ``response`` records
hold pages; WET and WAT files hold none.

Published extraction: chunks and compression of the HTTP body undone; decoded as UTF-8, else as
cchardet guesses; kept if CLD2 finds English first in the *raw* HTML, tried again without control
characters where it refuses them; then jusText 2.2.0 with its English stop words and defaults. Text
is the paragraphs that are no boilerplate, a blank line between them. A page without any is dropped.

``fidelity = "corrected"`` reads pages by the rules of HTML5, takes a ``<br>`` for a space, and
keeps what lies deeper than 257 elements. There libxml2 of 2020 left a page, and so the Pile lost the rest
in silence; ``published`` loses it too, but says so: ``meta.cut_at_depth``, or the reason ``too_deep``.

The Pile joined the listings of 69 crawls, CC-MAIN-2013-20 to 2020-24, cut them into 3,679 blocks of
1,000 files, and read 22 of these. Which is not stated; blocks were to be read in the order of
``random.seed(42)`` and a shuffle of range(3679), which ``examples/pile-2020.toml`` takes the first 22
of. Its author's whole set is as large as 3.5 PB.

Traps: a response may be no HTTP (``dns:``), and the original stopped at the first such record of a
file; here it is rejected and reading goes on. Bodies over 1 MiB (5 MiB since 2025) are cut by the
crawler, which ``meta.truncated`` tells. Payload digests are counted differently by different
crawlers, so one that does not hold is only noted in ``meta``; a block digest that does not hold
means other bytes than were written, and the record is rejected.

Known differences from the release: the quality filter that the Pile drew pages by, and deduplication,
are stages of their own. The filter's fastText model was not published; ``[quality]`` in pipeline.toml
trains one from your own OpenWebText2 and these documents, and is off until asked for. A cut file
is refused, where the original kept the pages before the cut. Charsets are guessed by faust-cchardet,
the heir of cchardet 2.1.6, which may guess otherwise. `sources.formats.html_events` names the rare
markup that is read otherwise.

Place in a file: the number of the record among all of the file's, counted from 1. An id is
``pile_cc/`` and the record's UUID, or file and place where it has none.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import cchardet
import pycld2

from sources.archives import open_stream
from sources.formats.html_events import TooDeepError
from sources.formats.numbering import Uses, numbered
from sources.formats.warc import (
    Message,
    OverlongError,
    Record,
    decoded_body,
    digest_holds,
    parse_response,
    records,
)
from sources.formats.web_text import DEPTH, MainText, main_text, whole_main_text
from sources.option_checks import distinct, each, every, not_empty, of_form, within
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
    by_fidelity,
    excerpt,
)

HOST = "https://data.commoncrawl.org/"
LICENCE = "copyright of each page's owner, under the Common Crawl terms of use"

LIMIT = 8 << 20
"""Bytes of a record, and of a page as decoded; Common Crawl's own limit is 5 MiB. Of nothing but
tags, a page takes 35 times as much."""

BLOCK = 1000
"""Paths in a block, as the Pile's downloader cut them."""

LISTING_LIMIT = 64 << 20
"""Bytes of a crawl's decompressed listing; 100,000 paths have about 14 MB."""

EXTRACTIONS = {"published": main_text, "corrected": whole_main_text}

_PATH = re.compile(r"crawl-data/(?!\.)[\w.-]+(?:/(?!\.)[\w.-]+)*\.warc\.gz")


class _UnfitError(Exception):
    """A record that gives no document: the reason, and something to look at."""


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield WARC files of ``crawls``, in the order of their listings, one crawl behind the other.

    ``blocks`` takes of these paths only blocks of 1,000, by number from 0 on, as the Pile did. Of what is
    taken so, ``first`` files are passed over and ``count`` planned; ``count = 0`` takes all that follow.
    Raises ValueError if a listing is not in its known form, or ends before what is asked for.
    """
    first, count = int(str(options["first"])), int(str(options["count"]))
    path = ""
    for path in islice(_chosen(options, get), first, first + count if count else None):
        yield RawFile(HOST + path, path.removeprefix("crawl-data/"))
    if not path:
        raise ValueError(f"{HOST} lists no file from {first:,} on in what crawls and blocks take")


def _chosen(options: Options, get: Get) -> Iterator[str]:
    """Yield the paths of all crawls, or of the blocks asked for; no more is listed than they need."""
    crawls, blocks = options["crawls"], options["blocks"]
    if not isinstance(crawls, tuple) or not isinstance(blocks, tuple):
        raise ValueError(f"crawls and blocks are {crawls!r} and {blocks!r}, not lists")  # noqa: TRY004
    paths = chain.from_iterable(_listed(str(crawl), get) for crawl in crawls)
    if not blocks:
        yield from paths
        return
    wanted = frozenset(map(int, blocks))
    number = -1
    for number, path in enumerate(islice(paths, (max(wanted) + 1) * BLOCK)):
        if number // BLOCK in wanted:
            yield path
    if number // BLOCK < max(wanted):
        raise ValueError(
            f"{HOST} lists {number + 1:,} files in these crawls, and so no block {max(wanted)}"
        )


def _listed(crawl: str, get: Get) -> Iterator[str]:
    url = f"{HOST}crawl-data/{crawl}/warc.paths.gz"
    decompress = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        listing = decompress.decompress(get(url), LISTING_LIMIT)
    except zlib.error as error:
        raise ValueError(f"{url}: no gzip file ({error})") from error
    if not decompress.eof:
        raise ValueError(f"{url}: cut short, or longer than {LISTING_LIMIT:,} bytes")
    for path in listing.decode("ascii", "replace").split():
        if not _PATH.fullmatch(path):
            raise ValueError(f"{url} lists {path[:200]!r}, which is no path of a WARC file")
        yield path


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every record of a WARC file; see the module."""
    chosen = by_fidelity(options, EXTRACTIONS)
    taken = Uses()
    with open_stream(path) as stream:
        for record in records(stream, raw.name, {"response"}, LIMIT):
            origin = f"{raw.name}:{record.number}"
            try:
                text, meta = _page(record, chosen)
            except _UnfitError as unfit:
                reason, shown = unfit.args
                yield Rejected(origin, reason, excerpt(f"{_url(record)} {shown}".strip()))
            else:
                identifier = _uuid(record) or origin
                yield Document(
                    numbered(f"pile_cc/{identifier}", taken), text, origin, LICENCE, meta
                )


def _page(record: Record, extract: Callable[[str], MainText]) -> tuple[str, dict[str, Json]]:
    message = _response(record)
    html = decode(_body(message))
    language = english(html)
    try:
        paragraphs, cut = extract(html)
    except TooDeepError:
        raise _UnfitError("too_deep", html) from None
    if not paragraphs:
        raise _UnfitError("too_deep" if cut else "no_text", html)
    meta: dict[str, Json] = {
        "url": _url(record),
        "date": record.headers.get("warc-date", ""),
        "content_type": message.headers.get("content-type", ""),
        "language": language,
    }
    if cut:
        meta["cut_at_depth"] = DEPTH
    if "warc-truncated" in record.headers:
        meta["truncated"] = record.headers["warc-truncated"]
    if digest_holds(record.headers.get("warc-payload-digest", ""), message.body) is False:
        meta["payload_digest_holds"] = False
    return "\n\n".join(paragraphs), meta


def _response(record: Record) -> Message:
    if record.kind != "response":
        raise _UnfitError("not_a_response", record.kind)
    if record.block is None:
        raise _UnfitError("overlong", f"{record.length:,} bytes")
    if digest_holds(record.headers.get("warc-block-digest", ""), record.block) is False:
        raise _UnfitError("block_digest", record.headers["warc-block-digest"])
    over_http = _url(record).startswith(("http:", "https:"))
    message = parse_response(record.block) if over_http else None
    if message is None:
        raise _UnfitError("no_http_headers", record.block[:100].decode("ascii", "replace"))
    return message


def _body(message: Message) -> bytes:
    try:
        return decoded_body(message, LIMIT)
    except OverlongError:
        raise _UnfitError("overlong", f"over {LIMIT:,} bytes decompressed") from None


def decode(content: bytes) -> str:
    """Decode a page as UTF-8, else as cchardet guesses."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        guess = cchardet.detect(content)["encoding"]
    if not guess or guess == "UTF-8":
        raise _UnfitError("undecodable", f"guess: {guess}")
    try:
        html = content.decode(guess)
        # UTF-7 can spell half a surrogate pair, with which nothing further can be done.
        html.encode("utf-8")
    except (UnicodeError, LookupError):
        raise _UnfitError("undecodable", f"guess: {guess}") from None
    return html


def english(html: str) -> str:
    """Return the code of a page's first language as CLD2 has it, which is English."""
    try:
        details = pycld2.detect(html)[2]
    except pycld2.error:
        without_control = "".join(c for c in html if unicodedata.category(c)[0] != "C")
        try:
            details = pycld2.detect(without_control)[2]
        except pycld2.error as error:
            raise _UnfitError("language_undetected", str(error)) from error
    language = str(details[0][1])
    if language != "en":
        raise _UnfitError("not_english", language)
    return language


def _url(record: Record) -> str:
    # wget 1.19 writes the address in angle brackets.
    return record.headers.get("warc-target-uri", "").removeprefix("<").removesuffix(">")


def _uuid(record: Record) -> str:
    return record.headers.get("warc-record-id", "").strip("<>").removeprefix("urn:uuid:")


SOURCE = Source(
    name="pile_cc",
    pile_set_name=PILE_SET_NAMES["pile_cc"],
    licence=LICENCE,
    access="open",
    version=2,
    read=read,
    plan=plan,
    reasons={
        "not_a_response": "a record of another type: a request, a WET text, metadata, a revisit",
        "no_http_headers": "a response that is no HTTP message, such as of DNS",
        "block_digest": "a record whose bytes do not have the digest it states",
        "overlong": "a record or page of more than 8 MiB",
        "undecodable": "a page neither in UTF-8 nor in the charset that its bytes suggest",
        "language_undetected": "a page that CLD2 refuses",
        "not_english": "a page whose first language is not English; images and the like as well",
        "too_deep": "a page without text in the first 257 elements of depth, and cut there; "
        "corrected: with more than 2,048 elements in one another",
        "no_text": "a page that is boilerplate throughout",
    },
    defaults={
        "crawls": ("CC-MAIN-2020-24",),
        "blocks": (),
        "first": 0,
        "count": 1,
        "fidelity": "published",
    },
    checks={
        "crawls": every(
            not_empty, distinct, each(of_form(r"CC-MAIN-\d{4}-\d\d", "CC-MAIN-YYYY-WW"))
        ),
        "blocks": every(distinct, each(within(0))),
        "first": within(0),
        "count": within(0),
    },
    partly="1 WARC file of one crawl, about 1 GB; the Pile took 22,000, in 22 blocks of 3,679"
    " over 69 crawls",
    homepage="https://commoncrawl.org/",
    # The 22 blocks of 1,000 WARC files that the Pile took, of about 1 GB each.
    raw_bytes=21_000_000_000_000,
    # Ten at a time is Common Crawl's own limit (cc-downloader); the rate is a guess.
    paces={"data.commoncrawl.org": Pace(4.0, 10)},
    libraries=("lxml", "justext", "pycld2", "faust-cchardet"),
)
