"""Questions that wait for their answers, on disk: a site's may take more than memory holds.

They lie in an anonymous temporary file (in the folder that TMPDIR names), gone with the process, of
which SQLite keeps the pages in use in memory. What stays of a question that is complete is its id.
"""

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from sources.formats.on_disk import SETTINGS

CACHE_KIB = 128 << 10
"""KiB of memory for the pages in use. Most answers come soon after their questions."""

_SCHEMA = """
CREATE TABLE count (id INTEGER PRIMARY KEY, wanted INTEGER, met INTEGER, accepted INTEGER);
CREATE TABLE question (
    id INTEGER PRIMARY KEY, line INTEGER, accepted INTEGER,
    title TEXT, body TEXT, score INTEGER, tags TEXT, owner TEXT, licence TEXT
);
CREATE TABLE answer (
    id INTEGER, score INTEGER, body TEXT, owner TEXT, licence TEXT, question INTEGER
);
CREATE INDEX answer_question ON answer (question);
BEGIN;
"""
# What changes with every answer lies apart from the long texts.


class Question(NamedTuple):
    """A question as its row states it; ``accepted`` is the id of an answer."""

    id: int
    line: int
    accepted: int | None
    title: str | None
    body: str | None
    score: int
    tags: str
    owner: str
    licence: str


class Answer(NamedTuple):
    """An answer as its row states it."""

    id: int
    score: int
    body: str
    owner: str
    licence: str


class Waiting:
    """The questions of a site that have not met all their answers; for use in ``with``.

    Raises sqlite3.Error when the disk is full.
    """

    def __init__(self) -> None:
        # The empty name stands for a temporary file without a name.
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in (*SETTINGS, f"cache_size = -{CACHE_KIB}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def ask(self, question: Question, wanted: int) -> bool:
        """Let a question wait for so many answers; tell whether its id is new."""
        counted = self._database.execute(
            "INSERT OR IGNORE INTO count VALUES (?, ?, 0, ?)",
            (question.id, wanted, question.accepted),
        )
        if counted.rowcount == 0:
            return False
        self._database.execute("INSERT INTO question VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", question)
        return True

    def answer(self, parent: int, answer: Answer, least: int) -> int | None:
        """Count an answer, and keep it if it was accepted or has the least score.

        Returns how many are still to come, or None if no question waits for it.
        """
        found = self._database.execute(
            "SELECT wanted - met, accepted FROM count WHERE id = ?", (parent,)
        ).fetchone()
        if found is None or found[0] == 0:
            return None
        missing, accepted = found
        if answer.id == accepted or answer.score >= least:
            self._database.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)", (*answer, parent)
            )
        self._database.execute("UPDATE count SET met = met + 1 WHERE id = ?", (parent,))
        return int(missing) - 1

    def question(self, number: int) -> Question:
        """Return a question that waits, or waited until its last answer."""
        found = self._database.execute("SELECT * FROM question WHERE id = ?", (number,))
        return Question(*found.fetchone())

    def best(self, number: int, most: int, first: int | None) -> list[Answer]:
        """Return a question's kept answers: the one with id ``first``, then by score, then in order."""
        found = self._database.execute(
            "SELECT id, score, body, owner, licence FROM answer WHERE question = ?"
            " ORDER BY id IS ? DESC, score DESC, rowid LIMIT ?",
            (number, first, most),
        )
        return [Answer(*row) for row in found]

    def forget(self, number: int) -> None:
        """Make room: a question and its answers are no longer needed."""
        self._database.execute("DELETE FROM question WHERE id = ?", (number,))
        self._database.execute("DELETE FROM answer WHERE question = ?", (number,))

    def left(self) -> Iterator[Question]:
        """Yield the questions that still wait, by id."""
        for row in self._database.execute("SELECT * FROM question ORDER BY id"):
            yield Question(*row)
