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

HEADER = b'"id","plain_text","html","html_lawbox"\n'


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are told by Linux")
@pytest.mark.parametrize(
    ("source", "name", "begin", "unit", "end", "size"),
    [
        ("local", "values.jsonl", b'{"text": "a", "x": [', b'{"":1},', b"1]}\n", 64 << 20),
        (
            "freelaw",
            "lines.csv",
            HEADER + b'"1","\xf0\x9f\x98\x80',
            b"the\n",
            b'","",""\n',
            15 << 20,
        ),
    ],
    ids=["JSON of the smallest objects", "a row of short lines and one wide character"],
)
def test_a_hostile_record_takes_no_more_than_any(
    source: str, name: str, begin: bytes, unit: bytes, end: bytes, size: int, tmp_path: Path
) -> None:
    """What a parser makes of it is bounded before it is parsed."""
    path = tmp_path / name
    path.write_bytes(begin + unit * (size // len(unit)) + end)
    command = [sys.executable, "-c", READ, source, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < BOUND
