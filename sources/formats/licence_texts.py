"""Licences of software, told by key phrases of their texts: exactly, or not at all."""

import re
from types import MappingProxyType

from sources.formats import creative_commons

UNKNOWN = "unknown"

_PHRASES = MappingProxyType(
    {
        "Apache-2.0": ("apache license version 2.0, january 2004",),
        "MIT": (
            "permission is hereby granted, free of charge, to any person obtaining a copy",
            "the above copyright notice and this permission notice",
        ),
        "BSD-3-Clause": (
            "redistribution and use in source and binary forms",
            "neither the name of",
        ),
        "BSD-2-Clause": ("redistribution and use in source and binary forms",),
        "ISC": (
            (
                "and distribute this software for any purpose with or without fee is hereby granted,"
                " provided that the above copyright notice"
            ),
        ),
        "MPL-2.0": ("mozilla public license version 2.0",),
        "AGPL-3.0": ("gnu affero general public license version 3, 19 november 2007",),
        "LGPL-3.0": ("gnu lesser general public license version 3, 29 june 2007",),
        "LGPL-2.1": ("gnu lesser general public license version 2.1, february 1999",),
        "GPL-3.0": ("gnu general public license version 3, 29 june 2007",),
        "GPL-2.0": ("gnu general public license version 2, june 1991",),
        "EPL-2.0": ("eclipse public license - v 2.0",),
        "BSL-1.0": ("boost software license - version 1.0 - august 17th, 2003",),
        "Unlicense": ("this is free and unencumbered software released into the public domain",),
        "CC0-1.0": ("cc0 1.0 universal",),
    }
)
"""Licences by their SPDX identifiers, each with phrases that its text all has; the first counts.
Whether later versions of a GPL count is said in a program's files, not in the licence's text."""

_HEADLINE = 3000
"""Characters of a text within which the phrase of a licence with a headline stands."""

_LONG = frozenset({"MPL-2.0", "AGPL-3.0", "LGPL-3.0", "LGPL-2.1", "GPL-3.0", "GPL-2.0", "EPL-2.0"})
_ADVERTISING = "all advertising materials mentioning features"
_OR_TO = re.compile(r"\band/or\b")


def identifier(text: str) -> str:
    """Return the SPDX identifier of the licence that a text is, or ``unknown``.

    The text may begin with a copyright notice or a title. Of texts that name other licences on their
    way, as the GPL does, only the beginning counts. A BSD licence with a clause on advertising is
    none of those known here.
    """
    words = _OR_TO.sub("and", " ".join(text.lower().split()))
    for name, phrases in _PHRASES.items():
        place = words[:_HEADLINE] if name in _LONG else words
        if all(phrase in place for phrase in phrases):
            return UNKNOWN if _ADVERTISING in words else name
    return creative_commons.identifier(text) or UNKNOWN


def joint(identifiers: set[str]) -> str:
    """Return what a folder with texts of these licences is under, as far as that tells."""
    known = sorted(identifiers - {UNKNOWN})
    if len(known) > 1:
        return f"several: {', '.join(known)}"
    return known[0] if known else UNKNOWN
