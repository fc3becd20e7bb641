"""Keys reach the hosts they are for, over a safe connection, and nothing else shows them."""

import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sources.fetch import Patience, UpstreamError, fetch, get
from sources.source import Key, Pace, RawFile
from sources.upstream import keys
from sources.upstream.guest import Guest
from sources.upstream.manners import Manners

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import Reply, Upstream, cut, serving, whole

SECRET = "hush-4711-hush"
KEY = Key("EXAMPLE_KEY", ("api.example.org",), "Authorization", "example.org/keys", "Bearer ")


@pytest.fixture(autouse=True)
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a keyring that is not there yet, and no key in the environment."""
    path = tmp_path / "keyring.toml"
    monkeypatch.setenv("PILE_KEYRING", str(path))
    monkeypatch.delenv("EXAMPLE_KEY", raising=False)
    return path


@pytest.fixture
def upstreams(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Upstream, Upstream]]:
    """Give two servers that are reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as one, serving() as other:
        yield one, other


def address(upstream: Upstream) -> str:
    """Return a server's host and port."""
    return upstream.url.removeprefix("http://")


def test_a_key_comes_from_the_environment_or_else_the_keyring(
    keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment counts first; a required key that is in neither is missing."""
    optional = replace(KEY, name="OTHER_KEY", required=False)
    assert keys.missing([KEY, optional]) == [KEY]
    keyring.write_text('EXAMPLE_KEY = "from-keyring"\nnumber = 5\n')
    keyring.chmod(0o600)
    assert keys.secret("EXAMPLE_KEY") == "from-keyring"
    assert keys.secret("number") == ""
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    assert keys.secret("EXAMPLE_KEY") == SECRET
    assert keys.missing([KEY]) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_keyring_that_others_may_touch_is_refused(keyring: Path, mode: int) -> None:
    """The refusal says what to do, and a download fails by it with a clear error."""
    keyring.write_text(f'EXAMPLE_KEY = "{SECRET}"')
    keyring.chmod(mode)
    with pytest.raises(keys.UnsafeKeyring, match="chmod 600"):
        keys.secret("EXAMPLE_KEY")
    with pytest.raises(UpstreamError, match="chmod 600"):
        keys.headers("https://api.example.org/", [KEY])


def test_a_keyring_that_is_no_toml_is_not_quoted(keyring: Path) -> None:
    """What a parser says of a line could show a secret."""
    keyring.write_text(f"EXAMPLE_KEY = {SECRET}")
    keyring.chmod(0o600)
    with pytest.raises(keys.UnsafeKeyring, match="no TOML") as caught:
        keys.secret("EXAMPLE_KEY")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.example.org/x", True),
        ("https://API.example.org:443/x", True),
        ("http://api.example.org/x", False),
        ("https://example.org/x", False),
        ("https://api.example.org.evil.net/x", False),
        ("https://evil.net/api.example.org", False),
        ("https://api.example.org@evil.net/x", False),
        ("s3://api.example.org/x", False),
    ],
)
def test_a_key_goes_to_its_hosts_alone_and_encrypted(
    monkeypatch: pytest.MonkeyPatch, url: str, sent: bool
) -> None:
    """The header has the prefix and the key, or is not there."""
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    expected = {"Authorization": f"Bearer {SECRET}"} if sent else {}
    assert keys.headers(url, [KEY]) == expected


def test_a_key_does_not_follow_a_redirect_to_another_host(
    upstreams: tuple[Upstream, Upstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage that an API points to learns nothing of its key; the API does, redirected within."""
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    api, storage = upstreams
    guest = Guest(keys=(replace(KEY, hosts=(address(api),)),))
    api.replies = [
        Reply("302 Found", {"Location": "/again"}),
        Reply("302 Found", {"Location": f"{storage.url}/file"}),
    ]
    storage.otherwise = lambda _: whole(b"content")
    assert get(f"{api.url}/file", guest=guest) == b"content"
    assert [r.headers.get("Authorization") for r in api.requests] == [f"Bearer {SECRET}"] * 2
    assert "Authorization" not in storage.requests[0].headers


def test_a_netrc_takes_the_place_of_no_key(
    upstreams: tuple[Upstream, Upstream], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What else lies in a home is not sent anywhere."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    api, other = upstreams
    api.otherwise = other.otherwise = lambda _: whole(b"content")
    guest = Guest(keys=(replace(KEY, hosts=(address(api),)),))
    get(api.url, guest=guest)
    get(other.url, guest=guest)
    assert api.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert "Authorization" not in other.requests[0].headers


def test_nothing_that_is_written_or_raised_shows_a_key(
    upstreams: tuple[Upstream, Upstream], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither errors of any kind, nor partial files, notes, buckets, nor the guest itself."""
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    api, _ = upstreams
    key = replace(KEY, hosts=(address(api),))
    manners = Manners(tmp_path / "manners", {"127.0.0.1": Pace(1000.0)})
    guest = Guest(manners, (key,))
    replies = [
        cut(whole(b"x" * 5000, ETag='"one"'), 1000),
        Reply("401 Unauthorized"),
        Reply("403 Forbidden"),
        Reply("503 Busy"),
        Reply("302 Found", {"Location": "ftp://elsewhere"}),
        Reply(raw=b"nonsense"),
    ]
    for reply in replies:
        api.replies = [reply]
        with pytest.raises(UpstreamError) as caught:
            fetch(
                RawFile(f"{api.url}/raw.txt", "raw.txt"),
                tmp_path / "raw.partial",
                guest=guest,
                patience=Patience(attempts=1),
            )
        assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert all(SECRET in request.headers["Authorization"] for request in api.requests)
    assert SECRET not in repr(guest)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} >= {".partial", ".json"}
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_a_key_that_no_header_can_hold_is_not_quoted(
    upstreams: tuple[Upstream, Upstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break in a key ends in an error that does not repeat it."""
    monkeypatch.setenv("EXAMPLE_KEY", f"{SECRET}\nX: {SECRET}")
    guest = Guest(keys=(replace(KEY, hosts=(address(upstreams[0]),)),))
    with pytest.raises(UpstreamError, match="cannot be used") as caught:
        get(upstreams[0].url, guest=guest)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
