"""Tests of `pile shards`: what is wrong with a shard, merging, splitting, showing."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pile.commands import shards as commands
from shards.format import paths_of
from shards.merge import copy
from shards.reader import Shard
from shards.writer import ShardFacts, ShardWriter

Pile = Callable[..., tuple[int, str, str]]

DOCUMENTS = [[5, 6, 7], [8], [], [9, 10], [11, 12, 13, 14]]


@pytest.fixture
def shard(tmp_path: Path) -> str:
    """Prefix of a shard of five documents, EOD 0."""
    return write(tmp_path / "old", DOCUMENTS)


def write(prefix: Path, documents: list[list[int]], dtype: str = "<u2") -> str:
    """Write documents to a shard."""
    with ShardWriter(*paths_of(prefix), np.dtype(dtype), vocabulary=100, eod=0) as writer:
        writer.add(
            np.concatenate([np.array(one, int) for one in documents]), list(map(len, documents))
        )
        writer.finish()
    return str(prefix)


def documents(prefix: str | Path) -> list[list[int]]:
    """Return a shard's documents without their EOD."""
    return [tokens[:-1].tolist() for tokens in Shard.open(prefix)]


def damage(path: Path, place: int, packed: bytes) -> None:
    """Overwrite some bytes of a file."""
    whole = bytearray(path.read_bytes())
    whole[place : place + len(packed)] = packed
    path.write_bytes(whole)


def test_a_sound_shard_is_verified(pile: Pile, shard: str) -> None:
    """By prefix or by file, one file or both: it is one shard."""
    code, out, _ = pile("shards", "verify", f"{shard}.idx", f"{shard}.bin", "--eod", "0")
    assert (code, out) == (0, "verified: 1 shards, no problem.\n")


@pytest.mark.parametrize(
    ("kind", "place", "packed", "says"),
    [
        ("idx", 0, b"TNTIDX", "header: the index begins with b'TNTIDX"),
        ("idx", 17, b"\x07", "header: dtype code 7 is neither 8 (uint16) nor 4 (int32)"),
        ("idx", 18, struct.pack("<Q", 6), "header: the file has 142 bytes, not 154"),
        ("idx", 34 + 20 + 8, struct.pack("<q", 6), "offsets: sequence 1 begins at 6, not 8"),
        ("idx", 34 + 60 + 8, struct.pack("<q", 3), "documents: document 1 begins with sequence 3"),
        ("bin", 0, b"\xff\xff", "ids: token 0, in document 0, is 65535: ids go from 0 to 99"),
        ("bin", 6, b"\x09\x00", "eod: token 3, in document 0, is 9: 0 ends each document"),
    ],
)
def test_verify_names_what_is_wrong(
    pile: Pile, shard: str, kind: str, place: int, packed: bytes, says: str
) -> None:
    """The file, the kind of fault, and its first place; exit 6."""
    damage(Path(f"{shard}.{kind}"), place, packed)
    code, out, _ = pile("shards", "verify", shard, "--vocabulary", "100", "--eod", "0")
    assert code == 6
    assert f"{shard}.{kind}: {says}" in out


def test_a_bin_cut_at_any_length_is_named(pile: Pile, shard: str) -> None:
    """Whatever is left of it, verify says how much, and merge refuses it."""
    path = Path(f"{shard}.bin")
    whole = path.read_bytes()
    for left in range(len(whole)):
        path.write_bytes(whole[:left])
        code, out, _ = pile("shards", "verify", shard, "--json")
        assert code == 6
        (problem,) = json.loads(out)[0]["problems"]
        assert problem["message"] == f"{left} bytes, not {len(whole)} as the index says"
    code, _, err = pile("shards", "merge", shard, "-o", f"{shard}-merged")
    assert code == 6
    assert f"{len(whole) - 1} bytes, not {len(whole)}" in err
    assert not Path(f"{shard}-merged.bin").exists()


def test_merge_and_split_keep_documents_and_order(pile: Pile, tmp_path: Path, shard: str) -> None:
    """Two shards into one, that one into shards of at most six tokens, and back to the same bytes."""
    other = write(tmp_path / "other", [[20, 21], [22]])
    merged, part, again = (str(tmp_path / name) for name in ("merged", "part", "again"))
    words = ("shards", "merge", f"{shard}.idx", f"{other}.idx", "-o", f"{merged}.idx")
    assert pile(*words)[0] == 0  # what is written may be named by a file too
    assert documents(merged) == [*DOCUMENTS, [20, 21], [22]]
    code, out, _ = pile("shards", "split", merged, "--tokens", "6", "-o", part, "--json")
    assert code == 0
    written = json.loads(out)
    assert [one["tokens"] for one in written] == [6, 4, 5, 5]
    assert [one["shard"] for one in written] == [f"{part}-{n:05d}" for n in range(4)]
    assert pile("shards", "merge", *(one["shard"] for one in written), "-o", again)[0] == 0
    for one, same in zip(paths_of(merged), paths_of(again), strict=True):
        assert one.read_bytes() == same.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_split_that_fails_leaves_no_part_of_it(
    pile: Pile, tmp_path: Path, shard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the third shard: the first two are not there, and it can be tried again."""
    before = sorted(tmp_path.iterdir())
    left = iter(range(2))

    def full(*given: Any) -> ShardFacts:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        return copy(*given)

    words = ("shards", "split", shard, "--tokens", "4", "-o", f"{shard}-part")
    monkeypatch.setattr(commands, "copy", full)
    code, _, err = pile(*words)
    assert code != 0
    assert "No space left" in err
    assert sorted(tmp_path.iterdir()) == before
    monkeypatch.undo()
    assert pile(*words)[0] == 0


def test_what_cannot_be_done_is_said(pile: Pile, tmp_path: Path, shard: str) -> None:
    """No such shard, other dtypes, no size, or files that are there already: exit 2, nothing is touched."""
    wide = write(tmp_path / "wide", [[1]], "<i4")
    before = sorted(path.read_bytes() for path in tmp_path.iterdir())
    for arguments, says in (
        (("verify", "nowhere"), "there is no shard nowhere"),
        (("merge", shard, wide, "-o", f"{shard}2"), "has int32 tokens"),
        (("merge", shard, "-o", wide), "is there already"),
        (("split", shard, "-o", f"{shard}2"), "--tokens or --bytes"),
        (("verify", shard, "--tokenizer", f"{shard}.bin"), "is no tokenizer.json"),
    ):
        code, _, err = pile("shards", *arguments)
        assert code == 2
        assert says in err
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == before


def test_show_says_what_a_shard_holds(pile: Pile, shard: str) -> None:
    """Counts, and the documents asked for, by number."""
    code, out, _ = pile("shards", "show", shard, "--first", "3", "-n", "9", "--json")
    assert code == 0
    facts = json.loads(out)
    assert (facts["documents"], facts["tokens"], facts["dtype"]) == (5, 15, "uint16")
    assert [one["tokens"] for one in facts["shown"]] == [[9, 10, 0], [11, 12, 13, 14, 0]]
    _, out, _ = pile("shards", "show", shard, "-n", "1")
    assert "document 0, 4 tokens: 5 6 7 0" in out


@pytest.mark.parametrize("command", ["verify", "merge", "split", "show"])
def test_every_command_shows_how_it_is_called(pile: Pile, command: str) -> None:
    """`--help` has an example."""
    code, out, _ = pile("shards", command, "--help")
    assert code == 0
    assert f"pile shards {command}" in " ".join(out.split())
