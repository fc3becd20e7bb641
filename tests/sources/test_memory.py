"""No reader needs more than 500 MB: the worst records there are, each read in a process of its own.

`benchmarks/sources.py --memory` does so for every source and for containers of gigabytes.
"""

import subprocess
import sys
from pathlib import Path

import pytest

BOUND = 500 * 10**6

READ = """
import importlib, sys
from pathlib import Path
from sources.source import RawFile
name, path = sys.argv[1:]
source = importlib.import_module(f"sources.{name}").SOURCE
for item in source.read(Path(path), RawFile("file:made", Path(path).name), source.defaults):
    del item
status = Path("/proc/self/status").read_text(encoding="ascii")
print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are told by Linux")
def test_a_hostile_record_takes_no_more_than_any(tmp_path: Path) -> None:
    """What a parser would make of it, some 900 MB here, is told before it is parsed."""
    path = tmp_path / "values.jsonl"
    path.write_bytes(b'{"text": "a", "x": [' + b'{"":1},' * ((24 << 20) // 7) + b"1]}\n")
    command = [sys.executable, "-c", READ, "local", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < BOUND
