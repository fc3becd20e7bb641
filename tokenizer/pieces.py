"""Cut long documents at places where a cut changes no token.

HF ``tokenizers`` holds about 110 bytes for each byte of a text while it works on it, so a long
document has to be given to it in pieces. GPT-2's rule starts a new word, whatever stands around it,
where white space follows something else, and where ASCII letters and digits meet. NFC joins nothing
across such a place either, since no ASCII character combines with what stands before it.
"""

import re
from collections.abc import Iterator
from typing import Any

LONGEST_PIECE = 1 << 16
"""Characters of a piece, about; a word is never cut, however long."""

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
