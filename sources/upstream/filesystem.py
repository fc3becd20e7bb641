"""Mirrors on any other file system that fsspec knows, such as ``sftp`` or ``memory``.

A file's version is its size and time of change, looked at before and after reading; a rest is read
only if they are as they were, and where there is no such time a file is read whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import fsspec
from fsspec.spec import AbstractFileSystem

from sources.upstream.answer import UNKNOWN, Answer, Version
from sources.upstream.attempts import CHECK_URL, Interrupted, Patience, UpstreamError
from sources.upstream.flow import changed, dated, flowing
from sources.upstream.guest import ALONE, Guest
from sources.upstream.http import CHUNK, REMEDIES


@contextmanager
def ask(
    url: str,
    patience: Patience,
    start: int = 0,
    known: Version = UNKNOWN,
    guest: Guest = ALONE,
) -> Iterator[Answer]:
    """Ask for a file, or for what follows byte ``start`` of its ``known`` version.

    The answer begins at byte 0 all the same if the file has changed. Raises UpstreamError, or
    Interrupted (also from ``pieces``) if asking again may help.
    """
    with guest.manners.turn(_host(url), patience.budget):
        files, path = _file_system(url)
        version = _version(files, url, path)
        if start and (known.validator is None or version.validator != known.validator):
            start = 0
        pieces = _pieces(files, url, path, start, version, patience)
        yield Answer(version, start, version.size is not None, pieces)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.scheme


def _file_system(url: str) -> tuple[AbstractFileSystem, str]:
    if "::" in url:
        raise UpstreamError(url, "an address within another, which no mirror has", CHECK_URL)
    with _refusals(url):
        try:
            found: tuple[AbstractFileSystem, str] = fsspec.core.url_to_fs(
                url, skip_instance_cache=True
            )
        except ImportError as error:
            what = f"fsspec reaches it by a library that is not installed ({error})"
            raise UpstreamError(url, what, "install that library") from None
        except ValueError:
            raise UpstreamError(url, "not an address that fsspec knows", CHECK_URL) from None
    return found


def _version(files: AbstractFileSystem, url: str, path: str) -> Version:
    with _refusals(url):
        found: dict[str, Any] = files.info(path)
        if found.get("type") == "directory":
            raise UpstreamError(url, "a folder, not a file", CHECK_URL)
        size = found.get("size")
        try:
            modified = files.modified(path)
        except NotImplementedError:
            modified = None
    if not isinstance(modified, datetime):
        modified = None
    elif modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)
    return dated(size if isinstance(size, int) else None, modified)


def _pieces(
    files: AbstractFileSystem,
    url: str,
    path: str,
    start: int,
    version: Version,
    patience: Patience,
) -> Iterator[bytes]:
    """Yield a file from byte ``start`` on; raises Interrupted unless it came whole and unchanged."""
    expected = None if version.size is None else version.size - start
    with _refusals(url):
        file: BinaryIO = files.open(path, "rb")
    with file:
        with _refusals(url):
            file.seek(start)
        yield from flowing(lambda: _read(file, url), expected, patience)
    if changed(_version(files, url, path), version):
        raise Interrupted("the file changed meanwhile", start_over=True)


def _read(file: BinaryIO, url: str) -> bytes:
    with _refusals(url):
        return file.read(CHUNK)


@contextmanager
def _refusals(url: str) -> Iterator[None]:
    """Tell what will pass from what will not."""
    try:
        yield
    except FileNotFoundError:
        raise UpstreamError(url, "there is no such file", REMEDIES[404], missing=True) from None
    except PermissionError:
        raise UpstreamError(url, "it may not be read", REMEDIES[401]) from None
    except IsADirectoryError:
        raise UpstreamError(url, "a folder, not a file", CHECK_URL) from None
    except (UpstreamError, Interrupted):
        raise
    except Exception as error:  # noqa: BLE001 - libraries have errors of their own
        # Not chained: what such an error says may show a password that the library was given.
        what = getattr(error, "strerror", None) or type(error).__name__
        raise Interrupted(f"it cannot be read ({what})") from None
