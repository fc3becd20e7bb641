"""The articles of web pages by newspaper4k, in a cage: a program that reads page after page.

A page that kills it costs a new start, about a second; see `sources.formats.cage`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sources.formats import cage

MEMORY = cage.MEMORY
"""Bytes of address space of the program; its libraries take 65 MB of it, a page of 8 MB 100 to 250."""

SECONDS = 20.0
"""Seconds of processor time for a page; real ones of a MB take four."""

MAX_HTML = 8 << 20
"""Characters of a page that are read."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "article_failed": "newspaper raised an exception, as it does without a language's own library",
        "article_memory": f"newspaper took more than {MEMORY >> 20} MiB of memory, or died",
        "article_time": f"newspaper took more than {SECONDS:g} s of processor time",
        "too_large": f"a page of more than {MAX_HTML >> 20} Mi characters",
    }
)
"""Why a page may give no article."""


@dataclass(frozen=True, slots=True)
class Article:
    """A page's main text, its title, and the language it declares, if any."""

    text: str
    title: str
    language: str


class ArticleError(Exception):
    """A page that gives no article; ``reason`` is one of `REASONS`."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Extractor(cage.Cage):
    """Takes the articles out of pages; for use in ``with``, which ends its program."""

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        super().__init__("article_program", cage.Limits(seconds, memory))

    def article(self, url: str, html: str) -> Article:
        """Return the article of a page; raises `ArticleError`, and OSError if no program starts."""
        if len(html) > MAX_HTML:
            raise ArticleError("too_large")
        try:
            answer = self.ask({"url": url, "html": html})
        except cage.CageError as error:
            raise ArticleError(f"article_{error.limit}", str(error)) from error
        if "problem" in answer:
            raise ArticleError(answer["problem"], answer["message"])
        return Article(answer["text"], answer["title"], answer["lang"])
