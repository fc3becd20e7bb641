"""The bytes of an answer as they come: not too few, not too many, and not too slowly."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sources.upstream.answer import Version
from sources.upstream.attempts import Interrupted, Patience

SETTLED = timedelta(seconds=60)
"""How long ago a file must have changed for its time of change to tell two versions apart."""


def flowing(read: Callable[[], bytes], expected: int | None, patience: Patience) -> Iterator[bytes]:
    """Yield what ``read`` gives until it gives nothing, ``expected`` bytes if that is known.

    ``read`` returns what is there, without waiting for more. Raises Interrupted for other than the
    expected bytes, and when less than ``patience.slowest`` bytes a second come over a
    ``read_timeout``; and whatever ``read`` raises.
    """
    received = 0
    window_start, window_bytes = time.monotonic(), 0
    while piece := read():
        received += len(piece)
        window_bytes += len(piece)
        if expected is not None and received > expected:
            raise Interrupted(f"more than {expected:,} bytes came", start_over=True)
        yield piece
        seconds = time.monotonic() - window_start
        if seconds >= patience.read_timeout:
            if window_bytes < patience.slowest * seconds:
                raise Interrupted(f"stalled: {window_bytes:,} bytes in {seconds:.0f} s")
            window_start, window_bytes = time.monotonic(), 0
    if expected is not None and received < expected:
        raise Interrupted(f"{received:,} bytes came, not {expected:,} as stated")


def dated(size: int | None, modified: datetime | None) -> Version:
    """Return the version that a size and a time of change tell of, where there are no ETags.

    They tell two versions apart only if both are known and the change lies far enough back: a file
    that is still being written can change twice within one tick of its clock.
    """
    stamp = modified.astimezone(UTC).isoformat() if modified else None
    if size is None or modified is None or datetime.now(UTC) - modified < SETTLED:
        return Version(None, stamp, None, size)
    return Version(None, stamp, f"{size} {stamp}", size)


def changed(now: Version, before: Version) -> bool:
    """Tell whether size or time of change are others than they were."""
    return (now.size, now.last_modified) != (before.size, before.last_modified)
