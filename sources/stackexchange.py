r"""StackExchange: questions with their best answers, from the sites' data dumps.

Raw format: a 7z archive a site (``coffee.stackexchange.com.7z``; in older dumps the largest site's
posts alone, ``stackoverflow.com-Posts.7z``), in which ``Posts.xml`` holds a row a post in order of
ids: an answer may come long after its question. The other members (users, comments, votes …) are not
read. A ``Posts.xml`` by itself, also compressed, is read if its folder is named after the site.
archive.org has the dumps: the item ``stackexchange`` up to April 2024, where the uploads ended, and
later ones that others put there, such as ``stackexchange_20251231``; `plan` lists an ``item``, or of
it the ``sites``.

Published extraction (EleutherAI/stackexchange-dataset, its defaults): a question whose
``AnswerCount`` is not 0 waits until as many answers have been met. Of these, the accepted one and
those with a score of 3 are kept; the three with the highest scores are written, the earlier first
among equals. ``Q:``, title, body, then for each answer ``A:`` and body, each piece followed by a
blank line; all HTML as Beautiful Soup's text (`sources.formats.fragment_text`); three or more
newlines then become two. Documents come in the order in which their last answers do.

Traps: an accepted answer has no precedence and can be cut. A title is plain text, yet is read as
HTML, so ``<div>`` goes from it. A question of which an answer was deleted or moved may never be
complete, and is lost. Code comes without fences.

``fidelity = "corrected"`` puts the accepted answer first, takes the title as it is, and gives
questions that were not complete at the end, in order of ids, with the answers there were.

What counts as a record: a question; an answer for which no question waits; a row of another kind;
a line that is no row. An answer for which a question waits is a part of that question.

Known differences: none on the samples. A broken row is rejected alone, where the original left the
rest of its site unread; so is a question with a repeated id, which replaced the one before. Half a
character (``&#xD800;``) becomes U+FFFD.

Place in a file: the line of the row, counted from 1; of an archive, behind the member's name. An id is
``stackexchange/SITE/QUESTION``. Licence: CC BY-SA in the versions that the posts of a document state
(``CC-BY-SA-3.0 AND CC-BY-SA-4.0``); in dumps before 2019, which state none, in those of the days on
which they were written, by Stack Exchange's own rule (`VERSIONS`). It asks for attribution: site, ids and owners (a user's number,
or the name of one who left) of question and answers are in the meta, in the order of the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from lxml import etree

from sources.formats.fragment_text import BrokenMarkupError, fragment_text
from sources.formats.listings import xml_root
from sources.formats.packed import files
from sources.formats.stack_posts import BrokenRow, Row, rows
from sources.formats.stack_waiting import Answer, Question, Waiting
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

MIN_SCORE = 3
MAX_ANSWERS = 3

POSTS = "Posts.xml"
ARCHIVE = ".7z"
QUESTION, ANSWER = "1", "2"
LICENCE = "CC-BY-SA"
"""Of posts that state neither a version nor a day."""

VERSIONS = (("2018-05-02", "CC BY-SA 4.0"), ("2011-04-08", "CC BY-SA 3.0"), ("", "CC BY-SA 2.5"))
"""From which day on posts come under which licence (https://stackoverflow.com/help/licensing)."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DUMP = re.compile(
    r"(?P<site>[a-z0-9.-]+?)(?:-Posts)?(?<!-Badges)(?<!-Comments)(?<!-PostHistory)(?<!-PostLinks)"
    r"(?<!-Tags)(?<!-Users)(?<!-Votes)\.7z"
)
_SHA1 = re.compile(r"[0-9a-f]{40}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_MANY_NEWLINES = re.compile(r"\n{3,}")
_TAG = re.compile(r"[^<>|]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What tells the corrected documents from the published ones.

    ``title`` makes text of a title, ``accepted_first`` is whether the accepted answer goes before
    all others, ``takes_incomplete`` whether a question may lack answers that its count promises.
    """

    title: Callable[[str], str]
    accepted_first: bool
    takes_incomplete: bool


READINGS: Mapping[str, Reading] = MappingProxyType(
    {
        "published": Reading(fragment_text, accepted_first=False, takes_incomplete=False),
        "corrected": Reading(str, accepted_first=True, takes_incomplete=True),
    }
)


@dataclass(frozen=True, slots=True)
class Site:
    """A site whose posts are read: its name, the file they lie in, and how they are read."""

    name: str
    file: str
    reading: Reading

    def reject(self, line: int, reason: str, text: str | None) -> Rejected:
        """Return the rejection of the row on a line."""
        return Rejected(f"{self.file}:{line}", reason, excerpt(text or ""))


class MalformedRowError(ValueError):
    """A row that lacks what every post of its kind has, or has a number that is none."""


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every record of a site; see the module."""
    chosen = by_fidelity(options, READINGS)
    name = _site_of(raw.name)
    for file, posts in files(path, raw):
        if file.packed and PurePosixPath(file.name).name != POSTS:
            continue
        if file.problem:
            raise UnreadableFile(f"{file.origin}: {file.problem}; unpack and pack it again")
        with Waiting() as waiting:
            site = Site(name, file.origin, chosen)
            yield from _paired(rows(posts, file.origin), waiting, site)
        return
    raise UnreadableFile(f"{raw.name}: the archive holds no {POSTS}: no dump of a site's posts")


def _site_of(name: str) -> str:
    """Return a site's name, which only the names of files tell."""
    path = PurePosixPath(name)
    if path.suffix == ARCHIVE:
        return path.stem.removesuffix("-Posts")
    if not path.parent.name:
        raise UnreadableFile(
            f"{name}: its name does not tell the site; put it in a folder named after the site, "
            f"and give it as */{POSTS}"
        )
    return path.parent.name


def _paired(
    found: Iterable[Row | BrokenRow], waiting: Waiting, site: Site
) -> Iterator[Document | Rejected]:
    for row in found:
        outcome = _taken(row, waiting, site)
        if outcome is not None:
            yield outcome
    for question in waiting.left():
        answers = _best(question, waiting, site) if site.reading.takes_incomplete else []
        if answers:
            yield _document(question, answers, site)
        else:
            yield site.reject(question.line, "answers_missing", question.title)


def _taken(row: Row | BrokenRow, waiting: Waiting, site: Site) -> Document | Rejected | None:
    """Return what comes of a row; None if it waits, or is a part of what waits."""
    if isinstance(row, BrokenRow):
        reason = "overlong" if row.is_overlong else "malformed"
        return site.reject(row.line, reason, row.excerpt)
    take = TAKES.get(row.attributes.get("PostTypeId", ""))
    if take is None:
        return site.reject(row.line, "other_post", row.attributes.get("Body"))
    try:
        return take(row, waiting, site)
    except MalformedRowError:
        return site.reject(row.line, "malformed", str(dict(row.attributes)))


def _asked(row: Row, waiting: Waiting, site: Site) -> Rejected | None:
    stated = row.attributes
    accepted = stated.get("AcceptedAnswerId", "")
    question = Question(
        id=_whole(row, "Id"),
        line=row.line,
        accepted=int(accepted) if _WHOLE.fullmatch(accepted) else None,
        title=stated.get("Title"),
        body=stated.get("Body"),
        score=_whole(row, "Score", "0"),
        tags=stated.get("Tags", ""),
        owner=_owner(stated),
        licence=_licence(stated),
    )
    wanted = _whole(row, "AnswerCount", "0")
    if wanted <= 0:
        return site.reject(row.line, "unanswered", question.title)
    if not waiting.ask(question, wanted):
        return site.reject(row.line, "repeated", question.title)
    return None


def _licence(stated: Mapping[str, str]) -> str:
    """Return the licence that a row states or, in older dumps, that of its day; else nothing."""
    if stated.get("ContentLicense"):
        return stated["ContentLicense"]
    day = _DAY.match(stated.get("CreationDate", ""))
    if day is None:
        return ""
    return next(licence for first, licence in VERSIONS if day[0] >= first)


def _answered(row: Row, waiting: Waiting, site: Site) -> Document | Rejected | None:
    stated = row.attributes
    if "Body" not in stated:
        raise MalformedRowError
    answer = Answer(
        id=_whole(row, "Id"),
        score=_whole(row, "Score", "0"),
        body=stated["Body"],
        owner=_owner(stated),
        licence=_licence(stated),
    )
    parent = _whole(row, "ParentId")
    missing = waiting.answer(parent, answer, MIN_SCORE)
    if missing is None:
        return site.reject(row.line, "no_question", answer.body)
    if missing:
        return None
    question = waiting.question(parent)
    answers = _best(question, waiting, site)
    waiting.forget(parent)
    if not answers:
        return site.reject(question.line, "no_answer_kept", question.title)
    return _document(question, answers, site)


TAKES: Mapping[str, Callable[[Row, Waiting, Site], Document | Rejected | None]] = MappingProxyType(
    {QUESTION: _asked, ANSWER: _answered}
)
"""What takes a row, by its PostTypeId."""


def _whole(row: Row, name: str, absent: str = "") -> int:
    text = row.attributes.get(name, absent)
    if not _WHOLE.fullmatch(text):
        raise MalformedRowError
    return int(text)


def _owner(stated: Mapping[str, str]) -> str:
    return stated.get("OwnerUserId") or stated.get("OwnerDisplayName", "")


def _best(question: Question, waiting: Waiting, site: Site) -> list[Answer]:
    first = question.accepted if site.reading.accepted_first else None
    return waiting.best(question.id, MAX_ANSWERS, first)


def _document(question: Question, answers: Sequence[Answer], site: Site) -> Document | Rejected:
    try:
        text = _text(question, answers, site.reading)
    except BrokenMarkupError:
        return site.reject(question.line, "broken_html", question.title)
    posts: list[Question | Answer] = [question, *answers]
    meta: dict[str, Json] = {
        "site": site.name,
        "question": question.id,
        "answers": [answer.id for answer in answers],
        "owners": [post.owner for post in posts],
        "scores": [post.score for post in posts],
        "tags": list(_TAG.findall(question.tags)),
    }
    stated = {post.licence.replace(" ", "-") for post in posts if post.licence}
    return Document(
        id=f"stackexchange/{site.name}/{question.id}",
        text=text,
        origin=f"{site.file}:{question.line}",
        licence=" AND ".join(sorted(stated)) or LICENCE,
        meta=meta,
    )


def _text(question: Question, answers: Iterable[Answer], reading: Reading) -> str:
    pieces = ["Q:"]
    if question.title is not None:
        pieces.append(reading.title(question.title))
    if question.body is not None:
        pieces.append(fragment_text(question.body))
    for answer in answers:
        pieces += ("A:", fragment_text(answer.body))
    return _MANY_NEWLINES.sub("\n\n", "".join(f"{piece}\n\n" for piece in pieces))


def plan(options: Options, get: Get) -> Iterator[RawFile]:
    """Yield the dumps of an archive.org item by name, with the sizes and digests that it lists.

    ``sites`` chooses some; none chooses all. Where a site's tables lie in archives of their own, only
    that of posts is taken. Raises ValueError for a listing of another form, and for a site that is
    not in it.
    """
    item = str(options["item"])
    base = f"https://archive.org/download/{item}"
    given = options["sites"] if isinstance(options["sites"], tuple) else (options["sites"],)
    sites = frozenset(map(str, given))
    listing = xml_root(f"{base}/{item}_files.xml", "files", get)
    listed = {file.get("name", ""): file for file in listing.iter("file")}
    dumps = {name: match["site"] for name in listed if (match := _DUMP.fullmatch(name))}
    missing = sorted(sites - set(dumps.values()))
    if missing or not dumps:
        raise ValueError(f"{base} lists no dump of {', '.join(missing) or 'any site'}")
    for name in sorted(dumps):
        if not sites or dumps[name] in sites:
            yield _raw_file(listed[name], f"{base}/{name}", name)


def _raw_file(file: etree._Element, url: str, name: str) -> RawFile:
    size, digest = file.findtext("size", ""), file.findtext("sha1", "")
    return RawFile(
        url,
        name,
        int(size) if _WHOLE.fullmatch(size) else None,
        f"sha1:{digest}" if _SHA1.fullmatch(digest) else None,
    )


SOURCE = Source(
    name="stackexchange",
    pile_set_name=PILE_SET_NAMES["stackexchange"],
    licence=LICENCE,
    access="open",
    version=2,
    read=read,
    plan=plan,
    reasons={
        "unanswered": "a question whose AnswerCount is 0, or not stated",
        "no_answer_kept": "a question with no answer that was accepted or has a score of 3",
        "answers_missing": "a question that counts more answers than the file holds",
        "broken_html": "a question with HTML, its own or an answer's, that html.parser gives up on",
        "repeated": "a question with the id of one before",
        "no_question": "an answer whose question is not before it, has no answers, or is complete",
        "other_post": "neither a question nor an answer: a tag's description, a nomination …",
        "malformed": "a line that is no well-formed row, or a post without what all its kind have",
        "overlong": "a row of more than 1 MiB",
    },
    defaults={"fidelity": "published", "item": "stackexchange_20251231", "sites": ()},
    checks={
        "item": of_form(r"[\w.-]+", "stackexchange_20251231"),
        "sites": each(of_form(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", "coffee.stackexchange.com")),
    },
    homepage="https://archive.org/details/stackexchange",
    # All sites' 7z archives together: a guess.
    raw_bytes=100_000_000_000,
    # No limit is stated: a guess.
    paces={"archive.org": Pace(1.0, 2)},
)
