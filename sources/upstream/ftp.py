"""One FTP transfer at a time (RFC 959, 3659), under the rules of the other transports.

A file's version is its size and time of change, asked for before the transfer and again after it; a
rest is asked for only if they are as they were. A transfer is whole only if the server says so: the
end of its connection alone looks like a cut. Everything goes in image type, so that no line end is
changed, and SIZE, which depends on the type, is asked for in it too. Connections are passive, and go
to the host that was asked, whatever address it names.
"""

import ftplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from socket import socket
from urllib.parse import unquote, urlsplit

from sources.upstream.answer import UNKNOWN, Answer, Version
from sources.upstream.attempts import CHECK_URL, Interrupted, Patience, UpstreamError
from sources.upstream.flow import changed, dated, flowing
from sources.upstream.guest import ALONE, Guest
from sources.upstream.http import CHUNK, REMEDIES

ANONYMOUS = "anonymous"
NOT_LOGGED_IN = "530"
NO_SUCH_FILE = "550"
UNKNOWN_COMMAND = ("500", "501", "502", "504")
"""Answers to SIZE and MDTM by servers that do not know them."""


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
    path = _path(url)
    host = urlsplit(url).netloc.rpartition("@")[2]
    with guest.manners.turn(host, patience.budget), _connected(url, patience, guest) as ftp:
        version = _version(ftp, url, path)
        if start and (known.validator is None or version.validator != known.validator):
            start = 0
        pieces = _pieces(ftp, url, path, start, version, patience)
        yield Answer(version, start, version.size is not None, pieces)


def _path(url: str) -> str:
    path = unquote(urlsplit(url).path)
    if not path.strip("/") or not {"\r", "\n", "\0"}.isdisjoint(path):
        raise UpstreamError(url, "not the address of a file", CHECK_URL)
    return path


@contextmanager
def _connected(url: str, patience: Patience, guest: Guest) -> Iterator[ftplib.FTP]:
    """Log in, anonymously unless the address names a user."""
    parts = urlsplit(url)
    user = unquote(parts.username or ANONYMOUS)
    password = unquote(parts.password or "") or guest.manners.contact or f"{ANONYMOUS}@"
    ftp = ftplib.FTP(timeout=patience.connect_timeout)  # noqa: S321 - what upstream speaks
    with _refusals(url, user):
        ftp.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT)
    try:
        with _refusals(url, user):
            ftp.login(user, password)
            ftp.voidcmd("TYPE I")
        if ftp.sock is not None:
            ftp.sock.settimeout(patience.read_timeout)
        ftp.timeout = patience.read_timeout
        yield ftp
    finally:
        ftp.close()


@contextmanager
def _refusals(url: str, user: str = ANONYMOUS) -> Iterator[None]:
    """Tell what will pass from what will not; passes nothing on that the server says."""
    try:
        yield
    except ftplib.error_perm as error:
        code = str(error)[:3]
        if code == NOT_LOGGED_IN and user == ANONYMOUS:
            # Most servers say so when they have too many guests.
            raise Interrupted("it lets no anonymous guest in (530)") from None
        remedies = {NOT_LOGGED_IN: REMEDIES[401], NO_SUCH_FILE: REMEDIES[404]}
        raise UpstreamError(
            url, f"answers {code}", remedies.get(code, CHECK_URL), missing=code == NO_SUCH_FILE
        ) from None
    except ftplib.error_temp as error:
        raise Interrupted(f"answers {str(error)[:3]}") from None
    except (ftplib.Error, OSError, EOFError, UnicodeError) as error:
        what = getattr(error, "strerror", None) or type(error).__name__
        raise Interrupted(f"the connection failed ({what})") from None


def _version(ftp: ftplib.FTP, url: str, path: str) -> Version:
    with _refusals(url):
        size = _stated(ftp, f"SIZE {path}")
        modified = _stated(ftp, f"MDTM {path}")
    return dated(int(size) if size and size.isascii() and size.isdigit() else None, _time(modified))


def _stated(ftp: ftplib.FTP, command: str) -> str | None:
    """Return what a server answers to SIZE or MDTM; None if it will not say."""
    try:
        code, _, stated = ftp.sendcmd(command).partition(" ")
    except ftplib.error_perm as error:
        if str(error)[:3] in UNKNOWN_COMMAND:
            return None
        raise
    return stated.strip() if code == "213" else None


def _time(stated: str | None) -> datetime | None:
    """Read ``YYYYMMDDHHMMSS``, UTC, perhaps with a fraction (RFC 3659, section 2.3)."""
    if stated is None:
        return None
    with suppress(ValueError):
        form = "%Y%m%d%H%M%S.%f" if "." in stated else "%Y%m%d%H%M%S"
        return datetime.strptime(stated, form).replace(tzinfo=UTC)
    return None


def _pieces(
    ftp: ftplib.FTP, url: str, path: str, start: int, version: Version, patience: Patience
) -> Iterator[bytes]:
    """Yield a file from byte ``start`` on; raises Interrupted unless it came whole and unchanged."""
    expected = None if version.size is None else version.size - start
    with _refusals(url):
        connection = _opened(ftp, path, start)
    with connection:
        yield from flowing(lambda: _received(connection, url), expected, patience)
    with _refusals(url):
        ftp.voidresp()
    if changed(_version(ftp, url, path), version):
        raise Interrupted("the file changed meanwhile", start_over=True)


def _opened(ftp: ftplib.FTP, path: str, start: int) -> socket:
    try:
        return ftp.transfercmd(f"RETR {path}", rest=start or None)
    except (ftplib.error_perm, ftplib.error_reply) as error:
        if start and str(error)[:3] != NO_SUCH_FILE:
            raise Interrupted(f"it gives no part ({str(error)[:3]})", start_over=True) from None
        raise


def _received(connection: socket, url: str) -> bytes:
    with _refusals(url):
        return connection.recv(CHUNK)
