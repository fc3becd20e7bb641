"""Cut long documents at places where a cut changes no token.

HF ``tokenizers`` holds about 110 bytes for each byte of a text while it works on it, so a long
document has to be given to it in pieces. GPT-2's rule starts a new word, whatever stands around it,
where white space follows something else, and where ASCII letters and digits meet. NFC joins nothing
across such a place either, since no ASCII character combines with what stands before it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from tokenizer.text import UnencodableText, utf8

LONGEST_PIECE = 1 << 16
"""Characters of a piece, and of a batch of pieces, about."""

LONGEST_WORD = 1 << 24
"""Characters at most of what cannot be cut: 2 GB of memory, about."""

Cut: TypeAlias = Callable[[str, int], Iterable[str]]
"""Divides a text into parts of about so many characters: `pieces` or `whole`."""

_CUT = re.compile(r"(?<=\S)(?=[ \t\n\r])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")


def pieces(text: str, size: int) -> Iterator[str]:
    """Yield the text in pieces of ``size`` characters, each longer by what is left of its last word."""
    start = 0
    while len(text) - start > size:
        place = _CUT.search(text, start + size)
        if place is None:
            break
        yield text[start : place.start()]
        start = place.start()
    yield text[start:]


def whole(text: str, size: int) -> Iterator[str]:
    """Yield the text as it is, for tokenizers that could tell where it was cut."""
    del size
    yield text


def batches(
    texts: Iterable[str], cut: Cut, first: int = 0, size: int | None = None
) -> Iterator[tuple[list[int], list[str]]]:
    """Yield parts of documents, and the numbers of their documents, some at a time, in order.

    Documents are numbered from ``first`` on. A batch has ``size`` characters, `LONGEST_PIECE` if
    that is None, and what is left of its last part. Raises `UnencodableText` for a lone surrogate, and for a part of more than `LONGEST_WORD`.
    """
    numbers: list[int] = []
    batch: list[str] = []
    characters = 0
    for number, text in enumerate(texts, first):
        if not text.isascii():
            utf8(text, number)
        for part in cut(text, LONGEST_PIECE):
            _refuse_too_long(part, number)
            numbers.append(number)
            batch.append(part)
            characters += len(part) + 1  # so that empty documents fill a batch too
            if characters >= (size or LONGEST_PIECE):
                yield numbers, batch
                numbers, batch, characters = [], [], 0
    if batch:
        yield numbers, batch


def _refuse_too_long(part: str, number: int) -> None:
    if len(part) > LONGEST_WORD:
        raise UnencodableText(
            f"document {number}: {len(part):,} characters that cannot be taken apart; "
            f"at most {LONGEST_WORD:,} fit into memory"
        )


def can_be_cut(config: dict[str, Any]) -> bool:
    """Tell whether a tokenizer, as parsed from its JSON, gives a text's pieces the text's tokens.

    It does if it splits by GPT-2's rule, adds no space in front, changes nothing but to NFC, and has
    no added token that looks at what stands beside it or holds a place where texts are cut.
    """
    splitter = config.get("pre_tokenizer") or {}
    return (
        config.get("normalizer") in (None, {"type": "NFC"})
        and splitter.get("type") == "ByteLevel"
        and splitter.get("use_regex", True)
        and not splitter["add_prefix_space"]
        and all(_stands_alone(token) for token in config.get("added_tokens", ()))
    )


def _stands_alone(token: dict[str, Any]) -> bool:
    looks_around = token["lstrip"] or token["rstrip"] or token["single_word"]
    return not looks_around and _CUT.search(token["content"]) is None
