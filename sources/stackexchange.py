r"""StackExchange: questions with their best answers, from the sites' data dumps.

A dump is a 7z archive a site (``coffee.stackexchange.com.7z``; the largest site's posts come alone, as
``stackoverflow.com-Posts.7z``), in which ``Posts.xml`` holds a row a post, in order of ids: an answer
may come long after its question. The other members (users, comments, votes …) are not read. An unpacked
``Posts.xml`` is read too, in a folder named after its site.

As published (EleutherAI/stackexchange-dataset, its defaults): a question that has answers waits until as
many of them have been met as its ``AnswerCount`` says. Answers that were accepted or have a score of 3 are
kept; of these the three with the highest scores are written, the earlier first among equals, so an accepted
answer can be cut. The text is ``Q:``, title, body, then ``A:`` and body for each answer, all as
Beautiful Soup's text, three or more line breaks being made two. Documents come in the order in which their
last answers do. ``fidelity = "corrected"`` puts the accepted answer first and does not read the title as
HTML, which it is not.

What counts as a record: a question, a row of another kind, a broken row, and an answer without a waiting
question. An answer with one is a part of it. Waiting questions lie in a temporary database on disk, so
memory does not grow with the site.

Licence: CC BY-SA, in the version the post states; the site, ids and owners needed for attribution are in
the meta.
"""

import json
import re
import sqlite3
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from xml.etree import ElementTree as ET

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning

from sources.archives import members, open_stream
from sources.formats.stack_posts import BrokenRow, Row, rows
from sources.source import (
    Document,
    Get,
    Json,
    Options,
    RawFile,
    Rejected,
    Source,
    UnreadableFile,
    excerpt,
)

MIN_SCORE = 3
MAX_ANSWERS = 3
MAX_NESTING = 400
"""Depth of HTML elements that is read: Beautiful Soup's tree is walked by recursion."""

QUESTION, ANSWER = "1", "2"
LICENCE = "CC-BY-SA-4.0"

_SCHEMA = """
CREATE TABLE question (id TEXT PRIMARY KEY, line INTEGER, wanted INTEGER, met INTEGER, post TEXT);
CREATE TABLE answer (question TEXT, line INTEGER, post TEXT);
CREATE INDEX answer_question ON answer (question);
"""


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a site's questions as documents; ``origin`` names the line of the question's row."""
    site = _site(raw.name)
    if path.suffix != ".7z":
        with open_stream(path) as posts:
            yield from _Site(site, raw.name, options).read(posts)
        return
    found = False
    for member, stream in members(path):
        if PurePosixPath(member.name).name == "Posts.xml" and member.problem is None:
            found = True
            yield from _Site(site, f"{raw.name}:{member.name}", options).read(stream)
    if not found:
        raise UnreadableFile(
            f"{raw.name}: the archive holds no Posts.xml: no dump of a site's posts"
        )


def _site(name: str) -> str:
    path = PurePosixPath(name)
    if path.suffix == ".7z":
        return path.stem.removesuffix("-Posts")
    return path.parent.name or path.stem


class _Site:
    """Pairs the questions and answers of one site."""

    def __init__(self, site: str, name: str, options: Options) -> None:
        self._site = site
        self._name = name
        self._corrected = options["fidelity"] == "corrected"

    def read(self, stream: BinaryIO) -> Iterator[Document | Rejected]:
        """Yield documents as their last answers come, at the end what never became one."""
        # A database without a name is temporary: in memory while it is small, else on disk.
        with closing(sqlite3.connect("")) as waiting:
            waiting.executescript(_SCHEMA)
            for row in rows(stream, self._name):
                yield from self._take(waiting, row)
            for line, post in waiting.execute("SELECT line, post FROM question ORDER BY line"):
                yield self._reject(line, "answers_missing", json.loads(post).get("Title", ""))

    def _take(
        self, waiting: sqlite3.Connection, row: Row | BrokenRow
    ) -> Iterator[Document | Rejected]:
        if isinstance(row, BrokenRow):
            yield self._reject(
                row.line, "overlong" if row.is_overlong else "malformed", row.excerpt
            )
            return
        kind = row.attributes.get("PostTypeId")
        if kind == QUESTION:
            yield from self._ask(waiting, row)
        elif kind == ANSWER:
            yield from self._answer(waiting, row)
        else:
            yield self._reject(row.line, "other_post", row.attributes.get("Body", ""))

    def _ask(self, waiting: sqlite3.Connection, row: Row) -> Iterator[Rejected]:
        wanted = _number(row.attributes.get("AnswerCount"))
        if wanted <= 0 or "Id" not in row.attributes:
            yield self._reject(row.line, "unanswered", row.attributes.get("Title", ""))
            return
        post = json.dumps(dict(row.attributes), ensure_ascii=False)
        values = (row.attributes["Id"], row.line, wanted, post)
        try:
            waiting.execute("INSERT INTO question VALUES (?, ?, ?, 0, ?)", values)
        except sqlite3.IntegrityError:
            yield self._reject(row.line, "repeated", row.attributes.get("Title", ""))

    def _answer(self, waiting: sqlite3.Connection, row: Row) -> Iterator[Document | Rejected]:
        parent = row.attributes.get("ParentId", "")
        found = waiting.execute(
            "UPDATE question SET met = met + 1 WHERE id = ? RETURNING line, wanted, met, post",
            (parent,),
        ).fetchall()
        if not found:
            yield self._reject(row.line, "no_question", row.attributes.get("Body", ""))
            return
        ((line, wanted, met, text),) = found
        question = json.loads(text)
        accepted = question.get("AcceptedAnswerId") == row.attributes.get("Id")
        if accepted or _number(row.attributes.get("Score")) >= MIN_SCORE:
            post = json.dumps(dict(row.attributes), ensure_ascii=False)
            waiting.execute("INSERT INTO answer VALUES (?, ?, ?)", (parent, row.line, post))
        if met == wanted:
            kept = waiting.execute(
                "SELECT post FROM answer WHERE question = ? ORDER BY line", (parent,)
            ).fetchall()
            waiting.execute("DELETE FROM question WHERE id = ?", (parent,))
            waiting.execute("DELETE FROM answer WHERE question = ?", (parent,))
            yield self._pair(line, question, [json.loads(post) for (post,) in kept])

    def _pair(
        self, line: int, question: Mapping[str, str], answers: list[dict[str, str]]
    ) -> Document | Rejected:
        title = question.get("Title", "")
        if not answers:
            return self._reject(line, "no_answer_kept", title)
        accepted = question.get("AcceptedAnswerId") if self._corrected else None
        best = sorted(
            answers, key=lambda one: (one.get("Id") != accepted, -_number(one.get("Score")))
        )
        written = best[:MAX_ANSWERS]
        try:
            text = self._text(question, written)
        except _TooDeepError:
            return self._reject(line, "too_deep", title)
        return Document(
            f"stackexchange/{self._site}/{question['Id']}",
            text,
            f"{self._name}:{line}",
            _licence(question),
            _meta(self._site, question, written),
        )

    def _text(self, question: Mapping[str, str], answers: Iterable[Mapping[str, str]]) -> str:
        title = question.get("Title")
        if title is not None and not self._corrected:
            title = _plain(title)
        pieces = ["Q:", title, _plain_if(question.get("Body"))]
        for answer in answers:
            pieces += ["A:", _plain_if(answer.get("Body"))]
        text = "".join(f"{piece}\n\n" for piece in pieces if piece is not None)
        return re.sub(r"\n{3,}", "\n\n", text)

    def _reject(self, line: int, reason: str, text: str) -> Rejected:
        return Rejected(f"{self._name}:{line}", reason, excerpt(text))


class _TooDeepError(Exception):
    """HTML nested deeper than `MAX_NESTING`."""


def _plain_if(html: str | None) -> str | None:
    return None if html is None else _plain(html)


def _plain(html: str) -> str:
    """Return a post's text as the published code did."""
    if html.count("<") > MAX_NESTING and _depth(html) > MAX_NESTING:
        raise _TooDeepError
    with warnings.catch_warnings():
        # A post may well be nothing but an address.
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        return BeautifulSoup(html, "html.parser").get_text()


def _depth(html: str) -> int:
    """Return how deep elements can be nested at most."""
    depth = deepest = 0
    for closing_tag in re.findall(r"<(/?)[a-zA-Z]", html):
        depth = max(0, depth - 1) if closing_tag else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _licence(question: Mapping[str, str]) -> str:
    stated = question.get("ContentLicense")
    return stated.replace("CC BY-SA ", "CC-BY-SA-") if stated else LICENCE


def _meta(
    site: str, question: Mapping[str, str], answers: Iterable[Mapping[str, str]]
) -> dict[str, Json]:
    written = list(answers)
    return {
        "site": site,
        "question": question["Id"],
        "answers": [one.get("Id", "") for one in written],
        "owners": [one.get("OwnerUserId", "") for one in (question, *written)],
        "score": _number(question.get("Score")),
        "tags": re.findall(r"[^<>|]+", question.get("Tags", "")),
    }


def plan(options: Options, get: Get) -> Iterator[RawFile]:
    """Plan the dumps of an archive.org item, with the sizes and digests that it lists.

    Raises ValueError for a listing of another form.
    """
    item = str(options["item"])
    sites = options["sites"] if isinstance(options["sites"], tuple) else ()
    base = f"https://archive.org/download/{item}"
    try:
        listing = ET.fromstring(get(f"{base}/{item}_files.xml"))  # noqa: S314 - expat expands no bombs since 2.4.1
    except ET.ParseError as error:
        raise ValueError(f"{base}: the list of files is no XML: {error}") from error
    for file in sorted(listing.iter("file"), key=lambda one: one.get("name", "")):
        name = file.get("name", "")
        if name.endswith(".7z") and (not sites or _site(name) in sites):
            checksum = file.findtext("sha1")
            yield RawFile(
                f"{base}/{name}",
                name,
                _number(file.findtext("size")) or None,
                f"sha1:{checksum}" if checksum else None,
            )


SOURCE = Source(
    name="stackexchange",
    pile_set_name="StackExchange",
    licence="CC-BY-SA, in the version each post states",
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unanswered": "A question without answers.",
        "no_answer_kept": "No answer was accepted or has a score of 3.",
        "answers_missing": "The file holds fewer answers than the question counts.",
        "no_question": "An answer whose question is not in the file, has no answers, or is complete.",
        "repeated": "A question with the id of another.",
        "other_post": "Neither a question nor an answer: a tag's description, a wiki page …",
        "malformed": "A line that is no well-formed row.",
        "overlong": "A row longer than 16 MiB.",
        "too_deep": "HTML nested deeper than 400 elements.",
    },
    defaults={"fidelity": "published", "item": "stackexchange_20251231", "sites": ()},
    homepage="https://archive.org/details/stackexchange",
    libraries=("beautifulsoup4",),
)
