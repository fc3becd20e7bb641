"""PostgreSQL's CSV with backslash escapes."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import postgres_csv
from sources.formats.postgres_csv import Row, rows
from sources.source import UnreadableFile


def quoted(value: str | None) -> str:
    """Write a field as COPY does with FORCE_QUOTE * and ESCAPE as a backslash."""
    if value is None:
        return ""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table(*records: list[str | None]) -> bytes:
    """Write a table with a header of two columns."""
    lines = ["id,text", *(",".join(map(quoted, record)) for record in records)]
    return ("\n".join(lines) + "\n").encode()


def read(content: bytes) -> list[Row]:
    """Read all rows of a file's content."""
    return list(rows(io.BytesIO(content), "x.csv"))


def test_quotes_backslashes_and_line_ends_are_part_of_a_field() -> None:
    """What COPY escapes comes back as it was; NULL is an empty field."""
    text = 'She said "no".\r\n\r\nC:\\maps\\new, and \\" too\n'
    assert read(table(["1", text], ["2", None])) == [
        Row(1, {"id": "1", "text": text}),
        Row(2, {"id": "2", "text": ""}),
    ]


FIELDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=6))
@settings(max_examples=100)
def test_every_text_comes_back(records: list[tuple[str, str]]) -> None:
    """Reading undoes writing, whatever characters there are, NUL too."""
    found = [tuple(row.fields.values()) for row in read(table(*map(list, records)))]
    assert found == records


def test_a_row_of_other_width_is_passed_over() -> None:
    """Too few or too many fields make a row malformed, and the next one is read."""
    content = table(["1", "a"]) + b'"2"\n"3","b","c"\n\n' + b'"4","d"\n'
    found = [(row.number, row.problem, row.fields.get("text")) for row in read(content)]
    assert found == [
        (1, None, "a"),
        (2, "malformed_row", None),
        (3, "malformed_row", None),
        (4, "malformed_row", None),
        (5, None, "d"),
    ]


@pytest.mark.parametrize(
    "row", [b'"2","a"b\n', b'"2",a"b"\n', b'"2","say ""no"""\n', b'"2","a" \n', b'"2", "a"\n']
)
def test_fields_quoted_otherwise_make_a_row_malformed(row: bytes) -> None:
    """Such as by the usual dialect; nothing is made of them at a guess."""
    bad, good = read(table() + row + b'"3","c"\n')
    assert (bad.problem, bad.shown, good.fields["text"]) == ("malformed_row", row.decode(), "c")


def test_a_backslash_before_anything_else_is_itself() -> None:
    """As PostgreSQL reads its own files."""
    assert read(b'id,text\n"1","a\\n"\n')[0].fields["text"] == "a\\n"


def test_a_row_that_is_not_utf8_is_passed_over() -> None:
    """The bytes are shown with escapes."""
    bad, good = read(b'id,text\n"1","caf\xe9"\n"2","ok"\n')
    assert (bad.problem, bad.shown, good.fields["text"]) == (
        "invalid_utf8",
        '"1","caf\\xe9"\n',
        "ok",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id,id\n",
        b"caf\xe9,text\n",
        table(["1", "a"])[:-3],
        table(["1", "a"]) + b'"2","never closed\n' + b"x\n" * 1000,
    ],
    ids=["empty", "column twice", "header not UTF-8", "cut", "open quote"],
)
def test_what_has_no_rows_any_more_is_refused(content: bytes) -> None:
    """Where rows can no longer be told apart, the file is."""
    with pytest.raises(UnreadableFile, match=r"x\.csv"):
        read(content)


def test_a_row_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fields are not read; the rows beside it are, and keep their numbers."""
    monkeypatch.setattr(postgres_csv, "ROW_LIMIT", 50)
    table = b'"id","text"\n"1","a"\n"2","' + b"line\n" * 20 + b'"\n"3","b"\n'
    found = list(rows(io.BytesIO(table), "x"))
    assert [(row.number, row.problem, row.fields.get("text")) for row in found] == [
        (1, None, "a"),
        (2, "overlong", None),
        (3, None, "b"),
    ]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that is never closed, and a line without an end, are stopped at the limits."""
    monkeypatch.setattr(postgres_csv, "OPEN_LIMIT", 1000)
    with pytest.raises(UnreadableFile, match="1,000 bytes"):
        read(table(["1", "line\n" * 300]))
    assert len(read(table(*(["1", "line\n" * 100] for _ in range(20))))) == 20
    monkeypatch.setattr(postgres_csv, "LINE_LIMIT", 100)
    with pytest.raises(UnreadableFile, match=r"line 2 has \d+ bytes"):
        read(table(["1", "x" * 200]))
