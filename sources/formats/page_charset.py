"""The characters of a web page, in whatever charset it is."""

import re

import cchardet

_DECLARED = re.compile(
    rb"""<meta[^>]{0,400}?charset\s*=\s*["']?([\w.:-]{1,40})|^<\?xml[^>]{0,200}?encoding=["']([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HEAD = 1 << 16


def decoded(content: bytes, content_type: str) -> str:
    """Decode a page: as its header says, else as it does itself, else as UTF-8 or by a guess.

    What its charset cannot spell becomes U+FFFD.
    """
    declared = _DECLARED.search(content[:_HEAD])
    in_header = _IN_HEADER.search(content_type)
    named = [in_header[1]] if in_header else []
    named += [(declared[1] or declared[2]).decode("ascii", "replace")] if declared else []
    for charset in named:
        try:
            return content.decode(charset, "replace")
        except LookupError:
            continue
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        guess = cchardet.detect(content)["encoding"] or "utf-8"
    try:
        return content.decode(guess, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
