"""Signatures on disk, laid out so that deduplication needs little memory.

Every part of the documents becomes four files in a folder: runs of its digests and of each band of
its signatures, sorted by key (`dedup.runs`); its signatures as rows of numbers; and its ids, as
their bytes and where each begins. A part is written on its own, by whichever task; the folder is
read when all are there.

Documents go by rank: their position, or, to keep the last, their position counted from the end, so
that the document to be kept always has the least rank.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.bands import Bands
from dedup.decisions import Keep
from dedup.runs import Rows, Run, runs_of, sort_rows, write_runs
from dedup.scheme import METADATA_KEY, Scheme, require_same, scheme_of
from dedup.signatures import Signatures

_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_WORD = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Part:
    """Where the files of a part lie, by the beginning of their paths, and its number of documents."""

    stem: Path
    documents: int

    def path(self, kind: str) -> Path:
        """Return the path of one of the files."""
        return self.stem.with_name(f"{self.stem.name}.{kind}")


@dataclass(frozen=True, slots=True)
class Spill:
    """Spilled parts, in order. To keep the first, parts may be added; ranks stay as they are."""

    scheme: Scheme
    bands: Bands
    keep: Keep
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        """Return the number of documents."""
        return sum(part.documents for part in self.parts)

    def first(self, part: int) -> int:
        """Return the position of a part's first document."""
        return sum(before.documents for before in self.parts[:part])

    def save(self, path: Path) -> None:
        """Write what is needed to read the parts, which lie below the folder of ``path``, later."""
        parts = [
            [part.stem.relative_to(path.parent).as_posix(), part.documents] for part in self.parts
        ]
        named = {"bands": [self.bands.bands, self.bands.rows], "keep": self.keep, "parts": parts}
        scheme = json.loads(self.scheme.metadata()[METADATA_KEY])
        encoded = json.dumps({**named, "scheme": scheme}, sort_keys=True)
        path.write_text(encoded + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Spill":
        """Read what `save` wrote; raise SchemeMismatch for signatures of another version."""
        named = json.loads(path.read_text(encoding="utf-8"))
        scheme = scheme_of({METADATA_KEY: json.dumps(named["scheme"]).encode("ascii")})
        parts = tuple(Part(path.parent / name, documents) for name, documents in named["parts"])
        return cls(scheme, Bands(*named["bands"]), named["keep"], parts)

    def sections(self) -> list[list[Run]]:
        """Return the runs of digests, then those of each band; each of all parts."""
        found = [runs_of(part.path("runs")) for part in self.parts]
        return [[runs[section] for runs in found] for section in range(1 + self.bands.bands)]

    def ranks(self, positions: NDArray[Any]) -> NDArray[np.int64]:
        """Return the ranks of positions, or the positions of ranks."""
        numbers = positions.astype(np.int64)
        return numbers if self.keep == "first" else len(self) - 1 - numbers

    def values(self, positions: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Return the signatures of documents, in any order."""
        found = np.empty((len(positions), self.scheme.permutations), np.uint32)
        for part, places, local in self._by_part(positions):
            found[places] = self._values(part)[local]
        return found

    def ids(self, positions: NDArray[np.int64]) -> pa.Array:
        """Return the ids of documents, in any order."""
        taken = [pa.array([], pa.large_string())]
        order = [np.empty(0, np.int64)]
        for part, places, local in self._by_part(positions):
            taken.append(self.part_ids(part).take(pa.array(local)))
            order.append(places)
        return pa.concat_arrays(taken).take(pa.array(np.argsort(np.concatenate(order))))

    def part_ids(self, part: int) -> pa.Array:
        """Return the ids of a part, read from the file as they are looked at."""
        places, content = (_mapped(self.parts[part].path(kind)) for kind in ("places", "ids"))
        buffers = [None, pa.py_buffer(places), pa.py_buffer(content)]
        return pa.Array.from_buffers(pa.large_string(), self.parts[part].documents, buffers)

    def write(self, part: int, signatures: Signatures) -> None:
        """Write the files of a part; raise SchemeMismatch or ValueError if it is another's."""
        require_same(self.scheme, signatures.scheme)
        written = self.parts[part]
        if len(signatures) != written.documents:
            raise ValueError(
                f"part {part} has {len(signatures)} documents, not {written.documents}"
            )
        ranks = self.ranks(self.first(part) + np.arange(len(signatures)))
        write_part(written, signatures, self.bands, ranks)

    def _values(self, part: int) -> NDArray[np.uint32]:
        numbers = _mapped(self.parts[part].path("values")).view(np.uint32)
        return numbers.reshape(-1, self.scheme.permutations)

    def _by_part(
        self, positions: NDArray[np.int64]
    ) -> Iterable[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield a part, which of some positions are in it, and where in it they are."""
        sizes = [part.documents for part in self.parts]
        firsts = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
        order = np.argsort(positions, kind="stable")
        cuts = np.searchsorted(positions[order], firsts)
        for part in np.flatnonzero(np.diff(cuts)).tolist():
            places = order[cuts[part] : cuts[part + 1]]
            yield part, places, positions[places] - firsts[part]


def write_part(part: Part, signatures: Signatures, bands: Bands, ranks: NDArray[np.int64]) -> None:
    """Write the four files of a part whose documents have these ranks."""
    write_runs(part.path("runs"), _sections(signatures, bands, ranks.astype(np.uint64)))
    ids = pa.concat_arrays([signatures.ids])
    _, places, content = ids.buffers()
    offsets = np.frombuffer(places or bytes(8), np.int64)[ids.offset :][: len(ids) + 1]
    names = np.frombuffer(content or b"", np.uint8)[offsets[0] : offsets[-1]]
    (offsets - offsets[0]).tofile(part.path("places"))
    names.tofile(part.path("ids"))
    np.ascontiguousarray(signatures.values).tofile(part.path("values"))


def band_keys(band: NDArray[np.uint32]) -> Rows:
    """Return 128-bit keys of bands, (documents, 2).

    Bands of up to 4 numbers have different keys if they differ; among ever so many documents, two
    of longer bands have one key by accident with a chance of about documents^2 / 2^129.
    """
    wide = np.zeros((len(band), -(-band.shape[1] // 4) * 4), np.uint64)
    wide[:, : band.shape[1]] = band
    words = (wide[:, ::2] << _WORD) | wide[:, 1::2]
    high, low = words[:, 0], words[:, 1]
    high = _mixed(high ^ _mixed(low))
    for at in range(2, words.shape[1]):
        low = _mixed(low ^ words[:, at])
        high = _mixed(high + low)
    return np.column_stack((high, low))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64-bit numbers one to one (the finaliser of SplitMix64)."""
    for factor, shift in zip(_MIX, _SHIFTS, strict=False):
        numbers = (numbers ^ (numbers >> shift)) * factor
    return numbers ^ (numbers >> _SHIFTS[-1])


def _sections(signatures: Signatures, bands: Bands, ranks: Rows) -> Iterable[Rows]:
    """Yield sorted rows (key, key, rank): of all digests, then of each band of what is signed."""
    digests = np.ascontiguousarray(signatures.digests).view(np.dtype("<u8")).reshape(-1, 2)
    yield sort_rows(np.column_stack((digests, ranks)).astype(np.uint64))
    for band in bands.split(signatures.values[signatures.signed]):
        yield sort_rows(np.column_stack((band_keys(band), ranks[signatures.signed])))


def _mapped(path: Path) -> NDArray[np.uint8]:
    """Return the bytes of a file, read when they are looked at."""
    if not path.stat().st_size:
        return np.empty(0, np.uint8)
    return np.memmap(path, np.uint8, "r")
