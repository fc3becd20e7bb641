"""What a forecast takes for granted: how raw files unpack, what text packs to, what upstreams have.

Round figures, of the samples that the readers are tested on and of what the Pile published. A plan
says which of them it took.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

PACKED = 0.36
"""Bytes that a byte of text takes packed, as documents and as corpus files are."""

BYTES_A_TOKEN = 4.3
"""Bytes of text of a token, with a vocabulary of about 50,000."""

MOST_IN_TWO_BYTES = 65_536
"""Entries of a vocabulary whose tokens take two bytes; those of a larger one take four."""

SIGNATURE_BYTES = 120
"""Bytes a document of signatures, digests and sorted runs."""

MEAN_BYTES = 4096
"""Bytes of text of a document, where nothing better is known."""

UNPACKED: Mapping[str, float] = MappingProxyType(
    {".gz": 4.0, ".tgz": 4.0, ".zip": 3.5, ".bz2": 4.7, ".7z": 6.0, ".xz": 5.0, ".zst": 3.4}
)
"""Bytes that a packed byte of text holds, by the end of a file's name."""

TEXT: Mapping[str, float] = MappingProxyType({".pdf": 0.07, ".epub": 0.5})
"""Bytes of text in a byte of a document with figures and fonts, by the end of a file's name."""

_UPSTREAM = 4.0
_UPSTREAMS: Mapping[str, float] = MappingProxyType(
    {
        "arxiv": 0.06,
        "gutenberg_pg19": 1.0,
        "hackernews": 1.0,
        "pubmed_central": 1.0,
        "ubuntu_irc": 1.0,
    }
)
"""Bytes to be read in a byte of an upstream that is no packed text: plain, or TeX among figures."""

TAKEN: Mapping[str, int] = MappingProxyType(
    {
        "github": 192_000,
        "hackernews": 24_531_712,
        "pile_cc": 22_000,
        "ubuntu_irc": 300_000,
    }
)
"""Raw files, or items asked for one by one, that the Pile took of a source that has no sizes."""

HOSTS: Mapping[str, str] = MappingProxyType(
    {
        "github": "codeload.github.com",
        "hackernews": "hacker-news.firebaseio.com",
        "pile_cc": "data.commoncrawl.org",
        "ubuntu_irc": "irclogs.ubuntu.com",
    }
)
"""Whose pace their downloads keep to."""


def content_of_upstream(source: str) -> float:
    """Return how many bytes there are to be read in a byte that a source downloads."""
    return _UPSTREAMS.get(source, _UPSTREAM)


def content_of_file(reader: str, name: str) -> float:
    """Return how many bytes there are to be read in a byte of a raw file."""
    if _UPSTREAMS.get(reader, 1.0) < 1.0:
        return _UPSTREAMS[reader]
    return UNPACKED.get(_ending(name), 1.0)


def text_of_file(name: str) -> float:
    """Return how many bytes of text there are at most in a byte that is read of a raw file."""
    return TEXT.get(_ending(name), 1.0)


def token_bytes(vocabulary: int) -> float:
    """Return how many bytes of a shard a byte of text takes."""
    return (2 if vocabulary <= MOST_IN_TWO_BYTES else 4) / BYTES_A_TOKEN


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
