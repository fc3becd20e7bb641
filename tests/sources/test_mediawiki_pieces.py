"""Pieces of a bzip2 export: read apart, they are what reading it whole gives."""

import bz2
import re
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats.mediawiki import Page
from sources.formats.mediawiki_pieces import first_stream, pages, pages_between
from sources.source import UnreadableFile

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n<mediawiki><siteinfo><namespaces>'
    '<namespace key="1">Talk</namespace></namespaces></siteinfo>\n'
)


def page(number: int, text: str = "Tea") -> str:
    """Return a page without ns, as exports before 0.6 have it."""
    return (
        f"  <page><title>Talk:{number}</title><id>{number}</id>"
        f"<revision><id>9</id><text>é{text}</text></revision></page>\n"
    )


def compressed(content: bytes, cuts: list[int]) -> bytes:
    """Compress content in streams that end at these places."""
    places = sorted({0, *(cut for cut in cuts if cut < len(content)), len(content)})
    return b"".join(bz2.compress(content[start:end], 1) for start, end in pairwise(places))


def in_pieces(path: Path, size: int) -> list[Page]:
    """Read a file piece by piece."""
    count = -(-path.stat().st_size // size)
    return [
        one
        for piece in range(count)
        for one in pages_between(path, path.name, piece * size, (piece + 1) * size)
    ]


def written(folder: Path, content: bytes) -> Path:
    """Write a file."""
    path = folder / "wiki.xml.bz2"
    path.write_bytes(content)
    return path


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text("a<é ", max_size=60), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 2500), max_size=25),
    size=st.integers(1, 900),
)
def test_pieces_of_any_size_give_what_the_whole_gives(
    texts: list[str], cuts: list[int], size: int
) -> None:
    """Wherever streams end, inside tags and letters too: the same pages in the same order."""
    found = [page(3 * n + 1, text.replace("<", "&lt;page>")) for n, text in enumerate(texts)]
    content = f"{HEAD}{''.join(found)}</mediawiki>\n".encode()
    with TemporaryDirectory() as folder:
        path = written(Path(folder), compressed(content, cuts))
        whole = list(pages(path, path.name))
        assert [one.id for one in whole] == [str(3 * n + 1) for n in range(len(texts))]
        assert {one.namespace for one in whole} == {"1"}
        assert in_pieces(path, size) == whole
        for one in whole:
            stream, offset = one.place
            rest = bz2.BZ2Decompressor().decompress(path.read_bytes()[stream:])
            assert b"<page".startswith(rest[offset : offset + 5])


@settings(max_examples=40, deadline=None)
@given(
    damage=st.integers(0, 10_000),
    cuts=st.lists(st.integers(1, 1500), max_size=12),
    size=st.integers(20, 500),
)
def test_damage_is_seen_by_one_of_the_pieces(damage: int, cuts: list[int], size: int) -> None:
    """A file that cannot be read whole cannot be read in pieces either."""
    content = f"{HEAD}{''.join(map(page, range(1, 12)))}</mediawiki>\n".encode()
    packed = bytearray(compressed(content, cuts))
    packed[damage % len(packed)] ^= 1 + damage % 255
    with TemporaryDirectory() as folder:
        path = written(Path(folder), bytes(packed))
        try:
            whole = list(pages(path, path.name))
        except UnreadableFile:
            with pytest.raises(UnreadableFile):
                in_pieces(path, size)
        else:  # a bit that nothing depends on
            assert in_pieces(path, size) == whole


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8, 0.999])
def test_a_cut_file_is_seen_by_one_of_the_pieces(kept: float, tmp_path: Path) -> None:
    """Also where it is cut between two streams, for the export then has no end."""
    content = f"{HEAD}{''.join(map(page, range(1, 40)))}</mediawiki>\n".encode()
    packed = compressed(content, list(range(100, 4000, 100)))
    starts = [place for place in range(len(packed)) if packed.startswith(b"BZh1", place)]
    for end in (int(len(packed) * kept), starts[int(len(starts) * kept)]):
        path = written(tmp_path, packed[:end])
        with pytest.raises(UnreadableFile):
            in_pieces(path, 300)


def test_bytes_that_look_like_a_stream_do_not_begin_a_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be decoded is told from a damaged stream by decoding all that is before it."""
    content = f"{HEAD}{page(1)}{page(2)}</mediawiki>".encode()
    path = written(tmp_path, compressed(content, [200]))
    packed = path.read_bytes()
    true_start = packed.index(b"BZh1", 1)
    monkeypatch.setattr("sources.formats.mediawiki_pieces._STREAM", re.compile(b"."))
    assert first_stream(path, path.name, 1, len(packed)) == true_start
    assert first_stream(path, path.name, 1, true_start) is None
    path.write_bytes(packed[:-1])
    assert first_stream(path, path.name, true_start, len(packed)) == true_start


def test_one_stream_is_read_by_the_first_piece(tmp_path: Path) -> None:
    """The others have nothing to read."""
    path = written(tmp_path, bz2.compress((HEAD + page(1) + page(2) + "</mediawiki>").encode()))
    size = path.stat().st_size // 3
    assert len(list(pages_between(path, "", 0, size))) == 2
    assert not list(pages_between(path, "", size, 2 * size))


@pytest.mark.parametrize("hiding", ["<!-- <page> -->", "<![CDATA[<page>]]>", "<?a <page>?>"])
def test_what_can_hide_a_page_is_refused_in_pieces(hiding: str, tmp_path: Path) -> None:
    """Reading whole has no trouble with it."""
    content = f"{HEAD}{page(1)}{page(2, hiding)}{page(3)}</mediawiki>".encode()
    path = written(tmp_path, compressed(content, list(range(0, 1000, 50))))
    assert len(list(pages(path, ""))) == 3
    with pytest.raises(UnreadableFile, match="decompress the file"):
        in_pieces(path, 100)


def test_ids_that_do_not_ascend_are_refused_in_pieces(tmp_path: Path) -> None:
    """What makes ids of documents unique would have to look at all pages before."""
    content = f"{HEAD}{page(7)}{page(3)}</mediawiki>".encode()
    path = written(tmp_path, compressed(content, [len(HEAD + page(7)) + 1]))
    with pytest.raises(UnreadableFile, match="page 3 follows page 7"):
        in_pieces(path, 100)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_exports_in_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    """In UTF-16 no page shows in the bytes, and the first piece reads all."""
    head = HEAD.replace("utf-8", encoding)
    content = f"{head}{''.join(map(page, range(1, 9)))}</mediawiki>".encode(encoding)
    path = written(tmp_path, compressed(content, list(range(0, 3000, 101))))
    whole = list(pages(path, ""))
    assert [one.wikitext for one in whole] == ["éTea"] * 8
    assert in_pieces(path, 150) == whole
