"""Creative Commons licences as upstreams state them, by their SPDX identifiers."""

import re

_URL = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(?P<terms>by(?:-nc)?(?:-nd|-sa)?)|publicdomain/(?P<dedication>zero|mark))"
    r"(?:/(?P<version>\d\.\d))?(?:/(?P<place>[a-z]{2,3})\b)?",
    re.IGNORECASE,
)
_WORDS = (
    (re.compile(r"creative\s+commons\s+attribution\s+licen[sc]e\b", re.IGNORECASE), "CC-BY"),
    (re.compile(r"creative\s+commons\s+cc0\b", re.IGNORECASE), "CC0-1.0"),
)
_DEDICATIONS = {"zero": "CC0-1.0", "mark": "CC-PDM-1.0"}


def identifier(statement: str) -> str | None:
    """Return the licence that a statement names by address or, failing that, in words.

    The first address counts, as ``CC-BY-NC-4.0``, ``CC-BY-3.0-IGO`` or ``CC0-1.0``; without a
    version in it, ``CC-BY``. None if the statement names no Creative Commons licence.
    """
    address = _URL.search(statement)
    if address is None:
        return next((name for words, name in _WORDS if words.search(statement)), None)
    if address["dedication"]:
        return _DEDICATIONS[address["dedication"].lower()]
    parts = ("CC", address["terms"], address["version"], address["place"])
    return "-".join(part.upper() for part in parts if part)
