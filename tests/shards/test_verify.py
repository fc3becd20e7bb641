"""Tests of the full check of a shard: nothing wrong passes, nothing right is complained of."""

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.format import HEADER_BYTES, Header, paths_of
from shards.verify import Problem, verify
from shards.writer import ShardWriter


def check(prefix: Path) -> list[Problem]:
    """Check with all that is known of the small shard, but for digests."""
    return verify(prefix, vocabulary=100, eod=0, documents=4)


def kinds(problems: list[Problem]) -> list[str]:
    """Return the kinds of problems, in order."""
    return [problem.kind for problem in problems]


def digests_of(prefix: Path) -> dict[str, str]:
    """Return the SHA-256 of both files by suffix."""
    return {path.suffix: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths_of(prefix)}


def test_a_right_shard_has_no_problem(small_shard: Path) -> None:
    """With everything known and with nothing known, all is well."""
    assert verify(small_shard) == []
    assert check(small_shard) == []
    assert verify(small_shard, digests=digests_of(small_shard)) == []


@pytest.mark.parametrize("suffix", [".bin", ".idx"])
def test_a_missing_file_is_a_problem(small_shard: Path, suffix: str) -> None:
    """What is wrong is returned, not raised, even if a file is not there."""
    small_shard.with_suffix(suffix).unlink()
    (problem,) = check(small_shard)
    assert (problem.kind, problem.path) == ("missing", str(small_shard.with_suffix(suffix)))


@pytest.mark.parametrize("suffix", [".bin", ".idx"])
def test_every_truncation_and_extension_is_found(small_shard: Path, suffix: str) -> None:
    """Both files, cut at each of their bytes, or longer by a few."""
    path = small_shard.with_suffix(suffix)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert verify(small_shard), f"{suffix} of {length} bytes passed"
    for length in range(1, 9):
        path.write_bytes(whole + bytes(length))
        assert verify(small_shard), f"{suffix} with {length} bytes more passed"


FIELDS = (
    [(0, 9), (9, 8), (17, 1), (18, 8), (26, 8)]
    + [(HEADER_BYTES + 4 * number, 4) for number in range(4)]
    + [(HEADER_BYTES + 16 + 8 * number, 8) for number in range(4 + 5)]
)
"""Place and size of every field of the small shard's index."""


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), st.data())
def test_every_wrong_field_is_found(
    tmp_path_factory: pytest.TempPathFactory, field: tuple[int, int], drawn: st.DataObject
) -> None:
    """Any other value in any one field of the index is found, without digests or other help."""
    prefix = tmp_path_factory.getbasetemp() / "field"
    if not paths_of(prefix)[0].exists():
        with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=100, eod=0) as writer:
            writer.add([5, 6, 7, 99, 1, 2], [3, 0, 1, 2])
            writer.finish()
    idx = paths_of(prefix)[1]
    right = idx.read_bytes()
    place, size = field
    old = right[place : place + size]
    near = (
        st.integers(-9, 9)
        .map(lambda step: (int.from_bytes(old, "little") + step) % 256**size)
        .map(lambda number: number.to_bytes(size, "little"))
    )
    new = drawn.draw(st.one_of(near, st.binary(min_size=size, max_size=size)).filter(old.__ne__))
    idx.write_bytes(right[:place] + new + right[place + size :])
    problems = verify(prefix)
    idx.write_bytes(right)
    assert problems


def test_every_field_was_tried() -> None:
    """The fields cover the whole index: 42 + 20 N bytes."""
    assert sum(size for _, size in FIELDS) == 42 + 20 * 4


@pytest.mark.parametrize("suffix", [".bin", ".idx"])
def test_digests_find_every_other_byte(small_shard: Path, suffix: str) -> None:
    """A changed byte anywhere in either file is found by the digests."""
    digests = digests_of(small_shard)
    path = small_shard.with_suffix(suffix)
    right = path.read_bytes()
    for place in range(len(right)):
        path.write_bytes(right[:place] + bytes([right[place] ^ 1]) + right[place + 1 :])
        problems = verify(small_shard, digests=digests)
        assert problems[0].kind == "digest"
        assert problems[0].path == str(path)


@pytest.mark.parametrize(
    ("place", "value", "kind", "message"),
    [
        (2, 100, "ids", "token 2, in document 0, is 100: ids go from 0 to 99"),
        (5, 65_535, "ids", "token 5, in document 2, is 65535: ids go from 0 to 99"),
        (1, 0, "eod", "token 1, in document 0, is 0: 0 ends each document, and is nowhere else"),
        (4, 9, "eod", "token 4, in document 1, is 9: 0 ends each document, and is nowhere else"),
        (9, 9, "eod", "token 9, in document 3, is 9: 0 ends each document, and is nowhere else"),
    ],
)
def test_wrong_tokens_are_found_and_named(
    small_shard: Path, place: int, value: int, kind: str, message: str
) -> None:
    """An id outside the vocabulary, an EOD too many or too few: token, document and rule."""
    path = small_shard.with_suffix(".bin")
    tokens = np.fromfile(path, dtype="<u2")
    tokens[place] = value
    tokens.tofile(path)
    assert check(small_shard) == [Problem(kind, str(path), message)]  # type: ignore[arg-type]


def test_an_eod_and_an_id_can_be_wrong_at_once(small_shard: Path) -> None:
    """One problem of each kind is reported, however many tokens are wrong."""
    path = small_shard.with_suffix(".bin")
    np.full(10, 200, dtype="<u2").tofile(path)
    assert kinds(check(small_shard)) == ["ids", "eod"]


def test_negative_ids_are_wrong_in_any_vocabulary(tmp_path: Path) -> None:
    """int32 could hold them; no tokenizer gives them."""
    prefix = tmp_path / "wide"
    with ShardWriter(*paths_of(prefix), np.dtype("<i4"), vocabulary=70_000, eod=0) as writer:
        writer.add([5], [1])
        writer.finish()
    np.array([-5, 0], dtype="<i4").tofile(paths_of(prefix)[0])
    (problem,) = verify(prefix)
    assert problem.message == "token 0, in document 0, is -5: ids go from 0 to 2147483647"


def test_a_shard_tokenised_without_eod_is_found(tmp_path: Path) -> None:
    """The commonest mistake: no EOD anywhere."""
    prefix = tmp_path / "plain"
    with ShardWriter(
        *paths_of(prefix), np.dtype("<u2"), vocabulary=100, eod=None, empty="drop"
    ) as writer:
        writer.add([5, 6, 7], [2, 1])
        writer.finish()
    assert verify(prefix, vocabulary=100) == []
    assert kinds(verify(prefix, vocabulary=100, eod=0)) == ["eod"]


def test_another_number_of_documents_is_found(small_shard: Path) -> None:
    """A document that went missing on the way leaves a right shard, but not the one expected."""
    (problem,) = verify(small_shard, documents=5)
    assert (problem.kind, problem.message) == ("documents", "there are 4 documents, not 5")


@pytest.mark.parametrize("entries", [[0, 4], [0, 1, 1, 3, 4], [0, 1, 2, 3, 4, 4], [0]])
def test_a_document_is_one_sequence(small_shard: Path, entries: list[int]) -> None:
    """Document arrays that frameworks accept, or write when they merge, are not this format's."""
    header = Header(np.dtype("<u2"), sequences=4, document_entries=len(entries))
    idx = small_shard.with_suffix(".idx")
    index = idx.read_bytes()[HEADER_BYTES : header.documents_at]
    idx.write_bytes(header.packed() + index + np.array(entries, dtype="<i8").tobytes())
    assert kinds(check(small_shard)) == ["documents"]


def test_sequences_without_tokens_are_found(tmp_path: Path) -> None:
    """Readers take them, but here an empty document has its EOD, or is not there."""
    header = Header(np.dtype("<u2"), sequences=2, document_entries=3)
    lengths, offsets = np.array([0, 1], dtype="<i4"), np.array([0, 0], dtype="<i8")
    documents = np.arange(3, dtype="<i8")
    (tmp_path / "zero.idx").write_bytes(
        header.packed() + lengths.tobytes() + offsets.tobytes() + documents.tobytes()
    )
    (tmp_path / "zero.bin").write_bytes(b"\1\0")
    (problem,) = verify(tmp_path / "zero")
    assert (problem.kind, problem.message) == ("lengths", "sequence 0 has 0 tokens")


def test_an_empty_shard_is_a_problem(tmp_path: Path) -> None:
    """Frameworks cannot open it."""
    header = Header(np.dtype("<u2"), sequences=0, document_entries=1)
    (tmp_path / "none.idx").write_bytes(header.packed() + bytes(8))
    (tmp_path / "none.bin").write_bytes(b"")
    (problem,) = verify(tmp_path / "none")
    assert (problem.kind, problem.message) == ("size", "the shard is empty")


def long_shard(prefix: Path, documents: int, length: int) -> None:
    """Write documents of one length, so that the check takes several stretches."""
    with ShardWriter(*paths_of(prefix), np.dtype("<u2"), vocabulary=10, eod=0) as writer:
        for _ in range(10):
            part = documents // 10
            writer.add(np.ones(part * length, dtype=np.uint32), np.full(part, length))
        writer.finish()


@pytest.mark.parametrize(("documents", "length"), [(150_000, 6), (20, 200_000)])
def test_problems_far_into_a_shard_are_named_by_their_place(
    tmp_path: Path, documents: int, length: int
) -> None:
    """Short documents, many in memory at once, and long ones, read in parts, are told apart."""
    prefix = tmp_path / "long"
    long_shard(prefix, documents, length)
    assert verify(prefix, vocabulary=10, eod=0, documents=documents) == []
    place = (documents - 1) * (length + 1) + 3
    with paths_of(prefix)[0].open("rb+") as file:
        file.seek(2 * place)
        file.write(b"\0\0")
    (problem,) = verify(prefix, vocabulary=10, eod=0)
    assert problem.message.startswith(f"token {place}, in document {documents - 1}, is 0")


def test_memory_does_not_grow_with_the_shard(tmp_path: Path) -> None:
    """A shard of 42 MB of tokens is checked in less."""
    prefix = tmp_path / "large"
    long_shard(prefix, 300_000, 69)
    tracemalloc.start()
    try:
        digests = digests_of_large(prefix)
        assert verify(prefix, vocabulary=10, eod=0, digests=digests) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert paths_of(prefix)[0].stat().st_size == 42_000_000
    assert peak < 12_000_000


def digests_of_large(prefix: Path) -> dict[str, str]:
    """Return digests without reading files whole."""
    found = {}
    for path in paths_of(prefix):
        with path.open("rb") as file:
            found[path.suffix] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
