"""Tests of the format's constants and of the index header."""

from pathlib import Path

import numpy as np
import pytest

from shards.format import (
    MAGIC,
    BadShard,
    Header,
    code_of,
    dtype_for,
    parse_header,
    paths_of,
)

HEADER = Header(np.dtype("<u2"), sequences=3, document_entries=4)


def test_header_is_34_bytes_and_index_42_and_20_a_document() -> None:
    """An index of N documents of one sequence each has 42 + 20 N bytes."""
    assert len(HEADER.packed()) == 34
    assert HEADER.idx_bytes == 42 + 20 * 3


def test_header_bytes_are_those_of_the_format() -> None:
    """Magic, version 1, code 8, 3 sequences, 4 entries, all little-endian."""
    assert HEADER.packed().hex() == (
        "4d4d49444944580000" + "0100000000000000" + "08" + "0300000000000000" + "0400000000000000"
    )


def test_parsing_a_packed_header_gives_it_back() -> None:
    """What is packed is what is parsed, whatever follows it."""
    assert parse_header(HEADER.packed() + b"more") == HEADER


@pytest.mark.parametrize(
    ("beginning", "complaint"),
    [
        (b"", "0 bytes"),
        (HEADER.packed()[:33], "33 bytes"),
        (b"TNTIDX\x00\x00" + HEADER.packed()[8:], "TNTIDX"),
        (HEADER.packed().replace(b"\x01", b"\x02", 1), "version 2"),
        (HEADER.packed().replace(b"\x08", b"\x06", 1), "dtype code 6"),
    ],
)
def test_what_is_no_header_is_refused(beginning: bytes, complaint: str) -> None:
    """A short, foreign, newer or non-integer index is refused with what was found."""
    with pytest.raises(BadShard, match=complaint):
        parse_header(beginning)


def test_magic_has_nine_bytes() -> None:
    """Seven letters and two zero bytes."""
    assert MAGIC == b"MMIDIDX\x00\x00"


@pytest.mark.parametrize(
    ("vocabulary", "expected"),
    [(1, "uint16"), (50_277, "uint16"), (65_499, "uint16"), (65_500, "int32"), (128_256, "int32")],
)
def test_dtype_follows_the_frameworks_rule(vocabulary: int, expected: str) -> None:
    """Below 65,500 ids tokens are uint16, else int32."""
    assert dtype_for(vocabulary).name == expected


def test_tokens_of_another_dtype_have_no_code() -> None:
    """int64 tokens cannot be written."""
    with pytest.raises(ValueError, match="int64"):
        code_of(np.dtype(np.int64))


def test_a_prefix_may_hold_dots() -> None:
    """The prefix is kept whole: pile_0.87 is not cut at its dot."""
    assert paths_of("a/pile_0.87") == (Path("a/pile_0.87.bin"), Path("a/pile_0.87.idx"))
