"""A long series of damage: every committed file of a small run cut and flipped, found, and restored.

    python benchmarks/damage.py [--cuts 20] [--flips 200] [--json] [--quick]

So many cuts and single bit flips of each file that is not empty. Each is done on its own, and verify is
to name that file and no other. Then all files are damaged so again, in rounds of two halves, and repair is
to put the same bytes back; the first damage of each file also alone. Exits with 1 if one was not found or
not restored.
"""

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "pile")]

from pile.config import load as load_config
from pile.graph import build


def load(name: str) -> Any:
    """Import a module of the tests."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "pile" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def progress(line: str) -> None:
    """Say what is being done, where it is no output."""
    print(line, file=sys.stderr, flush=True)


def find_each(
    tests: Any, folder: Path, whole: dict[str, bytes], cuts: int, flips: int
) -> list[Any]:
    """Damage each file alone, and return the damages that verify did not name, or named with others."""
    graph = build(load_config(folder / "pipeline.toml"), lambda _: None)
    missed = []
    for name, content in whole.items():
        path = folder / "work" / name
        for number in range(cuts + flips):
            path.write_bytes(tests.damaged(content, name, number, cuts))
            named = tests.check_one(folder, graph, name)
            if named != {name}:
                missed.append([name, number, sorted(named)])
        path.write_bytes(content)
    return missed


def restore(tests: Any, folder: Path, whole: dict[str, bytes], some: dict[str, bytes]) -> list[str]:
    """Damage some files together, repair, and return those that are not as they were."""
    for name, content in some.items():
        (folder / "work" / name).write_bytes(content)
    tests.mend(folder)
    after = tests.committed(folder)
    return sorted(name for name in {**whole, **after} if after.get(name) != whole.get(name))


def main() -> None:
    """Damage, verify, repair, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=20, help="of each file")
    parser.add_argument("--flips", type=int, default=200, help="single bits of each file")
    parser.add_argument("--quick", action="store_true", help="1 cut and 3 flips")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    cuts, flips = (1, 3) if options.quick else (options.cuts, options.flips)
    load("small_corpus")
    tests = load("test_repair")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        tests.run_small(folder)
        every = tests.committed(folder)
        whole = {name: content for name, content in every.items() if content}
        missed = find_each(tests, folder, whole, cuts, flips)
        progress(f"found: {time.monotonic() - started:.0f} s")
        unmended: list[Any] = []
        for name, content in whole.items():
            alone = {name: tests.damaged(content, name, 0, cuts)}
            unmended += [[one, "alone"] for one in restore(tests, folder, every, alone)]
        progress(f"each restored alone: {time.monotonic() - started:.0f} s")
        for number in range(cuts + flips):
            for half in (0, 1):
                names = list(whole)[half::2]
                some = {name: tests.damaged(whole[name], name, number, cuts) for name in names}
                unmended += [[one, number] for one in restore(tests, folder, every, some)]
        found = {
            "files": len(whole),
            "bytes": sum(map(len, whole.values())),
            "damages": len(whole) * (cuts + flips),
            "not_found": len(missed),
            "not_restored": len(unmended),
            "seconds": round(time.monotonic() - started),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "pile": version("pile"),
        }
    for one in missed + unmended:
        progress(f"  {one}")
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(" ".join(f"{key} {value}" for key, value in found.items()))
    sys.exit(bool(missed or unmended))


if __name__ == "__main__":
    main()
