"""Reading corpus files, line by line and many at once."""

import threading
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from pile import corpus
from pile.corpus import Line, LineWriter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LINES = st.builds(
    Line, TEXT | TEXT.map(lambda text: text * 50), st.sampled_from(["Pile-CC", "é", ""])
)


def written(folder: Path, lines: list[Line]) -> Path:
    """Return a corpus file of these documents."""
    path = folder / "00000.jsonl.zst"
    with LineWriter(path) as file:
        file.extend(lines)
    return path


def with_lines(folder: Path, *lines: bytes) -> Path:
    """Return a corpus file of these very lines."""
    path = folder / "00000.jsonl.zst"
    path.write_bytes(zstd.compress(b"".join(lines)))
    return path


def at_once(path: Path, size: int) -> list[Line]:
    """Return the documents of all batches."""
    found = [
        Line(*row.values()) for batch in corpus.batches(path, size) for row in batch.to_pylist()
    ]
    assert all(batch.schema == corpus.LINES for batch in corpus.batches(path, size))
    return found


@given(lines=st.lists(LINES, max_size=8), size=st.sampled_from([1, 7, 100, 1 << 20]))
def test_batches_hold_what_is_read_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], size: int
) -> None:
    """Whatever is in the texts, and however lines fall into batches."""
    path = written(tmp_path_factory.mktemp("corpus"), lines)
    assert at_once(path, size) == list(corpus.read(path)) == lines


GOOD = corpus.line_bytes(Line("good", "x"))


@pytest.mark.parametrize(
    "bad",
    [
        b"\n",
        b"no json\n",
        b'{"text": 5, "meta": {"pile_set_name": "x"}}\n',
        b'{"text": null, "meta": {"pile_set_name": "x"}}\n',
        b'{"text": "a", "meta": {"pile_set_name": null}}\n',
        b'{"text": "a", "meta": null}\n',
        b'{"text": "a", "meta": {}}\n',
        b'{"text": "a"}\n',
        b'{"text": "\xff", "meta": {"pile_set_name": "x"}}\n',
        b'{"text": "\\ud800", "meta": {"pile_set_name": "x"}}\n',
        GOOD.replace(b"\n", b" ") + GOOD,
        GOOD.replace(b",", b",\n"),
        b"\n" + GOOD.replace(b"\n", b" ") + GOOD,
        b"null\n",
        GOOD.replace(b"}}", b'}, "n": NaN}'),
        GOOD.replace(b"}}", b'}, "n": "\xff"}'),
        GOOD.replace(b"\n", b"\0}\n"),
        b"\xef\xbb\xbf" + GOOD,
    ],
)
def test_a_line_that_is_no_document_is_named(tmp_path: Path, bad: bytes) -> None:
    """Two documents on one line and one on two lines too, or as many of both as there are lines."""
    path = with_lines(tmp_path, GOOD, bad, GOOD)
    errors = []
    for size in (1 << 20, len(GOOD)):
        with pytest.raises(ValueError, match="line 2: not a document") as raised:
            list(corpus.batches(path, size))
        errors.append(str(raised.value))
    with pytest.raises(ValueError, match="line 2: not a document") as raised:
        list(corpus.read(path))
    assert errors == [str(raised.value)] * 2


def test_lines_as_others_write_them(tmp_path: Path) -> None:
    """More fields, in another order, with blanks and escapes, and no end of the last line."""
    first = (
        b'{"meta": {"pile_set_name": "x", "n": [1]}, "id": "2020-01-01", "text": "\\u00e9\\n"}\n'
    )
    path = with_lines(tmp_path, first, GOOD.rstrip())
    assert (
        at_once(path, 1 << 20) == list(corpus.read(path)) == [Line("é\n", "x"), Line("good", "x")]
    )


def test_what_arrow_refuses_and_json_does_not_is_read_singly(tmp_path: Path) -> None:
    """Of a key that is there twice the last one counts, as in Python's json."""
    twice = b'{"text": "a", "text": "b", "meta": {"pile_set_name": "x"}}\n'
    path = with_lines(tmp_path, GOOD, twice)
    assert at_once(path, 1 << 20) == list(corpus.read(path)) == [Line("good", "x"), Line("b", "x")]


def test_a_cut_file_is_told(tmp_path: Path) -> None:
    """As by `read`: nothing that is not whole passes for a corpus file."""
    whole = written(tmp_path, [Line("text " * 1000 + str(n), "x") for n in range(50)]).read_bytes()
    path = tmp_path / "cut.jsonl.zst"
    path.write_bytes(whole[:-20])
    with pytest.raises(corpus.DAMAGED):
        list(corpus.batches(path))


def test_reading_stops_with_its_reader(tmp_path: Path) -> None:
    """Whoever leaves off leaves neither a thread nor an open file behind."""
    path = written(tmp_path, [Line("text " * 1000, "x")] * 50)
    found = corpus.batches(path, 1000)
    assert next(found).num_rows == 1
    found.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
