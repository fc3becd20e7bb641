"""A file gathered step by step: whole steps on disk, and a note of the place to go on from."""

from sources.upstream.answer import UNKNOWN, Version
from sources.upstream.partial import Partial


def noted(part: Partial) -> str | None:
    """Return the place noted for the very bytes that are there; without one, start over."""
    size, _, place = (part.version.validator or "").partition(" ")
    if size != str(part.size) or not place:
        part.start_over(UNKNOWN)
        return None
    return place


def step(part: Partial, content: bytes, place: str) -> None:
    """Bring a step to disk, and note the place behind it; a kill loses the step or nothing of it.

    The note names its size too, so that one is not believed that belongs to other bytes.
    """
    part.version = Version(validator=f"{part.size + len(content)} {place}")
    part.append(content)
    part.flush()
