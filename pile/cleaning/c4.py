"""The rules of C4 (Raffel et al. 2020, section 2.2), in the order and with the numbers of its own code.

That code is ``c4_utils.py`` of TensorFlow Datasets. Sentences are counted by their ends, as it had NLTK's
Punkt do, whose model is no part of any package.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Annotated

from pydantic import Field

from pile.cleaning.rule import Rule, below, rejected
from pile.settings import Settings
from sources.source import Document, Rejected

Count = Annotated[int, Field(ge=0)]

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_END_MARKS = (".", "?", "!", '"')
_ELLIPSIS = "..."
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_SENTENCE_END = re.compile(r"""[.!?]["')\]\u201d\u2019]*(?=\s|$)""")


class C4Quality(Settings):
    """``[clean.c4_quality]``: lines are cut that are no sentences, then documents left with too few."""

    min_words_per_line: Count = 5
    min_sentences: Count = 3
    max_word_length: Annotated[int, Field(ge=1)] = 1000
    terminal_punctuation: bool = True
    citations: bool = True
    javascript: bool = True
    policies: bool = True
    lorem_ipsum: bool = True
    curly_bracket: bool = True


class C4BadWords(Settings):
    """``[clean.c4_bad_words]``: ``file`` lists words and phrases, one a line, ``words`` some more.

    One of them anywhere, between characters that are no part of words, rejects a document; small and
    capital letters are the same.
    """

    file: str = ""
    words: tuple[str, ...] = ()


class _Refused(Exception):  # noqa: N818 - a verdict on a document
    """A line that rejects its document."""

    def __init__(self, reason: str, line: str) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def c4_quality(document: Document, table: C4Quality) -> Document | Rejected:
    """Cut lines that are no sentences; reject a document by what it holds, or if too little is left."""
    try:
        kept = [line for one in document.text.splitlines() if (line := _line(one.strip(), table))]
    except _Refused as refused:
        return rejected(document, refused.reason, f"in the line {refused.line[:80]!r}")
    sentences = sum(map(count_sentences, kept))
    if sentences < table.min_sentences:
        return below(document, "few_sentences", sentences, ("min_sentences", table.min_sentences))
    text = "\n".join(kept).strip()
    return document if text == document.text else replace(document, text=text)


def count_sentences(line: str) -> int:
    """Count the sentences of a line: ends of sentences before white space, and what is left over."""
    last, count = 0, 0
    for end in _SENTENCE_END.finditer(line):
        last, count = end.end(), count + 1
    return count + bool(line[last:].strip())


def _line(line: str, table: C4Quality) -> str:
    """Return what stays of a line, nothing if it is cut; raises `_Refused`."""
    if any(len(word) > table.max_word_length for word in line.split()):
        return ""
    if table.citations and "[" in line:
        line = _CITATION.sub("", line)
    ends = line.endswith(_END_MARKS) and not line.endswith(_ELLIPSIS)
    if table.terminal_punctuation and not ends:
        return ""
    if len(line.split()) < table.min_words_per_line:
        return ""
    return "" if _is_boilerplate(line, table) else line


def _is_boilerplate(line: str, table: C4Quality) -> bool:
    lower = line.lower()
    if table.lorem_ipsum and "lorem ipsum" in lower:
        raise _Refused("lorem_ipsum", line)
    if table.javascript and "javascript" in lower:
        return True
    if table.curly_bracket and "{" in line:
        raise _Refused("curly_bracket", line)
    return table.policies and any(phrase in lower for phrase in _POLICY)


def c4_bad_words(document: Document, table: C4BadWords) -> Document | Rejected:
    """Reject a document that holds one of ``words``; the file's are among them by now."""
    lower = document.text.lower()
    single, phrases = _sorted(table.words)
    hits = single.intersection(_WORD.findall(lower)) if single else frozenset[str]()
    hit = min(hits, default="")
    if not hit and phrases and (found := phrases.search(lower)):
        hit = found[1]
    return rejected(document, "bad_word", repr(hit)) if hit else document


_WORD = re.compile(r"\w+")


@cache
def _sorted(words: tuple[str, ...]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """Return words that are words to a regular expression, and a pattern of all others."""
    lower = sorted({word.strip().lower() for word in words} - {""})
    single = frozenset(word for word in lower if _WORD.fullmatch(word))
    phrases = [re.escape(word) for word in lower if word not in single]
    pattern = re.compile(rf"(?:\W|^)({'|'.join(phrases)})(?:\W|$)") if phrases else None
    return single, pattern


C4_QUALITY = Rule(
    name="c4_quality",
    version=1,
    summary="C4's rules: lines that are no sentences, notices and policies are cut; code, lorem ipsum "
    "and what is left with few sentences are rejected.",
    apply=c4_quality,
    reasons={
        "lorem_ipsum": "A line holds `lorem ipsum`.",
        "curly_bracket": "A line holds a curly bracket, as code does.",
        "few_sentences": "Fewer than min_sentences are left once lines are cut.",
    },
    table=C4Quality,
)
C4_BAD_WORDS = Rule(
    name="c4_bad_words",
    version=1,
    summary="Documents that hold a word of the user's list are rejected.",
    apply=c4_bad_words,
    reasons={"bad_word": "A word or phrase of the list given occurs."},
    table=C4BadWords,
)
