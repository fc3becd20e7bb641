"""A file has its final name only when it is whole."""

import json
from pathlib import Path

import pytest

from pile import store


def test_a_published_file_is_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    """After a clean block there is the file and no temporary."""
    with store.publish(tmp_path / "a" / "part") as attempt:
        attempt.write_bytes(b"whole")
    assert (tmp_path / "a" / "part").read_bytes() == b"whole"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["part"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_attempt_leaves_the_older_file(tmp_path: Path, error: type[BaseException]) -> None:
    """An exception inside the block is raised again and changes nothing on disk."""
    store.publish_bytes(tmp_path / "part", b"older")
    with pytest.raises(error), store.publish(tmp_path / "part") as attempt:
        attempt.write_bytes(b"half")
        raise error
    assert (tmp_path / "part").read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_block_that_writes_nothing_publishes_nothing(tmp_path: Path) -> None:
    """Forgetting to write is an error, never an empty file."""
    with pytest.raises(FileNotFoundError), store.publish(tmp_path / "part"):
        pass
    assert not list(tmp_path.iterdir())


def test_two_attempts_at_once_do_not_meet(tmp_path: Path) -> None:
    """Two attempts write side by side; the last to end gives the content."""
    with store.publish(tmp_path / "part") as first, store.publish(tmp_path / "part") as second:
        first.write_bytes(b"same")
        second.write_bytes(b"same")
        assert first != second
    assert (tmp_path / "part").read_bytes() == b"same"


def test_sweep_removes_what_a_killed_attempt_left(tmp_path: Path) -> None:
    """Temporary files and folders go; published ones stay."""
    (tmp_path / ".part.0a1b.tmp").write_bytes(b"half")
    (tmp_path / ".spool-x.tmp").mkdir()
    (tmp_path / "part").write_bytes(b"whole")
    assert store.sweep(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    """A line appended after a torn one stands on its own."""
    log = tmp_path / "log"
    log.write_bytes(b'{"whole": 1}\n{"torn": ')
    store.append_line(log, '{"next": 2}')
    assert log.read_bytes().splitlines() == [b'{"whole": 1}', b'{"torn": ', b'{"next": 2}']


def test_json_has_one_form(tmp_path: Path) -> None:
    """Equal values give equal bytes, whatever the order of their keys."""
    store.publish_json(tmp_path / "a", {"x": 1, "y": [1.5, None]})
    store.publish_json(tmp_path / "b", {"y": [1.5, None], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_bytes()) == {"x": 1, "y": [1.5, None]}


def test_a_link_is_replaced_at_once(tmp_path: Path) -> None:
    """A published link points to the newest target, relative to its own folder."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        store.publish_link(tmp_path / "latest" / "corpus", tmp_path / name)
    assert (tmp_path / "latest" / "corpus").resolve() == tmp_path / "new"
