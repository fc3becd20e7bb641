"""Tests of the memory-mapped reader."""

import gc
import pickle
from pathlib import Path

import numpy as np
import pytest

from shards.format import HEADER_BYTES, BadShard, Header
from shards.reader import Shard

DOCUMENTS = [[5, 6, 7, 0], [0], [99, 0], [1, 2, 0]]


def overwrite(path: Path, place: int, value: int, size: int = 8) -> None:
    """Put a little-endian number into a file."""
    with path.open("rb+") as file:
        file.seek(place)
        file.write(value.to_bytes(size, "little", signed=True))


def test_documents_come_back_by_number_slice_and_in_order(small_shard: Path) -> None:
    """A shard is a sequence of arrays: len, numbers from either end, slices, iteration."""
    shard = Shard.open(small_shard)
    assert len(shard) == 4
    assert shard[0].tolist() == DOCUMENTS[0]
    assert shard[-1].tolist() == DOCUMENTS[-1]
    assert [part.tolist() for part in shard[1:3]] == DOCUMENTS[1:3]
    assert [part.tolist() for part in shard[::-2]] == DOCUMENTS[::-2]
    assert [part.tolist() for part in shard] == DOCUMENTS


def test_numbers_may_be_numpys(small_shard: Path) -> None:
    """Samplers index with NumPy integers."""
    assert Shard.open(small_shard)[np.int64(2)].tolist() == DOCUMENTS[2]  # type: ignore[call-overload]


@pytest.mark.parametrize("number", [4, -5])
def test_numbers_out_of_range_are_refused(small_shard: Path, number: int) -> None:
    """There is nothing before the first and after the last sequence."""
    with pytest.raises(IndexError, match="has 4"):
        Shard.open(small_shard)[number]


def test_the_index_is_open_to_view(small_shard: Path) -> None:
    """All tokens, the lengths, the byte offsets and the document array are arrays."""
    shard = Shard.open(str(small_shard))
    assert shard.tokens.dtype == np.uint16
    assert shard.tokens.tolist() == [token for document in DOCUMENTS for token in document]
    assert shard.lengths.tolist() == [4, 1, 2, 3]
    assert shard.offsets.tolist() == [0, 8, 10, 14]
    assert shard.documents.tolist() == [0, 1, 2, 3, 4]


def test_arrays_outlive_the_shard(small_shard: Path) -> None:
    """A view keeps the file mapped, though the shard that gave it is gone."""
    tokens = Shard.open(small_shard)[3]
    gc.collect()
    assert tokens.tolist() == DOCUMENTS[3]


def test_arrays_cannot_be_written_to(small_shard: Path) -> None:
    """A training loop cannot change a shard by mistake."""
    with pytest.raises(ValueError, match="read-only"):
        Shard.open(small_shard)[0][0] = 1


def test_a_shard_can_be_sent_to_another_process(small_shard: Path) -> None:
    """Pickling sends the prefix, and opens it again."""
    pickled = pickle.dumps(Shard.open(small_shard))
    assert len(pickled) < 500
    assert [part.tolist() for part in pickle.loads(pickled)] == DOCUMENTS


def test_documents_may_have_several_sequences_or_none(small_shard: Path) -> None:
    """Shards of other writers group sequences into documents by the document array."""
    header = Header(np.dtype("<u2"), sequences=4, document_entries=4)
    idx = small_shard.with_suffix(".idx")
    index = idx.read_bytes()[HEADER_BYTES : header.documents_at]
    grouped = np.array([0, 3, 3, 4], dtype="<i8")
    idx.write_bytes(header.packed() + index + grouped.tobytes())
    shard = Shard.open(small_shard)
    assert [shard.document(number).tolist() for number in range(3)] == [
        DOCUMENTS[0] + DOCUMENTS[1] + DOCUMENTS[2],
        [],
        DOCUMENTS[3],
    ]
    with pytest.raises(IndexError, match="no document 3"):
        shard.document(3)


def test_files_that_were_cut_off_are_noticed_at_once(small_shard: Path) -> None:
    """Both files, cut at each of their bytes: refused when opened, not when what is lost is read."""
    for suffix in (".bin", ".idx"):
        path = small_shard.with_suffix(suffix)
        whole = path.read_bytes()
        for left in range(len(whole)):
            path.write_bytes(whole[:left])
            with pytest.raises(BadShard):
                Shard.open(small_shard)
        path.write_bytes(whole)


def test_a_wrong_dtype_code_is_refused(small_shard: Path) -> None:
    """Any but its own: for the code of the other dtype, the last sequence would not end the tokens."""
    path = small_shard.with_suffix(".idx")
    whole = path.read_bytes()
    assert whole[17] == 8
    for code in {*range(256)} - {8}:
        path.write_bytes(whole[:17] + bytes([code]) + whole[18:])
        with pytest.raises(BadShard, match="sequence 3 lies at" if code == 4 else f"code {code} "):
            Shard.open(small_shard)


@pytest.mark.parametrize("extra", [b"\0", b"\0\0", b"\0\0\0\0"])
def test_bytes_after_the_end_are_noticed(small_shard: Path, extra: bytes) -> None:
    """Neither file may be longer than the index says."""
    for suffix in (".bin", ".idx"):
        path = small_shard.with_suffix(suffix)
        whole = path.read_bytes()
        path.write_bytes(whole + extra)
        with pytest.raises(BadShard):
            Shard.open(small_shard)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (18, 5, "122 bytes, not 134 as its header says"),
        (HEADER_BYTES + 16, 2, "first sequence begins at byte 2"),
        (HEADER_BYTES + 16 + 24, 12, "sequence 3 lies at bytes 12 to 18"),
        (HEADER_BYTES + 48, 1, r"documents begin and end with \(1, 4\)"),
        (HEADER_BYTES + 48 + 32, 3, r"documents begin and end with \(0, 3\)"),
    ],
)
def test_an_index_with_wrong_ends_is_not_opened(
    small_shard: Path, place: int, value: int, complaint: str
) -> None:
    """Counts, the first and last offsets, and the ends of the document array are checked."""
    overwrite(small_shard.with_suffix(".idx"), place, value)
    with pytest.raises(BadShard, match=complaint):
        Shard.open(small_shard)


def test_a_wrong_offset_gives_no_wrong_tokens(small_shard: Path) -> None:
    """An offset inside the index is checked by the sequences on both its sides."""
    overwrite(small_shard.with_suffix(".idx"), HEADER_BYTES + 16 + 16, 8)
    shard = Shard.open(small_shard)
    assert shard[0].tolist() == DOCUMENTS[0]
    for number in (1, 2):
        with pytest.raises(BadShard, match=f"sequence {number} lies at"):
            shard[number]


@pytest.mark.parametrize(
    ("place", "value", "size", "says"),
    [
        (16 + 16, 8, 8, "sequence 2 has 2 tokens from byte 8, those before it end at 10"),
        (0, 3, 4, "sequence 1 has 1 tokens from byte 8, those before it end at 6"),
        (0, -4, 4, "sequence 0 has -4 tokens from byte 0"),
    ],
)
def test_all_sequences_can_be_checked_at_once(
    small_shard: Path, place: int, value: int, size: int, says: str
) -> None:
    """A wrong offset or length anywhere is found without reading a token."""
    Shard.open(small_shard).check_sequences()
    overwrite(small_shard.with_suffix(".idx"), HEADER_BYTES + place, value, size)
    with pytest.raises(BadShard, match=says):
        Shard.open(small_shard).check_sequences()


def test_a_negative_length_gives_no_tokens(small_shard: Path) -> None:
    """A length below 0 is refused when it is used."""
    overwrite(small_shard.with_suffix(".idx"), HEADER_BYTES, -4, size=4)
    with pytest.raises(BadShard, match="sequence 0"):
        Shard.open(small_shard)[0]


def test_a_document_array_out_of_bounds_gives_no_tokens(small_shard: Path) -> None:
    """A document that ends before it begins is refused when it is used."""
    overwrite(small_shard.with_suffix(".idx"), HEADER_BYTES + 48 + 8, 9)
    with pytest.raises(BadShard, match="document 0 has sequences 0 to 9"):
        Shard.open(small_shard).document(0)


def test_a_shard_of_nothing_is_refused(tmp_path: Path) -> None:
    """A well-formed index of no sequences is an error, not an empty shard."""
    header = Header(np.dtype("<u2"), sequences=0, document_entries=1)
    (tmp_path / "none.idx").write_bytes(header.packed() + bytes(8))
    (tmp_path / "none.bin").write_bytes(b"")
    with pytest.raises(BadShard, match="empty"):
        Shard.open(tmp_path / "none")


def test_a_multimodal_index_is_refused(small_shard: Path) -> None:
    """The mode bytes that Megatron may put at the end belong to no text shard."""
    idx = small_shard.with_suffix(".idx")
    idx.write_bytes(idx.read_bytes() + bytes(4))
    with pytest.raises(BadShard, match="126 bytes, not 122"):
        Shard.open(small_shard)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Opening what is not there raises the usual error."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.idx"):
        Shard.open(tmp_path / "nowhere")
