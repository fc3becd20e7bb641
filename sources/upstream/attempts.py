"""What may go wrong with a request, how long to wait for it to pass, and how to say that it did not.

No message shows credentials.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

PROGRESS = 1 << 20
"""New bytes that make an attempt count as progress, after which patience begins anew."""

SECRET_NAMES = re.compile(
    r"(?i)sig|token|key(?!word)|secret|cred|pass|pwd|auth(?!or(?!i[sz]))|policy|jwt|sas$|access|^code$"
)
"""Query parameters whose values are not shown."""

CHECK_URL = "check the URL against upstream's site"
BY_HAND = "download the file by hand, and give it as one of your own"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an upstream, in seconds, and how often to ask again.

    It is asked again until the ``budget`` of waiting between the attempts is spent, or ``attempts``
    were made, if that is not None; both count from the last progress. What came may be thrown away
    ``restarts`` times. An upstream that sends less than ``slowest`` bytes a second over a
    ``read_timeout`` is taken for stalled.
    """

    attempts: int | None = None
    first_wait: float = 1.0
    longest_wait: float = 120.0
    budget: float = 1200.0
    restarts: int = 5
    connect_timeout: float = 20.0
    read_timeout: float = 60.0
    slowest: int = 1024
    sleep: Callable[[float], None] = time.sleep


class UpstreamError(Exception):
    """An upstream that is gone, refuses, or gives something else than it should.

    ``retry_later`` tells whether the same request may succeed at another time, ``missing`` whether
    upstream says that it has no such file to give. The URL is shown without credentials.
    """

    def __init__(
        self, url: str, what: str, remedy: str, retry_later: bool = False, missing: bool = False
    ) -> None:
        super().__init__(redacted(url), what, remedy, retry_later, missing)
        self.url = redacted(url)
        self.retry_later = retry_later
        self.missing = missing

    def __str__(self) -> str:
        url, what, remedy, *_ = self.args
        return f"{url}: {what}; {remedy}"


class Interrupted(Exception):  # noqa: N818 - says what happened to the request
    """A request that failed in a way that may pass.

    ``retry_after`` is how many seconds upstream asks to wait. With ``start_over`` nothing that was
    downloaded before may be kept.
    """

    def __init__(self, what: str, retry_after: float = 0.0, *, start_over: bool = False) -> None:
        super().__init__(what)
        self.retry_after = retry_after
        self.start_over = start_over


PATIENT = Patience()

BRIEF = Patience(attempts=2, budget=10.0, connect_timeout=10.0, read_timeout=30.0)
"""For who waits for an answer and can ask again."""


class Retries:
    """Waits between the attempts at one URL, until patience is at its end."""

    def __init__(self, url: str, patience: Patience) -> None:
        self._url = url
        self._patience = patience
        self._failures = 0
        self._waited = 0.0
        self._furthest = 0
        self._restarts = 0

    def wait(self, interrupted: Interrupted, reached: int, *, in_vain: bool = False) -> None:
        """Wait for the next attempt; raises UpstreamError when there is to be none.

        ``reached`` is how many bytes are there to go on from; ``in_vain`` tells that others were
        thrown away.
        """
        self._restarts += in_vain
        if self._restarts > self._patience.restarts:
            raise self._failure(interrupted, f"begun anew {self._patience.restarts} times")
        if reached >= self._furthest + PROGRESS:
            self._failures, self._waited, self._furthest = 0, 0.0, reached
        self._failures += 1
        seconds = max(self._backoff(), interrupted.retry_after)
        if self._failures == self._patience.attempts:
            raise self._failure(interrupted, f"asked {self._failures} times")
        if self._waited + seconds > self._patience.budget:
            why = f"asked {self._failures} times in {self._waited:.0f} s of waiting"
            raise self._failure(interrupted, f"{why}, the next try would be in {seconds:.0f} s")
        self._waited += seconds
        self._patience.sleep(seconds)

    def _backoff(self) -> float:
        """Double the wait each time; chance spreads those who wait for one host over its upper half."""
        spread = int.from_bytes(os.urandom(4), "big") / (1 << 32)
        longest = self._patience.first_wait * (1 << min(self._failures - 1, 30))
        return min(self._patience.longest_wait, longest) * (0.5 + spread / 2)

    def _failure(self, interrupted: Interrupted, why: str) -> UpstreamError:
        return UpstreamError(self._url, f"{interrupted} ({why})", "run again later", True)


def secrets_in(url: str) -> list[str]:
    """Return the names of a URL's query parameters that hold what looks like a secret."""
    fields = (field.partition("=") for field in urlsplit(url).query.split("&"))
    return [name for name, _, value in fields if value and SECRET_NAMES.search(name)]


def redacted(url: str) -> str:
    """Return a URL without user, password, fragment and the values of secret query parameters.

    An address of S3 has neither fragment nor query: all that follows its bucket names an object.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no URL)"
    if parts.scheme == "s3":
        bucket, slash, key = url.removeprefix("s3://").partition("/")
        return f"s3://{bucket.rpartition('@')[2]}{slash}{key}"
    query = "&".join(
        f"{name}=..." if SECRET_NAMES.search(name) and sign else f"{name}{sign}{value}"
        for name, sign, value in (field.partition("=") for field in parts.query.split("&"))
    )
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
