"""Ids that stay unique within a file whose upstream ids repeat."""


def numbered(identifier: str, taken: dict[str, int]) -> str:
    """Return ``identifier``, with ``/rN`` behind it from its second use on.

    ``taken`` counts the uses so far and is brought up to date. It is the only memory that grows
    with a raw file: about 100 bytes a document.
    """
    uses = taken[identifier] = taken.get(identifier, 0) + 1
    return identifier if uses == 1 else f"{identifier}/r{uses}"
