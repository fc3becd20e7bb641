r"""From dumps of Reddit's submissions to the pages they link to, the way OpenWebText2 chose them.

Raw format: ``RS_YYYY-MM`` and, up to 2010, ``RS_v2_YYYY-MM``: lines of JSON, one submission each, as
they are or in bz2, xz or Zstandard with a window of up to 2 GiB. Of a submission count ``id`` (base
36), ``is_self``, ``url``, ``score``, ``title``, ``subreddit`` and ``created_utc`` (a number, or in old dumps a
text).

Published choice: submissions with ``is_self`` false and a url; their scores (0 where there is none)
summed over all submissions of exactly the same url; pages of at least ``min_score``; then the filter of
addresses (`link_filter`). Pages come in the order of their addresses' bytes, the submissions of each in
order of their ids.

The original's last page in that order went without a test of its score: it was listed if the file of
100,000 that it would be in already held a page, and was lost if not. ``published`` does the same,
``corrected`` tests it like any other.

Not reproduced, as it hung on sizes of buffers and on luck: lines lost at the end of a dump without a
newline, at chunks that began or ended within a character, and in batches with an id that was known
before. Here an id that a page has already is counted as a repeat, and the first in the order of the
dumps and their lines stays. The original kept times in its machine's zone, here they are seconds since 1970.

A billion submissions take the memory of one run of `sorted_runs`. Of a page with more than
`MOST_STATED` submissions, or very long ones, a list states the best scored.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson

from sources.archive_pull import LONG_WINDOW
from sources.archives import Overlong, lines, open_stream
from sources.formats import link_filter
from sources.formats.sorted_runs import merged, write_runs

LINE_LIMIT = 16 << 20
"""Bytes of a submission; the original's limit too."""

RUN_BYTES = 256 << 20
"""Bytes of memory in which submissions are sorted."""

PUBLISHED_FILE = 100_000
"""Pages in one of the original's files."""

MOST_STATED = 500
"""Submissions of one page that are stated: those of the highest scores, so that the sum suffices."""

LONGEST_LINE = 48 << 10
"""Bytes of a list's line; of a page with longer ones, fewer submissions are stated."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "self_post": "a submission that links to nothing but itself",
        "no_is_self": "a submission that does not say whether it links out",
        "no_url": "a submission that links out, but not where to",
        "malformed": "no JSON object, or an id, url, score or time that is none",
        "overlong": f"a line of more than {LINE_LIMIT >> 20} MiB",
        "repeated": "a submission that its page has already",
        "low_score": "submissions of a page whose scores sum to less than the least",
        "last_page": "submissions of the last page of all, which the original lost",
        **link_filter.REASONS,
    }
)
"""Why a submission leads to no page of the list; addresses are named by their submissions."""

FIDELITIES = ("published", "corrected")

# Bytes up to the newline's, so that none of them, and no NUL, stands in what is sorted; order stays.
_ESCAPES = {number: bytes((1, 16 + number)) for number in range(11)}
_LOW = re.compile(rb"[\0-\x0a]")
_ESCAPED = re.compile(rb"\x01([\x10-\x1a])")
_BASE36 = re.compile(r"[0-9A-Za-z]{1,12}")
_INTEGER = re.compile(r"\d{1,15}")


@dataclass(frozen=True, slots=True)
class SortedDump:
    """A dump's submissions that link out, in runs; how many lines it had, and those left out."""

    runs: tuple[Path, ...]
    submissions: int
    rejected: Mapping[str, int]


@dataclass(slots=True)
class Tally:
    """Submissions that came in, those of listed pages, and the others by reason; pages listed."""

    submissions: int = 0
    given: int = 0
    pages: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, dump: SortedDump) -> None:
        """Count what a dump held."""
        self.submissions += dump.submissions
        self.rejected.update(dump.rejected)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which pages are listed."""

    min_score: int = 3
    fidelity: str = "published"

    def __post_init__(self) -> None:
        """Raise ValueError for a fidelity that is none."""
        if self.fidelity not in FIDELITIES:
            raise ValueError(f"fidelity is {self.fidelity!r}, not one of {', '.join(FIDELITIES)}")


Submission: TypeAlias = tuple[int, str | None, int, str | None, int]
"""Id, subreddit, score, title, and seconds since 1970."""


@dataclass(slots=True)
class Page:
    """A page's address and its submissions; ``submissions`` and ``score`` count also those not stated."""

    url: str
    stated: list[Submission] = field(default_factory=list)
    submissions: int = 0
    score: int = 0

    def line(self) -> bytes:
        """Return the page as a line of a list: JSON, with OpenWebText2's names of fields."""
        stated = sorted(_best(self.stated, MOST_STATED))
        line = self._line(stated)
        while len(line) > LONGEST_LINE and len(stated) > 1:
            stated = sorted(_best(stated, len(stated) // 2))
            line = self._line(stated)
        return line

    def take(self, submission: Submission) -> None:
        """Add a submission; of very many, only the best scored are kept."""
        self.submissions += 1
        self.score += submission[2]
        self.stated.append(submission)
        if len(self.stated) >= 4 * MOST_STATED:
            self.stated = _best(self.stated, MOST_STATED)

    def _line(self, stated: Sequence[Submission]) -> bytes:
        ids, subreddits, scores, titles, created = zip(*stated, strict=True)
        record = {
            "url": self.url,
            "reddit_id": ids,
            "subreddit": subreddits,
            "reddit_score": scores,
            "reddit_title": titles,
            "reddit_created_utc": created,
        }
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _best(submissions: Sequence[Submission], most: int) -> list[Submission]:
    """Return those of the highest scores, of equal ones the first ids."""
    return sorted(submissions, key=lambda one: (-one[2], one[0]))[:most]


def sort_dump(path: Path, number: int, folder: Path, room: int = RUN_BYTES) -> SortedDump:
    """Write a dump's submissions that link out to ``folder``, as runs sorted by address and id.

    ``number`` is the dump's own among those that are merged. Raises
    `sources.source.UnreadableFile` for a dump that is cut or damaged.
    """
    rejected: Counter[str] = Counter()
    count = 0

    def found() -> Iterator[bytes]:
        nonlocal count
        with open_stream(path, LONG_WINDOW) as stream:
            for count, line in enumerate(lines(stream, LINE_LIMIT), 1):
                record = _record(line, f"{number:08x}{count:012x}")
                if isinstance(record, bytes):
                    yield record
                else:
                    rejected[record] += 1

    runs = write_runs(found(), folder, f"{number:08d}", room)
    return SortedDump(tuple(runs), count, dict(sorted(rejected.items())))


def pages(runs: Sequence[Path], folder: Path, choice: Choice, tally: Tally) -> Iterator[Page]:
    """Yield the pages to list, in order of their addresses; the runs are deleted on the way.

    ``tally`` is brought up to date.
    """
    waiting: Page | None = None
    why_not = link_filter.FILTERS[choice.fidelity]
    # Those of enough score, whatever their addresses: by these the original's files were filled.
    enough = 0
    for page in chain(_grouped(merged(runs, folder), tally), [None]):
        if waiting is not None:
            reason = _by_score(waiting, choice, enough, is_last=page is None)
            enough += reason is None
            reason = reason or why_not(waiting.url)
            if reason is None:
                tally.given += waiting.submissions
                tally.pages += 1
                yield waiting
            else:
                tally.rejected[reason] += waiting.submissions
        waiting = page


def _by_score(page: Page, choice: Choice, enough: int, *, is_last: bool) -> str | None:
    if is_last and choice.fidelity == "published":
        return None if enough % PUBLISHED_FILE else "last_page"
    return None if page.score >= choice.min_score else "low_score"


def _grouped(records: Iterable[bytes], tally: Tally) -> Iterator[Page]:
    """Yield one page for each address of the sorted records."""
    page: Page | None = None
    before = b""
    last_id = ""
    for record in records:
        address, identifier, _, payload = record.split(b"\0", 3)
        if page is None or address != before:
            if page is not None:
                yield page
            page, before, last_id = Page(_unescaped(address)), address, ""
        if (found := identifier.decode()) == last_id:
            tally.rejected["repeated"] += 1
            continue
        last_id = found
        subreddit, score, title, created = orjson.loads(payload)
        page.take((int(found, 16), subreddit, score, title, created))
    if page is not None:
        yield page


def _record(line: bytes | Overlong, place: str) -> bytes | str:
    """Return a submission as it is sorted, or the reason that it is not.

    Address, id and place are of fixed width or end with a NUL, so that bytes sort as they do.
    """
    if isinstance(line, Overlong):
        return "overlong"
    post = _parsed(line)
    if not isinstance(post, dict):
        return "malformed"
    return _no_link(post) or _sortable(post, place) or "malformed"


def _no_link(post: Mapping[str, Any]) -> str | None:
    """Return why a submission is no link, if it is none."""
    is_self = post.get("is_self")
    if is_self is None or is_self:
        return "no_is_self" if is_self is None else "self_post"
    return "no_url" if post.get("url") in (None, "") else None


def _sortable(post: Mapping[str, Any], place: str) -> bytes | None:
    """Return a link as a line to sort, or None if one of its fields is not what it should be."""
    url, score = post["url"], post.get("score") or 0
    identifier, created = post.get("id"), _seconds(post.get("created_utc"))
    if not (isinstance(url, str) and isinstance(score, int) and isinstance(identifier, str)):
        return None
    if created is None or not _BASE36.fullmatch(identifier):
        return None
    stated = [_text(post.get("subreddit")), score, _text(post.get("title")), created]
    try:
        address = _LOW.sub(lambda low: _ESCAPES[low[0][0]], url.encode("utf-8"))
        payload = orjson.dumps(stated)
    except (UnicodeEncodeError, orjson.JSONEncodeError):  # half a pair; a number over 64 bits
        return None
    return b"%s\0%016x\0%s\0%s\n" % (address, int(identifier, 36), place.encode(), payload)


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    try:
        # The standard library takes halves of surrogate pairs, which titles hold now and then.
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str | None:
    """Return a text without halves of surrogate pairs; None for what is none."""
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _seconds(value: object) -> int | None:
    """Return a time as whole seconds: a number, or a text of digits."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 48:
        return int(value)
    return None


def _unescaped(address: bytes) -> str:
    return _ESCAPED.sub(lambda low: bytes((low[1][0] - 16,)), address).decode("utf-8")
