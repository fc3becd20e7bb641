"""A run killed at any instant while it downloads: what has its name is exact, and hardly more is fetched again."""

import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "sources")])
from fault_server import Reply, Request, Upstream, file_server, serving
from killed_run import CHUNK, run

KILLS = int(os.environ.get("PILE_TEST_KILLS", "25"))
"""Set it to 100 for as many as were promised; each takes a good quarter of a second."""

PIECE = 16 << 10
SIZES = [*(900 * number + 700 for number in range(16)), *[400_000] * 8]


def content(number: int) -> bytes:
    """Return a file's bytes, no two blocks of which are alike."""
    blocks = range(SIZES[number] // 64 + 1)
    text = b"".join(hashlib.sha512(b"%d %d" % (number, block)).digest() for block in blocks)
    return text[: SIZES[number]]


CONTENTS = {f"/{number:02d}.bin": content(number) for number in range(len(SIZES))}


def slowly(request: Request) -> Reply:
    """Serve a file in pieces, about 1 MB a second over each connection."""
    reply = file_server(CONTENTS[request.path])(request)
    body = b"".join(reply.body)
    pieces = tuple(body[start : start + PIECE] for start in range(0, len(body), PIECE))
    return replace(reply, body=pieces, pause=0.015)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Give a server of the files, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        server.otherwise = slowly
        yield server


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Give processes that start in an instant, forked off one that has all it needs and no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["pile.cli", "pile.downloads.transfers", "sources.upstream.http"]
    )
    return context


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder in memory, where there is one: who is killed needs no flush, and disks are slow."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def write_config(folder: Path, upstream: Upstream) -> Path:
    """Write a config that downloads all files."""
    addresses = ", ".join(f'"{upstream.url}{path}"' for path in CONTENTS)
    path = folder / "pipeline.toml"
    path.write_text(
        f'schema = 1\n[sources.noise]\nreader = "local"\nfiles = [{addresses}]\n'
        '[run]\nengine = "serial"\ncontact = "us@example.org"\n',
        encoding="utf-8",
    )
    return path


def lengths(raw: Path) -> dict[str, int | None]:
    """Return by path how much of each file is there; None for one that has its name."""
    found: dict[str, int | None] = {}
    for path in CONTENTS:
        partial = raw / f"{path[1:]}.partial"
        has_name = (raw / path[1:]).exists()
        found[path] = None if has_name else partial.stat().st_size if partial.exists() else 0
    return found


def check(asked: Sequence[Request], before: dict[str, int | None], raw: Path) -> None:
    """Make sure that what was there was not fetched again, and that what has a name is exact."""
    for request in asked:
        reached = before[request.path]
        assert reached is not None, f"{request.path} had its name"
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=")[:-1])
        assert 0 <= reached - start <= CHUNK, (request.path, reached, start)
    for path, expected in CONTENTS.items():
        if (raw / path[1:]).exists():
            assert (raw / path[1:]).read_bytes() == expected


def killed_at(process: BaseProcess, upstream: Upstream, seconds: float, done: Path) -> bool:
    """Kill a run so long after it began to download; tells whether it still did."""
    process.start()
    while not upstream.requests and process.is_alive() and not list(done.glob("*/manifest.json")):
        time.sleep(0.002)
    process.join(seconds)
    process.kill()
    process.join()
    process.close()
    return not list(done.glob("*/manifest.json"))


def test_kills_at_random_instants_of_a_run_cost_a_chunk_a_file_at_most(
    processes: ForkServerContext, upstream: Upstream, folder: Path
) -> None:
    """Of eight downloads at a time none loses more, and every file is exact in the end."""
    config, work = write_config(folder, upstream), folder / "work"
    raw, draw, kills = work / "raw/noise", Random(4), 0
    while kills < KILLS or raw.exists():
        before = lengths(raw)
        upstream.requests.clear()
        process = processes.Process(target=run, args=(config,))
        downloading = killed_at(
            process, upstream, draw.uniform(0.0, 0.3), work / "stages/fetch.noise"
        )
        check(upstream.requests, before, raw)
        kills += downloading
        if not downloading:
            assert set(lengths(raw).values()) == {None}
            assert not list(raw.glob("*.partial*"))
            shutil.rmtree(work)
