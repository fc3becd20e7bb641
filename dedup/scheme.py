"""The scheme of signatures: all that decides their bytes, and travels with them.

Signatures of two schemes look alike and mean nothing to each other, so every table of signatures
names its scheme in its metadata, and mixing is refused.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dedup.exact import DIGESTS
from dedup.shingles import SPLITTERS

PUBLISHED = ("datasketch-legacy", "datasketch-affine32")
"""The families whose numbers are datasketch's: before 2.0, as for the Pile, and 2.0's default."""

FAMILIES = (*PUBLISHED, "fast")
"""How shingles are hashed and hashes permuted; ``fast`` is of the same statistics, and our own."""

VERSION = 2
"""Raised by hand whenever the same scheme gives other bytes than before."""

METADATA_KEY = b"dedup.scheme"

_SEEDS = 1 << 32


class SchemeMismatch(ValueError):  # noqa: N818 - the name says what is wrong
    """Signatures of two schemes, or of none that is known, were about to be used together."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What decides a document's digest and signature.

    ``name`` is one of `FAMILIES`, ``words`` one of `shingles.SPLITTERS`, ``n`` the words of a
    shingle, ``digest`` one of `exact.DIGESTS`. A signature has ``permutations`` numbers of 32 bits,
    those of ``datasketch.MinHash(num_perm=permutations, seed=seed)`` over the set of shingles unless
    the family is ``fast``. The defaults are the Pile's (its words were NLTK's; treebank is close). Raises ValueError for
    anything else.
    """

    name: str = "datasketch-legacy"
    words: str = "treebank"
    n: int = 5
    permutations: int = 10
    seed: int = 1
    digest: str = "text"

    def __post_init__(self) -> None:
        """Refuse what no signature can be made with."""
        _require_one_of("name", self.name, FAMILIES)
        _require_one_of("words", self.words, SPLITTERS)
        _require_one_of("digest", self.digest, DIGESTS)
        _require_within("n", self.n, 1, 1000)
        _require_within("permutations", self.permutations, 1, 1 << 16)
        _require_within("seed", self.seed, 0, _SEEDS - 1)

    @property
    def hashing(self) -> str:
        """Return how shingles are hashed: one of `shingles.HASHES`."""
        return "sha1" if self.name in PUBLISHED else "fast"

    def metadata(self) -> dict[bytes, bytes]:
        """Return the entry of an Arrow schema's metadata that names the scheme."""
        named = {"version": VERSION, **asdict(self)}
        return {METADATA_KEY: json.dumps(named, sort_keys=True).encode("ascii")}


def scheme_of(metadata: Mapping[bytes, bytes] | None) -> Scheme:
    """Read the scheme from an Arrow schema's metadata; raise SchemeMismatch if none is known."""
    encoded = (metadata or {}).get(METADATA_KEY)
    if encoded is None:
        raise SchemeMismatch(f"no {METADATA_KEY.decode()} in the metadata: no table of signatures")
    named: dict[str, Any] = json.loads(encoded)
    version = named.pop("version", None)
    if version != VERSION or named.keys() != {field.name for field in fields(Scheme)}:
        raise SchemeMismatch(
            f"signatures of version {version}, this is version {VERSION}: make them again"
        )
    return Scheme(**named)


def require_same(first: Scheme, other: Scheme) -> None:
    """Raise SchemeMismatch, naming what differs, unless two schemes are the same."""
    ours, theirs = asdict(first), asdict(other)
    differing = [
        f"{key} {ours[key]!r} and {theirs[key]!r}" for key in ours if ours[key] != theirs[key]
    ]
    if differing:
        raise SchemeMismatch(
            f"signatures of different schemes cannot be compared: {', '.join(differing)}"
        )


def _require_one_of(field: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"{field} {value!r} is not one of {', '.join(sorted(known))}")


def _require_within(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{field} {value} is not within {low} and {high}")
