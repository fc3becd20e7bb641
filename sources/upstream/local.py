"""Files of this machine, or of a disk it sees, as if they were an upstream's."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sources.upstream.answer import UNKNOWN, Answer, Version
from sources.upstream.attempts import CHECK_URL, Patience, UpstreamError
from sources.upstream.guest import ALONE, Guest

CHUNK = 1 << 20


@contextmanager
def ask(
    url: str,
    patience: Patience,
    start: int = 0,
    known: Version = UNKNOWN,
    guest: Guest = ALONE,
) -> Iterator[Answer]:
    """Give a regular file from its beginning; others may never end. Raises UpstreamError."""
    del patience, start, known, guest
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    other = UpstreamError(url, "not a regular file of this machine", CHECK_URL)
    if parts.netloc not in {"", "localhost"}:
        raise other
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise other
        file = path.open("rb", buffering=0)
    except OSError as error:
        what, gone = f"cannot be read ({error.strerror})", isinstance(error, FileNotFoundError)
        raise UpstreamError(url, what, CHECK_URL, missing=gone) from error
    with file:
        yield Answer(Version(size=found.st_size), 0, True, iter(lambda: file.read(CHUNK), b""))
