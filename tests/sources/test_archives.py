"""Streams and archives are read exactly, or not at all, in bounded memory."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import py7zr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources import archive_7z, archive_pull
from sources.archive_7z_header import Coder, Folder
from sources.archive_pull import LONG_WINDOW, ExpansionGuard
from sources.archives import Member, Overlong, lines, members, open_stream
from sources.source import UnreadableFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = b"".join(b"line %d of a text that compresses well enough\n" % n for n in range(40))

CHECKED_ZSTD = {int(zstd.CompressionParameter.checksum_flag): 1}

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: zstd.compress(content, options=CHECKED_ZSTD),
}
FORMATS = sorted(COMPRESS)


def read(path: Path) -> bytes:
    """Return all that a file decompresses to."""
    with open_stream(path) as stream:
        return stream.read()


def contents(path: Path) -> list[tuple[Member, bytes]]:
    """Return all members of an archive with their content."""
    return [(member, stream.read()) for member, stream in members(path)]


def tar_bytes(files: dict[str, bytes], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """Make a tar archive of regular files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tar_format) as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return target.getvalue()


def tar_of(*headers: tarfile.TarInfo) -> bytes:
    """Make a tar archive of members without content."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for header in headers:
            archive.addfile(header)
    return target.getvalue()


def tar_header(name: str, kind: bytes = tarfile.REGTYPE, **fields: str | int) -> tarfile.TarInfo:
    """Make a tar header."""
    header = tarfile.TarInfo(name)
    header.type = kind
    for field, value in fields.items():
        setattr(header, field, value)
    return header


def zip_bytes(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return target.getvalue()


def seven_zip_bytes(
    files: dict[str, bytes], method: int = py7zr.FILTER_LZMA2, password: str | None = None
) -> bytes:
    """Make a solid 7z archive; its header is compressed along with LZMA2 only."""
    target = io.BytesIO()
    filters = [{"id": method}]
    if password is not None:
        filters.append({"id": py7zr.FILTER_CRYPTO_AES256_SHA256})
    with py7zr.SevenZipFile(target, "w", filters=filters, password=password) as archive:
        archive.encoded_header_mode = method == py7zr.FILTER_LZMA2
        for name, content in files.items():
            archive.writestr(content, name)
    return target.getvalue()


ARCHIVE: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "tar": tar_bytes,
    "zip": zip_bytes,
    "7z": seven_zip_bytes,
}
ARCHIVES = sorted(ARCHIVE)

FILES = {"a/first.txt": TEXT, "a/empty": b"", "b/second.txt": bytes(range(256)) * 3}


@contextmanager
def peak_below(limit: int) -> Iterator[None]:
    """Fail if Python's allocations within rise by more than ``limit`` bytes."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


def flipped_bits(path: Path, whole: bytes) -> Iterator[int]:
    """Write a file and flip each of its bits in turn."""
    path.write_bytes(whole)
    with path.open("r+b", buffering=0) as file:
        for bit in range(len(whole) * 8):
            file.seek(bit // 8)
            file.write(bytes([whole[bit // 8] ^ 1 << bit % 8]))
            yield bit
            file.seek(bit // 8)
            file.write(whole[bit // 8 :][:1])


def swallow(path: Path) -> int:
    """Read a stream in small pieces; return its length."""
    with open_stream(path) as stream:
        return sum(len(piece) for piece in iter(lambda: stream.read(1 << 16), b""))


# Streams


@pytest.mark.parametrize("suffix", FORMATS)
@quick
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_streams_in_a_row_decompress_to_their_joined_content(
    tmp_path: Path, suffix: str, parts: list[bytes]
) -> None:
    """A file of several gzip members, bzip2 or xz streams, or Zstandard frames is read whole."""
    path = tmp_path / f"content.{suffix}"
    path.write_bytes(b"".join(COMPRESS[suffix](part) for part in parts))
    assert read(path) == b"".join(parts)


@pytest.mark.parametrize("suffix", FORMATS)
def test_small_reads_see_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    """Content is the same however it is asked for."""
    path = tmp_path / f"content.{suffix}"
    content = os.urandom(70_000) + TEXT * 300
    path.write_bytes(COMPRESS[suffix](content))
    with open_stream(path) as stream:
        pieces = list(iter(lambda: stream.read(997), b""))
    assert b"".join(pieces) == content


@pytest.mark.parametrize("content", [b"", b"\x1f", b"plain text\n", b"BZh is how bzip2 begins\n"])
def test_what_is_not_compressed_is_given_as_it_is(tmp_path: Path, content: bytes) -> None:
    """A file without the magic bytes of a compression is its own content."""
    path = tmp_path / "content.txt"
    path.write_bytes(content)
    assert read(path) == content


def test_magic_bytes_count_more_than_the_suffix(tmp_path: Path) -> None:
    """A bzip2 file called .gz is read as bzip2."""
    path = tmp_path / "content.gz"
    path.write_bytes(bz2.compress(TEXT))
    assert read(path) == TEXT


def test_an_error_page_called_gz_is_refused(tmp_path: Path) -> None:
    """A name that promises gzip is held to it: the page would pass for content."""
    path = tmp_path / "content.gz"
    path.write_bytes(b"<html>503</html>")
    with pytest.raises(UnreadableFile, match=r"content\.gz: byte 0: begins with b'<html>"):
        open_stream(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_cut_anywhere_raises(tmp_path: Path, suffix: str) -> None:
    """Every proper prefix of a compressed file is refused, even the empty one."""
    path = tmp_path / f"content.{suffix}"
    whole = COMPRESS[suffix](TEXT)
    path.write_bytes(whole)
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(UnreadableFile, match=r"content\."):
            read(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_flipped_bit_never_changes_content(tmp_path: Path, suffix: str) -> None:
    """With a checksum in the format, one flipped bit raises, or is in a field that says nothing."""
    path = tmp_path / f"content.{suffix}"
    whole = COMPRESS[suffix](TEXT)
    raised = 0
    for _ in flipped_bits(path, whole):
        try:
            assert read(path) == TEXT
        except UnreadableFile:
            raised += 1
    assert raised > 0.7 * len(whole) * 8


@pytest.mark.parametrize("suffix", FORMATS)
def test_garbage_after_the_last_stream_raises(tmp_path: Path, suffix: str) -> None:
    """What follows a stream must be another."""
    path = tmp_path / f"content.{suffix}"
    path.write_bytes(COMPRESS[suffix](TEXT) + b"garbage")
    with pytest.raises(UnreadableFile, match="does not begin another"):
        read(path)


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_zeros_after_the_last_stream_are_padding(tmp_path: Path, suffix: str) -> None:
    """Gzip (by custom) and xz (by its format) may be padded with zeros, also between streams."""
    path = tmp_path / f"content.{suffix}"
    stream = COMPRESS[suffix](TEXT)
    path.write_bytes(stream + bytes(200_000) + stream + bytes(512))
    assert read(path) == TEXT + TEXT


def test_a_zstandard_window_above_the_usual_limit_is_read(tmp_path: Path) -> None:
    """If it is asked for, as for Reddit's dumps, made with --long=31; it is held in memory."""
    path = tmp_path / "content.zst"
    compressor = zstd.ZstdCompressor(options={int(zstd.CompressionParameter.window_log): 28})
    path.write_bytes(
        compressor.compress(TEXT, zstd.ZstdCompressor.FLUSH_BLOCK) + compressor.flush()
    )
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(path.read_bytes())
    with open_stream(path, LONG_WINDOW) as stream:
        assert stream.read() == TEXT
    with pytest.raises(UnreadableFile, match=r"longer than 128 MiB.*pack it anew"):
        read(path)


def test_an_xz_dictionary_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    """With what to do; the presets of xz end at half the limit."""
    path = tmp_path / "content.xz"
    path.write_bytes(lzma.compress(TEXT, preset=9))
    assert read(path) == TEXT
    content = bytearray(lzma.compress(TEXT))
    start, end = 12, 12 + 4 * (content[12] + 1)  # the header of the block, its CRC last
    assert content[start + 2 : start + 4] == b"\x21\x01"  # LZMA2, and a byte of properties
    content[start + 4] = 31  # 192 MiB
    content[end - 4 : end] = struct.pack("<I", zlib.crc32(content[start : end - 4]))
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"longer than 128 MiB.*pack it anew"):
        read(path)
    with open_stream(path, LONG_WINDOW) as stream:
        assert stream.read() == TEXT


def test_a_7z_folders_dictionaries_beyond_the_limit_are_refused() -> None:
    """In sum over its coders, before any of them is made."""
    coder = Coder(archive_7z.LZMA2, bytes([28]), 1)
    folder = Folder((coder, coder, coder), 0, 0, (), ())
    with pytest.raises(UnreadableFile, match=r"longer than 128 MiB.*pack it anew"):
        archive_7z._open(io.BytesIO(), folder, ExpansionGuard("made.7z"))


def test_skippable_zstandard_frames_have_no_content(tmp_path: Path) -> None:
    """Frames of user data, as pzstd writes them, are passed over."""
    path = tmp_path / "content.zst"
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 5) + b"extra"
    path.write_bytes(skippable + zstd.compress(TEXT) + skippable)
    assert read(path) == TEXT


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_bomb_is_given_up_early(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output out of proportion to its input raises before much of it was made."""
    monkeypatch.setattr(archive_pull, "BOMB_BYTES", 4 << 20)
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(COMPRESS[suffix](bytes(64 << 20)))
    with peak_below(16 << 20), pytest.raises(UnreadableFile, match="taken for a bomb"):
        swallow(path)


def test_a_bomb_behind_honest_content_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ratio is taken over each stretch of output, so that an honest beginning does not help."""
    monkeypatch.setattr(archive_pull, "BOMB_BYTES", 1 << 20)
    path = tmp_path / "bomb.bz2"
    path.write_bytes(bz2.compress(os.urandom(2 << 20)) + bz2.compress(bytes(8 << 20)))
    with pytest.raises(UnreadableFile, match="taken for a bomb"):
        swallow(path)


# Lines


@quick
@given(content=st.binary(max_size=200) | st.text("ab\n", max_size=60).map(str.encode))
def test_lines_join_to_the_stream(content: bytes) -> None:
    """Lines keep their newline; the last one may have none."""
    found = list(lines(io.BytesIO(content)))
    assert found == content.splitlines(keepends=True) or b"\r" in content
    assert b"".join(line for line in found if isinstance(line, bytes)) == content


def test_a_long_line_is_passed_over() -> None:
    """A line above the limit is told by its number, length and place; the next ones follow."""
    stream = io.BytesIO(b"one\n" + b"x" * 10 + b"\nthree\n" + b"y" * 11)
    assert list(lines(stream, limit=10)) == [
        b"one\n",
        Overlong(2, 11, 4),
        b"three\n",
        Overlong(4, 11, 21),
    ]


def test_a_line_of_just_the_limit_is_kept() -> None:
    """The limit counts the newline."""
    assert list(lines(io.BytesIO(b"123456789\n"), limit=10)) == [b"123456789\n"]
    assert list(lines(io.BytesIO(b"1234567890\n"), limit=10)) == [Overlong(1, 11, 0)]


def test_an_endless_line_takes_no_memory(tmp_path: Path) -> None:
    """64 MiB without a newline pass through the limit's worth of memory."""
    path = tmp_path / "content.gz"
    path.write_bytes(gzip.compress(b"x" * (64 << 20) + b"\nend"))
    with peak_below(4 << 20), open_stream(path) as stream:
        assert list(lines(stream, limit=1 << 20)) == [Overlong(1, (64 << 20) + 1, 0), b"end"]


# Archives

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\:\0"), min_size=1, max_size=30)
TREES = st.dictionaries(
    NAMES.filter(lambda name: name not in {".", ".."}), st.binary(max_size=2000), max_size=5
)


@pytest.mark.parametrize("kind", ARCHIVES)
@quick
@given(files=TREES)
def test_members_come_back_in_order(tmp_path: Path, kind: str, files: dict[str, bytes]) -> None:
    """Names, sizes, contents and order are those that were packed."""
    path = tmp_path / "archive"
    path.write_bytes(ARCHIVE[kind](files))
    expected = [(Member(name, len(content)), content) for name, content in files.items()]
    assert contents(path) == expected


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_compressed_tar_is_read_through_its_compression(tmp_path: Path, suffix: str) -> None:
    """Compression around a tar archive is told by magic bytes."""
    path = tmp_path / "archive"
    path.write_bytes(COMPRESS[suffix](tar_bytes(FILES)))
    assert dict(contents(path)) == {Member(n, len(c)): c for n, c in FILES.items()}


def test_a_tar_is_known_behind_tiny_streams(tmp_path: Path) -> None:
    """The first gzip member may hold less than a tar header."""
    path = tmp_path / "archive.tar.gz"
    whole = tar_bytes(FILES)
    path.write_bytes(b"".join(gzip.compress(whole[n : n + 10]) for n in range(0, len(whole), 10)))
    assert [content for _, content in contents(path)] == list(FILES.values())


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_in_tar(tmp_path: Path, tar_format: int) -> None:
    """Pax and GNU records carry names that a tar header cannot hold."""
    path = tmp_path / "archive"
    long_name = "/".join(["a folder of a long name"] * 12) + "/ünïcödé 文.txt"
    path.write_bytes(tar_bytes({long_name: b"1", "short": b"2"}, tar_format))
    assert [member.name for member, _ in contents(path)] == [long_name, "short"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_zip_methods(tmp_path: Path, method: int) -> None:
    """Stored, deflated and bzip2 members are read."""
    path = tmp_path / "archive"
    path.write_bytes(zip_bytes(FILES, method))
    assert [content for _, content in contents(path)] == list(FILES.values())


def test_zip64_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, offsets and counts are taken from ZIP64 records where those of ZIP do not hold them."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    whole = zip_bytes(FILES)
    assert b"PK\x06\x06" in whole
    path = tmp_path / "archive"
    path.write_bytes(whole)
    assert [content for _, content in contents(path)] == list(FILES.values())


def test_a_zip_comment_may_look_like_an_end_record(tmp_path: Path) -> None:
    """The end record is the one whose comment reaches just to the end of the file."""
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("name", TEXT)
        archive.comment = b"PK\x05\x06 and so on" + bytes(30)
    assert contents(path) == [(Member("name", len(TEXT)), TEXT)]


@pytest.mark.parametrize(
    "method",
    [
        py7zr.FILTER_LZMA2,
        py7zr.FILTER_LZMA,
        py7zr.FILTER_BZIP2,
        py7zr.FILTER_DEFLATE,
        py7zr.FILTER_COPY,
    ],
)
def test_7z_methods(tmp_path: Path, method: int) -> None:
    """Members of a solid archive follow each other out of one stream."""
    path = tmp_path / "archive"
    path.write_bytes(seven_zip_bytes(FILES, method))
    assert contents(path) == [(Member(n, len(c)), c) for n, c in FILES.items()]


def test_7z_of_several_folders_and_filters(tmp_path: Path) -> None:
    """py7zr's own choice is an x86 filter behind LZMA2; appending to an archive adds a folder."""
    path = tmp_path / "archive.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writestr(TEXT, "first")
    with py7zr.SevenZipFile(path, "a") as archive:
        archive.writestr(TEXT * 2, "second")
    assert contents(path) == [
        (Member("first", len(TEXT)), TEXT),
        (Member("second", 2 * len(TEXT)), TEXT * 2),
    ]


def test_a_zip_name_must_stand_before_its_content_too(tmp_path: Path) -> None:
    """A name that became a folder's by damage would lose its member in silence."""
    path = tmp_path / "archive.zip"
    path.write_bytes(zip_bytes({"two": b""}).replace(b"two", b"tw/").replace(b"tw/", b"two", 1))
    with pytest.raises(UnreadableFile, match="byte 0 does not begin the member 'tw/'"):
        contents(path)


def test_an_unsupported_7z_method_says_what_to_do(tmp_path: Path) -> None:
    """PPMd is refused by name, before anything is read."""
    path = tmp_path / "archive.7z"
    path.write_bytes(seven_zip_bytes({"name": TEXT}, py7zr.FILTER_PPMD))
    with pytest.raises(UnreadableFile, match=r"method 030401.*pack it again"):
        contents(path)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_members_need_not_be_read(tmp_path: Path, kind: str) -> None:
    """A member that is left unread, or half read, does not disturb the next."""
    path = tmp_path / "archive"
    path.write_bytes(ARCHIVE[kind]({"one": TEXT, "two": TEXT, "three": b"3"}))
    found = []
    for member, stream in members(path):
        if member.name == "two":
            assert stream.read(10) == TEXT[:10]
        if member.name == "three":
            found.append(stream.read())
    assert found == [b"3"]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_stream_ends_with_its_step(tmp_path: Path, kind: str) -> None:
    """A stream kept beyond its step raises rather than giving another member's bytes."""
    path = tmp_path / "archive"
    path.write_bytes(ARCHIVE[kind]({"one": TEXT, "two": TEXT}))
    kept = [stream for _, stream in members(path)]
    with pytest.raises(ValueError, match="closed"):
        kept[0].read()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_stopping_early_leaves_nothing_open(tmp_path: Path, kind: str) -> None:
    """Closing the iterator closes the file."""
    path = tmp_path / "archive"
    path.write_bytes(ARCHIVE[kind](FILES))
    before = len(list(Path("/dev/fd").iterdir()))
    walk = members(path)
    next(walk)
    walk.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_what_is_no_archive_raises(tmp_path: Path) -> None:
    """Plain text is no archive of nothing."""
    path = tmp_path / "archive.tar"
    path.write_bytes(TEXT)
    with pytest.raises(UnreadableFile, match="neither a tar, zip nor 7z"):
        contents(path)


@pytest.mark.parametrize("kind", ["tar", "zip", "7z", "tar.gz"])
def test_an_archive_cut_anywhere_raises(tmp_path: Path, kind: str) -> None:
    """Every proper prefix is refused; of a tar archive, up to its first zero block."""
    path = tmp_path / f"archive.{kind}"
    files = {"one": TEXT[:600], "two": b"2" * 20}
    whole = ARCHIVE[kind[:3]](files)
    if kind == "tar":
        whole = whole[: 512 + 1024 + 512 + 512 + 512]
    elif kind == "tar.gz":
        whole = COMPRESS["gz"](whole)
    path.write_bytes(whole)
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(UnreadableFile):
            contents(path)


@pytest.mark.parametrize("kind", ["zip", "7z"])
def test_a_flipped_bit_in_an_archive_never_changes_content(tmp_path: Path, kind: str) -> None:
    """Damage raises, makes a member a problem, or touches only what is not read (times, say)."""
    path = tmp_path / "archive"
    files = {"one": TEXT[:300], "two": b"2" * 20}
    expected = [(Member(name, len(content)), content) for name, content in files.items()]
    whole = ARCHIVE[kind](files)
    raised = 0
    for _ in flipped_bits(path, whole):
        try:
            found = contents(path)
        except UnreadableFile:
            raised += 1
        else:
            sound = [(member, content) for member, content in found if not member.problem]
            assert [one for one in expected if one in sound] == sound
            assert len(found) == len(expected)
    assert raised > 0.4 * len(whole) * 8


@pytest.mark.parametrize("kind", ARCHIVES)
@quick
@given(edits=st.lists(st.tuples(st.integers(0), st.binary(max_size=6)), min_size=1, max_size=4))
def test_damage_raises_nothing_but_unreadable_file(
    tmp_path: Path, kind: str, edits: list[tuple[int, bytes]]
) -> None:
    """Overwritten bytes anywhere end in UnreadableFile, if in anything."""
    path = tmp_path / "archive"
    whole = bytearray(ARCHIVE[kind](FILES))
    for place, written in edits:
        at = place % len(whole)
        whole[at : at + len(written)] = written
    path.write_bytes(whole)
    with suppress(UnreadableFile):
        contents(path)


# Names and kinds

UNSAFE = [
    "../up",
    "a/../../up",
    "/etc/passwd",
    "C:/windows",
    "c:x",
    "..\\up",
    "\\root",
    "a\\..\\b",
    ".",
]


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_unsafe_names_are_told_and_have_no_content(tmp_path: Path, kind: str, name: str) -> None:
    """A name that could leave its folder, on any system, is a problem; the next member is not."""
    path = tmp_path / "archive"
    path.write_bytes(ARCHIVE[kind]({name: TEXT, "good": b"1"}))
    (first, nothing), good = contents(path)
    assert (first.problem, nothing, good) == ("unsafe_name", b"", (Member("good", 1), b"1"))


def test_a_name_of_7z_is_judged_too(tmp_path: Path) -> None:
    """py7zr refuses to write such a name, so one is patched in, with its checksums."""
    path = tmp_path / "archive.7z"
    path.write_bytes(
        with_header(
            seven_zip_bytes({"XX/up": TEXT}, py7zr.FILTER_COPY),
            lambda header: header.replace("XX/".encode("utf-16-le"), "../".encode("utf-16-le")),
        )
    )
    ((member, content),) = contents(path)
    assert (member.name, member.problem, content) == ("../up", "unsafe_name", b"")


def test_names_lose_empty_and_dot_parts(tmp_path: Path) -> None:
    """./a//b and a/b are one name."""
    path = tmp_path / "archive"
    path.write_bytes(tar_bytes({"./a//b/./c": b"1"}))
    assert contents(path) == [(Member("a/b/c", 1), b"1")]


def test_names_that_are_no_utf8_stay_printable(tmp_path: Path) -> None:
    """Bytes that are no text are shown as escapes, so that a name can always be written."""
    path = tmp_path / "archive"
    path.write_bytes(tar_bytes({"caf\udce9": b"1"}, tarfile.GNU_FORMAT))
    assert contents(path) == [(Member("caf\\xe9", 1), b"1")]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"V"],
)
def test_links_and_devices_in_tar_are_no_files(tmp_path: Path, kind: bytes) -> None:
    """What is no regular file is told, never followed or made."""
    path = tmp_path / "archive"
    path.write_bytes(tar_of(tar_header("odd", kind, linkname="/etc/passwd"), tar_header("good")))
    assert contents(path) == [(Member("odd", 0, "not_a_file"), b""), (Member("good", 0), b"")]


def test_links_in_zip_are_no_files(tmp_path: Path) -> None:
    """A symbolic link in zip is a member with a Unix mode."""
    path = tmp_path / "archive"
    link = zipfile.ZipInfo("odd")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert contents(path) == [(Member("odd", 11, "not_a_file"), b"")]


def test_links_in_7z_are_no_files(tmp_path: Path) -> None:
    """py7zr stores a symbolic link as a member with a Unix mode and a reparse point."""
    (tmp_path / "target").write_bytes(TEXT)
    (tmp_path / "odd").symlink_to("target")
    path = tmp_path / "archive.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.write(tmp_path / "odd", "odd")
        archive.writestr(TEXT, "good")
    odd, good = contents(path)
    assert (odd[0].name, odd[0].problem, odd[1]) == ("odd", "not_a_file", b"")
    assert good == (Member("good", len(TEXT)), TEXT)


def test_directories_are_left_out(tmp_path: Path) -> None:
    """A directory is no record."""
    tar, zipped, seven = (tmp_path / name for name in ("tar", "zip", "7z"))
    tar.write_bytes(tar_of(tar_header("folder", tarfile.DIRTYPE), tar_header("folder/file")))
    zipped.write_bytes(zip_bytes({"folder/": b"", "folder/file": b""}))
    (tmp_path / "folder").mkdir()
    with py7zr.SevenZipFile(seven, "w") as archive:
        archive.write(tmp_path / "folder", "folder")
        archive.writestr(b"", "folder/file")
    for path in (tar, zipped, seven):
        assert contents(path) == [(Member("folder/file", 0), b"")]


def test_sparse_members_are_told(tmp_path: Path) -> None:
    """Holes are content that no input pays for: GNU sparse members, old and pax, are problems."""
    path = tmp_path / "archive"
    old = bytearray(tar_of(tar_header("hole", tarfile.GNUTYPE_SPARSE)))
    old[482] = 1  # the map goes on in one more block
    old[148:156] = b"%06o\0 " % (sum(old[:148]) + 8 * 32 + sum(old[156:512]))
    pax = tar_header("hole2", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.name": "hole"})  # type: ignore[arg-type]
    path.write_bytes(bytes(old[:512]) + bytes(512) + tar_of(pax, tar_header("good")))
    assert [member for member, _ in contents(path)] == [
        Member("hole", 0, "sparse"),
        Member("hole", 0, "sparse"),
        Member("good", 0),
    ]


def test_encrypted_members_are_told(tmp_path: Path) -> None:
    """Without a password there is no content; in zip the flag is each member's own."""
    zipped, seven = tmp_path / "zip", tmp_path / "7z"
    whole = bytearray(zip_bytes({"secret": TEXT, "good": b"1"}))
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    zipped.write_bytes(whole)
    assert contents(zipped) == [
        (Member("secret", len(TEXT), "encrypted"), b""),
        (Member("good", 1), b"1"),
    ]
    seven.write_bytes(seven_zip_bytes({"secret": TEXT}, password="word"))
    assert contents(seven) == [(Member("secret", len(TEXT), "encrypted"), b"")]


# Traps of the formats


def test_a_damaged_header_does_not_end_a_tar(tmp_path: Path) -> None:
    """Tarfile would take it for the end, and two members for all of three."""
    whole = bytearray(tar_bytes({"one": b"1", "two": b"2", "three": b"3"}))
    whole[2 * 1024 + 10] ^= 1
    path = tmp_path / "archive.tar"
    path.write_bytes(whole)
    with tarfile.open(path, "r|") as archive:
        assert archive.getnames() == ["one", "two"]
    with pytest.raises(UnreadableFile, match=r"no valid tar header.*at byte 2,048"):
        contents(path)


def test_a_second_archive_behind_the_end_of_a_tar_raises(tmp_path: Path) -> None:
    """Joined tar archives would lose all but the first."""
    path = tmp_path / "archive.tar"
    path.write_bytes(tar_bytes({"one": b"1"}) + tar_bytes({"two": b"2"}))
    with pytest.raises(UnreadableFile, match="something follows the end"):
        contents(path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_name_of_gigabytes_is_refused(tmp_path: Path, kind: bytes) -> None:
    """Records that are held in memory have a bound, whatever size they claim."""
    path = tmp_path / "archive.tar"
    path.write_bytes(tar_header("name", kind, size=4 << 30).tobuf() + bytes(4096))
    with pytest.raises(UnreadableFile, match="is a bomb"):
        contents(path)


@pytest.mark.parametrize("record", [b"99 path=x\n", b"path=x\n", b"9 path=x.", b"1 path=x\n"])
def test_a_damaged_pax_record_raises(tmp_path: Path, record: bytes) -> None:
    """The length at the head of a pax record must fit it."""
    path = tmp_path / "archive.tar"
    header = tar_header("name", tarfile.XHDTYPE, size=len(record)).tobuf()
    path.write_bytes(header + record.ljust(512, b"\0") + tar_bytes({"one": b"1"}))
    with pytest.raises(UnreadableFile, match="pax header is damaged"):
        contents(path)


def test_a_pax_size_overrides_the_header(tmp_path: Path) -> None:
    """Sizes above 8 GiB stand in a pax record; one of a few bytes shows that it is used."""
    path = tmp_path / "archive.tar"
    record = b"9 size=3\n"
    header = tar_header("name", tarfile.XHDTYPE, size=len(record)).tobuf()
    file = tar_header("file", size=0).tobuf() + b"abc".ljust(512, b"\0")
    path.write_bytes(header + record.ljust(512, b"\0") + file + bytes(1024))
    assert contents(path) == [(Member("file", 3), b"abc")]


def test_overlapping_zip_members_are_a_bomb(tmp_path: Path) -> None:
    """Entries that share one member's bytes multiply it without any suspicious ratio."""
    whole = zip_bytes({"name": TEXT})
    start, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entries = whole[start:end] * 3
    record = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 3, 3, len(entries), start, 0)
    path = tmp_path / "archive.zip"
    path.write_bytes(whole[:start] + entries + record)
    with pytest.raises(UnreadableFile, match="overlap"):
        contents(path)


@pytest.mark.parametrize("kind", ["zip", "7z"])
def test_a_bomb_in_an_archive_is_given_up_early(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members count together, so that a bomb cannot hide in many of them."""
    monkeypatch.setattr(archive_pull, "BOMB_BYTES", 4 << 20)
    files = {f"{n}": bytes(1 << 20) for n in range(8)}
    path = tmp_path / "archive"
    path.write_bytes(
        zip_bytes(files, zipfile.ZIP_BZIP2) if kind == "zip" else seven_zip_bytes(files)
    )
    with pytest.raises(UnreadableFile, match="taken for a bomb"):
        contents(path)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_large_member_flows_through_little_memory(tmp_path: Path, kind: str) -> None:
    """Memory does not grow with a member's size."""
    path = tmp_path / "archive"
    files = {"large": os.urandom(1 << 16) * 256}
    whole = seven_zip_bytes(files, py7zr.FILTER_DEFLATE) if kind == "7z" else ARCHIVE[kind](files)
    path.write_bytes(whole)
    with peak_below(4 << 20):
        total = sum(len(line) for _, stream in members(path) for line in stream)
    assert total == 16 << 20


# Headers of 7z


def with_header(archive: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the (plain) header of a 7z archive, with checksums that fit."""
    offset, size = struct.unpack_from("<QQ", archive, 12)
    header = change(archive[32 + offset : 32 + offset + size])
    start = struct.pack("<QQI", offset, len(header), zlib.crc32(header))
    crc = struct.pack("<I", zlib.crc32(start))
    return archive[:8] + crc + start + archive[32 : 32 + offset] + header


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("01 05 ff ffffffffffffffff", "a count of 18,446,744,073,709,551,615"),
        ("01 05 e0000020 11 ff", "a count of 2,097,152"),
        ("01 05 01 11 ff ffffffffffffffff", "ends .* bytes too early"),
        ("01 05 01 11 03 00 6100", "do not end"),
        ("01 05 01 11 05 00 0000 0000 00", "2 names for 1 members"),
        ("01 05 01 0e 02 80 80 00", "another length"),
        ("01 04 06 ff ffffffffffffff7f 01 09 05 00 07", "behind the end"),
        ("01 04 06 00 ff ffffffffffffffff", "a count of"),
        ("01 04 06 00 01 09 05 00 07 0b 01 00 00", "a folder without coders"),
        ("01 04 06 00 01 09 05 00 07 0b 01 00 02 01 00 01 00 00 00", "form no chain"),
        ("01 04 06 00 01 09 05 00 07 0b 01 00 01 11 00 04 01", "several streams"),
        ("01 04 06 00 01 09 05 00 07 0b 02 00", "ends .* bytes too early"),
        ("01 04 06 00 01 09 05 00 07 0b 00 00 0c 00", "1 packed streams for 0 folders"),
        ("01 04 06 00 01 09 05 00 07 0b 01 00 01 01 00 0c 05 00 00 00", "0 members .* 1 contents"),
        ("01 04 06 00 01 09 05 00 07 0b 01 00 01 01 00 0c 05 00 08 0d 03 09 04 04", "larger than"),
        ("02", "unexpected id 0x02"),
        ("01 03", "additional streams"),
    ],
)
def test_a_lying_7z_header_is_refused(tmp_path: Path, header: str, complaint: str) -> None:
    """Counts are bounded and backed by bytes; what does not fit together is refused."""
    path = tmp_path / "archive.7z"
    sound = seven_zip_bytes({"name": b"12345"}, py7zr.FILTER_COPY)
    path.write_bytes(with_header(sound, lambda _: bytes.fromhex(header)))
    with (
        peak_below(8 << 20),
        pytest.raises(UnreadableFile, match=rf"archive\.7z: 7z: .*{complaint}"),
    ):
        contents(path)


def test_a_7z_header_that_unpacks_to_itself_ends(tmp_path: Path) -> None:
    """A header may be compressed, but not over and over: a stored one can name itself."""
    header = bytes.fromhex("17 06 00 01 09 14 00 07 0b 01 00 01 01 00 0c 14 00 00")
    header = header.ljust(20, b"\0")
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    path = tmp_path / "archive.7z"
    path.write_bytes(
        b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + header
    )
    with pytest.raises(UnreadableFile, match="over and over"):
        contents(path)


@quick
@given(edits=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_7z_header_raises_nothing_but_unreadable_file(
    tmp_path: Path, edits: list[tuple[int, int]]
) -> None:
    """A header that was written with ill will, checksums and all, ends in UnreadableFile at worst."""

    def change(header: bytes) -> bytes:
        changed = bytearray(header)
        for place, value in edits:
            changed[place % len(changed)] = value
        return bytes(changed)

    path = tmp_path / "archive.7z"
    path.write_bytes(with_header(seven_zip_bytes(FILES, py7zr.FILTER_COPY), change))
    with suppress(UnreadableFile):
        contents(path)


def test_an_empty_7z_archive_has_no_members(tmp_path: Path) -> None:
    """An archive of nothing has no header at all."""
    path = tmp_path / "archive.7z"
    path.write_bytes(with_header(seven_zip_bytes({"name": b"1"}), lambda _: b""))
    assert contents(path) == []
