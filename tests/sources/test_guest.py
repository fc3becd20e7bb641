"""Any prefix of an address can be had from a mirror or a local folder, verified all the same."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.fetch import UpstreamError, fetch, get
from sources.source import RawFile
from sources.upstream.guest import Guest

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import Upstream, file_server, serving

CONTENT = b"a raw file\n"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a server that is reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        server.otherwise = file_server(CONTENT)
        yield server


def test_the_longest_prefix_wins() -> None:
    """Whatever their order, and only at the end of a part of the address."""
    guest = Guest(
        mirrors=(
            ("https://a.org", "https://one.example"),
            ("https://a.org/dumps/", "https://two.example/all/"),
        )
    )
    for url, there in {
        "https://a.org": "https://one.example",
        "https://a.org/x?y": "https://one.example/x?y",
        "https://a.org?y": "https://one.example?y",
        "https://a.org/dumps/x": "https://two.example/all/x",
        "https://a.org/dumps": "https://one.example/dumps",
        "https://a.org.evil.net/x": "https://a.org.evil.net/x",
        "http://a.org/x": "http://a.org/x",
    }.items():
        assert guest.mirrored(url) == there


def test_a_mirror_is_asked_in_place_of_the_upstream(upstream: Upstream, tmp_path: Path) -> None:
    """Files and listings, with the upstream's own checksum."""
    guest = Guest(mirrors=(("https://a.org/dumps", f"{upstream.url}/mirror"),))
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    raw = RawFile("https://a.org/dumps/x", "x", checksum=f"sha256:{sha256}")
    assert fetch(raw, tmp_path / "x", guest=guest).sha256 == sha256
    assert get("https://a.org/dumps/list?page=1", guest=guest) == CONTENT
    assert [request.path for request in upstream.requests] == ["/mirror/x", "/mirror/list?page=1"]


def test_a_local_folder_is_a_mirror_too(tmp_path: Path) -> None:
    """A file has the name of the address there, unquoted; its checksum counts."""
    folder = tmp_path / "a mirror"
    (folder / "2004/07").mkdir(parents=True)
    (folder / "2004/07/#ubuntu.txt").write_bytes(CONTENT)
    guest = Guest(mirrors=(("https://irc.example.org/", str(folder)),))
    url = "https://irc.example.org/2004/07/%23ubuntu.txt"
    fetch(RawFile(url, "x.txt"), tmp_path / "x", guest=guest)
    assert (tmp_path / "x").read_bytes() == CONTENT
    with pytest.raises(UpstreamError, match="No such file") as caught:
        get(f"{url}.none", guest=guest)
    assert caught.value.missing
    with pytest.raises(UpstreamError, match="not 0000"):
        fetch(RawFile(url, "x.txt", checksum=f"md5:{'0' * 32}"), tmp_path / "x", guest=guest)


@pytest.mark.parametrize("rest", ["../secret", "%2e%2e/secret", "a/..%2f../secret", "a%00b"])
def test_nothing_outside_a_local_mirror_is_read(tmp_path: Path, rest: str) -> None:
    """A listing cannot point into the rest of this machine."""
    (tmp_path / "secret").write_bytes(CONTENT)
    (tmp_path / "mirror").mkdir()
    guest = Guest(mirrors=(("https://a.org/", str(tmp_path / "mirror")),))
    with pytest.raises(UpstreamError, match="outside the mirror"):
        get(f"https://a.org/{rest}", guest=guest)
