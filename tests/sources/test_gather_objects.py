"""A bucket's objects become one tar, the same however it came."""

import hashlib
import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sources.fetch import Patience, UpstreamError, fetch
from sources.source import RawFile
from sources.upstream import gather_objects

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
from web_upstream import Asked, Reply, WebUpstream, serving_web

PATIENCE = Patience(attempts=3, read_timeout=3.0, sleep=lambda _: None)
HELD = {
    **{f"PMC{n}.1/PMC{n}.1.xml": b"<article>%d</article>" % n for n in range(10, 40)},
    **{f"metadata/PMC{n}.1.json": b'{"pmcid": "PMC%d"}' % n for n in range(10, 40)},
    "PMC10.1/figure.jpg": b"\xff" * 2000,
    "PMC10.1/PMC10.1.txt": b"text",
    "README.xml": b"about",
}


class Bucket:
    """Answers as S3 does, ten keys a page; ``broken`` gives other bytes for a key."""

    def __init__(self) -> None:
        self.broken: dict[str, list[bytes]] = {}

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request for the listing or an object."""
        path, _, query = asked.path.partition("?")
        if not query:
            waiting = self.broken.get(path[1:])
            return Reply(waiting.pop(0) if waiting else HELD[path[1:]])
        fields = dict(field.split("=", 1) for field in query.split("&"))
        keys = sorted(key for key in HELD if key.startswith(fields["prefix"]))
        start = int(fields.get("continuation-token", 0))
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(HELD[key])}</Size>"
            f"<ETag>&quot;{hashlib.md5(HELD[key]).hexdigest()}&quot;</ETag></Contents>"
            for key in keys[start : start + 10]
        )
        more = f"<NextContinuationToken>{start + 10}</NextContinuationToken>"
        more = more if start + 10 < len(keys) else ""
        return Reply(f"<ListBucketResult>{more}{entries}</ListBucketResult>".encode())


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebUpstream]:
    """Serve the bucket, without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving_web() as server:
        server.answer = Bucket()
        yield server


def raw(upstream: WebUpstream) -> RawFile:
    """Plan articles and records."""
    url = f"{upstream.url}/?prefix=PMC&prefix=metadata/PMC#.xml,.json"
    return RawFile(url, "PMC.objects.tar", form="objects")


def test_objects_stand_together_by_name_and_nothing_tells_of_the_day(
    upstream: WebUpstream, tmp_path: Path
) -> None:
    """Records before their articles, all with one owner and time; other objects are left out."""
    fetched = fetch(raw(upstream), tmp_path / "a", patience=PATIENCE)
    with tarfile.open(tmp_path / "a") as archive:
        found = archive.getmembers()
        names = [member.name for member in found]
        assert names[:3] == [
            "metadata/PMC10.1.json",
            "PMC10.1/PMC10.1.xml",
            "metadata/PMC11.1.json",
        ]
        assert len(names) == 60
        assert {(member.mtime, member.uid, member.uname) for member in found} == {(0, 0, "")}
        content = archive.extractfile(names[1])
        assert content is not None
        assert content.read() == HELD[names[1]]
    assert fetch(raw(upstream), tmp_path / "b", patience=PATIENCE).sha256 == fetched.sha256


def test_a_wrong_object_is_asked_for_again(upstream: WebUpstream, tmp_path: Path) -> None:
    """One of another size or MD5 than listed; if it stays so, the fetch fails and says which."""
    bucket, key = Bucket(), "PMC12.1/PMC12.1.xml"
    upstream.answer = bucket
    bucket.broken[key] = [b"short", HELD[key].upper()]
    fetch(raw(upstream), tmp_path / "a", patience=PATIENCE)
    bucket.broken[key] = [HELD[key].upper()] * 3
    with pytest.raises(UpstreamError, match=r"PMC12\.1\.xml: its MD5 is not that of the listing"):
        fetch(raw(upstream), tmp_path / "b", patience=PATIENCE)


def test_a_failed_fetch_goes_on_at_a_member(
    upstream: WebUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And makes the same tar; after a change of the listing it starts over."""
    monkeypatch.setattr(gather_objects, "BATCH", 4096)
    whole = fetch(raw(upstream), tmp_path / "whole", patience=PATIENCE)
    bucket, key = Bucket(), "PMC35.1/PMC35.1.xml"
    upstream.answer = bucket
    bucket.broken[key] = [b""] * 3
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), tmp_path / "a", patience=PATIENCE)
    upstream.asked.clear()
    again = fetch(raw(upstream), tmp_path / "a", patience=PATIENCE)
    assert again.resumed_from > 20_000
    assert again.sha256 == whole.sha256
    assert len([asked for asked in upstream.asked if "?" not in asked.path]) < 20


def test_objects_that_wait_are_bounded_by_their_bytes(
    upstream: WebUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tar is the same if only one fits into memory, and one that does not is named at once."""
    whole = fetch(raw(upstream), tmp_path / "a", patience=PATIENCE)
    monkeypatch.setattr(gather_objects, "AHEAD_BYTES", 1)
    lock, at_once, most = threading.Lock(), 0, 0
    verified = gather_objects._verified

    def counted(*asked: Any) -> bytes:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        content = verified(*asked)
        with lock:
            at_once -= 1
        return content

    monkeypatch.setattr(gather_objects, "_verified", counted)
    assert fetch(raw(upstream), tmp_path / "b", patience=PATIENCE).sha256 == whole.sha256
    assert most == 1
    upstream.asked.clear()
    monkeypatch.setattr(gather_objects, "LONGEST", 20)
    with pytest.raises(UpstreamError, match=r"PMC10\.1\.xml: an object of 21 bytes"):
        fetch(raw(upstream), tmp_path / "c", patience=PATIENCE)
    assert all("?" in asked.path for asked in upstream.asked)


def test_no_objects_are_an_empty_tar(upstream: WebUpstream, tmp_path: Path) -> None:
    """And an address that is no listing's is refused."""
    empty = RawFile(f"{upstream.url}/?prefix=none#.xml", "a", form="objects")
    fetch(empty, tmp_path / "a", patience=PATIENCE)
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "a").read_bytes())) as archive:
        assert archive.getnames() == []
    with pytest.raises(UpstreamError, match="not the address of a listing"):
        fetch(RawFile(f"{upstream.url}/", "a", form="objects"), tmp_path / "b", patience=PATIENCE)
