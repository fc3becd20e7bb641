"""A file of an FTP server, or of any mirror that fsspec knows, is whole, or the failure is clear."""

import os
import random
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from sources.fetch import Patience, UpstreamError, fetch
from sources.source import RawFile
from sources.upstream import filesystem
from sources.upstream.answer import UNKNOWN

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
from ftp_upstream import FtpUpstream, serving_ftp

CONTENT = b"".join(b"line %d of a raw file\r\n\n" % n for n in range(10_000))
OTHER = CONTENT[::-1]
PATIENCE = Patience(read_timeout=3.0, sleep=lambda _: None)
LONG_AGO = 10_000.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpUpstream]:
    """One FTP server for all tests of this file."""
    with serving_ftp(tmp_path_factory.mktemp("ftp")) as upstream:
        yield upstream


@pytest.fixture
def upstream(server: FtpUpstream) -> FtpUpstream:
    """Give the server with one file and a clean record."""
    for waiting in (server.faults, server.greetings, server.unknown, server.commands):
        waiting.clear()
    put(server, CONTENT, LONG_AGO)
    return server


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "raw.partial"


def put(upstream: FtpUpstream, content: bytes, age: float) -> None:
    """Put a file that was changed ``age`` seconds ago."""
    path = upstream.folder / "a file.txt"
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)


def raw(upstream: FtpUpstream, user: str = "", size: int | None = None) -> RawFile:
    """Plan the file."""
    return RawFile(upstream.url.replace("//", f"//{user}") + "/a%20file.txt", "a.txt", size)


def asked(upstream: FtpUpstream) -> list[str]:
    """Return what was asked for, of parts and wholes."""
    return [line.split(" ")[0] + line[4:8] for line in upstream.commands if line[:4] == "REST"]


def test_a_file_comes_byte_for_byte(upstream: FtpUpstream, partial: Path) -> None:
    """Image type is asked for before the size, and line ends stay."""
    found = fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert found.size == len(CONTENT)
    commands = [line.split(" ")[0] for line in upstream.commands]
    assert commands[:3] == ["USER", "PASS", "TYPE"]
    assert commands.index("TYPE") < commands.index("SIZE") < commands.index("RETR")
    assert "PASV" in commands or "EPSV" in commands


def test_a_dropped_transfer_goes_on(upstream: FtpUpstream, partial: Path) -> None:
    """After a drop, told or not, the rest comes by REST."""
    upstream.faults = [("drop", 100_000), ("short", 50_000), ("hang up",), ("refuse", "425 No.")]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert [line for line in upstream.commands if line.startswith("REST")] == [
        "REST 100000",
        "REST 150000",
        "REST 150000",
        "REST 150000",
    ]


def test_a_download_goes_on_in_another_call(upstream: FtpUpstream, partial: Path) -> None:
    """What an earlier call left is kept if size and time of change are the same."""
    upstream.faults = [("drop", 100_000)]
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), partial, patience=Patience(attempts=1))
    assert fetch(raw(upstream), partial, patience=PATIENCE).resumed_from == 100_000
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize("age", [LONG_AGO / 2, 1.0])
def test_a_file_that_changed_starts_over(upstream: FtpUpstream, partial: Path, age: float) -> None:
    """Two versions are never joined, not even of the same size."""
    upstream.faults = [("drop", 100_000)]
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), partial, patience=Patience(attempts=1))
    put(upstream, OTHER, age)
    assert fetch(raw(upstream), partial, patience=PATIENCE).resumed_from == 0
    assert partial.read_bytes() == OTHER


def test_a_file_still_being_written_is_not_continued(upstream: FtpUpstream, partial: Path) -> None:
    """A time of change of this minute does not tell versions apart."""
    put(upstream, CONTENT, 5.0)
    upstream.faults = [("drop", 100_000)]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT
    assert asked(upstream) == []


def test_a_file_that_changes_meanwhile_is_not_kept(upstream: FtpUpstream, partial: Path) -> None:
    """Size and time are asked for behind the transfer too."""
    upstream.faults = [("within", lambda: put(upstream, OTHER, LONG_AGO / 2))]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == OTHER


@pytest.mark.parametrize("fault", [("no rest",), ("refuse", "501 Bad place.")])
def test_a_server_that_gives_no_parts_is_asked_for_all(
    upstream: FtpUpstream, partial: Path, fault: tuple[str, ...]
) -> None:
    """REST ignored or refused means to start over."""
    upstream.faults = [("drop", 100_000), fault]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT


def test_a_server_without_rest_is_asked_for_all(upstream: FtpUpstream, partial: Path) -> None:
    """A command that is not known is no end."""
    upstream.unknown = {"REST"}
    upstream.faults = [("drop", 100_000)]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT


def test_a_file_without_a_size_needs_one_planned(upstream: FtpUpstream, partial: Path) -> None:
    """The end of a connection is no end of a file."""
    upstream.unknown = {"SIZE"}
    with pytest.raises(UpstreamError, match="may be cut"):
        fetch(raw(upstream), partial, patience=PATIENCE)
    upstream.faults = [("short", 1000)]
    fetch(raw(upstream, size=len(CONTENT)), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT


def test_too_many_guests_is_no_refusal(upstream: FtpUpstream, partial: Path) -> None:
    """421 and an anonymous 530 pass."""
    upstream.greetings = ["421 Too many.", "530 Too many.", None]
    fetch(raw(upstream), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT


def test_a_user_may_log_in(upstream: FtpUpstream, partial: Path) -> None:
    """A wrong password is refused at once, and neither is shown."""
    fetch(raw(upstream, "user:word@"), partial, patience=PATIENCE)
    upstream.commands.clear()
    partial.unlink()
    with pytest.raises(UpstreamError, match="530") as caught:
        fetch(raw(upstream, "user:wrong@"), partial, patience=PATIENCE)
    assert "wrong" not in str(caught.value)
    assert upstream.commands.count("PASS wrong") <= 1


@pytest.mark.parametrize("path", ["/none.txt", "/%0d%0aDELE%20a", "/", ""])
def test_what_is_no_file_is_refused(upstream: FtpUpstream, partial: Path, path: str) -> None:
    """A file that is gone, a second command in the name, a folder."""
    with pytest.raises(UpstreamError) as caught:
        fetch(RawFile(upstream.url + path, "a"), partial, patience=PATIENCE)
    assert not caught.value.retry_later
    assert caught.value.missing == (path == "/none.txt")
    assert not any("DELE" in line for line in upstream.commands)


def test_a_server_that_is_not_there_may_be_later(partial: Path) -> None:
    """A refused connection ends patience, not hope."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"ftp://127.0.0.1:{probe.getsockname()[1]}/a"
        with pytest.raises(UpstreamError, match="Connection refused") as caught:
            fetch(RawFile(url, "a"), partial, patience=PATIENCE)
    assert caught.value.retry_later


def test_a_hundred_sessions_give_the_file_or_a_clear_failure(
    upstream: FtpUpstream, tmp_path: Path
) -> None:
    """Whatever mix of drops, refusals and changes comes: never a wrong file."""
    ended = {True: 0, False: 0}
    for seed in range(100):
        draw = random.Random(seed)
        put(upstream, CONTENT, draw.choice([LONG_AGO, 3.0]))
        at = draw.randrange(len(CONTENT))
        faults: list[tuple[object, ...] | None] = [
            *(None, ("drop", at), ("short", at), ("hang up",), ("refuse", "425 No.")),
            *(("refuse", "550 Gone."), ("no rest",)),
            ("before", lambda: put(upstream, OTHER, LONG_AGO / 2)),
            ("within", lambda: put(upstream, OTHER, LONG_AGO / 3)),
        ]
        upstream.faults = draw.choices(
            faults, (2, 4, 3, 2, 2, 0.5, 1, 1, 1), k=draw.randrange(1, 9)
        )
        upstream.greetings = draw.choices([None, "421 Full."], (3, 1), k=4)
        upstream.unknown = set(draw.choices(["", "REST", "MDTM", "SIZE"], (8, 1, 1, 1)))
        partial = tmp_path / f"{seed}.partial"
        try:
            found = fetch(raw(upstream), partial, patience=PATIENCE)
        except UpstreamError:
            ended[False] += 1
        else:
            assert partial.read_bytes() in {CONTENT, OTHER}
            assert found.size == len(CONTENT)
            ended[True] += 1
    assert min(ended.values()) >= 10


# Any other mirror


def memory(content: bytes) -> str:
    """Put a file into fsspec's file system in memory."""
    with fsspec.open("memory://mirror/raw.txt", "wb") as file:
        file.write(content)
    return "memory://mirror/raw.txt"


def test_a_mirror_may_be_on_any_file_system(partial: Path) -> None:
    """What fsspec knows, a mirror may be on."""
    fetch(RawFile(memory(CONTENT), "a"), partial, patience=PATIENCE)
    assert partial.read_bytes() == CONTENT


def test_a_part_is_read_only_of_the_same_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest follows if size and time of change are known and old enough; else all comes."""
    url = memory(CONTENT)
    with filesystem.ask(url, PATIENCE) as answer:
        assert answer.version.validator is None
    monkeypatch.setattr("sources.upstream.flow.SETTLED", -filesystem.dated.__globals__["SETTLED"])
    with filesystem.ask(url, PATIENCE) as answer:
        known = answer.version
    for version, start in ((known, 1000), (UNKNOWN, 0)):
        with filesystem.ask(url, PATIENCE, 1000, version) as answer:
            assert answer.start == start
            assert b"".join(answer.pieces) == CONTENT[start:]


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("memory://mirror/none", "no such file"),
        ("memory://mirror", "a folder"),
        ("nothing-like-it://mirror/raw.txt", "not an address that fsspec knows"),
        ("simplecache::memory://mirror/raw.txt", "within another"),
    ],
)
def test_what_no_mirror_has_is_refused(partial: Path, url: str, what: str) -> None:
    """Each refusal says what is wrong."""
    memory(CONTENT)
    with pytest.raises(UpstreamError, match=what) as caught:
        fetch(RawFile(url, "a"), partial, patience=PATIENCE)
    assert caught.value.missing == (what == "no such file")


def test_a_library_that_is_missing_is_named(partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme whose library is not installed says so."""

    def missing(*_: object, **__: object) -> Callable[..., object]:
        raise ImportError('SFTPFileSystem requires "paramiko" to be installed')

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(UpstreamError, match="paramiko"):
        fetch(RawFile("sftp://mirror/raw.txt", "a"), partial, patience=PATIENCE)


@pytest.mark.parametrize("method", ["info", "open"])
def test_an_error_of_a_library_s_own_is_told_without_its_words(
    partial: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A file system may raise anything; it may pass, and what it says may show a password."""

    class AuthError(Exception):
        pass

    def fails(*_: object, **__: object) -> None:
        raise AuthError("the-users-secret")

    url = memory(CONTENT)
    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), method, fails)
    with pytest.raises(UpstreamError, match="AuthError") as caught:
        fetch(RawFile(url, "a"), partial, patience=PATIENCE)
    assert caught.value.retry_later
    assert "the-users-secret" not in "".join(traceback.format_exception(caught.value))
