"""A download killed at any instant goes on where it was: at most one chunk is fetched again."""

import hashlib
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random

import pytest

from sources.source import RawFile

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent))
from fault_server import Reply, Request, Upstream, file_server, serving
from killed import CHUNK, download

KILLS = 100
PIECE = 64 << 10
CONTENT = b"".join(hashlib.sha512(b"%d" % number).digest() for number in range(48_000))
"""3 MB, no two blocks of which are alike: twelve chunks."""


def slowly(request: Request) -> Reply:
    """Serve the file in pieces, about 10 MB a second."""
    reply = file_server(CONTENT)(request)
    body = b"".join(reply.body)
    pieces = tuple(body[start : start + PIECE] for start in range(0, len(body), PIECE))
    return replace(reply, body=pieces, pause=0.006)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Give processes that start in an instant, forked off one that has all it needs and no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sources.fetch", "sources.upstream.http"])
    return context


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a server of the file, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        server.otherwise = slowly
        yield server


def length(path: Path) -> int:
    """Return a file's size, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def fetched_again(upstream: Upstream, reached: int) -> int:
    """Return how many bytes that were on disk the last request asks for once more."""
    asked = upstream.requests[-1].headers.get("Range", "bytes=0-")
    return reached - int(asked.removeprefix("bytes=").removesuffix("-"))


def test_100_kills_at_random_instants_cost_a_chunk_each_at_most(
    processes: ForkServerContext, upstream: Upstream, tmp_path: Path
) -> None:
    """Every file is exact in the end, and each request after a kill starts at most a chunk back."""
    draw = Random(4)
    kills = files = 0
    while kills < KILLS:
        files += 1
        partial = tmp_path / f"{files}.partial"
        raw = RawFile(f"{upstream.url}/{files}", f"{files}.txt")
        upstream.requests.clear()
        reached = 0
        while not partial.with_suffix(".done").exists():
            asked = len(upstream.requests)
            process = processes.Process(target=download, args=(raw, partial))
            process.start()
            process.join(draw.uniform(0.05, 0.4) if kills < KILLS else None)
            kills += process.is_alive()
            process.kill()
            process.join()
            if len(upstream.requests) > asked:
                assert 0 <= fetched_again(upstream, reached) <= CHUNK
            reached = length(partial)
            ended = process.exitcode
            process.close()
        assert partial.with_suffix(".done").read_bytes() == CONTENT
        # One that was killed behind the name leaves a note of what is no longer there.
        assert ended or not list(tmp_path.glob(f"{partial.name}.*"))


def test_a_kill_before_or_after_any_flush_costs_a_chunk_at_most(
    processes: ForkServerContext, upstream: Upstream, tmp_path: Path
) -> None:
    """Between the file's flush and that of its note, nothing is lost either."""
    upstream.otherwise = file_server(CONTENT)
    partial = tmp_path / "raw.partial"
    raw = RawFile(f"{upstream.url}/raw", "raw.txt")
    reached = kills = 0
    while not partial.with_suffix(".done").exists():
        process = processes.Process(target=download, args=(raw, partial, 4 + kills % 4))
        asked = len(upstream.requests)
        process.start()
        process.join(60)
        # What was killed between its last byte and its name asks for nothing more.
        if len(upstream.requests) > asked:
            assert 0 <= fetched_again(upstream, reached) <= CHUNK
        kills += process.exitcode == -9
        assert kills < 100
        reached = length(partial)
    assert kills > 4
    assert partial.with_suffix(".done").read_bytes() == CONTENT
