"""How fast raw files are downloaded, beside the tools of the field, on the loopback.

Three measurements, each against the same server (`benchmarks/fetch_server.py`, a process of its own):

* ``large_vs_curl``: one large file; speed over that of ``curl``. We verify and digest on the way and bring
  the file to disk; curl writes it and no more.
* ``small_vs_aria2c``: 10,000 small files over 16 connections, speed over that of ``aria2c``; also over that
  of ``curl --parallel``, and of ``wget``, one file after the other. We digest and flush each file, and run
  as `pile run` does by default: on Ray, one worker a core, which are started before. That of a single
  worker, with 8 connections, is ``small_one_worker_vs_aria2c``.
* ``line_use``: files from a server held to 100 MB/s; the share of the line that was used, and by curl. It is
  that of the bytes by which a large file exceeds one of a quarter, in the time by which it takes longer: what
  starting and flushing cost, once a file, is left out, as it weighs more the shorter the test is.
  ``line_use_whole`` has it in.

Each ratio is the median of those of runs in turn, so that a busy moment of the machine hits both alike.

    python benchmarks/fetch.py            # a table, some three minutes
    python benchmarks/fetch.py --quick    # less to download, within a minute
    python benchmarks/fetch.py --json     # the figures as one object
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# The folder of this file holds a `dedup.py` too, which is not the package of that name.
sys.path[0] = str(Path(__file__).parents[1])

from pile.downloads.raw_files import Located
from pile.downloads.transfers import Order, download
from pile.engine import Failed, Run, Task, Workers, open_engine, run_serially
from pile.stages.fetch import groups
from sources.source import RawFile
from sources.upstream.guest import Guest

SERVER = Path(__file__).with_name("fetch_server.py")
RATE = 100_000_000
CONNECTIONS = 16

ARIA2C_AT_ITS_BEST = (
    "--file-allocation=none",
    "--auto-save-interval=0",
    "--max-download-result=0",
    "--conditional-get=false",
)
"""Without these it keeps the result of each file, and takes longer for each."""

Sizes = dict[str, int]
FULL: Sizes = {"large": 2 << 30, "small": 10_000, "line": 2 << 30, "repeats": 3}
QUICK: Sizes = {"large": 384 << 20, "small": 2_000, "line": 384 << 20, "repeats": 2}


@contextmanager
def serving(folder: Path, rate: int = 0) -> Iterator[str]:
    """Serve a folder from a process of its own."""
    command = [sys.executable, str(SERVER), str(folder), str(rate)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


def content(size: int) -> bytes:
    """Return bytes that are the same in each run, and do not compress."""
    block = hashlib.shake_128(b"benchmark").digest(1 << 20)
    return (block * (size // len(block) + 1))[:size]


def write_upstream(folder: Path, sizes: Sizes) -> list[RawFile]:
    """Write the files to serve; returns the small ones, named as their addresses below the server."""
    (folder / "small").mkdir(parents=True)
    block = content(1 << 20)
    whole = max(sizes["large"], sizes["line"]) >> 20
    for name, blocks in (("large", whole), ("quarter", whole // 4)):
        with (folder / name).open("wb") as file:
            for _ in range(blocks):
                file.write(block)
    names = [f"small/{number:05d}.xml" for number in range(sizes["small"])]
    for number, name in enumerate(names):
        (folder / name).write_bytes(block[number : number + 500 + number * 37 % 8000])
    os.sync()
    return [RawFile(name, name, (folder / name).stat().st_size) for name in names]


def ratio(found: dict[str, list[float]], peer: str, who: str = "ours") -> float:
    """Return our speed over that of a peer: the median of those of runs in turn."""
    pairs = zip(found[peer], found[who], strict=True)
    return statistics.median(theirs / mine for theirs, mine in pairs)


def line_use(
    whole: dict[str, list[float]], part: dict[str, list[float]], who: str, size: int
) -> float:
    """Return the share of the line that was used for the last three quarters of a file."""
    pairs = zip(whole[who], part[who], strict=True)
    return statistics.median(size * 3 / 4 / (long - short) for long, short in pairs) / RATE


def seconds(function: Callable[[], object], folder: Path) -> float:
    """Return how long a call takes that downloads into a folder, made anew for it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    started = time.perf_counter()
    function()
    taken = time.perf_counter() - started
    shutil.rmtree(folder)
    os.sync()
    return taken


def ours(base: str, files: Sequence[RawFile], folder: Path, run: Run) -> None:
    """Download files as the fetch stage does: tasks, digests, receipts."""
    located = [
        Located(
            RawFile(f"{base}/{raw.url}", raw.name, raw.size), str(folder / raw.name), is_local=False
        )
        for raw in files
    ]
    tasks = [
        Task("fetch", str(number), download, {"order": order})
        for number, group in enumerate(groups(located))
        for order in [Order("x", str(number), group, folder, Guest(), folder / "journals")]
    ]
    for task, outcome in run(tasks):
        assert not isinstance(outcome, Failed), f"task {task.name}: {outcome}"


def tool(*command: str) -> None:
    """Run another tool; its failure is ours."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def best(
    peers: dict[str, Callable[[], object]], folder: Path, repeats: int
) -> dict[str, list[float]]:
    """Time each peer in turn, again and again, so that a busy moment hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(repeats):
        for name, call in peers.items():
            found[name].append(seconds(call, folder))
    return found


def large(base: str, folder: Path, sizes: Sizes, name: str = "large") -> dict[str, list[float]]:
    """Time one large file."""
    whole = max(sizes["large"], sizes["line"])
    raw = RawFile(name, name, whole if name == "large" else whole // 4)
    return best(
        {
            "ours": lambda: ours(base, [raw], folder, run_serially),
            "curl": lambda: tool("curl", "-sS", "-o", str(folder / name), f"{base}/{name}"),
        },
        folder,
        sizes["repeats"],
    )


def small(
    base: str, folder: Path, files: Sequence[RawFile], repeats: int, run: Run
) -> dict[str, list[float]]:
    """Time many small files, by whatever tools there are; ``run`` has its workers at hand."""
    peers: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(base, files, folder, run),
        "ours_one_worker": lambda: ours(base, files, folder, run_serially),
    }
    lists = folder.with_name("lists")
    lists.mkdir()
    urls = [f"{base}/{raw.url}" for raw in files]
    (lists / "urls").write_text("\n".join(urls), encoding="utf-8")
    (lists / "curl").write_text(
        "\n".join(
            f'url = "{url}"\noutput = "{folder / raw.name}"'
            for url, raw in zip(urls, files, strict=True)
        ),
        encoding="utf-8",
    )
    (many, at_once) = (str(CONNECTIONS), str(lists / "urls"))
    if shutil.which("aria2c"):
        aria2c = ["aria2c", "-q", f"-j{many}", "-i", at_once, *ARIA2C_AT_ITS_BEST]
        peers["aria2c"] = lambda: tool(*aria2c, "-d", str(folder))
    curl = ["curl", "-s", "--create-dirs", "--parallel", "--parallel-max", many]
    peers["curl_parallel"] = lambda: tool(*curl, "-K", str(lists / "curl"))
    if shutil.which("wget"):
        peers["wget"] = lambda: tool("wget", "-q", "-i", at_once, "-P", str(folder))
    return best(peers, folder, repeats)


def version(tool: str) -> str:
    """Return the first line of what a tool says of itself, or that it is not here."""
    if not shutil.which(tool):
        return "not installed"
    shown = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[0]


def measure(sizes: Sizes, folder: Path) -> dict[str, object]:
    """Return all figures."""
    files = write_upstream(folder / "upstream", sizes)
    target = folder / "target"
    with serving(folder / "upstream") as base:
        one = large(base, target, sizes)
        with open_engine(Workers()) as on_ray:
            # Their first task is theirs to load all that they need.
            seconds(lambda: ours(base, files, target, on_ray), target)
            many = small(base, target, files, sizes["repeats"], on_ray)
    raw = RawFile("large", "large", max(sizes["large"], sizes["line"]))
    with serving(folder / "upstream", RATE) as base:
        again = {**sizes, "repeats": sizes["repeats"] - 1}
        line, quarter = large(base, target, again), large(base, target, again, "quarter")
    size, aria2c = raw.size or 0, "aria2c" in many
    return {
        "large_vs_curl": ratio(one, "curl"),
        "small_vs_aria2c": ratio(many, "aria2c") if aria2c else None,
        "small_one_worker_vs_aria2c": ratio(many, "aria2c", "ours_one_worker") if aria2c else None,
        "small_vs_aria2c_note": "" if aria2c else "aria2c is not installed: apt install aria2",
        "small_vs_curl_parallel": ratio(many, "curl_parallel"),
        "line_use": line_use(line, quarter, "ours", size),
        "line_use_curl": line_use(line, quarter, "curl", size),
        "line_use_whole": size / statistics.median(line["ours"]) / RATE,
        "line_use_whole_curl": size / statistics.median(line["curl"]) / RATE,
        "seconds": {"large": one, "small": many, "line": line, "quarter": quarter},
        "digest": "ours computes SHA-256 on the way and flushes to disk; the others do neither",
        "input": {
            "large_bytes": raw.size,
            "small_files": len(files),
            "small_bytes": sum(file.size or 0 for file in files),
            "line_bytes_a_second": RATE,
        },
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "load": os.getloadavg(),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("requests", "urllib3")},
            **{tool: version(tool) for tool in ("curl", "aria2c", "wget")},
        },
    }


def table(found: dict[str, object]) -> str:
    """Return the figures as text."""
    lines = [f"{key:<24} {value}" for key, value in found.items() if not isinstance(value, dict)]
    details = ("seconds", "input", "machine", "versions")
    return "\n".join([*lines, *(f"{key}: {json.dumps(found[key])}" for key in details)])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="within a minute")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pile-fetch-") as folder:
        found = measure(QUICK if given.quick else FULL, Path(folder))
    print(json.dumps(found, indent=1) if given.json else table(found))


if __name__ == "__main__":
    main()
