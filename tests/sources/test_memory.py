"""No reader needs more than 500 MB: hostile records of the common forms, each in a process of its own.

`benchmarks/sources.py --memory` does so for every source, many more shapes, and containers of gigabytes.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

BOUND = 500 * 10**6

READ = """
import importlib, sys
from pathlib import Path
from sources.source import RawFile, UnreadableFile
name, path = sys.argv[1:]
source = importlib.import_module(f"sources.{name}").SOURCE
try:
    for item in source.read(Path(path), RawFile("file:made", Path(path).name), source.defaults):
        del item
except UnreadableFile:
    pass
status = Path("/proc/self/status").read_text(encoding="ascii")
print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)
"""


def in_warc(page: bytes) -> bytes:
    """Make a WARC file of one page."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/\r\n"
        f"WARC-Record-ID: <urn:uuid:0>\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def in_wiki(wikitext: bytes) -> bytes:
    """Make an export of one page of Wikipedia."""
    return (
        b"<mediawiki><page><title>A</title><ns>0</ns><id>1</id><revision><id>2</id>"
        b'<text xml:space="preserve">' + wikitext + b"</text></revision></page></mediawiki>"
    )


def in_pubmed(content: bytes) -> bytes:
    """Make a file of one citation."""
    return b"<PubmedArticleSet><PubmedArticle>" + content + b"</PubmedArticle></PubmedArticleSet>"


RECORDS: Mapping[str, tuple[str, str, Callable[[], bytes]]] = {
    "values": (
        "local",
        "values.jsonl",
        lambda: b'{"text": "a", "x": [' + b'{"":1},' * ((24 << 20) // 7) + b"1]}\n",
    ),
    "a line of 200 MB": ("local", "line.jsonl", lambda: b'"' + b"a" * (200 << 20) + b'"\n'),
    "wide characters": ("local", "wide.txt", lambda: "\U0001f4a7".encode() * (24 << 20)),
    "an opinion of values": (
        "freelaw",
        "a.json",
        lambda: b'{"id": 1, "x": [' + b"[]," * ((31 << 20) // 3) + b"1]}",
    ),
    "a citation of elements": ("pubmed_abstracts", "a.xml", lambda: in_pubmed(b"<a/>" * (2 << 20))),
    "a page of tags": ("pile_cc", "a.warc", lambda: in_warc(b"the <b>" * ((8 << 20) // 8))),
    "an unbroken page": ("wikipedia_en", "a.xml", lambda: in_wiki(b"{{[[" * (1 << 15))),
    "a mail of one word": (
        "enron_emails",
        "maildir/a/b/1",
        lambda: b"Message-ID: <1>\n\n" + b"a" * (100 << 20),
    ),
    "an endless post": (
        "stackexchange",
        "a/Posts.xml",
        lambda: (
            b'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n<row Id="1" PostTypeId="1" Body="'
            + b"a" * (100 << 20)
            + b'" />\n</posts>'
        ),
    ),
}
"""What is hard to hold: a source, a file's name, and its content."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are told by Linux")
@pytest.mark.parametrize("record", RECORDS)
def test_a_hostile_record_takes_no_more_than_any(tmp_path: Path, record: str) -> None:
    """What a parser would make of it, some 900 MB of values, is told before it is parsed."""
    name, file, content = RECORDS[record]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content())
    command = [sys.executable, "-c", READ, name, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < BOUND
