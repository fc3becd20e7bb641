"""A long series of damage: every committed file of a small run cut and flipped, found, and restored.

``python benchmarks/damage.py [CUTS FLIPS]``: so many cuts and single bit flips of each file, each on its
own (20 and 200 by default). Prints how many were found and restored; exits with 1 if one was not.
"""

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "pile")]

from pile import draws


def load(name: str) -> object:
    """Import a module of the tests."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "pile" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def damaged(content: bytes, name: str, number: int, cuts: int) -> bytes:
    """Return a file's content cut, or with one bit flipped, where the number draws."""
    place = draws.key(number, "place", name) * len(content) >> 64
    if number < cuts:
        return content[:place]
    bit = 1 << draws.key(number, "bit", name) % 8
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def main() -> None:
    """Damage, verify, repair, compare."""
    cuts, flips = map(int, sys.argv[1:3] or ("20", "200"))
    tests = load("test_repair")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        tests.run_small(folder)  # type: ignore[attr-defined]
        whole = tests.committed(folder)  # type: ignore[attr-defined]
        missed, unmended, count = [], [], 0
        for name, content in whole.items():
            for number in range(cuts + flips if content else 0):
                count += 1
                (folder / "work" / name).write_bytes(damaged(content, name, number, cuts))
                if name not in tests.found(folder):  # type: ignore[attr-defined]
                    missed.append((name, number))
                tests.mend(folder)  # type: ignore[attr-defined]
                if tests.committed(folder) != whole:  # type: ignore[attr-defined]
                    unmended.append((name, number))
    seconds = time.monotonic() - started
    print(
        f"{count:,} damages of {len(whole)} files: {len(missed)} not found, {len(unmended)} not restored, {seconds:.0f} s"
    )
    for name, number in missed + unmended:
        print(f"  {name} {number}")
    sys.exit(bool(missed or unmended))


if __name__ == "__main__":
    main()
