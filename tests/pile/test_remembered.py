"""What is remembered of raw files is right, or found out anew."""

import hashlib
from pathlib import Path

from pile.downloads.remembered import Hashes, Plan, publish_plan, read_plan
from sources.source import RawFile


def test_a_damaged_digest_is_never_believed(tmp_path: Path) -> None:
    """Whichever bit of the log is wrong: the file is read again, and its digest is the true one."""
    raw, log = tmp_path / "raw \udcff.txt", tmp_path / "hashes.jsonl"
    raw.write_bytes(b"A text.\n")
    wanted = (8, hashlib.sha256(b"A text.\n").hexdigest())
    heard: list[str] = []
    assert Hashes(log).of(raw, heard.append) == wanted
    assert Hashes(log).of(raw, heard.append) == wanted
    assert len(heard) == 1
    whole = log.read_bytes()
    for place in range(len(whole) - 1):
        log.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        assert Hashes(log).of(raw, heard.append) == wanted
    assert len(heard) == len(whole)


def test_a_damaged_plan_is_made_anew(tmp_path: Path) -> None:
    """Whichever bit is wrong, or wherever it is cut: it is no plan rather than another one."""
    path = tmp_path / "plan.jsonl"
    plan = [
        RawFile("https://letters.example.org/a.gz", "a.gz", 7, "md5:0cc1"),
        RawFile("https://letters.example.org/b.gz", "b.gz"),
    ]
    assert read_plan(path) is None
    publish_plan(path, plan)
    assert list(_must(read_plan(path))) == plan
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        assert read_plan(path) is None
        path.write_bytes(whole[:place])
        assert read_plan(path) is None


def test_a_plan_is_read_as_it_was_when_it_was_opened(tmp_path: Path) -> None:
    """By several at once, each from its beginning, even after the file was made anew or removed."""
    path = tmp_path / "plan.jsonl"
    files = [RawFile(f"https://example.org/{n}", f"{n:04d}", n) for n in range(3000)]
    publish_plan(path, files)
    plan = _must(read_plan(path))
    publish_plan(path, files[:1])
    path.unlink()
    assert len(plan) == len(files)
    assert list(zip(plan, plan, strict=True)) == [(file, file) for file in files]
    assert files[-1] in plan
    assert RawFile("https://example.org/0", "other") not in plan


def test_an_empty_plan_is_one_too(tmp_path: Path) -> None:
    """Of an upstream that has nothing."""
    publish_plan(tmp_path / "plan.jsonl", [])
    assert list(_must(read_plan(tmp_path / "plan.jsonl"))) == []


def _must(plan: Plan | None) -> Plan:
    assert plan is not None
    return plan
