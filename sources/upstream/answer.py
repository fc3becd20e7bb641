"""What every transport gives back: a version of a file, and its bytes from some place on.

A transport is a module with one function, ``ask(url, patience, start, known, guest)``, which
asks once for the bytes of ``url`` from ``start`` on, if they are still those of ``known``, and from byte
0 otherwise. It gives an `Answer` within a ``with`` statement, and raises `UpstreamError` for what will
not pass, or `Interrupted` (also from ``pieces``) for what may.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sources.upstream.attempts import Patience
from sources.upstream.guest import Guest


@dataclass(frozen=True, slots=True)
class Version:
    """What an answer says of the file it gives: its validators as sent, its size in bytes, its type.

    ``validator`` is what a part of the very same version can be asked for with, if anything is.
    ``md5`` is what all its bytes must have where upstream documents that its ETag is that.
    """

    etag: str | None = None
    last_modified: str | None = None
    validator: str | None = None
    size: int | None = None
    media_type: str | None = None
    md5: str | None = None


UNKNOWN = Version()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that can be believed: ``pieces`` of a version of the file, from byte ``start`` on.

    Unless ``delimited``, its end is that of the connection, and a cut looks the same.
    """

    version: Version
    start: int
    delimited: bool
    pieces: Iterator[bytes]


class Ask(Protocol):
    """The one function of a transport."""

    def __call__(
        self,
        url: str,
        patience: Patience,
        start: int = 0,
        known: Version = UNKNOWN,
        guest: Guest = ...,
    ) -> AbstractContextManager[Answer]:
        """Ask for a file, or for what follows byte ``start`` of its ``known`` version."""
