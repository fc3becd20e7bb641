r"""HackerNews: stories with the chains of comments below them.

Raw format: items as https://hacker-news.firebaseio.com/v0/ gives them: a JSON object with ``id``,
``type`` (story, comment, job, poll, pollopt), ``by``, ``time``, ``text`` (HTML of ``p``, ``a``, ``i``,
``pre``, ``code``), ``dead``, ``deleted``, ``parent``, ``kids`` (ranked), ``url``, ``score``, ``title``,
``descendants``; ``null`` where there is none. Files have an item a line, as `plan` fetches them,
``items/00000001-00010000.jsonl``, and as an export of BigQuery's ``hacker_news.full`` can be made to
have; or are one item, ``item/8863.json``. Either may be compressed, or packed in archives.

Published extraction: a story with at least one point and one descendant that is not dead. ``title -
by`` and a line end; if there is a url, a line end, that again, and the url; if there is a text, a line
end, all that again, and its raw HTML. A line ``======`` follows, then each direct comment's chain,
between lines of ``------``: the comment, then, behind ``~~~``, the one of its answers with the most answers
of its own (of equals the first), and so on. A comment is its author, a line end, and html2text's
Markdown, wrapped at 78 columns. Comments without text or dead do not count.

Traps: a story is lost if an item that its chains look at is null or a comment lacks its author.
A story whose comments are all dead ends behind its line of ``======``. Links are broken at hyphens.

``fidelity = "corrected"`` says title, url and text once, the text as Markdown too, does not wrap (as
was meant), loses no story over a comment, and rejects those without any.

Known differences: none in the text, see `sources.formats.html_markdown` for html2text's. The
published crawl lost stories also where it was interrupted. Here an item that is not among the files
is taken for null.

A story's comments have higher numbers than it, over days and thus files, so all files are read
together: each is read once for its soundness and once into a temporary file (in the folder that TMPDIR
names, of about the size of all items), in which items are looked up by number. Memory does not grow.
Only what is not a comment is a record of its own; a document's meta says how many of how many comments
are in it. Documents come by id. Place in a file: the line, and the archive's member. The id is
``hackernews/ID``. The Pile's last item is 24,531,712, a request each, so
`plan` is small unless told otherwise, and ``last = 0`` stands for the newest item.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeGuard

from sources.archives import Overlong, lines
from sources.formats import hn_threads
from sources.formats.hn_threads import Item, LookUp, NoDocument, Thread
from sources.formats.on_disk import DiskMap
from sources.formats.packed import UNREADABLE, PackedFile, files
from sources.option_checks import OptionError, every, within
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Grouping,
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

API = "https://hacker-news.firebaseio.com/v0/"
LICENCE = "its users' copyright, given to Y Combinator under its terms of use"
LONGEST = 1 << 20
"""Bytes of one item; the longest honest ones have 100 KiB."""
CHUNK = 1 << 20
ITEMS = 10_000
"""Items that are fetched into one file, an item a line."""


_NUMBER = re.compile(rb"\s*([0-9]{1,9})\s*")


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield files of up to `ITEMS` items, from ``first`` to ``last``; there are no checksums.

    They end at multiples of `ITEMS`, so that a later ``last`` leaves all but one as they are.
    Raises ValueError for bounds out of order.
    """
    first, last = int(str(options["first"])), int(str(options["last"])) or _newest(get)
    if not 1 <= first <= last:
        raise ValueError(f"first is {first}, last {last}: items count from 1")
    starts = [first, *range(first + ITEMS - (first - 1) % ITEMS, last + 1, ITEMS)]
    ends = [*(start - 1 for start in starts[1:]), last]
    return [_items(start, end) for start, end in zip(starts, ends, strict=True)]


def _not_before_first(value: Option, options: Options) -> None:
    """Check the option ``last``, of which 0 stands for the newest item."""
    if isinstance(value, int) and 0 < value < int(str(options["first"])):
        raise OptionError(f"it lies before first = {options['first']!r}")


def _items(start: int, end: int) -> RawFile:
    name = f"items/{start:09}-{end:09}.jsonl"
    return RawFile(f"{API}item/{{{start}..{end}}}.json", name, form="items")


def _newest(get: Get) -> int:
    url = f"{API}maxitem.json"
    number = _NUMBER.fullmatch(get(url))
    if number is None:
        raise ValueError(f"{url} is no number: its form may have changed")
    return int(number[1])


def one_group(raw: RawFile, options: Options) -> str:
    """Return the same for all files: a story's comments may lie in any of them."""
    del raw, options
    return ""


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every item of one file that is no comment."""
    yield from read_together([(path, raw)], options)


def read_together(
    raw_files: Sequence[tuple[Path, RawFile]], options: Options
) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every item of all files that is no comment; see the module.

    Raises `UnreadableFile` if none of the files can be read to its end.
    """
    thread_of = by_fidelity(options, FIDELITIES)
    errors = 0
    with DiskMap() as items, DiskMap() as origins:
        for path, raw in raw_files:
            try:
                _read_through(path, raw)
            except UnreadableFile as error:
                errors += 1
                if errors == len(raw_files):
                    raise
                yield Rejected(raw.name, "unreadable_file", excerpt(str(error)))
            else:
                yield from _take_in(path, raw, items, origins)
        for number, origin in origins.items():
            yield _outcome(number, origin.decode("utf-8"), partial(_load, items), thread_of)


def _read_through(path: Path, raw: RawFile) -> None:
    """Raise `UnreadableFile` if a file cannot be read to its end."""
    for _, stream in files(path, raw):
        while stream.read(CHUNK):
            pass


def _take_in(path: Path, raw: RawFile, items: DiskMap, origins: DiskMap) -> Iterator[Rejected]:
    """Put a file's items on disk, and the origin of each that is no comment; yield what is none."""
    for file, stream in files(path, raw):
        for found in _records(file, stream):
            if isinstance(found, Rejected):
                yield found
                continue
            origin, content = found
            reason = _keep(content, origin, items, origins)
            if reason:
                yield Rejected(origin, reason, excerpt(content.decode("utf-8", "replace")))


def _records(file: PackedFile, stream: BinaryIO) -> Iterator[tuple[str, bytes] | Rejected]:
    """Yield origin and JSON of every item of a file."""
    if file.problem:
        yield Rejected(file.origin, "unreadable_member", file.problem)
    elif file.name.endswith(".json"):
        content = stream.read(LONGEST + 1)
        too_large = Rejected(file.origin, "too_large", excerpt(file.name))
        yield (file.origin, content) if len(content) <= LONGEST else too_large
    elif file.name.endswith((".jsonl", ".ndjson")):
        for number, line in enumerate(lines(stream, LONGEST), 1):
            origin = f"{file.origin}:{number}"
            if isinstance(line, Overlong):
                yield Rejected(origin, "too_large", excerpt(file.name))
            elif line.strip():
                yield origin, line
    else:
        yield Rejected(file.origin, "not_items", excerpt(file.name))


def _keep(content: bytes, origin: str, items: DiskMap, origins: DiskMap) -> str:
    """Keep an item, or return why not."""
    try:
        item = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return "malformed_json"
    if item is None:
        return "no_item"
    number = item.get("id") if isinstance(item, dict) else None
    if not _is_number(number):
        return "not_an_item"
    if not items.add(number, content):
        return "repeated_item"
    if item.get("type") != "comment":
        origins.add(number, origin.encode("utf-8", "replace"))
    return ""


def _load(items: DiskMap, number: object) -> Item | None:
    """Return an item that was kept, or None."""
    content = items.get(number) if _is_number(number) else None
    if content is None:
        return None
    item: Item = json.loads(content.decode("utf-8"))
    return item


def _is_number(number: object) -> TypeGuard[int]:
    return type(number) is int and 0 <= number < 1 << 63


def _outcome(
    number: int, origin: str, look_up: LookUp, thread_of: Callable[[Item, LookUp], Thread]
) -> Document | Rejected:
    item = look_up(number) or {}
    try:
        hn_threads.judge(item)
        thread = thread_of(item, look_up)
        descendants = hn_threads.count(item, "descendants")
    except NoDocument as story:
        return Rejected(origin, story.reason, excerpt(str(item.get("title", f"item {number}"))))
    return Document(
        id=f"hackernews/{number}",
        text=thread.text,
        origin=origin,
        licence=LICENCE,
        meta={"id": str(number), "comments": thread.comments, "descendants": descendants},
    )


FIDELITIES = {"published": hn_threads.published, "corrected": hn_threads.corrected}


SOURCE = Source(
    name="hackernews",
    pile_set_name=PILE_SET_NAMES["hackernews"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_file": "a raw file that is cut or damaged",
        "unreadable_member": UNREADABLE,
        "not_items": "a file whose name ends neither in .json nor in .jsonl or .ndjson",
        "too_large": (
            f"an item of more than {LONGEST >> 20} MiB or {hn_threads.MOST_ANSWERS:,} answers, or a"
            f" document of more than {hn_threads.LONGEST_DOCUMENT >> 20} Mi characters"
        ),
        "malformed_json": "no JSON in UTF-8",
        "no_item": "null: upstream has no such item",
        "not_an_item": "JSON of another kind, without a whole number as id",
        "repeated_item": "an id that was there before",
        "not_a_story": "a job, poll, or a poll's option",
        "dead": "taken down",
        "incomplete": "a story without type, score, descendants, title, author or kids (deleted, mostly)",
        "low_score": "no point",
        "no_comments": "no descendant; if `corrected`, none that counts",
        "missing_comment": "a comment that its chains look at is null (`published` alone)",
        "incomplete_comment": "a comment without author (`published` alone), or whose text is no text",
        "unreadable_markup": "a text that takes too much to convert",
    },
    defaults={"fidelity": "published", "first": 1, "last": 10_000},
    checks={"first": within(1), "last": every(within(0), _not_before_first)},
    partly="10,000 items; the Pile took 24,531,712, which gave 831,198 documents",
    homepage="https://github.com/HackerNews/API",
    # 24,531,712 items of about 400 bytes: a guess.
    raw_bytes=10_000_000_000,
    # "Currently no rate limit", says its README; the pace is a guess at what is decent.
    paces={"hacker-news.firebaseio.com": Pace(100.0, 16)},
    grouping=Grouping(key=one_group, read=read_together),
)
