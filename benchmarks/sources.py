"""Every source's reader beside the library that parses the same bytes, and the memory they take.

    python benchmarks/sources.py --quick            # all 23, less than a minute
    python benchmarks/sources.py --only freelaw     # one of them
    python benchmarks/sources.py --memory           # peaks over raw files of 2 GB, and hostile ones
    python benchmarks/sources.py --memory --bytes 200000000
    python benchmarks/sources.py --json             # the figures as one object
    PILE_SAMPLES=folder python benchmarks/sources.py   # also over real raw files, a folder a source

Rates are megabytes (10**6 bytes) of decompressed content in a CPU second of one core, a program's
own children (pandoc) included; the container's are the packed file's bytes. Each measurement has a
process of its own; reader and library take turns, and the best of a few rounds counts, so other load
on the machine tells less. Raw files are made up (`benchmarks.sources_raw`). Peaks are VmHWM of the
reading process, which only counts documents; a child's peak is stated apart.
"""

import argparse
import importlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[0] = str(HERE.parent)  # not this folder, where a file has the name of what it measures

from benchmarks.memory import peak_mb

PANDOC = frozenset({"arxiv", "pubmed_central"})
"""Sources that are all pandoc, at a tenth of a megabyte a second: a sixteenth of the content does."""

BOUND_MB = 500
"""Megabytes of memory that no reader needs more than."""

KEYS = """keys of --json:
  machine, cpus, python            what was measured on
  mb_s_core_NAME                   a reader's MB of decompressed content in a CPU second
  container_mb_s_core_NAME         the same of the packed file's bytes
  library_NAME                     what parses the same bytes beside it
  library_mb_s_core_NAME           its rate
  vs_library_NAME                  the reader's rate over the library's
  documents_NAME                   documents of the file
  samples_mb_s_core_NAME, samples_documents_NAME
                                   likewise of real raw files (PILE_SAMPLES)
  peak_rss_mb_CASE                 --memory: the peak of the reading process, in MB
  peak_rss_mb_child_CASE           that of its largest child
  peak_rss_mb_max                  the largest of the former"""


def progress(line: str) -> None:
    """Say what is being measured, where it is no output."""
    print(line, file=sys.stderr, flush=True)


def cpu() -> float:
    """Return CPU seconds of this process and its children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def read_all(name: str, files: list[tuple[str, str]]) -> dict[str, Any]:
    """Read raw files, each as (path, name), with a source's defaults; count what comes."""
    from sources.source import Document, RawFile, UnreadableFile

    source = importlib.import_module(f"sources.{name}").SOURCE
    found = {"documents": 0, "rejected": 0, "unreadable": 0}
    for path, raw_name in files:
        try:
            for item in source.read(Path(path), RawFile("file:made", raw_name), source.defaults):
                found["documents" if isinstance(item, Document) else "rejected"] += 1
        except UnreadableFile as error:
            found["unreadable"] += 1
            found["error"] = str(error)[:200]
    return found


def job(side: str, name: str, files: list[tuple[str, str]], least: float) -> dict[str, Any]:
    """Read files over and over for some seconds, in this process; return what it took."""
    from benchmarks.sources_peers import PEERS

    importlib.import_module(f"sources.{name}")
    times: list[float] = []
    found: dict[str, Any] = {}
    # The first time is for caches to fill, unless it is all that there is time for.
    while not times or (len(times) < 2 and times[0] < 1) or sum(times) < least:
        started = cpu()
        if side == "reader":
            found = read_all(name, files)
        else:
            found = {"records": sum(PEERS[name][1](Path(path)) for path, _ in files)}
        times.append(cpu() - started)
    return found | {"seconds": min(times), "peak_mb": peak_mb()}


def memory_job(name: str, files: list[tuple[str, str]]) -> dict[str, Any]:
    """Read files once, in this process; return the peaks of it and of its largest child."""
    before = peak_mb()
    started = cpu()
    found = read_all(name, files)
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    return found | {
        "seconds": cpu() - started,
        "before_mb": before,
        "peak_mb": peak_mb(),
        "child_mb": child,
    }


def in_process(arguments: list[Any], limit: float = 3600) -> dict[str, Any]:
    """Run a job in a process of its own."""
    command = [sys.executable, __file__, "--job", json.dumps(arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    if run.returncode:
        raise RuntimeError(f"{arguments[:2]} failed: {run.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def measure(names: list[str], size: int, rounds: int, least: float) -> Iterator[dict[str, Any]]:
    """Yield the figures of one source after another."""
    from benchmarks.sources_peers import PEERS
    from benchmarks.sources_raw import RAWS, make

    for raw in RAWS:
        if raw.source not in names:
            continue
        progress(raw.source)
        with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as folder:
            path = Path(folder) / Path(raw.name).name
            content = make(raw, path, size // 16 if raw.source in PANDOC else size)
            packed = path.stat().st_size
            files = [(str(path), raw.name)]
            best: dict[str, dict[str, Any]] = {}
            for _ in range(rounds):
                for side in ("reader", "library"):
                    found = in_process([side, raw.source, files, least])
                    if side not in best or found["seconds"] < best[side]["seconds"]:
                        best[side] = found
        ours, theirs = best["reader"], best["library"]
        yield {
            f"mb_s_core_{raw.source}": content / ours["seconds"] / 1e6,
            f"container_mb_s_core_{raw.source}": packed / ours["seconds"] / 1e6,
            f"library_mb_s_core_{raw.source}": content / theirs["seconds"] / 1e6,
            f"vs_library_{raw.source}": theirs["seconds"] / ours["seconds"],
            f"library_{raw.source}": PEERS[raw.source][0],
            f"documents_{raw.source}": ours["documents"],
        } | samples(raw.source, rounds)


def samples(name: str, rounds: int) -> dict[str, Any]:
    """Return the reader's rate over real raw files, if there are any; as they are on disk."""
    root = os.environ.get("PILE_SAMPLES")
    folder = Path(root) / name if root else None
    if folder is None or not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [(str(path), path.relative_to(folder.parent).as_posix()) for path in paths]
    found = [in_process(["reader", name, files, 0.0]) for _ in range(rounds)]
    seconds = min(each["seconds"] for each in found)
    size = sum(path.stat().st_size for path in paths)
    return {
        f"samples_mb_s_core_{name}": size / seconds / 1e6,
        f"samples_documents_{name}": found[0]["documents"],
    }


def table(figures: dict[str, Any]) -> str:
    """Lay the rates out for reading."""
    lines = [
        f"{'source':20} {'content':>9} {'container':>10} {'library':>9} {'ratio':>6}  beside (MB/s)"
    ]
    for key in figures:
        if not key.startswith("mb_s_core_"):
            continue
        name = key.removeprefix("mb_s_core_")
        rates = (figures[f"{kind}mb_s_core_{name}"] for kind in ("", "container_", "library_"))
        shown = "{:9.1f} {:10.1f} {:9.1f}".format(*rates)
        real = figures.get(f"samples_mb_s_core_{name}")
        lines.append(
            f"{name:20} {shown} {figures[f'vs_library_{name}']:6.2f}  {figures[f'library_{name}']}"
            + (f"; {real:.2f} on real files" if real else "")
        )
    return "\n".join(lines)


def measure_memory(names: list[str], size: int, only: str) -> Iterator[dict[str, Any]]:
    """Yield the peak of each large or hostile raw file, as it is measured."""
    from benchmarks.sources_hostile import CASES

    largest = 0.0
    for case in CASES:
        if case.source not in names or not re.search(only, case.name):
            continue
        with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as folder:
            path = Path(folder) / Path(case.raw_name).name
            started = time.perf_counter()
            content = case.make(path, size)
            made = time.perf_counter() - started
            found = in_process(["memory", case.source, [(str(path), case.raw_name)]])
        largest = max(largest, found["peak_mb"])
        over = "  OVER" if found["peak_mb"] > BOUND_MB else ""
        progress(
            f"{case.name:34} {content / 1e6:8.0f} MB: peak {found['peak_mb']:5.0f} MB"
            f" (child {found['child_mb']:4.0f}), {found['documents']:,} documents,"
            f" {found['rejected']:,} rejected, {found['seconds']:.0f} s, made in {made:.0f} s"
            f" {found.get('error', '')[:90]}{over}"
        )
        yield {
            f"peak_rss_mb_{case.name}": found["peak_mb"],
            f"peak_rss_mb_child_{case.name}": found["child_mb"],
        }
    yield {"peak_rss_mb_max": largest}


def machine() -> dict[str, Any]:
    """Say what was measured on."""
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }


def chosen(only: str) -> list[str]:
    """Return the names of the sources to measure."""
    from benchmarks.sources_peers import PEERS

    if only and only not in PEERS:
        sys.exit(f"--only {only}: not one of {', '.join(PEERS)}")
    return [only] if only else list(PEERS)


def main() -> None:
    """Measure, or run the one job that a measurement asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="1 MB a source, one round")
    parser.add_argument("--only", default="", metavar="NAME", help="one source")
    parser.add_argument("--memory", action="store_true", help="peaks of memory, not rates")
    parser.add_argument(
        "--case", default="", help="only cases of memory whose names match this pattern"
    )
    parser.add_argument("--bytes", type=int, help="content of a raw file, decompressed")
    parser.add_argument("--json", action="store_true", help="figures only, as JSON")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        side, *rest = json.loads(arguments.job)
        print(json.dumps(memory_job(*rest) if side == "memory" else job(side, *rest)))
        return
    figures = machine()
    names = chosen(arguments.only)
    if arguments.memory:
        for found in measure_memory(names, arguments.bytes or 2_000_000_000, arguments.case):
            figures |= found
    else:
        size = arguments.bytes or (500_000 if arguments.quick else 8_000_000)
        rounds, least = (1, 0.0) if arguments.quick else (3, 1.0)
        for found in measure(names, size, rounds, least):
            figures |= found
        if not arguments.json:
            print(table(figures))
    if arguments.json or arguments.memory:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
