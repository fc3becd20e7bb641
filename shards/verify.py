"""Check a token shard through and through, in bounded memory.

Everything the frameworks take on trust is checked here: sizes, header, offsets, the document array,
ids, EODs, digests. A document is one sequence, as `shards.writer` makes it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shards.format import (
    HEADER_BYTES,
    LENGTH,
    OFFSET,
    BadShard,
    Header,
    Tokens,
    parse_header,
    paths_of,
)

Kind: TypeAlias = Literal[
    "missing", "header", "size", "lengths", "offsets", "documents", "ids", "eod", "digest"
]
"""What is wrong: a file is not there; the index's header does not fit the index; the tokens' file has
another size, or there are none; entries of the index; ids outside the vocabulary; EODs elsewhere
than at the end of each document; other bytes than the digest's."""

_ENTRIES = 1 << 16  # of the index, in memory at once
_TOKENS = 1 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a shard, at its first place, in words."""

    kind: Kind
    path: str
    message: str


def verify(
    prefix: Path | str,
    *,
    vocabulary: int | None = None,
    eod: int | None = None,
    documents: int | None = None,
    digests: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Return what is wrong with a shard, one problem of a kind and file; nothing if all is well.

    Where given: every id is below ``vocabulary``; each document ends with ``eod``, which occurs
    nowhere else; there are ``documents`` documents; the files have the SHA-256 ``digests`` of the
    keys ".bin" and ".idx". Tokens are looked at only if the index is right.
    """
    bin_path, idx_path = paths_of(prefix)
    missing = [path for path in (bin_path, idx_path) if not path.is_file()]
    if missing:
        return [Problem("missing", str(path), "there is no such file") for path in missing]
    problems = list(_other_bytes((bin_path, idx_path), digests or {}))
    try:
        header = _header_of(idx_path)
    except BadShard as error:
        return [*problems, Problem("header", str(idx_path), str(error))]
    in_index = list(_index_problems(header, bin_path, idx_path, documents))
    if not in_index:
        in_index += _token_problems(header, bin_path, idx_path, vocabulary, eod)
    return problems + in_index


def verify_index(prefix: Path | str) -> list[Problem]:
    """Return what is wrong with a shard's index and sizes, without looking at its tokens."""
    bin_path, idx_path = paths_of(prefix)
    missing = [path for path in (bin_path, idx_path) if not path.is_file()]
    if missing:
        return [Problem("missing", str(path), "there is no such file") for path in missing]
    try:
        header = _header_of(idx_path)
    except BadShard as error:
        return [Problem("header", str(idx_path), str(error))]
    return list(_index_problems(header, bin_path, idx_path, None))


def _header_of(idx_path: Path) -> Header:
    with idx_path.open("rb") as file:
        header = parse_header(file.read(HEADER_BYTES))
    found = idx_path.stat().st_size
    if found != header.idx_bytes:
        raise BadShard(f"the file has {found} bytes, not {header.idx_bytes} as its header says")
    return header


def _other_bytes(paths: tuple[Path, ...], digests: Mapping[str, str]) -> Iterator[Problem]:
    for path in paths:
        if path.suffix in digests:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digests[path.suffix]:
                yield Problem("digest", str(path), f"SHA-256 {found}, not {digests[path.suffix]}")


def _index_problems(
    header: Header, bin_path: Path, idx_path: Path, documents: int | None
) -> Iterator[Problem]:
    if not header.sequences:
        yield Problem("size", str(idx_path), "the shard is empty")
    if documents is not None and header.sequences != documents:
        message = f"there are {header.sequences} documents, not {documents}"
        yield Problem("documents", str(idx_path), message)
    yield from _length_problems(header, bin_path, idx_path)
    yield from _document_problems(header, idx_path)


def _length_problems(header: Header, bin_path: Path, idx_path: Path) -> Iterator[Problem]:
    """Check that sequences have tokens, follow each other, and fill ``.bin``."""
    begin = first = 0
    all_lengths = _entries(idx_path, LENGTH, HEADER_BYTES, header.sequences)
    all_offsets = _entries(idx_path, OFFSET, header.offsets_at, header.sequences)
    for lengths, offsets in zip(all_lengths, all_offsets, strict=True):
        if lengths.min() < 1:
            place = int((lengths < 1).argmax())
            message = f"sequence {first + place} has {lengths[place]} tokens"
            yield Problem("lengths", str(idx_path), message)
            return
        ends = begin + np.cumsum(lengths.astype(OFFSET) * header.dtype.itemsize)
        begins = np.concatenate(([begin], ends[:-1]))
        if not np.array_equal(offsets, begins):
            place = int((offsets != begins).argmax())
            message = f"sequence {first + place} begins at {offsets[place]}, not {begins[place]}"
            yield Problem("offsets", str(idx_path), message)
            return
        begin, first = int(ends[-1]), first + lengths.size
    found = bin_path.stat().st_size
    if found != begin:
        yield Problem("size", str(bin_path), f"{found} bytes, not {begin} as the index says")


def _document_problems(header: Header, idx_path: Path) -> Iterator[Problem]:
    """Check that the document array counts the sequences, from 0 to their number."""
    if header.document_entries != header.sequences + 1:
        message = f"{header.document_entries} entries for {header.sequences} sequences"
        yield Problem("documents", str(idx_path), message)
        return
    first = 0
    for entries in _entries(idx_path, OFFSET, header.documents_at, header.document_entries):
        expected = np.arange(first, first + entries.size)
        if not np.array_equal(entries, expected):
            place = int((entries != expected).argmax())
            message = f"document {first + place} begins with sequence {entries[place]}"
            yield Problem("documents", str(idx_path), message)
            return
        first += entries.size


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Some tokens, where they stand, and which of them are the last of their document."""

    first: int
    first_document: int
    tokens: Tokens
    lasts: NDArray[np.int64]

    def outside(self, ids: int) -> NDArray[np.bool_]:
        """Tell which tokens are no ids of a vocabulary of so many."""
        return (self.tokens < 0) | (self.tokens >= ids)

    def not_at_ends(self, eod: int) -> NDArray[np.bool_]:
        """Tell which tokens are the EOD but not a document's last, or the last but not the EOD."""
        wrong: NDArray[np.bool_] = self.tokens == eod
        wrong[self.lasts] ^= True
        return wrong

    def describe(self, place: int) -> str:
        document = self.first_document + int(np.searchsorted(self.lasts, place))
        return f"token {self.first + place}, in document {document}, is {self.tokens[place]}"


def _token_problems(
    header: Header, bin_path: Path, idx_path: Path, vocabulary: int | None, eod: int | None
) -> Iterator[Problem]:
    """Check ids and EODs; the first problem of each of the two kinds."""
    ids = vocabulary if vocabulary is not None else np.iinfo(header.dtype).max + 1
    rules: dict[Kind, str] = {
        "ids": f"ids go from 0 to {ids - 1}",
        "eod": f"{eod} ends each document, and is nowhere else",
    }
    for stretch in _stretches(header, bin_path, idx_path):
        wrong: dict[Kind, NDArray[np.bool_]] = {"ids": stretch.outside(ids)}
        if eod is not None:
            wrong["eod"] = stretch.not_at_ends(eod)
        for kind in [kind for kind in rules if kind in wrong and wrong[kind].any()]:
            message = f"{stretch.describe(int(wrong[kind].argmax()))}: {rules.pop(kind)}"
            yield Problem(kind, str(bin_path), message)


def _stretches(header: Header, bin_path: Path, idx_path: Path) -> Iterator[_Stretch]:
    """Yield all tokens, some at a time; the index must be right."""
    begin = document = 0
    with bin_path.open("rb") as file:
        for lengths in _entries(idx_path, LENGTH, HEADER_BYTES, header.sequences):
            lasts = begin + np.cumsum(lengths, dtype=np.int64) - 1
            while lasts.size:
                count = min(_TOKENS, int(lasts[-1]) + 1 - begin)
                tokens = _read(file, header.dtype, count)
                here = lasts[: np.searchsorted(lasts, begin + count)]
                yield _Stretch(begin, document, tokens, here - begin)
                begin, document, lasts = begin + count, document + here.size, lasts[here.size :]


def _entries(path: Path, dtype: np.dtype[Any], offset: int, count: int) -> Iterator[NDArray[Any]]:
    """Yield part of an index file, some entries at a time."""
    with path.open("rb") as file:
        file.seek(offset)
        for first in range(0, count, _ENTRIES):
            yield _read(file, dtype, min(_ENTRIES, count - first))


def _read(file: BinaryIO, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    return np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype, count=count)
