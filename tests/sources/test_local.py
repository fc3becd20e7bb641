"""The user's own files, against lm_dataformat and by example."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from lm_dataformat import Archive, DatArchive, JSONArchive, Reader

from sources.local import SOURCE, read
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile


def read_file(path: Path, raw_name: str = "", **options: Option) -> list[Document | Rejected]:
    """Read a raw file."""
    return list(read(path, RawFile("", raw_name or path.name), {**SOURCE.defaults, **options}))


def read_bytes(folder: Path, name: str, content: bytes, **options: Option) -> list[str]:
    """Read the content of a raw file; texts, and reasons between angle brackets."""
    path = folder / name
    path.write_bytes(content)
    return [
        item.text if isinstance(item, Document) else f"<{item.reason}>"
        for item in read_file(path, **options)
    ]


LINES = b'{"text": "one", "meta": {"a": 1}}\n"two"\n\n{"text": ["three", "four"]}\n'
TEXTS = ["one", "two", "three\n\nfour"]


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
     (".zst", zstandard.compress)],
)  # fmt: skip
def test_json_lines_are_read_however_compressed(
    suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Objects, bare strings, lists of paragraphs; empty lines are no records."""
    assert read_bytes(tmp_path, f"x.jsonl{suffix}", compress(LINES)) == TEXTS


def test_a_document_is_named_by_its_place(tmp_path: Path) -> None:
    """Origin and id tell file and line; meta is the line's own."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(LINES)
    items = read_file(path, "sub/x.jsonl", name="mine")
    assert [item.origin for item in items] == ["sub/x.jsonl:1", "sub/x.jsonl:2", "sub/x.jsonl:4"]
    first = items[0]
    assert isinstance(first, Document)
    assert (first.id, first.meta) == ("mine/sub/x.jsonl:1", {"a": 1})


def test_ids_may_be_the_users_own(tmp_path: Path) -> None:
    """They then stand in place of the line's; one that repeats in a file is numbered."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"t": "a", "k": 5}\n{"t": "b", "k": "5"}\n{"t": "c"}\n', encoding="utf-8")
    items = read_file(path, text_key="t", id_key="k")
    found = [item.id if isinstance(item, Document) else item.reason for item in items]
    assert found == ["local/5", "local/5/r2", "no_id_key"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"text": NaN}', "invalid_json"),
        (b'{"text": "a", "meta": {"x": Infinity}}', "invalid_json"),
        (b'{"text": "caf\xe9"}', "invalid_utf8"),
        (b'{"txet": "a"}', "no_text_key"),
        (b'{"text": null}', "no_text_key"),
        (b'{"text": [1, 2]}', "no_text_key"),
        (b"5", "no_text_key"),
        (b'{"text": ""}', "empty"),
    ],
)
def test_lines_that_give_no_document_are_rejected(line: bytes, reason: str, tmp_path: Path) -> None:
    """Each by itself: the lines round it are read."""
    content = b'"before"\n' + line + b'\n"after"'
    assert read_bytes(tmp_path, "x.jsonl", content) == ["before", f"<{reason}>", "after"]


def test_half_a_surrogate_pair_is_handed_on(tmp_path: Path) -> None:
    """What becomes of it is the matter of whoever runs the source."""
    assert read_bytes(tmp_path, "x.jsonl", b'{"text": "a\\ud800b"}') == ["a\ud800b"]


def test_long_lines_and_files_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line over the limit does not end the file."""
    monkeypatch.setattr("sources.local.LIMIT", 100)
    content = b'"a"\n' + b'"' + b"x" * 500 + b'"\n"b"'
    assert read_bytes(tmp_path, "x.jsonl", content) == ["a", "<overlong>", "b"]
    for name in ("x.txt", "x.json", "x.bin"):
        assert read_bytes(tmp_path, name, b" " * 101) == ["<overlong>"]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.txt", b" as it is\r\n", " as it is\r\n"),
        ("a.md", "caf\u00e9".encode(), "caf\u00e9"),
        ("a.py", b"print(1)\n", "print(1)\n"),
        ("Makefile", b"all:\n", "all:\n"),
        ("a.txt.gz", gzip.compress(b"x", mtime=0), "x"),
        ("a.txt", b"caf\xe9", "<invalid_utf8>"),
        ("a.bin", b"caf\xe9", "<not_text>"),
        ("a.bin", b"a\0b", "<not_text>"),
        ("a.docx", b"PK\x03\x04\x14\0\0\0", "<not_text>"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0", "<not_text>"),
        ("a.bin", b"\0" * 5000, "<not_text>"),
        ("a.txt", b"", "<empty>"),
    ],
)
def test_other_files_are_one_text_or_none(
    name: str, content: bytes, found: str, tmp_path: Path
) -> None:
    """A file of any name is a document if it is UTF-8 without NUL; nothing in it is changed."""
    assert read_bytes(tmp_path, name, content) == [found]


def test_arrays_and_lengths_are_read(tmp_path: Path) -> None:
    """JSON in one piece, and the form with sixteen digits before each text."""
    array = json.dumps(["one", {"text": "two"}, 3]).encode()
    assert read_bytes(tmp_path, "x.json", array) == ["one", "two", "<no_text_key>"]
    assert read_bytes(tmp_path, "x.json.zst", zstandard.compress(b'{"text": "one"}')) == ["one"]
    assert read_bytes(tmp_path, "x.json.gz", gzip.compress(LINES)) == TEXTS
    dat = b"".join(b"%016d%s" % (len(text), text) for text in (b"one", b"caf\xe9", b"two"))
    assert read_bytes(tmp_path, "x.dat", dat) == ["one", "<invalid_utf8>", "two"]


@pytest.mark.parametrize(
    "content",
    [
        b"0000000000000003on",
        b"000000000000000",
        b"12345678901234xx",
        b"9" * 16,
        b"-000000000000001a",
    ],
)
def test_lengths_that_cannot_be_are_refused(content: bytes, tmp_path: Path) -> None:
    """A cut text, a cut or impossible length."""
    with pytest.raises(UnreadableFile, match=r"x\.dat: record 1"):
        read_bytes(tmp_path, "x.dat", content)


def test_archives_hold_files_of_any_form(tmp_path: Path) -> None:
    """Members are read by their own names; unsafe ones are rejected."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "text")
        archive.writestr("b.jsonl", LINES)
        archive.writestr("../c.txt", "out")
        archive.writestr("d.parquet", "PAR1")
    items = read_file(tmp_path / "x.zip")
    found = [
        (item.origin, item.id if isinstance(item, Document) else item.reason) for item in items
    ]
    assert found == [
        ("x.zip:a.txt", "local/x.zip:a.txt"),
        ("x.zip:b.jsonl:1", "local/x.zip:b.jsonl:1"),
        ("x.zip:b.jsonl:2", "local/x.zip:b.jsonl:2"),
        ("x.zip:b.jsonl:4", "local/x.zip:b.jsonl:4"),
        ("x.zip:../c.txt", "unreadable_member"),
        ("x.zip:d.parquet", "packed_parquet"),
    ]


def test_archives_of_compressed_lines_are_read(tmp_path: Path) -> None:
    """Which lm_dataformat itself cannot: its reader of them fails."""
    packed = zstandard.compress(LINES)
    with tarfile.open(tmp_path / "x.jsonl.zst.tar", "w") as archive:
        for name in ("a.jsonl.zst", "b.jsonl.zst"):
            info = tarfile.TarInfo(name)
            info.size = len(packed)
            archive.addfile(info, io.BytesIO(packed))
    path = tmp_path / "x.jsonl.zst.tar"
    assert [item.text for item in read_file(path) if isinstance(item, Document)] == TEXTS * 2


def test_archives_may_hold_archives(tmp_path: Path) -> None:
    """One level deep, as of the Pile's Stack Exchange; a member that only looks so is rejected."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("1.txt", "one")
        archive.writestr("2.zip", b"PK\3\4\0")
    with tarfile.open(tmp_path / "x.tar", "w") as outer:
        for name, content in (
            ("a.zip", inner.getvalue()),
            ("b.tar.gz", gzip.compress(b"text")),
            ("c.txt", b"two"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            outer.addfile(info, io.BytesIO(content))
    items = read_file(tmp_path / "x.tar")
    assert [(item.origin, getattr(item, "reason", "")) for item in items] == [
        ("x.tar:a.zip:1.txt", ""),
        ("x.tar:a.zip:2.zip", "not_text"),
        ("x.tar:b.tar.gz", "damaged"),
        ("x.tar:c.txt", ""),
    ]


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_cut_streams_are_refused(share: float, tmp_path: Path) -> None:
    """Where lm_dataformat ends in silence."""
    content = zstandard.compress(b'{"text": "some words that do not compress well"}\n' * 500)
    with pytest.raises(UnreadableFile):
        read_bytes(tmp_path, "x.jsonl.zst", content[: int(len(content) * share)])


def test_parquet_gives_a_column(tmp_path: Path) -> None:
    """Text by text_key, ids by id_key; NULL and bytes that are no text are rejected."""
    path = tmp_path / "x.parquet"
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"caf\xe9")])  # fmt: skip
    texts = pa.concat_arrays([pa.array(["one", None, ""]), bad])
    pq.write_table(pa.table({"body": texts, "key": [1, 2, 3, 4], "other": [0] * 4}), path)
    items = read_file(path, text_key="body", id_key="key")
    found = [
        (item.origin, item.id if isinstance(item, Document) else item.reason) for item in items
    ]
    assert found == [
        ("x.parquet:1", "local/1"),
        ("x.parquet:2", "no_text_key"),
        ("x.parquet:3", "empty"),
        ("x.parquet:4", "invalid_utf8"),
    ]


def test_parquet_may_hold_lists(tmp_path: Path) -> None:
    """Paragraphs are joined as those of JSON are."""
    pq.write_table(pa.table({"text": [["a", "b"], ["c"]]}), tmp_path / "x.parquet")
    found = [item.text for item in read_file(tmp_path / "x.parquet") if isinstance(item, Document)]
    assert found == ["a\n\nb", "c"]


def test_parquet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Another column, a cut file, no Parquet at all."""
    pq.write_table(pa.table({"body": ["a"] * 100}), tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    with pytest.raises(UnreadableFile, match="no column 'text', only body"):
        read_file(tmp_path / "x.parquet")
    for content in (whole[:-10], whole[:20], b"", b"PAR1" * 9):
        with pytest.raises(UnreadableFile, match=r"x\.parquet"):
            read_bytes(tmp_path, "x.parquet", content, text_key="body")


# Its zstd reader ends at the first empty read, so it is asked for texts that are not empty.
SAMPLE_TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), min_size=1, max_size=5)  # fmt: skip


@given(SAMPLE_TEXTS)
@settings(max_examples=25, deadline=None)
def test_lm_dataformat_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """All that its archives write is read to the same texts as by its own reader."""
    for number, kind in enumerate((Archive, DatArchive, JSONArchive)):
        folder = tmp_path_factory.mktemp(f"form{number}")
        archive = kind(str(folder))
        for text in texts:
            archive.add_data(text)
        archive.commit()
        (path,) = [path for path in folder.iterdir() if path.name.endswith(".zst")]
        ours = [item.text for item in read_file(path) if isinstance(item, Document)]
        assert ours == list(Reader(str(path)).stream_data()) == texts
